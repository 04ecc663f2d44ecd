//! Scenarios of the vectors that predictions are made from: computed anew, taken from the cache, and the digest of a
//! content that the cache is asked by.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::hint::black_box;

use postroom::model::Model;
use postroom::predictor::Predictor;
use postroom::vector_cache::VectorCacheParams;
use profiling_toolkit::compare::Better;
use profiling_toolkit::timing::TimedCalls;
use sha2::{Digest as _, Sha256};

use super::prediction::{KnownContent, N_QUESTIONS, ask_four};
use super::{Outcome, Profiled};
use crate::corpus::HeldOut;
use crate::report::figure::{Figure, FigureUnit};
use crate::report::timing::Timings;
use crate::report::{Report, units};
use crate::session::Subject;

pub(super) fn vectorize_cache_miss_vs_hit(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let (classifier, content) = (subject.classifier()?, subject.corpus()?.sample());
    let unseen = Unseen::new(subject)?;
    let known = KnownContent::new(content);
    let vectorize = |content: &str| {
        let _ = black_box(classifier.vectorize(content));
    };
    let mut calls = TimedCalls::new(subject.timing());
    calls.prepared_call(|| classifier.clear_cache(), || vectorize(content));
    calls.prepared_call(|| unseen.next(), || unseen.vectorize());
    calls.call(|| vectorize(known.next()));
    calls.measure_first_half();
    let missing = Profiled {
        name: "miss_cpu",
        done: "vectorize() after emptying the cache",
        graph: "Vectorizing, cache miss: CPU time",
        suffix: "",
    };
    let missing = missing.measure(&subject.sampling(), || {
        classifier.clear_cache();
        classifier.vectorize(content)
    })?;
    let hitting = Profiled {
        name: "hit_cpu",
        done: "vectorize(), cache hit",
        graph: "Vectorizing, cache hit: CPU time",
        suffix: "hit",
    };
    let hitting = hitting.measure(&subject.sampling(), || classifier.vectorize(known.next()))?;
    calls.measure_rest();

    let timings = calls.finish();
    let [miss, unseen, hit] = &timings[..] else {
        unreachable!("three calls were timed");
    };
    let mut table = Timings::new();
    table.add(report, "miss", "miss, words known", miss);
    table.add(report, "miss_unseen", "miss, unseen documents", unseen);
    table.add(report, "hit", "hit", hit);
    table.finish(report, "vectorize()");
    let ratio = miss.median_ns / hit.median_ns;
    report.facts(
        "Saved",
        vec![("miss / hit", format!("{} times as fast", units::digits(ratio)))],
    );
    report.measurement("miss_over_hit", &ratio);
    report.figures([Figure::times_as_long("miss_over_hit.speedup", miss, hit)]);
    report.headline = format!(
        "miss {}, hit {}: {} times as fast",
        units::duration(miss.median_ns),
        units::duration(hit.median_ns),
        units::digits(ratio)
    );
    missing.add(report);
    hitting.add(report);
    Ok(())
}

pub(super) fn content_hash_overhead(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let (classifier, content) = (subject.classifier()?, subject.corpus()?.sample());
    let known = KnownContent::new(content);
    let mut calls = TimedCalls::new(subject.timing());
    calls.call(|| {
        black_box(Sha256::digest(black_box(content)));
    });
    calls.call(|| {
        black_box([(); N_QUESTIONS].map(|()| Sha256::digest(black_box(content))));
    });
    calls.call(|| ask_four(classifier, known.next()));
    calls.measure_first_half();
    let hashing = Profiled {
        name: "hash_cpu",
        done: "SHA-256 of the content",
        graph: "Hashing a content: CPU time",
        suffix: "",
    };
    let hashing = hashing.measure(&subject.sampling(), || Sha256::digest(black_box(content)))?;
    calls.measure_rest();

    let timings = calls.finish();
    let [once, four_times, four_known] = &timings[..] else {
        unreachable!("three calls were timed");
    };
    let mut table = Timings::new();
    table.add(report, "once", "once, a document", once);
    table.add(report, "four_times", "four times, a question each", four_times);
    table.add(report, "four_known", "four predictions, known", four_known);
    table.finish(report, "SHA-256 of the content");
    let share = once.median_ns / four_known.median_ns;
    let throughput = content.len() as f64 / once.median_ns * 1e3;
    let spared = four_times.median_ns * (1.0 - 1.0 / N_QUESTIONS as f64);
    report.facts(
        "Hashing",
        vec![
            ("content", units::bytes(content.len())),
            ("throughput", format!("{} MB/s", units::digits(throughput))),
            (
                "share",
                format!("{} of four predictions of known content", units::percent(share)),
            ),
            ("spared by not hashing it again", units::duration(spared)),
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
    report.figures([
        Figure::exact(
            "content.bytes",
            content.len() as f64,
            FigureUnit::Bytes,
            Better::Neither,
        ),
        Figure::rough(
            "hash_of_known_predictions.share",
            share,
            FigureUnit::Share,
            Better::Lower,
        ),
    ]);
    hashing.add(report);
    Ok(())
}

/// Documents that nothing is known of, not even their words: for a vectorizer that has seen none before.
struct Unseen<'session> {
    model: &'session Model,
    predictor: RefCell<Predictor>,
    documents: &'session [HeldOut],
    position: Cell<usize>,
}

impl<'session> Unseen<'session> {
    fn new(subject: &Subject<'session>) -> Result<Self, Box<dyn Error>> {
        let model = subject
            .classifier()?
            .model()
            .ok_or("the shared classifier has no model")?;
        Ok(Self {
            predictor: RefCell::new(Predictor::new(model, VectorCacheParams::default())?),
            model,
            documents: subject.corpus()?.held_out(),
            position: Cell::new(0),
        })
    }

    /// Goes on to the next document; after the last, to the first for a vectorizer that doesn't know it.
    fn next(&self) {
        let next = (self.position.get() + 1) % self.documents.len();
        if next == 0 {
            let fresh = Predictor::new(self.model, VectorCacheParams::default());
            *self.predictor.borrow_mut() = fresh.expect("a predictor of the same model was made before");
        }
        self.position.set(next);
    }

    fn vectorize(&self) {
        let content = &self.documents[self.position.get()].content;
        black_box(self.predictor.borrow().vectorize(content));
    }
}
