//! `evaluate`: how good the classifier would be on an archive.

mod page;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};
use postroom::evaluation::{Evaluation, EvaluationParams, evaluate};
use tempfile::NamedTempFile;

use super::options::{Learning, directory_of, ensure_of_kind, not_writable};
use super::output::{print, print_json};
use super::terminal::Terminal;
use super::thresholds::Thresholds;
use super::{Failure, interrupt, progress};

/// Say how good the classifier would be on an archive
///
/// Divides the documents into parts, learns from all parts but one, files the documents of that one, and compares; each
/// part in turn. No model file and no key is needed, and nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom evaluate --db db.sqlite3\n  \
    postroom evaluate --db db.sqlite3 --language none --folds 10\n  \
    postroom evaluate --db mariadb://paperless@db/paperless\n  \
    postroom evaluate --db db.sqlite3 --threshold precision:0.95\n  \
    postroom evaluate --db db.sqlite3 --html evaluation.html")]
pub(super) struct Evaluate {
    #[command(flatten)]
    learning: Learning,

    #[command(flatten)]
    thresholds: Thresholds,

    /// Parts to divide the documents into, 2 to 256; each costs a training
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u16).range(2..=256))]
    folds: u16,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// Write a page for the browser as well
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Evaluate {
    /// Evaluates, prints, and writes the page.
    pub(super) fn run(&self, terminal: &Terminal) -> Result<(), Failure> {
        let store = self.learning.open()?;
        if let Some(path) = &self.html {
            self.learning.check_writable(path)?;
            ensure_of_kind(path, page::BEGINNING.as_bytes(), "an HTML page")?;
        }
        let params = EvaluationParams {
            n_folds: usize::from(self.folds),
            training: self.thresholds.applied(self.learning.params()?, &store)?,
        };
        let evaluation = progress::watch(terminal, |status| {
            self.learning.on_threads(|| evaluate(&store, &params, status))
        });
        let evaluation = evaluation.map_err(|failure| failure.about(&store))?;
        if evaluation.fields.is_empty() {
            return Err(Failure::NoExamples(store.location()));
        }
        if let Some(path) = &self.html {
            interrupt::writing(|| write_page(&evaluation, path))?;
        }
        if self.json {
            print_json(&evaluation)
        } else {
            print(&evaluation.to_string())
        }
    }
}

fn write_page(evaluation: &Evaluation, path: &Path) -> Result<(), Failure> {
    replace(path, &page::Page(evaluation).to_string()).map_err(|problem| not_writable(path, problem))?;
    tracing::info!("wrote {}", path.display());
    Ok(())
}

/// Whole or not at all: where the disk is full, the page that was there stays.
fn replace(path: &Path, page: &str) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = new_file_in(directory_of(&target))?;
    file.write_all(page.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&target) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// As readable as any file that this user makes.
#[cfg(unix)]
fn new_file_in(directory: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;

    // The system takes off what the user's mask says.
    let permissions = fs::Permissions::from_mode(0o666);
    tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(directory)
}

#[cfg(not(unix))]
fn new_file_in(directory: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(directory)
}
