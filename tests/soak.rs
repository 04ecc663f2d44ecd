//! An hour's worth of an unattended classifier: an archive that changes, a training that goes on, a saved model, and
//! another classifier that loads it and answers. Nothing may grow, and the answers may not drift.
//!
//! `cargo test --test soak -- --ignored --nocapture`; the figures are those in `docs/reliability.md`.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![cfg(target_os = "linux")]

mod sixty_documents;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use postroom::classifier::{DocumentClassifier, Loading};
use postroom::document::{DocumentId, Field, LabelId};
use postroom::model::{Start, TrainingParams};
use postroom::model_file::SecretKey;
use postroom::pipelines::PipelineModel;
use postroom::store::{NewDocument, NewLabel, SqliteArchive, SqliteStore};
use postroom::suggestions::Suggestions;
use postroom::train_report::TrainingKind;
use profiling_toolkit::memory::{LeakOptions, ProfilingAllocator, measure_leaks};
use sixty_documents::{classifier, content, networks, noon};
use tempfile::TempDir;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

/// One a second for an hour.
const ROUNDS: usize = 3_600;

/// Rounds after which everything that fills up once has: caches, pools, what the allocator keeps for itself.
const WARM_UP: usize = 400;

/// Resident memory varies by what the allocator keeps between two threads' pools; a leak of 1 KiB a round would be
/// 3.2 MB.
const MOST_RESIDENT_GROWTH: u64 = 2 << 20;

const N_DOCUMENTS: usize = 60;

/// An archive on the disk, who trains on it, and who answers.
struct House {
    directory: TempDir,
    archive: SqliteArchive,
    documents: Vec<DocumentId>,
    tag: LabelId,
    trainer: DocumentClassifier,
    server: DocumentClassifier,
    n_rounds: usize,
    n_full: usize,
}

impl House {
    fn new(params: &TrainingParams) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = SqliteArchive::create(directory.path().join("db.sqlite3")).unwrap();
        let (documents, tag) = fill(&mut archive);
        Self {
            directory,
            archive,
            documents,
            tag,
            trainer: classifier(params.clone()),
            server: classifier(params.clone()),
            n_rounds: 0,
            n_full: 0,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Files a document otherwise (every other round as at first), trains, saves, loads and answers.
    fn round(&mut self) {
        let (document, second) = (self.documents[1], (N_DOCUMENTS + self.n_rounds) as i64);
        if self.n_rounds.is_multiple_of(2) {
            self.archive.add_tags(&[(document, self.tag)]).unwrap();
        } else {
            self.archive.remove_tag(document, self.tag).unwrap();
        }
        self.archive.set_modified(document, noon(second)).unwrap();
        self.n_rounds += 1;
        let store = SqliteStore::open(self.path("db.sqlite3")).unwrap();
        let training = sixty_documents::train(&mut self.trainer, &store).unwrap();
        assert!(training.is_trained());
        if matches!(training.report().kind, Some(TrainingKind::Full { .. })) {
            self.n_full += 1;
        }
        let (path, key) = (
            self.path("model.postroom"),
            SecretKey::new("the key of the house"),
        );
        self.trainer.save(&path, &key).unwrap();
        assert_eq!(self.server.load(&path, &key).unwrap(), Loading::Loaded);
        for at in 0..N_DOCUMENTS {
            self.server.predict(&content(at)).unwrap();
        }
    }

    /// What the server says of every document.
    fn answers(&self) -> Vec<Suggestions> {
        let answer = |at| self.server.predict(&content(at)).unwrap();
        (0..N_DOCUMENTS).map(answer).collect()
    }

    /// What is learned now, from nothing.
    fn learned_from_nothing(&self, params: &TrainingParams) -> PipelineModel {
        let store = SqliteStore::open(self.path("db.sqlite3")).unwrap();
        let mut fresh = classifier(params.clone());
        fresh
            .train_from(&store, Start::FromNothing, &|_| {
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        fresh.model().unwrap().learned.clone()
    }
}

/// The sixty documents, in SQLite.
fn fill(archive: &mut SqliteArchive) -> (Vec<DocumentId>, LabelId) {
    let mut auto = |field, name: &str| archive.add_label(field, &NewLabel::auto(name)).unwrap();
    let senders = sixty_documents::SENDERS.map(|(name, _)| auto(Field::Correspondent, name));
    let kinds = ["Invoice", "Reminder"].map(|name| auto(Field::DocumentType, name));
    let tags = ["tax", "home"].map(|name| auto(Field::Tags, name));
    let mut documents = Vec::new();
    for at in 0..N_DOCUMENTS {
        let document = NewDocument {
            title: "scan",
            content: &content(at),
            modified: noon(at as i64),
            correspondent: senders.get(at % 4).copied(),
            document_type: Some(kinds[at % 2]),
            storage_path: None,
        };
        documents.extend(archive.add_documents(&[document]).unwrap());
        let own = (0..2).filter(|tag| at.is_multiple_of(tag + 2));
        let own: Vec<_> = own.map(|tag| (documents[at], tags[tag])).collect();
        archive.add_tags(&own).unwrap();
    }
    (documents, tags[0])
}

/// What this process holds of the system.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    resident_bytes: u64,
    n_descriptors: usize,
    n_threads: usize,
}

impl Held {
    fn now() -> Self {
        let entries = |folder: &str| fs::read_dir(folder).unwrap().count();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: u64 = resident.unwrap().trim().trim_end_matches(" kB").parse().unwrap();
        Self {
            resident_bytes: kibibytes * 1_024,
            n_descriptors: entries("/proc/self/fd"),
            n_threads: entries("/proc/self/task"),
        }
    }
}

fn n_files(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

/// How many labels differ between two sets of answers, and by how much a confidence does at the most.
fn drift(before: &[Suggestions], after: &[Suggestions]) -> (usize, f32) {
    let (mut n_other, mut most) = (0, 0.0_f32);
    for (before, after) in before.iter().zip(after) {
        n_other += usize::from(before.labels() != after.labels());
        for field in Field::ALL {
            let after = &after.of(field).labels;
            for candidate in &before.of(field).labels {
                let same = after.iter().find(|other| other.label == candidate.label);
                let confidence = same.map_or(0.0, |same| same.confidence);
                most = most.max((candidate.confidence - confidence).abs());
            }
        }
    }
    (n_other, most)
}

/// What the process held after the warm-up, and at the end.
fn soak(params: &TrainingParams, rounds: usize, warm_up: usize) -> [Held; 2] {
    let name = params.pipeline.name();
    let mut house = House::new(params);
    // Two rounds lead back to where they began.
    house.round();
    house.round();
    let (learned, answers) = (house.learned_from_nothing(params), house.answers());
    let (mut after_warm_up, mut most) = (Held::default(), (0, 0.0_f32));
    while house.n_rounds < rounds {
        house.round();
        if house.n_rounds.is_multiple_of(2) {
            let (n_other, confidence) = drift(&answers, &house.answers());
            most = (most.0.max(n_other), most.1.max(confidence));
        }
        if house.n_rounds == warm_up {
            after_warm_up = Held::now();
        }
    }
    let (before, now) = (after_warm_up, Held::now());
    println!(
        "{name}: {} rounds, {} of them trained in full; at most {} of {N_DOCUMENTS} documents filed otherwise than \
         at first, confidences off by {:.4} at most; resident {} KiB after {warm_up} rounds, {} KiB at the end; \
         {} descriptors, then {}; {} threads, then {}; {} files",
        house.n_rounds,
        house.n_full,
        most.0,
        most.1,
        before.resident_bytes / 1_024,
        now.resident_bytes / 1_024,
        before.n_descriptors,
        now.n_descriptors,
        before.n_threads,
        now.n_threads,
        n_files(house.directory.path()),
    );
    assert_eq!(most.0, 0, "{name}: the answers drift");
    assert!(
        house.learned_from_nothing(params) == learned,
        "{name}: the same archive is learned otherwise"
    );
    assert_eq!(now.n_descriptors, before.n_descriptors, "{name}");
    assert_eq!(now.n_threads, before.n_threads, "{name}");
    assert_eq!(
        n_files(house.directory.path()),
        2,
        "{name}: the archive and the model"
    );
    [before, now]
}

/// Every allocation is seen, over fewer rounds.
fn nothing_is_kept(params: &TrainingParams) {
    let mut house = House::new(params);
    let options = LeakOptions {
        warm_ups: 60,
        iterations: 240,
        ..LeakOptions::default()
    };
    let report = measure_leaks(&options, || {
        house.round();
        house.round();
    })
    .unwrap();
    let leaks: Vec<_> = report.leaks().collect();
    let total: i64 = report.growth_bytes.iter().sum();
    println!(
        "{}: {} live bytes more after {} rounds than before them",
        params.pipeline.name(),
        total,
        2 * options.iterations
    );
    assert!(leaks.is_empty(), "{leaks:#?}");
}

/// The networks of few epochs: what is looked for is what a training leaves, not what it learns.
fn both() -> [TrainingParams; 2] {
    let mut networks = networks();
    if let postroom::pipelines::Pipeline::Mlp(pipeline) = &mut networks.pipeline {
        pipeline.mlp.max_epochs = 40;
    }
    [TrainingParams::default(), networks]
}

/// Memory and descriptors are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
#[ignore = "minutes: an hour's worth of trainings"]
fn an_hour_of_trainings_grows_nothing_and_answers_the_same() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for params in both() {
        let [before, now] = soak(&params, ROUNDS, WARM_UP);
        let name = params.pipeline.name();
        assert!(
            now.resident_bytes <= before.resident_bytes + MOST_RESIDENT_GROWTH,
            "{name}: {before:?}, then {now:?}"
        );
    }
    // After that, for the instrument's own tables are part of what the process holds.
    for params in both() {
        nothing_is_kept(&params);
    }
}

/// The same in short, so that it is known to work. Resident memory says nothing after so little.
#[test]
fn a_minute_of_trainings_answers_the_same() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let [linear, _] = both();
    soak(&linear, 60, 40);
}
