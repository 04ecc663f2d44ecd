//! What a run is asked for: environment variables in, checked settings out.
//!
//! The environment rather than flags, because test runners such as nextest pass no flags of ours on.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use postroom::store::Location;
use serde::{Serialize, Serializer};

use crate::baseline;
use crate::budgets::Mode;

/// Fewer documents than this don't fill the labels: some field would have nothing to learn.
const FEWEST_DOCUMENTS: usize = 100;
const MOST_DOCUMENTS: usize = 10_000_000;
const MOST_THREADS: usize = 1_024;

/// The variables, for people.
pub(crate) const VARIABLES: &str = "\
PROFILING_DOCS     documents in the generated corpus (5000)
PROFILING_SEED     seed of the generated corpus (42)
PROFILING_DB       a paperless-ngx archive to measure on instead, which is only read: the path of its db.sqlite3, or
                   postgres://user@host:port/database or mariadb://… (password in POSTROOM_DB_PASSWORD)
PROFILING_THREADS  threads that train (all cores)
PROFILING_PIPELINE  mlp or linear: only the scenarios of that pipeline (both)
PROFILING_DIR      where the reports are written (target/profiling)
PROFILING_SAVE_BASELINE  name under which the reports are saved, to compare later runs with
PROFILING_BASELINE  name of the saved reports to compare with
PROFILING_BUDGETS  off: budgets aren't checked (on)
PROFILING_BRIEF    on: fewer samples, for a first look (off)";

/// Set by a comparison for the two programs that it has measure. Not for people, who have nobody at the other end.
pub(crate) const TURNS: &str = "PROFILING_TURNS";

/// What a run measures on and where it writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    /// Documents of the generated corpus.
    pub(crate) n_documents: usize,
    /// Its seed.
    pub(crate) seed: u64,
    /// A real archive instead of the generated corpus.
    #[serde(serialize_with = "as_text")]
    pub(crate) archive: Option<Location>,
    /// Size of the rayon pool; none for all cores.
    pub(crate) n_threads: Option<usize>,
    /// The pipeline whose scenarios are run; none for both. Each report is of one anyway.
    #[serde(skip)]
    pub(crate) pipeline: Option<PipelineName>,
    /// Where the reports go. Not part of a report: it says nothing about what was measured.
    #[serde(skip)]
    pub(crate) directory: PathBuf,
    /// Name of the baseline that the reports become.
    #[serde(skip)]
    pub(crate) save_baseline: Option<String>,
    /// Name of the baseline that they are compared with.
    #[serde(skip)]
    pub(crate) baseline: Option<String>,
    /// Fewer samples of times and of CPU time.
    pub(crate) brief: bool,
    /// Another program is measured at the same time, and both take turns.
    #[serde(skip)]
    pub(crate) turns: bool,
    /// Whether budgets are checked; said in the report where they are listed.
    #[serde(skip)]
    pub(crate) budgets: Mode,
}

/// The pipelines that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PipelineName {
    /// The four networks.
    Mlp,
    /// The linear classifiers.
    Linear,
}

impl PipelineName {
    /// The pipeline of this name, as settings have it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "mlp" => Some(Self::Mlp),
            "linear" => Some(Self::Linear),
            _ => None,
        }
    }
}

/// A variable whose value can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is {found:?}, expected {expected}")]
pub(crate) struct SettingsError {
    variable: &'static str,
    found: OsString,
    expected: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            n_documents: 5_000,
            seed: 42,
            archive: None,
            n_threads: None,
            pipeline: None,
            directory: workspace_root().join("target/profiling"),
            save_baseline: None,
            baseline: None,
            brief: false,
            turns: false,
            budgets: Mode::On,
        }
    }
}

impl Settings {
    /// Settings from the process's environment.
    pub(crate) fn from_env() -> Result<Self, SettingsError> {
        Self::read(|variable| std::env::var_os(variable))
    }

    /// Settings from variables that `look_up` knows; one that is unset or empty leaves the default.
    pub(crate) fn read(look_up: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let value = |variable| {
            let text = look_up(variable).filter(|text| !text.is_empty());
            text.map(|text| Value { variable, text })
        };
        let mut settings = Self::default();
        if let Some(docs) = value("PROFILING_DOCS") {
            settings.n_documents = docs.count(FEWEST_DOCUMENTS, MOST_DOCUMENTS)?;
        }
        if let Some(seed) = value("PROFILING_SEED") {
            settings.seed = seed.parse("a whole number from 0 to 18446744073709551615")?;
        }
        if let Some(database) = value("PROFILING_DB") {
            settings.archive = Some(database.location()?);
        }
        if let Some(threads) = value("PROFILING_THREADS") {
            settings.n_threads = Some(threads.count(1, MOST_THREADS)?);
        }
        if let Some(pipeline) = value("PROFILING_PIPELINE") {
            settings.pipeline = Some(pipeline.pipeline()?);
        }
        if let Some(directory) = value("PROFILING_DIR") {
            settings.directory = directory.directory()?;
        }
        if let Some(name) = value("PROFILING_SAVE_BASELINE") {
            settings.save_baseline = Some(name.name()?);
        }
        if let Some(name) = value("PROFILING_BASELINE") {
            settings.baseline = Some(name.baseline_in(&settings.directory)?);
        }
        if let Some(mode) = value("PROFILING_BUDGETS") {
            settings.budgets = if mode.on_or_off()? { Mode::On } else { Mode::Off };
        }
        if let Some(brief) = value("PROFILING_BRIEF") {
            settings.brief = brief.on_or_off()?;
        }
        if let Some(turns) = value(TURNS) {
            settings.turns = turns.on_or_off()?;
        }
        Ok(settings)
    }
}

/// As it is written, which holds no password.
#[expect(clippy::ref_option, reason = "serde hands it over like that")]
fn as_text<S: Serializer>(archive: &Option<Location>, serializer: S) -> Result<S::Ok, S::Error> {
    archive.as_ref().map(ToString::to_string).serialize(serializer)
}

/// A variable that is set.
struct Value {
    variable: &'static str,
    text: OsString,
}

impl Value {
    fn count(self, fewest: usize, most: usize) -> Result<usize, SettingsError> {
        let expected = format!("a whole number from {fewest} to {most}");
        let count = self.as_str().and_then(|text| text.parse().ok());
        count
            .filter(|count| (fewest..=most).contains(count))
            .ok_or_else(|| self.unusable(expected))
    }

    fn parse<T: std::str::FromStr>(self, expected: &str) -> Result<T, SettingsError> {
        let parsed = self.as_str().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| self.unusable(expected))
    }

    fn location(self) -> Result<Location, SettingsError> {
        match Location::parse(&self.text) {
            Ok(Location::File(path)) if !path.is_file() => {
                Err(self.unusable("the path of a file that exists"))
            }
            Ok(location) => Ok(location),
            // Not repeated: there may be a password in it.
            Err(problem) => Err(SettingsError {
                variable: self.variable,
                found: "…://…".into(),
                expected: format!("an archive ({problem})"),
            }),
        }
    }

    fn directory(self) -> Result<PathBuf, SettingsError> {
        let path = PathBuf::from(&self.text);
        let blocked = path.exists() && !path.is_dir();
        if blocked {
            Err(self.unusable("the path of a directory, or of one to create"))
        } else {
            Ok(path)
        }
    }

    fn name(self) -> Result<String, SettingsError> {
        match self.as_str().filter(|name| baseline::is_name(name)) {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.unusable(baseline::NAME_RULE)),
        }
    }

    /// Looked for before anything is measured: a run that compares with nothing would be for nothing.
    fn baseline_in(self, reports: &Path) -> Result<String, SettingsError> {
        let Some(name) = self.as_str().filter(|name| baseline::is_name(name)) else {
            return Err(self.unusable(baseline::NAME_RULE));
        };
        let known = baseline::names(reports);
        if known.iter().any(|known| known == name) {
            return Ok(name.to_owned());
        }
        let known = if known.is_empty() {
            "none is saved yet".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        let expected = format!(
            "a baseline in {} ({known}); a run with PROFILING_SAVE_BASELINE={name} saves it",
            baseline::directory_of(reports, "").display()
        );
        Err(self.unusable(expected))
    }

    fn on_or_off(self) -> Result<bool, SettingsError> {
        match self.as_str() {
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            _ => Err(self.unusable("on or off")),
        }
    }

    fn pipeline(self) -> Result<PipelineName, SettingsError> {
        let named = self.as_str().and_then(PipelineName::named);
        named.ok_or_else(|| self.unusable("mlp or linear"))
    }

    fn as_str(&self) -> Option<&str> {
        OsStr::to_str(&self.text)
    }

    fn unusable(self, expected: impl Into<String>) -> SettingsError {
        SettingsError {
            variable: self.variable,
            found: self.text,
            expected: expected.into(),
        }
    }
}

/// Where the package was built; where it runs if the sources are gone, as on a machine that only has the binary.
fn workspace_root() -> &'static Path {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    if built_in.is_dir() {
        built_in
    } else {
        Path::new("")
    }
}
