//! From an archive to a model: what changed, what the documents say, what each field's classifier learns.
//!
//! [`Trainer::train`] reads one snapshot of a store in two passes. The first, without contents, finds out whether
//! anything changed since the last model and what each document's labels are. Only then are the contents
//! streamed, a chunk at a time, through the [`Pipeline`](crate::pipelines::Pipeline) that was chosen.

use std::time::Instant;

use crate::document::{AutoLabel, Field, LabelCatalog, Labels};
use crate::error::{Error, Result};
use crate::fingerprint::{Fingerprint, FingerprintBuilder};
use crate::model::{Model, TrainingParams};
use crate::pipelines::{Contents, Examples, PipelineModel};
use crate::status::StatusCallback;
use crate::store::{DocumentStore, Snapshot};
use crate::train_report::{Stage, StageKind, TrainReport};

/// Learns models from archives.
#[derive(Debug, Clone, Default)]
pub struct Trainer {
    params: TrainingParams,
}

/// What [`Trainer::train`] found.
#[derive(Debug)]
pub enum TrainOutcome {
    /// Nothing changed since the previous model, which is as good as a new one.
    Unchanged {
        /// What finding out cost.
        report: TrainReport,
    },
    /// There is a new model.
    Trained {
        /// The model.
        model: Box<Model>,
        /// How the training went.
        report: TrainReport,
    },
}

impl Trainer {
    /// A trainer with these parameters.
    pub fn new(params: TrainingParams) -> Self {
        Self { params }
    }

    /// Learns from what `store` holds now, unless `previous` was trained with the same parameters on the same
    /// documents, labels and changes.
    ///
    /// Runs on the current rayon pool; the model doesn't depend on the number of threads. `status` is told what
    /// goes on, from several threads, and may cancel.
    ///
    /// # Errors
    /// The store can't be read; no document qualifies; no term is frequent enough; `status` cancelled.
    pub fn train(
        &self,
        store: &dyn DocumentStore,
        previous: Option<&Model>,
        status: StatusCallback<'_>,
    ) -> Result<TrainOutcome> {
        let mut report = TrainReport::default();
        let mut snapshot = store.snapshot()?;
        let filings = timed(&mut report.stages, StageKind::Check, || {
            Filings::read(&mut *snapshot)
        })?;
        report.n_documents = filings.labels.len();
        if filings.labels.is_empty() {
            return Err(Error::NoTrainingData);
        }
        let current =
            |model: &Model| model.params == self.params && model.fingerprint.is_current(&filings.fingerprint);
        if previous.is_some_and(current) {
            tracing::debug!(
                documents = report.n_documents,
                "nothing changed since the last training"
            );
            return Ok(TrainOutcome::Unchanged { report });
        }
        let catalog = snapshot.label_catalog()?;
        let learned = self.params.pipeline.train(Examples {
            contents: Contents::new(snapshot, report.n_documents, status),
            labels: &filings.labels,
            language: self.params.language,
            seed: self.params.seed,
            status,
        })?;
        report.stages.extend(learned.stages);
        report.fields = learned.fields;
        report.n_terms = learned.model.terms().len();
        report.n_stored = learned.n_stored;
        let model = Model {
            params: self.params.clone(),
            fingerprint: filings.fingerprint,
            n_documents: report.n_documents,
            catalog: in_use(&catalog, &learned.model),
            learned: learned.model,
        };
        Ok(TrainOutcome::Trained {
            model: Box::new(model),
            report,
        })
    }
}

/// How the documents are filed, at one moment.
struct Filings {
    labels: Vec<Labels>,
    fingerprint: Fingerprint,
}

impl Filings {
    fn read(snapshot: &mut dyn Snapshot) -> Result<Self> {
        let mut labels = Vec::new();
        let mut fingerprint = FingerprintBuilder::default();
        snapshot.for_each_filing(&mut |filing| {
            fingerprint.add(&filing);
            labels.push(filing.labels);
            Ok(())
        })?;
        Ok(Self {
            labels,
            fingerprint: fingerprint.finish(),
        })
    }
}

/// The part of `catalog` that the model can assign.
fn in_use(catalog: &LabelCatalog, learned: &PipelineModel) -> LabelCatalog {
    let mut used = LabelCatalog::default();
    for field in Field::ALL {
        let named = |id| AutoLabel {
            id,
            name: catalog.name(field, id).unwrap_or_default().to_owned(),
        };
        used.set(field, learned.labels(field).into_iter().map(named).collect());
    }
    used
}

/// Runs one stage and notes how long it took.
fn timed<R>(stages: &mut Vec<Stage>, kind: StageKind, work: impl FnOnce() -> R) -> R {
    let _entered = kind.span().entered();
    let began = Instant::now();
    let result = work();
    stages.push(Stage {
        kind,
        duration: began.elapsed(),
    });
    result
}
