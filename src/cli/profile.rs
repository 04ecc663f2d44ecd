//! `profile`: what a training on an archive costs, without a toolchain.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Args;
use indicatif::{DecimalBytes, HumanCount};
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Document, DocumentId, Filing, LabelCatalog};
use postroom::store::{Archive, DocumentStore, Snapshot};
use serde::Serialize;

use super::options::Learning;
use super::output::{print, print_json};
use super::terminal::Terminal;
use super::{Failure, progress};

/// Measure what a training on an archive costs
///
/// Trains in memory and prints the time of each stage, the throughput and the most memory that was in use. Nothing is
/// written. Where the time goes within a stage is what the project's profiling tests show, on the same archive.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom profile --db db.sqlite3\n  \
    postroom profile --db db.sqlite3 --threads 1 --json")]
pub(super) struct Profile {
    #[command(flatten)]
    learning: Learning,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Profile {
    /// Trains and prints what it cost.
    pub(super) fn run(&self, terminal: &Terminal) -> Result<(), Failure> {
        let store = Counted {
            store: self.learning.open()?,
            bytes: AtomicU64::new(0),
        };
        let mut classifier = DocumentClassifier::new(ClassifierParams {
            training: self.learning.params()?,
            ..ClassifierParams::default()
        });
        let began = Instant::now();
        let training = progress::watch(terminal, |status| {
            self.learning.on_threads(|| classifier.train(&store, status))
        });
        let training = training.map_err(|failure| failure.about(&store.store))?;
        let seconds = began.elapsed().as_secs_f64();
        let report = training.report();
        if report.fields.is_empty() {
            return Err(Failure::NoExamples(store.store.location()));
        }
        let bytes = store.bytes.into_inner();
        let cost = Cost {
            pipeline: self.learning.pipeline().name(),
            n_documents: report.n_documents,
            bytes,
            n_terms: report.n_terms,
            seconds,
            stages: report
                .stages
                .iter()
                .map(|stage| (stage.kind.to_string(), stage.duration.as_secs_f64()))
                .collect(),
            documents_per_second: report.n_documents as f64 / seconds,
            megabytes_per_second: bytes as f64 / 1e6 / seconds,
            peak_resident_bytes: peak_resident_bytes(),
        };
        if self.json {
            print_json(&cost)
        } else {
            print(&cost.text())
        }
    }
}

/// What a training cost.
#[derive(Debug, Serialize)]
struct Cost {
    pipeline: &'static str,
    n_documents: usize,
    /// Bytes of all contents, as UTF-8.
    bytes: u64,
    n_terms: usize,
    seconds: f64,
    /// Seconds of each stage, in the order in which they began. The fields are learned side by side.
    stages: Vec<(String, f64)>,
    documents_per_second: f64,
    megabytes_per_second: f64,
    /// None where the system doesn't tell.
    peak_resident_bytes: Option<u64>,
}

impl Cost {
    fn text(&self) -> String {
        let memory = self.peak_resident_bytes.map_or_else(
            || "not measured here".to_owned(),
            |bytes| format!("{} resident at the peak", DecimalBytes(bytes)),
        );
        let mut text = format!(
            "trained on {} documents, {}, in {:.2} s ({})\n\n",
            HumanCount(self.n_documents as u64),
            DecimalBytes(self.bytes),
            self.seconds,
            self.pipeline
        );
        for (stage, seconds) in &self.stages {
            writeln!(text, "  {stage:<18}  {seconds:>9.3} s").expect("writing to a String doesn't fail");
        }
        let (documents, megabytes) = (self.documents_per_second, self.megabytes_per_second);
        format!(
            "{text}\n  throughput          {documents:.1} documents/s, {megabytes:.2} MB/s\n  \
             vocabulary          {} terms\n  memory              {memory}\n",
            HumanCount(self.n_terms as u64)
        )
    }
}

/// The most memory that this process ever had, as Linux keeps it.
fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kibibytes)
}

/// An archive that counts what is read from it.
struct Counted {
    store: Archive,
    bytes: AtomicU64,
}

impl DocumentStore for Counted {
    fn snapshot(&self) -> postroom::Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(CountedSnapshot {
            snapshot: self.store.snapshot()?,
            bytes: &self.bytes,
        }))
    }
}

struct CountedSnapshot<'a> {
    snapshot: Box<dyn Snapshot + 'a>,
    bytes: &'a AtomicU64,
}

impl Snapshot for CountedSnapshot<'_> {
    fn label_catalog(&mut self) -> postroom::Result<LabelCatalog> {
        self.snapshot.label_catalog()
    }

    fn for_each_filing(
        &mut self,
        visit: &mut dyn FnMut(Filing) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        self.snapshot.for_each_filing(visit)
    }

    fn for_each_document(
        &mut self,
        visit: &mut dyn FnMut(Document) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        self.snapshot.for_each_document(&mut |document| {
            self.bytes
                .fetch_add(document.content.len() as u64, Ordering::Relaxed);
            visit(document)
        })
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        self.snapshot.for_each_document_among(ids, &mut |document| {
            self.bytes
                .fetch_add(document.content.len() as u64, Ordering::Relaxed);
            visit(document)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_is_known_on_linux_alone() {
        assert_eq!(peak_resident_bytes().is_some(), cfg!(target_os = "linux"));
    }
}
