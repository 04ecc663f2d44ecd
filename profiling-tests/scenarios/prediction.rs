//! Scenarios of prediction, all on one sample content. "New" is a content that the cache of vectors doesn't hold,
//! "known" one that it does.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use postroom::classifier::DocumentClassifier;
use postroom::document::LabelId;
use postroom::predictor::Predictor;
use postroom::vector_cache::VectorCacheParams;
use profiling_toolkit::memory::{LeakOptions, MemoryOptions, measure_leaks, measure_memory};
use profiling_toolkit::timing::{TimingOptions, TimingSummary, measure_time};
use sha2::{Digest as _, Sha256};

use super::{Outcome, Profiled};
use crate::report::memory::GraphNames;
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Session;

/// Calls with an empty cache; each is timed by itself.
const N_NEW_SAMPLES: usize = 300;

/// Fields that a document is asked for one by one.
const N_QUESTIONS: f64 = 4.0;

/// The cache gathers what it has let go of and frees it every 16 predictions or so; over 20 iterations that was taken
/// for a leak in one run of four.
const LEAK_CHECK: LeakOptions = LeakOptions {
    warm_ups: 50,
    iterations: 400,
    memory: MemoryOptions::DEFAULT,
};

/// A question to a classifier, for a table of them.
type Question = (&'static str, &'static str, fn(&DocumentClassifier, &str));

const QUESTIONS: [Question; 6] = [
    (
        "correspondent",
        "predict_correspondent()",
        |classifier, content| {
            let _ = black_box(classifier.predict_correspondent(content));
        },
    ),
    (
        "document_type",
        "predict_document_type()",
        |classifier, content| {
            let _ = black_box(classifier.predict_document_type(content));
        },
    ),
    ("tags", "predict_tags()", |classifier, content| {
        let _ = black_box(classifier.predict_tags(content));
    }),
    ("storage_path", "predict_storage_path()", |classifier, content| {
        let _ = black_box(classifier.predict_storage_path(content));
    }),
    ("four", "these four", ask_four),
    ("all_at_once", "predict(), all at once", |classifier, content| {
        let _ = black_box(classifier.predict(content));
    }),
];

pub(super) fn predict_all_four_cpu(session: &Session, report: &mut Report) -> Outcome {
    let (classifier, content) = (session.classifier()?, session.corpus()?.sample());
    add_sample(report, classifier, content)?;
    let mut headline = Vec::new();
    for (cache, heading) in [
        ("new", "Content new to the cache"),
        ("known", "Content known to the cache"),
    ] {
        let mut timings = Timings::new();
        for (name, call, ask) in QUESTIONS {
            let timing = match cache {
                "new" => time_new(classifier, || ask(classifier, content)),
                _ => measure_time(&TimingOptions::default(), || ask(classifier, content)),
            };
            timings.add(report, &format!("{name}_{cache}"), call, &timing);
            if ["four", "all_at_once"].contains(&name) {
                headline.push(units::duration(timing.median_ns));
            }
        }
        timings.finish(report, heading);
    }
    if let [four_new, once_new, four_known, once_known] = &headline[..] {
        report.headline = format!("new {four_new}, predict() {once_new}; known {four_known}, {once_known}");
    }

    let new = || {
        classifier.clear_cache();
        ask_four(classifier, content);
    };
    let profiled = Profiled {
        name: "four_new_cpu",
        done: "The four, after emptying the cache",
        graph: "Four predictions, content new to the cache: CPU time",
        suffix: "",
    };
    profiled.add(report, new)?;
    let profiled = Profiled {
        name: "four_known_cpu",
        done: "The four, content known",
        graph: "Four predictions, content known: CPU time",
        suffix: "known",
    };
    profiled.add(report, || ask_four(classifier, content))
}

pub(super) fn predict_all_four_memory(session: &Session, report: &mut Report) -> Outcome {
    let (classifier, content) = (session.classifier()?, session.corpus()?.sample());
    // What only the first of all calls sets up isn't part of a prediction.
    ask_four(classifier, content);
    classifier.clear_cache();
    let ask = || ask_four(classifier, content);
    let ((), new) = measure_memory(MemoryOptions::default(), ask)?;
    let ((), known) = measure_memory(MemoryOptions::default(), ask)?;
    report::memory::add(report, "four_new", "The four, content new", &new);
    report::memory::add(report, "four_known", "The four, content known", &known);
    let ask_anew = || {
        classifier.clear_cache();
        ask_four(classifier, content);
    };
    let leaks = measure_leaks(&LEAK_CHECK, ask_anew)?;
    report::leaks::add(
        report,
        "four_new_leaks",
        "The four, after emptying the cache",
        &leaks,
    );
    let leaks = measure_leaks(&LEAK_CHECK, || ask_four(classifier, content))?;
    report::leaks::add(report, "four_known_leaks", "The four, content known", &leaks);
    report.headline = format!(
        "new {} in {} blocks, known {} in {}",
        units::bytes(new.bytes_allocated),
        units::count(new.allocations),
        units::bytes(known.bytes_allocated),
        units::count(known.allocations)
    );
    let of_new = GraphNames {
        title: "Four predictions, content new",
        at_peak: "peak",
        total: "",
    };
    let of_known = GraphNames {
        title: "Four predictions, content known",
        at_peak: "known_peak",
        total: "known",
    };
    report::memory::add_graphs(report, &of_new, &new);
    report::memory::add_graphs(report, &of_known, &known);
    Ok(())
}

pub(super) fn vectorize_cache_miss_vs_hit(session: &Session, report: &mut Report) -> Outcome {
    let (classifier, content) = (session.classifier()?, session.corpus()?.sample());
    let miss = time_new(classifier, || classifier.vectorize(content));
    let hit = measure_time(&TimingOptions::default(), || classifier.vectorize(content));
    let unseen = time_unseen(session)?;
    let mut timings = Timings::new();
    timings.add(report, "miss", "miss, words known", &miss);
    timings.add(report, "miss_unseen", "miss, unseen documents", &unseen);
    timings.add(report, "hit", "hit", &hit);
    timings.finish(report, "vectorize()");
    let ratio = miss.median_ns / hit.median_ns;
    report.facts(
        "Saved",
        vec![("miss / hit", format!("{} times as fast", units::digits(ratio)))],
    );
    report.measurement("miss_over_hit", &ratio);
    report.headline = format!(
        "miss {}, hit {}: {} times as fast",
        units::duration(miss.median_ns),
        units::duration(hit.median_ns),
        units::digits(ratio)
    );

    let missing = || {
        classifier.clear_cache();
        classifier.vectorize(content)
    };
    let profiled = Profiled {
        name: "miss_cpu",
        done: "vectorize() after emptying the cache",
        graph: "Vectorizing, cache miss: CPU time",
        suffix: "",
    };
    profiled.add(report, missing)?;
    let profiled = Profiled {
        name: "hit_cpu",
        done: "vectorize(), cache hit",
        graph: "Vectorizing, cache hit: CPU time",
        suffix: "hit",
    };
    profiled.add(report, || classifier.vectorize(content))
}

pub(super) fn content_hash_overhead(session: &Session, report: &mut Report) -> Outcome {
    let (classifier, content) = (session.classifier()?, session.corpus()?.sample());
    let options = TimingOptions::default();
    let once = measure_time(&options, || Sha256::digest(content));
    let four_times = measure_time(&options, || [(); 4].map(|()| Sha256::digest(content)));
    let four_known = measure_time(&options, || ask_four(classifier, content));
    let mut timings = Timings::new();
    timings.add(report, "once", "once, a prediction", &once);
    timings.add(report, "four_times", "four times, a document", &four_times);
    timings.add(report, "four_known", "four predictions, known", &four_known);
    timings.finish(report, "SHA-256 of the content");
    let share = four_times.median_ns / four_known.median_ns;
    report.facts(
        "Hashing",
        vec![
            ("content", units::bytes(content.len())),
            (
                "throughput",
                format!(
                    "{} MB/s",
                    units::digits(content.len() as f64 / once.median_ns * 1e3)
                ),
            ),
            (
                "share",
                format!("{} of four predictions of known content", units::percent(share)),
            ),
            (
                "spared by predict()",
                units::duration(four_times.median_ns * (1.0 - 1.0 / N_QUESTIONS)),
            ),
        ],
    );
    report.headline = format!(
        "{} for {}; {} of four known predictions",
        units::duration(once.median_ns),
        units::bytes(content.len()),
        units::percent(share)
    );
    report.measurement("content_bytes", &content.len());
    report.measurement("share_of_known_predictions", &share);

    let profiled = Profiled {
        name: "hash_cpu",
        done: "SHA-256 of the content",
        graph: "Hashing a content: CPU time",
        suffix: "",
    };
    profiled.add(report, || Sha256::digest(black_box(content)))
}

fn ask_four(classifier: &DocumentClassifier, content: &str) {
    let _ = black_box(classifier.predict_correspondent(content));
    let _ = black_box(classifier.predict_document_type(content));
    let _ = black_box(classifier.predict_tags(content));
    let _ = black_box(classifier.predict_storage_path(content));
}

/// Times single calls, each on an empty cache; emptying it isn't timed.
fn time_new<R>(classifier: &DocumentClassifier, mut call: impl FnMut() -> R) -> TimingSummary {
    let samples = (0..N_NEW_SAMPLES).map(|_| {
        classifier.clear_cache();
        let start = Instant::now();
        black_box(call());
        start.elapsed().as_nanos() as f64
    });
    TimingSummary::from_samples(samples.collect(), 1)
}

/// Times documents that nothing is known of, not even their words: by a vectorizer that has seen none before.
fn time_unseen(session: &Session) -> Result<TimingSummary, Box<dyn Error>> {
    let model = session
        .classifier()?
        .model()
        .ok_or("the shared classifier has no model")?;
    let predictor = Predictor::new(model, VectorCacheParams::default())?;
    let samples = session.corpus()?.held_out().iter().map(|document| {
        let start = Instant::now();
        black_box(predictor.vectorize(&document.content));
        start.elapsed().as_nanos() as f64
    });
    Ok(TimingSummary::from_samples(samples.collect(), 1))
}

/// The sample, and how it was filed: a reader sees that the predictions are sensible.
fn add_sample(report: &mut Report, classifier: &DocumentClassifier, content: &str) -> postroom::Result<()> {
    let filed = classifier.predict(content)?.labels();
    let one = |label: Option<LabelId>| label.map_or_else(|| "none".to_owned(), |id| id.to_string());
    let tags: Vec<String> = filed.tags.iter().map(ToString::to_string).collect();
    report.facts(
        "The sample and its predictions, by key",
        vec![
            ("content", units::bytes(content.len())),
            ("terms", units::count(classifier.vectorize(content)?.nnz())),
            ("correspondent", one(filed.correspondent)),
            ("document type", one(filed.document_type)),
            ("storage path", one(filed.storage_path)),
            (
                "tags",
                if tags.is_empty() {
                    "none".to_owned()
                } else {
                    tags.join(", ")
                },
            ),
        ],
    );
    Ok(())
}
