//! The reports in a directory, judged: which are of the newest run, which of another corpus, build or machine, and which
//! files are no reports at all.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::Path;

use super::found::Found;

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

    /// What is warned of in this report and not in every one.
    pub(super) fn own_warnings<'found>(&self, found: &'found Found) -> impl Iterator<Item = &'found String> {
        let everywhere = |warning: &String| self.found.iter().all(|other| other.warnings.contains(warning));
        let is_only_one = self.found.len() == 1;
        found
            .warnings
            .iter()
            .filter(move |warning| is_only_one || !everywhere(warning))
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

/// Names of the files that should be reports, sorted. Those for speedscope are JSON as well.
fn json_files(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_json = Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "json");
        let is_report = is_json && !name.ends_with(".speedscope.json");
        if is_report && !entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
