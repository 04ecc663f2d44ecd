//! Scenarios of training and of the trained model's file.

use std::time::Instant;

use postroom::classifier::{ClassifierParams, DocumentClassifier, Loading, Training};
use postroom::document::{Field, Labels};
use postroom::learners::mlp::FitReport;
use postroom::model_file::SecretKey;
use postroom::predictor::Suggestions;
use postroom::train_report::TrainReport;
use profiling_toolkit::cpu::measure_cpu_repeated;
use profiling_toolkit::memory::{MemoryOptions, MemoryView, measure_memory};
use profiling_toolkit::timing::{TimingOptions, TimingSummary, measure_time};
use sha2::{Digest as _, Sha256};

use super::{Outcome, Profiled, count_instructions, no_status, repeated_calls};
use crate::corpus::{Corpus, HeldOut};
use crate::report::cpu::Measured;
use crate::report::graph::Graph;
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Session;

/// Documents whose predictions must be the same after loading.
const N_COMPARED: usize = 500;

/// Trainings that find nothing changed; each reads the whole database.
const N_NOOP_SAMPLES: u32 = 30;

/// Trainings that are timed.
const N_TRAININGS: usize = 5;

const N_FILE_SAMPLES: u32 = 30;

pub(super) fn train_memory(session: &Session, report: &mut Report) -> Outcome {
    let store = session.corpus()?.store();
    let mut classifier = DocumentClassifier::new(ClassifierParams::default());
    let (training, profile) =
        measure_memory(MemoryOptions::default(), || classifier.train(store, &no_status))?;
    let training = trained(training?);
    report::training::add_model(report, &training);
    report::memory::add(report, "train", "train()", &profile);
    report.headline = format!(
        "peak {}, kept {}, {} blocks allocated",
        units::bytes(profile.peak_bytes),
        units::bytes(profile.live_delta_bytes),
        units::count(profile.allocations)
    );
    report.graphs = vec![
        Graph::of_memory("Training: memory at the peak", &profile, MemoryView::AtPeak),
        Graph::of_memory("Training: memory allocated in all", &profile, MemoryView::Total).named("total"),
    ];
    Ok(())
}

pub(super) fn train_cpu(session: &Session, report: &mut Report) -> Outcome {
    let corpus = session.corpus()?;
    let train = || {
        let mut classifier = DocumentClassifier::new(ClassifierParams::default());
        let training = classifier.train(corpus.store(), &no_status);
        (classifier, training)
    };
    // Once is enough for the documents that there are by default; fewer are learned too fast.
    let ((classifier, training), profile) = measure_cpu_repeated(&repeated_calls(), train)?;
    report::training::add_model(report, &trained(training?));
    let undisturbed = time_trainings(report, train)?;
    let heading = "train(): stages of the median training by the clock; the fits run side by side";
    report::training::add_stages(report, heading, &undisturbed);
    add_accuracy(report, corpus, &classifier)?;
    let measured = Measured {
        name: "train",
        done: "train()",
        profile: &profile,
        instructions: &count_instructions(profile.iterations, train),
    };
    report::cpu::add(report, &measured);
    report.graphs.push(Graph::of_cpu("Training: CPU time", &profile));
    Ok(())
}

/// Trains some more times with no instrument running, and returns the report of the training with the median time.
fn time_trainings(
    report: &mut Report,
    train: impl Fn() -> (DocumentClassifier, postroom::Result<Training>),
) -> postroom::Result<TrainReport> {
    let mut trainings = Vec::new();
    for _ in 0..N_TRAININGS {
        let start = Instant::now();
        let (_, training) = train();
        trainings.push((start.elapsed().as_nanos() as f64, trained(training?)));
    }
    let timing = TimingSummary::from_samples(trainings.iter().map(|(ns, _)| *ns).collect(), 1);
    let mut timings = Timings::new();
    timings.add(report, "train_time", "train()", &timing);
    timings.finish(report, "train()");
    trainings.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (ns, median) = trainings.swap_remove(N_TRAININGS / 2);
    let n_epochs: usize = median
        .fields
        .iter()
        .filter_map(|field| field.fit.as_ref())
        .map(FitReport::n_epochs)
        .sum();
    report.headline = format!(
        "{} for {} documents, {n_epochs} epochs",
        units::duration(ns),
        units::count(median.n_documents)
    );
    Ok(median)
}

pub(super) fn second_train_noop(session: &Session, report: &mut Report) -> Outcome {
    let store = session.corpus()?.store();
    let mut classifier = DocumentClassifier::new(ClassifierParams::default());
    let start = Instant::now();
    let training = classifier.train(store, &no_status)?;
    let first = TimingSummary::from_samples(vec![start.elapsed().as_nanos() as f64], 1);
    trained(training);
    let unchanged = classifier.train(store, &no_status)?;
    assert!(
        !unchanged.is_trained(),
        "nothing changed in the database, but it was trained again"
    );
    report::training::add_stages(report, "Second train(): all that it does", unchanged.report());

    let options = TimingOptions {
        samples: N_NOOP_SAMPLES,
        ..TimingOptions::default()
    };
    let second = measure_time(&options, || classifier.train(store, &no_status));
    let mut timings = Timings::new();
    timings.add(report, "first", "first train()", &first);
    timings.add(report, "second", "second train()", &second);
    timings.finish(report, "train() twice");
    let speedup = first.median_ns / second.median_ns;
    report.facts(
        "Saved",
        vec![(
            "first / second",
            format!("{} times as fast", units::digits(speedup)),
        )],
    );
    report.measurement("speedup", &speedup);
    report.headline = format!(
        "{} when nothing changed, {} times as fast",
        units::duration(second.median_ns),
        units::digits(speedup)
    );

    let profiled = Profiled {
        name: "second_cpu",
        done: "Second train(), what is left",
        graph: "Training when nothing changed: CPU time",
        suffix: "",
    };
    profiled.add(report, || classifier.train(store, &no_status))
}

pub(super) fn vectorizer_hash_cost(session: &Session, report: &mut Report) -> Outcome {
    let classifier = session.classifier()?;
    let vocabulary = &classifier
        .model()
        .ok_or("the shared classifier has no model")?
        .vocabulary;
    let n_terms = vocabulary.len();
    let term_bytes: usize = vocabulary.iter().map(str::len).sum();
    report.facts(
        "The vectorizer",
        vec![
            ("vocabulary", format!("{} terms", units::count(n_terms))),
            ("terms as text", units::bytes(term_bytes)),
            ("SHA-256", units::hex(&classifier.vectorizer_hash()?)),
        ],
    );
    report.measurement("n_terms", &n_terms);
    report.measurement("term_bytes", &term_bytes);

    let options = TimingOptions::default();
    let text: Vec<u8> = vocabulary.iter().flat_map(str::bytes).collect();
    let hash = measure_time(&options, || classifier.vectorizer_hash());
    report.headline = format!(
        "{} for {} terms, {} of text",
        units::duration(hash.median_ns),
        units::count(n_terms),
        units::bytes(term_bytes)
    );
    let mut timings = Timings::new();
    timings.add(report, "hash", "vectorizer_hash()", &hash);
    timings.add(
        report,
        "sha256",
        "SHA-256 of the same text",
        &measure_time(&options, || Sha256::digest(&text)),
    );
    timings.finish(report, "Hashing the vectorizer");

    let profiled = Profiled {
        name: "hash_cpu",
        done: "vectorizer_hash()",
        graph: "Hashing the vectorizer: CPU time",
        suffix: "",
    };
    profiled.add(report, || classifier.vectorizer_hash())
}

pub(super) fn save_load_roundtrip(session: &Session, report: &mut Report) -> Outcome {
    let classifier = session.classifier()?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("model");
    let key = SecretKey::new("only for this measurement");
    let fresh = || DocumentClassifier::new(ClassifierParams::default());
    let load = || {
        let mut loaded = fresh();
        loaded.load(&path, &key).map(|loading| (loading, loaded))
    };

    let (saved, save_memory) = measure_memory(MemoryOptions::default(), || classifier.save(&path, &key))?;
    saved?;
    let file_bytes = std::fs::metadata(&path)?.len();
    let (loaded, load_memory) = measure_memory(MemoryOptions::default(), load)?;
    let (loading, loaded) = loaded?;
    assert_eq!(loading, Loading::Loaded, "the model that was just saved");
    let n_compared = assert_equal_predictions(classifier, &loaded, session.corpus()?.held_out())?;
    let same = format!("equal for {} documents", units::count(n_compared));
    report.facts(
        "The file",
        vec![("size", units::bytes(file_bytes)), ("predictions", same)],
    );
    report.measurement("file_bytes", &file_bytes);
    report.measurement("n_compared", &n_compared);

    let options = TimingOptions {
        samples: N_FILE_SAMPLES,
        ..TimingOptions::default()
    };
    let save_time = measure_time(&options, || classifier.save(&path, &key));
    let load_time = measure_time(&options, load);
    report.headline = format!(
        "{}; save {}, load {}; same answers",
        units::bytes(file_bytes),
        units::duration(save_time.median_ns),
        units::duration(load_time.median_ns)
    );
    let mut timings = Timings::new();
    timings.add(report, "save", "save()", &save_time);
    timings.add(report, "load", "load()", &load_time);
    timings.finish(report, "Saving, which waits for the disk, and loading");

    report::memory::add(report, "save_memory", "save()", &save_memory);
    report::memory::add(report, "load_memory", "load()", &load_memory);
    let profiled = Profiled {
        name: "round_trip_cpu",
        done: "save() and load()",
        graph: "Saving and loading a model: CPU time",
        suffix: "",
    };
    profiled.add(report, || (classifier.save(&path, &key), load()))?;
    report.graphs.extend([
        Graph::of_memory(
            "Saving a model: memory at the peak",
            &save_memory,
            MemoryView::AtPeak,
        )
        .named("save_peak"),
        Graph::of_memory(
            "Loading a model: memory at the peak",
            &load_memory,
            MemoryView::AtPeak,
        )
        .named("load_peak"),
    ]);
    Ok(())
}

fn trained(training: Training) -> TrainReport {
    match training {
        Training::Trained(report) => report,
        Training::Unchanged(_) => panic!("a classifier without a model found that nothing had changed"),
    }
}

fn assert_equal_predictions(
    before: &DocumentClassifier,
    after: &DocumentClassifier,
    documents: &[HeldOut],
) -> postroom::Result<usize> {
    let compared = &documents[..documents.len().min(N_COMPARED)];
    for document in compared {
        let (expected, found) = (
            before.predict(&document.content)?,
            after.predict(&document.content)?,
        );
        assert_eq!(
            found, expected,
            "the loaded model files a document differently: {}",
            document.content
        );
    }
    Ok(compared.len())
}

/// Whether what was profiled learned anything: documents of the same kind that it wasn't trained on.
fn add_accuracy(
    report: &mut Report,
    corpus: &Corpus,
    classifier: &DocumentClassifier,
) -> postroom::Result<()> {
    let mut n_right = [0_usize; 4];
    let mut n_documents = 0_usize;
    for document in corpus.held_out() {
        let Some(expected) = &document.expected else {
            continue;
        };
        let found = classifier.predict(&document.content)?;
        n_documents += 1;
        for field in Field::ALL {
            n_right[field.index()] += usize::from(agrees(field, &found, expected));
        }
    }
    if n_documents > 0 {
        let shares = n_right.map(|n_right| n_right as f64 / n_documents as f64);
        let heading = format!(
            "Filed wholly right, of {} documents not trained on",
            units::count(n_documents)
        );
        let facts = Field::ALL
            .into_iter()
            .map(|field| (field.name(), units::percent(shares[field.index()])));
        report.facts(heading, facts.collect());
        report.measurement(
            "held_out_accuracy",
            &Field::ALL.map(|field| (field.name(), shares[field.index()])),
        );
    }
    Ok(())
}

fn agrees(field: Field, found: &Suggestions, expected: &Labels) -> bool {
    match field {
        Field::Tags => found.tags == expected.tags,
        Field::Correspondent => found.correspondent == expected.correspondent,
        Field::DocumentType => found.document_type == expected.document_type,
        Field::StoragePath => found.storage_path == expected.storage_path,
    }
}
