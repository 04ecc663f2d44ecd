//! A report for programs: everything that was measured, with the circumstances.

use serde::Serialize;
use serde_json::{Map, Value};

use super::head::Head;
use super::{Report, Span};

/// Version of the layout of the file.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct File<'run> {
    format_version: u32,
    scenario: &'run str,
    about: &'run str,
    headline: &'run str,
    failure: Option<&'run str>,
    span: Span,
    warnings: Vec<&'run str>,
    #[serde(flatten)]
    head: &'run Head<'run>,
    measurements: &'run Map<String, Value>,
}

/// The whole of a file.
pub(crate) fn file(head: &Head<'_>, report: &Report) -> String {
    let of_the_environment = head.environment.warnings();
    let warnings = of_the_environment
        .iter()
        .chain(&report.warnings)
        .map(String::as_str)
        .collect();
    let file = File {
        format_version: FORMAT_VERSION,
        scenario: report.scenario,
        about: &report.about,
        headline: &report.headline,
        failure: report.failure.as_deref(),
        span: report.span,
        warnings,
        head,
        measurements: &report.measurements,
    };
    serde_json::to_string(&file).expect("plain data with text for keys") + "\n"
}
