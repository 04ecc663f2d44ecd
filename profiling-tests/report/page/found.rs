//! The reports in a directory, read and judged: which are of the newest run, which of another corpus, build or machine,
//! and which files are no reports at all.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::picture::Picture;

/// The layout that is read here.
const FORMAT_VERSION: u64 = 2;

/// What is in a directory.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Those of known scenarios first, in their order.
    pub(super) found: Vec<Found>,
    /// Scenarios without a report.
    pub(super) missing: Vec<String>,
    /// Files that should be reports, and why they aren't.
    pub(super) skipped: Vec<Skipped>,
}

/// A file that is left out.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) file: String,
    pub(super) reason: String,
}

/// The report of a scenario, as its file has it. `figures`, `comparison` and `budgets` may be missing.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    pub(super) scenario: String,
    pub(super) about: String,
    pub(super) headline: String,
    pub(super) run: Run,
    pub(super) warnings: Vec<String>,
    pub(super) circumstances: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
    pub(super) graphs: Vec<Picture>,
    pub(super) measurements: Map<String, Value>,
    n_threads: Value,
    corpus: Value,
    environment: Value,
    #[serde(default)]
    pub(super) figures: Vec<Figure>,
    pub(super) comparison: Option<Comparison>,
    pub(super) budgets: Option<Budgets>,
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
    pub(super) refused: Vec<String>,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
    #[serde(default)]
    pub(super) graphs: Vec<Picture>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) figure: String,
    pub(super) before: Value,
    pub(super) after: Value,
    pub(super) unit: String,
    pub(super) change: Value,
    pub(super) verdict: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Budgets {
    pub(super) state: String,
    #[serde(default)]
    pub(super) rows: Vec<BudgetRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BudgetRow {
    pub(super) figure: String,
    pub(super) kind: String,
    pub(super) limit: Value,
    pub(super) found: Value,
    pub(super) verdict: String,
}

impl Reports {
    /// Reads the JSON files of a directory, but none in directories within it.
    pub(super) fn read(directory: &Path, scenarios: &[&str]) -> io::Result<Self> {
        let mut reports = Self::default();
        for file in json_files(directory)? {
            match Found::read(directory, &file) {
                Ok(found) => reports.found.push(found),
                Err(reason) => reports.skipped.push(Skipped { file, reason }),
            }
        }
        let place = |name: &str| scenarios.iter().position(|known| *known == name);
        // Stable: what isn't known stays in the order of the files' names.
        reports
            .found
            .sort_by_key(|found| place(&found.scenario).unwrap_or(usize::MAX));
        let is_missing = |name: &&&str| !reports.found.iter().any(|found| found.scenario == **name);
        reports.missing = scenarios
            .iter()
            .filter(is_missing)
            .map(ToString::to_string)
            .collect();
        Ok(reports)
    }

    /// The report that was measured last.
    pub(super) fn newest(&self) -> Option<&Found> {
        let by_time = |found: &&Found| (found.run.measured_at.clone(), Reverse(found.scenario.clone()));
        self.found.iter().max_by_key(by_time)
    }

    /// The report of a scenario.
    pub(super) fn of(&self, scenario: &str) -> Option<&Found> {
        self.found.iter().find(|found| found.scenario == scenario)
    }

    /// Whether a report is of an earlier run than the newest.
    pub(super) fn is_earlier(&self, found: &Found) -> bool {
        self.newest().is_some_and(|newest| newest.run.id != found.run.id)
    }

    /// In what a report's circumstances differ from those of the newest: figures can't be compared then.
    pub(super) fn differences(&self, found: &Found) -> Vec<&'static str> {
        const BUILD: [&str; 6] = [
            "rustc",
            "target",
            "opt_level",
            "debug_assertions",
            "overflow_checks",
            "rustflags",
        ];
        const MACHINE: [&str; 3] = ["cpu", "logical_cores", "operating_system"];
        let Some(newest) = self.newest() else {
            return Vec::new();
        };
        let differ = |keys: &[&str]| {
            keys.iter()
                .any(|key| found.environment[*key] != newest.environment[*key])
        };
        let compared = [
            ("corpus", found.corpus != newest.corpus),
            ("number of threads", found.n_threads != newest.n_threads),
            ("build", differ(&BUILD)),
            ("machine", differ(&MACHINE)),
        ];
        compared
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(what, _)| what)
            .collect()
    }
}

impl Found {
    /// Reads a report with its pictures; the error says why it can't be one.
    fn read(directory: &Path, file: &str) -> Result<Self, String> {
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
        let compared = found
            .comparison
            .iter_mut()
            .flat_map(|comparison| &mut comparison.graphs);
        for picture in found.graphs.iter_mut().chain(compared) {
            picture.load(directory);
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

impl Budgets {
    /// The budgets of a report.
    pub(super) fn of(found: &Found) -> impl Iterator<Item = &BudgetRow> {
        found.budgets.iter().flat_map(|budgets| &budgets.rows)
    }
}

/// Names of the files that should be reports, sorted. Those for speedscope are JSON as well.
fn json_files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_report = name.ends_with(".json") && !name.ends_with(".speedscope.json");
        if is_report && !entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
