//! Scenarios of prediction, all on one sample content. "New" is a content that the cache of vectors doesn't hold,
//! "known" one that it does.

use std::cell::Cell;
use std::hint::black_box;

use postroom::classifier::DocumentClassifier;
use postroom::document::LabelId;
use profiling_toolkit::memory::{
    LeakOptions, MemoryError, MemoryOptions, MemoryProfile, measure_leaks, measure_memory,
};
use profiling_toolkit::timing::{TimedCalls, TimingSummary};

use super::{Outcome, Profiled};
use crate::report::figure::{self, Figure, Threads};
use crate::report::memory::GraphNames;
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Subject;

/// Regions of which the one that used least is reported.
const N_REGIONS: usize = 5;

/// Fields that a document is asked for one by one.
pub(super) const N_QUESTIONS: usize = 4;

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

pub(super) fn predict_all_four_cpu(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let (classifier, content) = (subject.classifier()?, subject.corpus()?.sample());
    let known_content = KnownContent::new(content);
    add_sample(report, classifier, content)?;
    let mut calls = TimedCalls::new(subject.timing());
    for (_, _, ask) in QUESTIONS {
        calls.prepared_call(|| classifier.clear_cache(), move || ask(classifier, content));
    }
    for (_, _, ask) in QUESTIONS {
        let known_content = &known_content;
        calls.call(move || ask(classifier, known_content.next()));
    }
    calls.measure_first_half();
    let new = Profiled {
        name: "four_new_cpu",
        done: "The four, after emptying the cache",
        graph: "Four predictions, content new to the cache: CPU time",
        suffix: "",
    };
    let new = new.measure(&subject.sampling(), || {
        classifier.clear_cache();
        ask_four(classifier, content);
    })?;
    let known = Profiled {
        name: "four_known_cpu",
        done: "The four, content known",
        graph: "Four predictions, content known: CPU time",
        suffix: "known",
    };
    let known = known.measure(&subject.sampling(), || {
        ask_four(classifier, known_content.next());
    })?;
    calls.measure_rest();

    let timings = calls.finish();
    let (when_new, when_known) = timings.split_at(QUESTIONS.len());
    let [four_new, once_new] = add_questions(report, "new", when_new);
    let [four_known, once_known] = add_questions(report, "known", when_known);
    report.headline = format!("new {four_new}, predict() {once_new}; known {four_known}, {once_known}");
    new.add(report);
    known.add(report);
    Ok(())
}

/// Adds the times of the questions, and returns that of the four and that of all at once as text.
fn add_questions(report: &mut Report, cache: &str, timings: &[TimingSummary]) -> [String; 2] {
    let mut table = Timings::new();
    for ((name, call, _), timing) in QUESTIONS.iter().zip(timings) {
        table.add(report, &format!("{name}_{cache}"), call, timing);
    }
    table.finish(report, &format!("Content {cache} to the cache"));
    let sum: f64 = timings[..N_QUESTIONS].iter().map(|timing| timing.median_ns).sum();
    let (four, once) = (&timings[N_QUESTIONS], &timings[N_QUESTIONS + 1]);
    report.facts(
        format!("All that is asked of a document, content {cache}"),
        vec![
            (
                "each by itself",
                format!("{}, the sum of four medians", units::duration(sum)),
            ),
            ("one after another", units::duration(four.median_ns)),
            ("predict()", units::duration(once.median_ns)),
        ],
    );
    report.figures([Figure::times_as_long(
        format!("four_over_once_{cache}.speedup"),
        four,
        once,
    )]);
    [four, once].map(|timing| units::duration(timing.median_ns))
}

pub(super) fn predict_all_four_memory(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let content = subject.corpus()?.sample();
    let classifier = subject.classifier()?;
    // What only the first of all calls sets up isn't part of a prediction.
    ask_four(classifier, content);
    let known_content = KnownContent::new(content);
    let new = least_used(|| ask_four(classifier, content), || classifier.clear_cache())?;
    let known = least_used(|| ask_four(classifier, known_content.next()), || ())?;
    let ask_once = || {
        let _ = black_box(classifier.predict(known_content.next()));
    };
    let once_known = least_used(ask_once, || ())?;
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
    let leaks = measure_leaks(&LEAK_CHECK, || ask_four(classifier, known_content.next()))?;
    report::leaks::add(report, "four_known_leaks", "The four, content known", &leaks);
    report.figures(figures_of_asking("four_new", &new));
    report.figures(figures_of_asking("four_known", &known));
    report.figures(figures_of_asking("once_known", &once_known));
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

/// What asking uses, the least of some regions. A cache that several threads share gives back what it has removed
/// when it gets round to it, at most every 300 ms, and now and then needs a block to note that: the work of earlier calls,
/// in whichever comes next.
fn least_used(mut ask: impl FnMut(), mut prepare: impl FnMut()) -> Result<MemoryProfile, MemoryError> {
    let mut least: Option<MemoryProfile> = None;
    for _ in 0..N_REGIONS {
        prepare();
        let ((), profile) = measure_memory(MemoryOptions::default(), &mut ask)?;
        let used = |profile: &MemoryProfile| (profile.allocations, profile.bytes_allocated);
        if least.as_ref().is_none_or(|least| used(&profile) < used(least)) {
            least = Some(profile);
        }
    }
    Ok(least.expect("there is at least one region"))
}

/// Allocations and their bytes are the same on every run; what was kept and the peak depend on what the cache gives
/// back just then.
fn figures_of_asking(name: &str, profile: &MemoryProfile) -> Vec<Figure> {
    let mut figures = figure::of_memory(name, profile, Threads::One);
    for figure in &mut figures {
        figure.exact = !figure.name.ends_with(".peak_bytes") && !figure.name.ends_with(".kept_bytes");
    }
    figures
}

/// The sample and the same with a space behind it, in turn. What was asked for last isn't hashed again, and somebody who
/// asks about known documents asks about another one each time.
pub(super) struct KnownContent {
    contents: [String; 2],
    turn: Cell<usize>,
}

impl KnownContent {
    pub(super) fn new(sample: &str) -> Self {
        Self {
            contents: [sample.to_owned(), format!("{sample} ")],
            turn: Cell::new(0),
        }
    }

    /// The content that wasn't the last.
    pub(super) fn next(&self) -> &str {
        let turn = self.turn.get();
        self.turn.set((turn + 1) % self.contents.len());
        &self.contents[turn]
    }
}

pub(super) fn ask_four(classifier: &DocumentClassifier, content: &str) {
    let _ = black_box(classifier.predict_correspondent(content));
    let _ = black_box(classifier.predict_document_type(content));
    let _ = black_box(classifier.predict_tags(content));
    let _ = black_box(classifier.predict_storage_path(content));
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
