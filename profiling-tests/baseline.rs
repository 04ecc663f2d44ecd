//! Runs that were saved under a name, and what changed since.
//!
//! ```text
//! PROFILING_SAVE_BASELINE=name   a scenario's files, this program → <directory>/baselines/<name>/
//! PROFILING_BASELINE=name        its files there + the report of now, times of its program and of this one, measured in
//!                                turn → Comparison, differential flame graphs
//! ```
//! A report is compared with one that was measured on the same documents, machine and build, or not at all: `saved`
//! reads and refuses, `side_by_side` measures the times of both programs, `comparison` judges.

mod comparison;
mod saved;
mod side_by_side;

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use profiling_toolkit::flamegraph::FlamegraphError;

use crate::report::Report;
use crate::report::figure::Figure;
use crate::report::files;
use crate::report::head::Head;

pub(crate) use comparison::{Change, Comparison};
use saved::SavedReport;
pub(crate) use side_by_side::MeasureWith;
use side_by_side::Pairs;

/// Where baselines are, below the directory of the reports.
const DIRECTORY: &str = "baselines";

/// The program that measured a baseline, among its files.
const PROGRAM: &str = "program";

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

    /// Judges the figures of a report: times side by side with those of the baseline's program, if it can still be run,
    /// or else against what it saved.
    pub(crate) fn compare(
        &self,
        head: &Head<'_>,
        report: &Report,
        measure_with: MeasureWith<'_>,
    ) -> Comparison {
        let notes = match &self.saved {
            Some(saved) => saved.notes(head),
            None => vec!["this scenario isn't part of the baseline".to_owned()],
        };
        let before = self.saved.as_ref().map(|saved| &saved.figures[..]);
        let mut comparison = Comparison::new(&self.name, notes, before, &report.figures);
        if comparison.has_times() {
            match self.side_by_side(measure_with) {
                Ok(pairs) => comparison.judge_side_by_side(&pairs),
                Err(error) => comparison.notes.push(format!(
                    "times are judged by what the baseline saved, which knows less of the machine: they could not \
                     be measured side by side ({error})"
                )),
            }
        }
        comparison
    }

    fn side_by_side(&self, measure_with: MeasureWith<'_>) -> Result<Pairs, Box<dyn Error>> {
        let program = self.directory.join(PROGRAM);
        if !program.is_file() {
            return Err(format!("{} is missing", program.display()).into());
        }
        Pairs::measure([&program, &std::env::current_exe()?], measure_with)
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

/// Saves a report as part of a baseline, and the program that measured it.
pub(crate) fn save(name: &str, head: &Head<'_>, report: &Report) -> Result<(), Box<dyn Error>> {
    let directory = directory_of(&head.settings.directory, name);
    files::write(&directory, head, report)?;
    let (this, program) = (std::env::current_exe()?, directory.join(PROGRAM));
    // A run has many scenarios and saves one program.
    if is_same(&this, &program)? {
        return Ok(());
    }
    let copied = fs::copy(&this, directory.join("program.new"))
        .and_then(|_| fs::rename(directory.join("program.new"), &program));
    copied.map_err(|error| format!("cannot copy {} to {}: {error}", this.display(), program.display()).into())
}

/// The figures of a scenario whose report is in the directory.
pub(crate) fn saved_figures(directory: &Path, scenario: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
    let path = directory.join(format!("{}.json", files::stem(scenario)));
    let report = SavedReport::read(&path)?.ok_or_else(|| format!("{} is missing", path.display()))?;
    Ok(report.figures)
}

/// Whether a program is the copy of another.
fn is_same(program: &Path, copy: &Path) -> io::Result<bool> {
    match fs::metadata(copy) {
        Ok(metadata) if metadata.len() == fs::metadata(program)?.len() => {
            Ok(fs::read(program)? == fs::read(copy)?)
        }
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
