//! The scenario of a training that goes on from the last one, after a few documents were added.

use std::cell::RefCell;
use std::hint::black_box;

use postroom::document::{Document, DocumentId, Filing, LabelCatalog};
use postroom::model::{Model, Start, TrainingParams};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::store::{Archive, DocumentStore, Snapshot};
use postroom::train_report::TrainingKind;
use postroom::trainer::{TrainOutcome, Trainer};
use profiling_toolkit::memory::{MemoryOptions, measure_memory};
use profiling_toolkit::timing::{TimedCalls, TimingOptions};

use super::{Outcome, Profiled, no_status};
use crate::report::figure::{self, Figure, Threads};
use crate::report::timing::Timings;
use crate::report::{self, Report, units};
use crate::session::Subject;

/// Documents that are new to the last model.
const N_NEW: [usize; 3] = [1, 10, 50];

pub(super) fn going_on(subject: &Subject<'_>, report: &mut Report) -> Outcome {
    let store = subject.corpus()?.store();
    let trainer = Trainer::new(TrainingParams {
        pipeline: Pipeline::Linear(LinearPipeline::default()),
        ..TrainingParams::default()
    });
    let mut lasts = Vec::new();
    for n_new in N_NEW {
        let fewer = Fewer {
            store,
            n_left_out: n_new,
        };
        lasts.push(learned(trainer.train(&fewer, None, &no_status)?).0);
    }
    let go_on = |last: &Model| trainer.train(store, Some(last), &no_status);
    let (model, training) = learned(go_on(&lasts[1])?);
    assert!(
        matches!(training.kind, Some(TrainingKind::Incremental { .. })),
        "ten new documents led to {:?}",
        training.kind
    );
    let heading = "train() after 10 new documents: stages; the fits run side by side";
    report::training::add_stages(report, heading, &training);
    let state_bytes = model.state.as_ref().map_or(0, |state| state.as_bytes().len());
    report.facts(
        "What it goes on from",
        vec![("state in the model", units::bytes(state_bytes))],
    );

    let failed = RefCell::new(None);
    let mut calls = TimedCalls::new(TimingOptions {
        warm_up_calls: 1,
        samples_per_block: 1,
        reference_threads: subject.n_threads()?,
        ..subject.timing()
    });
    let mut timed = |last: Option<Model>| {
        let failed = &failed;
        let trainer = &trainer;
        calls.call(move || {
            let start = if last.is_some() {
                Start::FromLast
            } else {
                Start::FromNothing
            };
            match trainer.train_from(store, last.as_ref(), start, &no_status) {
                Ok(outcome) => drop(black_box(outcome)),
                Err(error) => *failed.borrow_mut() = Some(error),
            }
        });
    };
    timed(None);
    lasts.iter().cloned().for_each(|last| timed(Some(last)));
    calls.measure_first_half();
    let profiled = Profiled {
        name: "ten_new_cpu",
        done: "train() after 10 new documents",
        graph: "Training after 10 new documents: CPU time",
        suffix: "",
    };
    let profile = profiled.measure(&subject.sampling(), || go_on(&lasts[1]))?;
    calls.measure_rest();
    let timings = calls.finish();
    if let Some(error) = failed.take() {
        return Err(error.into());
    }
    let mut table = Timings::new();
    table.add(report, "full", "from nothing", &timings[0]);
    for (n_new, timing) in N_NEW.iter().zip(&timings[1..]) {
        let name = format!("after {n_new} new");
        table.add(report, &format!("after_{n_new}"), &name, timing);
        report.figures([Figure::times_as_long(
            format!("full_over_after_{n_new}.speedup"),
            &timings[0],
            timing,
        )]);
    }
    table.finish(report, "train()");
    report.headline = format!(
        "{} after 10 new documents, {:.0} % of the {} from nothing",
        units::duration(timings[2].median_ns),
        100.0 * timings[2].median_ns / timings[0].median_ns,
        units::duration(timings[0].median_ns)
    );
    let (outcome, memory) = measure_memory(MemoryOptions::default(), || go_on(&lasts[1]))?;
    outcome?;
    report::memory::add(
        report,
        "ten_new_memory",
        "train() after 10 new documents",
        &memory,
    );
    report.figures(figure::of_memory("ten_new", &memory, Threads::Stealing));
    profile.add(report);
    Ok(())
}

fn learned(outcome: TrainOutcome) -> (Model, postroom::train_report::TrainReport) {
    match outcome {
        TrainOutcome::Trained { model, report } => (*model, report),
        TrainOutcome::Unchanged { .. } => panic!("documents were added, and nothing was found changed"),
    }
}

/// An archive before its last documents came in.
struct Fewer<'a> {
    store: &'a Archive,
    n_left_out: usize,
}

impl DocumentStore for Fewer<'_> {
    fn snapshot(&self) -> postroom::Result<Box<dyn Snapshot + '_>> {
        let mut all = self.store.snapshot()?;
        let mut ids = Vec::new();
        all.for_each_filing(&mut |filing| {
            ids.push(filing.id);
            Ok(())
        })?;
        let end = ids.len().saturating_sub(self.n_left_out);
        let last = ids[..end].last().copied().unwrap_or(DocumentId(i64::MIN));
        Ok(Box::new(FewerSnapshot { all, last }))
    }
}

struct FewerSnapshot<'a> {
    all: Box<dyn Snapshot + 'a>,
    /// The last document that is in.
    last: DocumentId,
}

impl Snapshot for FewerSnapshot<'_> {
    fn label_catalog(&mut self) -> postroom::Result<LabelCatalog> {
        self.all.label_catalog()
    }

    fn for_each_filing(
        &mut self,
        visit: &mut dyn FnMut(Filing) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        let last = self.last;
        self.all
            .for_each_filing(&mut |filing| if filing.id <= last { visit(filing) } else { Ok(()) })
    }

    fn for_each_document(
        &mut self,
        visit: &mut dyn FnMut(Document) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        let last = self.last;
        self.all.for_each_document(&mut |document| {
            if document.id <= last {
                visit(document)
            } else {
                Ok(())
            }
        })
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> postroom::Result<()>,
    ) -> postroom::Result<()> {
        let end = ids.partition_point(|id| *id <= self.last);
        self.all.for_each_document_among(&ids[..end], visit)
    }
}
