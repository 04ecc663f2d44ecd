//! A report of a baseline: read back, and held against the circumstances of now.

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;

use profiling_toolkit::compare::MOST_SAMPLES;
use profiling_toolkit::environment::Environment;
use serde::Deserialize;

use crate::report::figure::Figure;
use crate::report::head::Head;
use crate::report::json::FORMAT_VERSION;
use crate::report::units::count;

/// What a comparison needs of a saved report.
#[derive(Debug, Deserialize)]
pub(super) struct SavedReport {
    n_threads: usize,
    corpus: Corpus,
    environment: Build,
    pub(super) figures: Vec<Figure>,
    pub(super) graphs: Vec<SavedGraph>,
}

/// Stacks of a saved report.
#[derive(Debug, Deserialize)]
pub(super) struct SavedGraph {
    /// Name of their file.
    pub(super) folded: String,
    /// Calls that they are the sum of.
    pub(super) calls: u64,
}

#[derive(Debug, Deserialize)]
struct Version {
    format_version: u32,
}

#[derive(Debug, Deserialize)]
struct Corpus {
    n_documents: usize,
    sha256: String,
}

/// The part of an [`Environment`] that decides whether figures are comparable.
#[derive(Debug, Deserialize)]
struct Build {
    rustc: String,
    target: String,
    opt_level: String,
    debug_assertions: bool,
    overflow_checks: Option<bool>,
    rustflags: Vec<String>,
    cpu: Option<String>,
    operating_system: String,
}

impl SavedReport {
    /// Reads a report; none if there is no such file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Box<dyn Error>> {
        let content = match fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display()).into()),
        };
        let broken = |error| format!("{} is truncated or isn't a report ({error})", path.display());
        let Version { format_version } = serde_json::from_slice(&content).map_err(broken)?;
        if format_version != FORMAT_VERSION {
            return Err(format!(
                "{} has format version {format_version}, this program reads {FORMAT_VERSION}",
                path.display()
            )
            .into());
        }
        let report: Self = serde_json::from_slice(&content).map_err(broken)?;
        // Comparing resamples them thousands of times.
        let n_samples = |figure: &Figure| figure.samples.as_ref().map_or(0, |samples| samples.ns.len());
        match report
            .figures
            .iter()
            .find(|figure| n_samples(figure) > MOST_SAMPLES)
        {
            Some(figure) => Err(format!(
                "{} has {} samples of {}, and no run takes more than {MOST_SAMPLES}",
                path.display(),
                n_samples(figure),
                figure.name
            )
            .into()),
            None => Ok(Some(report)),
        }
    }

    /// Circumstances that make figures of two runs incomparable, a line each.
    pub(super) fn differences(&self, head: &Head<'_>) -> Vec<String> {
        let (build, now) = (&self.environment, head.environment);
        let mut differences = Vec::new();
        if self.corpus.sha256 != head.corpus.sha256 {
            let corpus = |n_documents, sha256: &str| {
                let digits: String = sha256.chars().take(12).collect();
                format!("{} documents, SHA-256 {digits}…", count(n_documents))
            };
            differences.push(then_and_now(
                "the corpus",
                &corpus(self.corpus.n_documents, &self.corpus.sha256),
                &corpus(head.corpus.n_documents, &head.corpus.sha256),
            ));
        }
        let unknown = || "unknown".to_owned();
        let known = |checks: Option<bool>| checks.map_or_else(unknown, |on| on.to_string());
        let (threads, cpu) = (head.n_threads.to_string(), now.cpu.clone());
        for (what, then, now) in [
            ("the compiler", build.rustc.clone(), now.rustc.clone()),
            ("the target", build.target.clone(), now.target.clone()),
            (
                "the optimisation level",
                build.opt_level.clone(),
                now.opt_level.clone(),
            ),
            (
                "debug assertions",
                build.debug_assertions.to_string(),
                now.debug_assertions.to_string(),
            ),
            (
                "overflow checks",
                known(build.overflow_checks),
                known(now.overflow_checks),
            ),
            (
                "the processor",
                build.cpu.clone().unwrap_or_else(unknown),
                cpu.unwrap_or_else(unknown),
            ),
            (
                "the number of threads that train",
                self.n_threads.to_string(),
                threads,
            ),
        ] {
            if then != now {
                differences.push(then_and_now(what, &then, &now));
            }
        }
        differences
    }

    /// Circumstances that differ and may be what is compared, a line each.
    pub(super) fn notes(&self, head: &Head<'_>) -> Vec<String> {
        let Build {
            rustflags,
            operating_system,
            ..
        } = &self.environment;
        let now: &Environment = head.environment;
        let mut notes = Vec::new();
        if *rustflags != now.rustflags {
            notes.push(then_and_now(
                "the compiler's flags",
                &rustflags.join(" "),
                &now.rustflags.join(" "),
            ));
        }
        if *operating_system != now.operating_system {
            notes.push(then_and_now(
                "the system",
                operating_system,
                &now.operating_system,
            ));
        }
        notes
    }
}

fn then_and_now(what: &str, then: &str, now: &str) -> String {
    format!("not the same: {what} ({then} then, {now} now)")
}
