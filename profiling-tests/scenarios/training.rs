//! Scenarios of training, and of what tells trained models apart.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use postroom::classifier::{DocumentClassifier, Training};
use postroom::document::{Field, Labels};
use postroom::train_report::{FieldReport, LearnerReport, TrainReport};
use profiling_toolkit::compare::Better;
use profiling_toolkit::cpu::measure_cpu_repeated;
use profiling_toolkit::memory::{LeakOptions, MemoryOptions, measure_leaks, measure_memory};
use profiling_toolkit::timing::{TimedCalls, TimingOptions, TimingSummary};
use sha2::{Digest as _, Sha256};

use super::{Outcome, Profiled, count_instructions, no_status};
use crate::corpus::Corpus;
use crate::held;
use crate::report::cpu::Measured;
use crate::report::figure::{self, Figure, FigureUnit, Threads};
use crate::report::graph::Graph;
use crate::report::memory::GraphNames;
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Subject;

/// Trainings that find nothing changed in a block; each reads the whole database.
const NOOPS_PER_BLOCK: u32 = 3;

pub(super) fn train_memory(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let store = subject.corpus()?.store();
    let mut classifier = subject.untrained();
    let train = || held::observe(|| classifier.train(store, &no_status));
    let ((training, held), profile) = measure_memory(MemoryOptions::default(), train)?;
    let training = trained(training?);
    report::training::add_model(report, &training);
    report::memory::add(report, "train", "train()", &profile);
    report::memory::add_held(report, "train_held", "train()", &profile, &held);
    let threads = match subject.n_threads()? {
        1 => Threads::One,
        _ if is_linear(&training) => Threads::Stealing,
        _ => Threads::Several,
    };
    report.figures(figure::of_memory("train", &profile, threads));
    report.headline = format!(
        "peak {}, kept {}, {} blocks allocated",
        units::bytes(profile.peak_bytes),
        units::bytes(profile.live_delta_bytes),
        units::count(profile.allocations)
    );
    let graphs = GraphNames {
        title: "Training",
        at_peak: "",
        total: "total",
    };
    report::memory::add_graphs(report, &graphs, &profile);
    Ok(())
}

pub(super) fn train_cpu(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let corpus = subject.corpus()?;
    let trainings = RefCell::new(Vec::new());
    let mut calls = TimedCalls::new(TimingOptions {
        warm_up_calls: 1,
        samples_per_block: 1,
        reference_threads: subject.n_threads()?,
        ..subject.timing()
    });
    calls.call(|| {
        let start = Instant::now();
        let training = subject.untrained().train(corpus.store(), &no_status);
        trainings.borrow_mut().push((start.elapsed(), training));
    });
    calls.measure_first_half();
    let train = || {
        let mut classifier = subject.untrained();
        let training = classifier.train(corpus.store(), &no_status);
        (classifier, training)
    };
    // Once is enough for the documents that there are by default; fewer are learned too fast.
    let ((classifier, training), profile) = measure_cpu_repeated(&subject.sampling(), train)?;
    calls.measure_rest();

    let training = trained(training?);
    report::training::add_model(report, &training);
    report.figures(of_training(&training));
    let timing = calls.finish().swap_remove(0);
    let mut timings = Timings::new();
    timings.add(report, "train_time", "train()", &timing);
    timings.finish(report, "train()");
    let median = of_median_time(trainings.into_inner())?;
    report.headline = format!(
        "{} for {} documents, {} {}",
        units::duration(timing.median_ns),
        units::count(median.n_documents),
        n_passes(&median),
        if is_linear(&median) { "passes" } else { "epochs" }
    );
    let heading = "train(): stages of the median training by the clock; the fits run side by side";
    report::training::add_stages(report, heading, &median);
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

/// The report of the training that took the median time.
fn of_median_time(
    mut trainings: Vec<(Duration, postroom::Result<Training>)>,
) -> postroom::Result<TrainReport> {
    trainings.sort_by_key(|(elapsed, _)| *elapsed);
    let (_, median) = trainings.swap_remove(trainings.len() / 2);
    Ok(trained(median?))
}

/// How often all fields' learners went through the documents; of a linear one, that of the last training.
fn n_passes(training: &TrainReport) -> usize {
    let of_field = |field: &FieldReport| match &field.learner {
        LearnerReport::Constant => 0,
        LearnerReport::Mlp(fit) => fit.n_epochs(),
        LearnerReport::Linear(report) => report.fit.max_passes,
    };
    training.fields.iter().map(of_field).sum()
}

fn is_linear(training: &TrainReport) -> bool {
    let is_linear = |field: &FieldReport| matches!(field.learner, LearnerReport::Linear(_));
    training.fields.iter().any(is_linear)
}

/// What was learned, by numbers: the same for the same corpus, whatever the machine.
fn of_training(training: &TrainReport) -> Vec<Figure> {
    [
        ("train.documents", training.n_documents),
        ("train.terms", training.n_terms),
        ("train.stored_values", training.n_stored),
        ("train.epochs", n_passes(training)),
    ]
    .map(|(name, number)| Figure::exact(name, number as f64, FigureUnit::Count, Better::Neither))
    .into()
}

pub(super) fn second_train_noop(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let store = subject.corpus()?.store();
    let mut classifier = subject.untrained();
    let start = Instant::now();
    let training = classifier.train(store, &no_status)?;
    let first = TimingSummary::once(start.elapsed());
    trained(training);
    let unchanged = classifier.train(store, &no_status)?;
    assert!(
        !unchanged.is_trained(),
        "nothing changed in the database, but it was trained again"
    );
    report::training::add_stages(report, "Second train(): all that it does", unchanged.report());

    let classifier = RefCell::new(classifier);
    let train_again = || classifier.borrow_mut().train(store, &no_status);
    let mut calls = TimedCalls::new(TimingOptions {
        samples_per_block: NOOPS_PER_BLOCK,
        reference_threads: subject.n_threads()?,
        ..subject.timing()
    });
    calls.call(|| {
        let _ = black_box(train_again());
    });
    calls.measure_first_half();
    let profiled = Profiled {
        name: "second_cpu",
        done: "Second train(), what is left",
        graph: "Training when nothing changed: CPU time",
        suffix: "",
    };
    let profile = profiled.measure(&subject.sampling(), train_again)?;
    calls.measure_rest();
    let second = calls.finish().swap_remove(0);
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
    report.figures([Figure::times_as_long(
        "first_over_second.speedup",
        &first,
        &second,
    )]);
    report.headline = format!(
        "{} when nothing changed, {} times as fast",
        units::duration(second.median_ns),
        units::digits(speedup)
    );
    profile.add(report);
    add_noop_memory(report, &mut classifier.into_inner(), subject.corpus()?)
}

/// What a training that changes nothing allocates, and whether any of it stays.
fn add_noop_memory(report: &mut Report, classifier: &mut DocumentClassifier, corpus: &Corpus) -> Outcome {
    let store = corpus.store();
    let again = || held::observe(|| classifier.train(store, &no_status));
    let ((unchanged, held), profile) = measure_memory(MemoryOptions::default(), again)?;
    unchanged?;
    let done = "Second train()";
    report::memory::add(report, "second_memory", done, &profile);
    report::memory::add_held(report, "second_held", done, &profile, &held);
    let graphs = GraphNames {
        title: "Training when nothing changed",
        at_peak: "peak",
        total: "total",
    };
    report::memory::add_graphs(report, &graphs, &profile);
    let leaks = measure_leaks(&LeakOptions::default(), || classifier.train(store, &no_status))?;
    report::leaks::add(report, "second_leaks", done, &leaks);
    Ok(())
}

pub(super) fn vectorizer_hash_cost(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let classifier = subject.classifier()?;
    let learned = &classifier
        .model()
        .ok_or("the shared classifier has no model")?
        .learned;
    let n_terms = learned.terms().len();
    let term_bytes: usize = learned.terms().map(str::len).sum();
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

    let text: Vec<u8> = learned.terms().flat_map(str::bytes).collect();
    let mut calls = TimedCalls::new(subject.timing());
    calls.call(|| {
        let _ = black_box(classifier.vectorizer_hash());
    });
    calls.call(|| {
        black_box(Sha256::digest(black_box(&text)));
    });
    calls.measure_first_half();
    let profiled = Profiled {
        name: "hash_cpu",
        done: "vectorizer_hash()",
        graph: "Hashing the vectorizer: CPU time",
        suffix: "",
    };
    let profile = profiled.measure(&subject.sampling(), || classifier.vectorizer_hash())?;
    calls.measure_rest();
    let timings = calls.finish();
    let [hash, sha256] = &timings[..] else {
        unreachable!("two calls were timed");
    };
    report.headline = format!(
        "{} for {} terms, {} of text",
        units::duration(hash.median_ns),
        units::count(n_terms),
        units::bytes(term_bytes)
    );
    let mut table = Timings::new();
    table.add(report, "hash", "vectorizer_hash()", hash);
    table.add(report, "sha256", "SHA-256 of the same text", sha256);
    table.finish(report, "Hashing the vectorizer");
    report.figures([
        Figure::exact(
            "vocabulary.terms",
            n_terms as f64,
            FigureUnit::Count,
            Better::Neither,
        ),
        Figure::exact(
            "vocabulary.bytes",
            term_bytes as f64,
            FigureUnit::Bytes,
            Better::Neither,
        ),
    ]);
    profile.add(report);
    Ok(())
}

fn trained(training: Training) -> TrainReport {
    match training {
        Training::Trained(report) => report,
        Training::Unchanged(_) => panic!("a classifier without a model found that nothing had changed"),
    }
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
        let found = classifier.predict(&document.content)?.labels();
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
        report.figures(Field::ALL.into_iter().map(|field| {
            let name = format!("accuracy.{}", field.name());
            Figure::exact(name, shares[field.index()], FigureUnit::Share, Better::Higher)
        }));
        report.measurement(
            "held_out_accuracy",
            &Field::ALL.map(|field| (field.name(), shares[field.index()])),
        );
    }
    Ok(())
}

fn agrees(field: Field, found: &Labels, expected: &Labels) -> bool {
    match field {
        Field::Tags => found.tags == expected.tags,
        Field::Correspondent => found.correspondent == expected.correspondent,
        Field::DocumentType => found.document_type == expected.document_type,
        Field::StoragePath => found.storage_path == expected.storage_path,
    }
}
