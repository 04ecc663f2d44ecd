//! What a scenario found, and how it is written down.
//!
//! ```text
//! instruments → sections (for people), measurements (for programs), figures, graphs → Report
//! figures + baseline → changes; figures + budgets → kept or exceeded
//! Report + Head → <name>.txt .json, of each graph .svg .folded .pb.gz .speedscope.json
//!               → summary.txt, index.html (of all that is in the directory) → terminal
//! ```
//! A scenario builds a [`Report`]; `cpu`, `memory`, `leaks`, `timing` and `training` turn what instruments say into
//! sections; `text`, `json`, `graph` and `page` write one format each.

pub(crate) mod changes;
pub(crate) mod cpu;
pub(crate) mod figure;
pub(crate) mod files;
pub(crate) mod functions;
pub(crate) mod graph;
pub(crate) mod head;
pub(crate) mod json;
pub(crate) mod leaks;
pub(crate) mod memory;
pub(crate) mod page;
pub(crate) mod run;
pub(crate) mod table;
pub(crate) mod text;
pub(crate) mod timing;
pub(crate) mod training;
pub(crate) mod units;

use serde::Serialize;
use serde_json::{Map, Value};

use figure::Figure;
use graph::Graph;
use run::Run;
use table::Table;

use crate::baseline::Comparison;
use crate::budgets::Budgeting;

/// What one scenario found.
#[derive(Debug)]
pub(crate) struct Report {
    /// Name of the trial, for example `training::train_cpu`.
    pub(crate) scenario: &'static str,
    /// What was done, in a sentence.
    pub(crate) about: String,
    /// Which run it is of, and when it began.
    pub(crate) run: Run,
    /// When it began and ended, against other scenarios of its process.
    pub(crate) span: Span,
    /// What came out, in half a line: what the overview of a run shows.
    pub(crate) headline: String,
    /// Why it isn't whole, if it isn't.
    pub(crate) failure: Option<String>,
    /// What a reader must know before the figures.
    pub(crate) warnings: Vec<String>,
    /// For people.
    pub(crate) sections: Vec<Section>,
    /// For programs: the profiles and timings themselves, by name.
    pub(crate) measurements: Map<String, Value>,
    /// The key numbers: what is compared with a baseline and held to budgets.
    pub(crate) figures: Vec<Figure>,
    /// Against a baseline, where one was named.
    pub(crate) comparison: Option<Comparison>,
    /// What became of the budgets; none before they are checked.
    pub(crate) budgets: Option<Budgeting>,
    /// Flame graphs; the first bears the scenario's name.
    pub(crate) graphs: Vec<Graph>,
}

/// When a scenario ran, in nanoseconds since the process's first one.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Span {
    /// The process: reports of one process are of one run.
    pub(crate) process: u32,
    pub(crate) began_ns: u64,
    pub(crate) ended_ns: u64,
}

/// A part of a report with a heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: String,
    pub(crate) body: Body,
}

/// What stands under a heading.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    /// Named figures, one a line.
    Facts(Vec<(&'static str, String)>),
    /// Rows and columns.
    Table(Table),
}

impl Report {
    /// An empty report.
    pub(crate) fn new(scenario: &'static str, about: impl Into<String>) -> Self {
        Self {
            scenario,
            about: about.into(),
            run: Run::now(),
            span: Span::default(),
            headline: String::new(),
            failure: None,
            warnings: Vec::new(),
            sections: Vec::new(),
            measurements: Map::new(),
            figures: Vec::new(),
            comparison: None,
            budgets: None,
            graphs: Vec::new(),
        }
    }

    /// Marks what was found so far as all that there will be.
    pub(crate) fn fail(&mut self, reason: &str) {
        self.headline = format!("FAILED: {reason}");
        self.failure = Some(reason.to_owned());
        self.warnings.insert(
            0,
            format!("it failed, and what follows is what it had found by then: {reason}"),
        );
    }

    /// Adds named figures.
    pub(crate) fn facts(&mut self, heading: impl Into<String>, facts: Vec<(&'static str, String)>) {
        self.sections.push(Section {
            heading: heading.into(),
            body: Body::Facts(facts),
        });
    }

    /// Adds a table.
    pub(crate) fn table(&mut self, heading: impl Into<String>, table: Table) {
        self.sections.push(Section {
            heading: heading.into(),
            body: Body::Table(table),
        });
    }

    /// Adds key numbers.
    pub(crate) fn figures(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.figures.extend(figures);
    }

    /// Adds a measurement for programs.
    pub(crate) fn measurement(&mut self, name: impl Into<String>, measured: &impl Serialize) {
        let value = serde_json::to_value(measured).expect("measurements are plain data with text for keys");
        self.measurements.insert(name.into(), value);
    }
}
