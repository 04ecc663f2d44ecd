//! Runs that were saved under a name, and what changed since.
//!
//! ```text
//! PROFILING_SAVE_BASELINE=name   a scenario's files → <directory>/baselines/<name>/
//! PROFILING_BASELINE=name        its files there + the report of now → Comparison, differential flame graphs
//! ```
//! A report is compared with one that was measured on the same documents, machine and build, or not at all: `saved`
//! reads and refuses, `comparison` judges.

mod comparison;
mod saved;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use profiling_toolkit::flamegraph::FlamegraphError;

use crate::report::Report;
use crate::report::files;
use crate::report::head::Head;

pub(crate) use comparison::{Change, Comparison};
use saved::SavedReport;

/// Where baselines are, below the directory of the reports.
const DIRECTORY: &str = "baselines";

const LONGEST_NAME: usize = 64;

/// What a name of a baseline may be, for people.
pub(crate) const NAME_RULE: &str =
    "a name of up to 64 letters, digits, '-', '_' and '.' that doesn't begin with '.' or '-'";

/// Whether a baseline may have this name: it is that of a directory.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with(['.', '-'])
}

/// Where a baseline is or would be.
pub(crate) fn directory_of(reports: &Path, name: &str) -> PathBuf {
    reports.join(DIRECTORY).join(name)
}

/// The baselines that there are, sorted.
pub(crate) fn names(reports: &Path) -> Vec<String> {
    let entries = fs::read_dir(reports.join(DIRECTORY))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// A scenario as a baseline has it.
#[derive(Debug)]
pub(crate) struct Baseline {
    name: String,
    directory: PathBuf,
    /// None if the scenario wasn't part of the run that was saved.
    saved: Option<SavedReport>,
}

impl Baseline {
    /// The scenario's report in the baseline of this name.
    ///
    /// # Errors
    /// When it can't be read or was measured under other circumstances.
    pub(crate) fn open(name: &str, scenario: &str, head: &Head<'_>) -> Result<Self, Box<dyn Error>> {
        let directory = directory_of(&head.settings.directory, name);
        let path = directory.join(format!("{}.json", files::stem(scenario)));
        let refused = |reason: String| {
            format!(
                "the comparison with the baseline {name} is refused: {reason}; save it again with \
                 PROFILING_SAVE_BASELINE={name}, or run without PROFILING_BASELINE"
            )
        };
        let saved = SavedReport::read(&path).map_err(|problem| refused(problem.to_string()))?;
        let differences = saved
            .as_ref()
            .map_or_else(Vec::new, |saved| saved.differences(head));
        if !differences.is_empty() {
            return Err(refused(differences.join("; ")).into());
        }
        Ok(Self {
            name: name.to_owned(),
            directory,
            saved,
        })
    }

    /// Judges the figures of a report.
    pub(crate) fn compare(&self, head: &Head<'_>, report: &Report) -> Comparison {
        let notes = match &self.saved {
            Some(saved) => saved.notes(head),
            None => vec!["this scenario isn't part of the baseline".to_owned()],
        };
        let before = self.saved.as_ref().map(|saved| &saved.figures[..]);
        Comparison::new(&self.name, notes, before, &report.figures)
    }

    /// Draws what changed, in both directions, beside the report's own flame graphs.
    pub(crate) fn write_differences(&self, head: &Head<'_>, report: &Report) -> Result<(), Box<dyn Error>> {
        let Some(saved) = &self.saved else {
            return Ok(());
        };
        for graph in &report.graphs {
            let stem = graph.stem(&files::stem(report.scenario));
            let folded = format!("{stem}.folded");
            let Some(before) = saved.graphs.iter().find(|graph| graph.folded == folded) else {
                continue;
            };
            let stacks = fs::read_to_string(self.directory.join(folded))?;
            let [now, before] = match graph.differences(&self.name, &stacks, before.calls) {
                Err(FlamegraphError::Empty { .. }) => continue,
                drawn => drawn?,
            };
            let directory = &head.settings.directory;
            files::put(directory, &format!("{stem}.diff.svg"), now.as_bytes())?;
            files::put(directory, &format!("{stem}.diff_before.svg"), before.as_bytes())?;
        }
        Ok(())
    }
}

/// Saves a report as part of a baseline.
pub(crate) fn save(name: &str, head: &Head<'_>, report: &Report) -> Result<(), Box<dyn Error>> {
    files::write(&directory_of(&head.settings.directory, name), head, report)
}
