//! A report for programs: everything that was measured, with the circumstances. `docs/report-format.md` describes it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::figure::Figure;
use super::graph::GraphFiles;
use super::head::Head;
use super::run::Run;
use super::{Body, Report, Span};
use crate::baseline::Comparison;
use crate::budgets::Budgeting;

/// Version of the layout of the file.
pub(crate) const FORMAT_VERSION: u32 = 2;

#[derive(Serialize)]
struct File<'run> {
    format_version: u32,
    scenario: &'run str,
    about: &'run str,
    headline: &'run str,
    failure: Option<&'run str>,
    run: &'run Run,
    span: Span,
    warnings: Vec<&'run str>,
    circumstances: Vec<(&'static str, String)>,
    sections: Vec<Section<'run>>,
    graphs: Vec<GraphFiles<'run>>,
    #[serde(flatten)]
    head: &'run Head<'run>,
    figures: &'run [Figure],
    comparison: Option<&'run Comparison>,
    budgets: Option<&'run Budgeting>,
    measurements: &'run Map<String, Value>,
}

#[derive(Serialize)]
struct Section<'run> {
    heading: &'run str,
    #[serde(flatten)]
    body: &'run Body,
}

/// The whole of a file; `stem` begins the names of the graphs' files.
pub(crate) fn file(head: &Head<'_>, report: &Report, stem: &str) -> String {
    let of_the_environment = head.environment.warnings();
    let warnings = of_the_environment
        .iter()
        .chain(&report.warnings)
        .map(String::as_str)
        .collect();
    let sections = report.sections.iter().map(|section| Section {
        heading: &section.heading,
        body: &section.body,
    });
    let file = File {
        format_version: FORMAT_VERSION,
        scenario: report.scenario,
        about: &report.about,
        headline: &report.headline,
        failure: report.failure.as_deref(),
        run: &report.run,
        span: report.span,
        warnings,
        circumstances: head.facts(),
        sections: sections.collect(),
        graphs: report.graphs.iter().map(|graph| graph.files(stem)).collect(),
        head,
        figures: &report.figures,
        comparison: report.comparison.as_ref(),
        budgets: report.budgets.as_ref(),
        measurements: &report.measurements,
    };
    serde_json::to_string(&file).expect("plain data with text for keys") + "\n"
}
