//! The scenario of explaining how a document is filed.

use std::hint::black_box;

use profiling_toolkit::memory::{MemoryOptions, measure_memory};
use profiling_toolkit::timing::TimedCalls;

use super::{Outcome, Profiled};
use crate::report::figure::{self, Figure, Threads};
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Subject;

pub(super) fn explain(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let (classifier, content) = (subject.classifier()?, subject.corpus()?.sample());
    let explanations = classifier.explain(content)?;
    assert!(
        !explanations.is_empty(),
        "nothing is suggested for the sample: {content}"
    );
    let n_terms: usize = explanations
        .iter()
        .map(|explanation| explanation.terms.len())
        .sum();
    report.facts(
        "What is explained",
        vec![
            ("content", units::bytes(content.len())),
            ("labels", units::count(explanations.len())),
            ("terms with a say", units::count(n_terms)),
        ],
    );
    let mut calls = TimedCalls::new(subject.timing());
    calls.call(|| {
        let _ = black_box(classifier.explain(content));
    });
    calls.call(|| {
        let _ = black_box(classifier.predict(content));
    });
    calls.measure_first_half();
    let profiled = Profiled {
        name: "explain_cpu",
        done: "explain()",
        graph: "Explaining a document's labels: CPU time",
        suffix: "",
    };
    let profile = profiled.measure(&subject.sampling(), || classifier.explain(content))?;
    calls.measure_rest();
    let timings = calls.finish();
    let [explain, predict] = &timings[..] else {
        unreachable!("two calls were timed");
    };
    let mut table = Timings::new();
    table.add(report, "explain", "explain()", explain);
    table.add(report, "predict", "predict(), content known", predict);
    table.finish(report, "Explaining beside predicting");
    report.figures([Figure::times_as_long(
        "explain_over_predict.ratio",
        explain,
        predict,
    )]);
    report.headline = format!(
        "{} for {} labels by {} terms",
        units::duration(explain.median_ns),
        units::count(explanations.len()),
        units::count(n_terms)
    );
    let (explained, memory) = measure_memory(MemoryOptions::default(), || classifier.explain(content))?;
    explained?;
    report::memory::add(report, "explain_memory", "explain()", &memory);
    report.figures(figure::of_memory("explain", &memory, Threads::One));
    profile.add(report);
    Ok(())
}
