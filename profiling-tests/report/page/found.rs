//! A report as its JSON file has it. `docs/report-format.md` describes the layout; what isn't shown isn't read.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::picture::Picture;

/// The layout that is read here.
const FORMAT_VERSION: u64 = 2;

/// The report of a scenario, as its file has it. `figures`, `comparison` and `budgets` may be missing.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) scenario: String,
    pub(super) about: String,
    pub(super) headline: String,
    /// Why it ended early; what is there was found before.
    pub(super) failure: Option<String>,
    pub(super) run: Run,
    pub(super) warnings: Vec<String>,
    pub(super) circumstances: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    pub(super) graphs: Vec<Picture>,
    pub(super) measurements: Map<String, Value>,
    pub(super) n_threads: Value,
    pub(super) corpus: Value,
    pub(super) environment: Value,
    #[serde(default)]
    pub(super) figures: Vec<Figure>,
    pub(super) comparison: Option<Comparison>,
    pub(super) budgets: Option<Budgets>,
}

impl Found {
    /// Reads a report with its pictures; the error says why it can't be one.
    pub(super) fn read(directory: &Path, file: &str) -> Result<Self, String> {
        let bytes = fs::read(directory.join(file)).map_err(|error| error.to_string())?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| format!("no whole JSON file: {error}"))?;
        match value["format_version"].as_u64() {
            Some(FORMAT_VERSION) => {}
            Some(other) => {
                return Err(format!(
                    "format version {other}, where {FORMAT_VERSION} is read; measure again"
                ));
            }
            None => return Err("not a report of the profiling tests".to_owned()),
        }
        let mut found: Self = serde_json::from_value(value)
            .map_err(|error| format!("not a report as it should be: {error}"))?;
        for picture in &mut found.graphs {
            picture.load(directory);
        }
        if let Some(comparison) = &mut found.comparison {
            let graphs = found.graphs.iter();
            comparison.graphs = graphs.flat_map(|graph| graph.differences(directory)).collect();
        }
        Ok(found)
    }

    /// A number of a measurement, by its path within them.
    pub(super) fn number(&self, path: [&str; 2]) -> Option<f64> {
        let [measurement, key] = path;
        self.measurements.get(measurement)?.get(key)?.as_f64()
    }

    /// The unit of a figure; empty if there is none of this name.
    pub(super) fn unit_of(&self, name: &str) -> &str {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        figure.map_or("", |figure| &figure.unit)
    }

    /// The anchor of its row.
    pub(super) fn anchor(&self) -> String {
        let kept = |c: char| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        };
        self.scenario.chars().map(kept).collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub(super) id: String,
    pub(super) measured_at: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Section {
    pub(super) heading: String,
    #[serde(flatten)]
    pub(super) body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Facts(Vec<(String, String)>),
    Table(Table),
}

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) name_column: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: String,
    #[serde(default)]
    pub(super) exact: bool,
    pub(super) interval_95: Option<[f64; 2]>,
    /// Share by which runs differ.
    pub(super) tolerance: Option<f64>,
    pub(super) unreliable: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) baseline: String,
    #[serde(default)]
    pub(super) notes: Vec<String>,
    #[serde(default)]
    pub(super) refused: Vec<String>,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
    /// What is beside the report's graphs, where it was compared.
    #[serde(skip)]
    pub(super) graphs: Vec<Picture>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) figure: String,
    pub(super) before: f64,
    #[serde(alias = "after")]
    pub(super) now: f64,
    pub(super) unit: String,
    /// Of now over before.
    pub(super) interval_95: Option<[f64; 2]>,
    /// None where it isn't judged.
    pub(super) verdict: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Budgets {
    /// Why none is checked.
    pub(super) note: Option<String>,
    #[serde(default)]
    pub(super) rows: Vec<Budget>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Budget {
    pub(super) figure: String,
    #[serde(alias = "kind")]
    pub(super) severity: String,
    /// None where the limit is a baseline's.
    pub(super) limit: Option<f64>,
    /// None if it wasn't measured.
    #[serde(alias = "found")]
    pub(super) measured: Option<f64>,
    #[serde(alias = "verdict")]
    pub(super) held: String,
    /// The same in words.
    #[serde(default)]
    pub(super) text: String,
}

impl Budgets {
    /// The budgets of a report.
    pub(super) fn of(found: &Found) -> impl Iterator<Item = &Budget> {
        found.budgets.iter().flat_map(|budgets| &budgets.rows)
    }
}
