//! From an archive to a model: what changed, what the documents say, what each field's classifier learns.
//!
//! [`Trainer::train`] reads one snapshot of a store in two passes. The first, without contents, finds out whether
//! anything changed since the last model and what each document's labels are. Only then are the contents
//! streamed, a chunk at a time, through the [`Pipeline`](crate::pipelines::Pipeline) that was chosen: all of them, or
//! those of changed documents where the pipeline goes on from the last model.

use std::time::Instant;

use crate::document::{AutoLabel, Field, Filing, LabelCatalog, Labels};
use crate::error::{Error, Result};
use crate::fingerprint::{Fingerprint, FingerprintBuilder};
use crate::model::{Model, Start, TrainingParams};
use crate::pipelines::{Contents, DocumentVersion, Examples, LastTraining, PipelineModel};
use crate::status::StatusCallback;
use crate::store::{DocumentStore, Snapshot};
use crate::train_report::{FullReason, Stage, StageKind, TrainReport};

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
    /// documents, labels and changes. Goes on from `previous` where that is as good, see
    /// [`Incremental`](crate::pipelines::linear::Incremental).
    ///
    /// Runs on the current rayon pool; the model doesn't depend on the number of threads. `status` is told what
    /// goes on, from several threads, and may cancel.
    ///
    /// # Errors
    /// The store can't be read; no document qualifies; no term is frequent enough; the weights grow beyond all bounds;
    /// `status` cancelled.
    pub fn train(
        &self,
        store: &dyn DocumentStore,
        previous: Option<&Model>,
        status: StatusCallback<'_>,
    ) -> Result<TrainOutcome> {
        self.train_from(store, previous, Start::FromLast, status)
    }

    /// As [`Self::train`]; [`Start::FromNothing`] makes it a full training, even if nothing changed.
    ///
    /// # Errors
    /// As [`Self::train`]; and from the last model [`Error::InvalidTrainingState`].
    pub fn train_from(
        &self,
        store: &dyn DocumentStore,
        previous: Option<&Model>,
        start: Start,
        status: StatusCallback<'_>,
    ) -> Result<TrainOutcome> {
        let last = match (start, previous) {
            (Start::FromNothing, _) => Err(FullReason::AskedFor),
            (Start::FromLast, None) => Err(FullReason::First),
            (Start::FromLast, Some(model)) if model.params != self.params => Err(FullReason::OtherParameters),
            (Start::FromLast, Some(model)) => Ok(model),
        };
        let mut report = TrainReport::default();
        let mut snapshot = store.snapshot()?;
        let filings = timed(&mut report.stages, StageKind::Check, || {
            Filings::read(&mut *snapshot)
        })?;
        report.n_documents = filings.filings.len();
        if filings.filings.is_empty() {
            return Err(Error::NoTrainingData);
        }
        if last.is_ok_and(|model| model.fingerprint.is_current(&filings.fingerprint)) {
            tracing::debug!(
                documents = report.n_documents,
                "nothing changed since the last training"
            );
            return Ok(TrainOutcome::Unchanged { report });
        }
        let catalog = snapshot.label_catalog()?;
        let fingerprint = filings.fingerprint.clone();
        let (documents, labels) = filings.into_parts();
        let learned = self.params.pipeline.train(Examples {
            contents: Contents::new(snapshot, report.n_documents, status),
            documents: &documents,
            labels: &labels,
            language: self.params.language,
            seed: self.params.seed,
            last: last.map(|model| LastTraining {
                learned: &model.learned,
                state: model.state.as_ref(),
            }),
            status,
        })?;
        learned.model.check_finite()?;
        report.kind = Some(learned.kind);
        report.stages.extend(learned.stages);
        report.fields = learned.fields;
        report.n_terms = learned.model.terms().len();
        report.n_stored = learned.n_stored;
        let model = Model {
            params: self.params.clone(),
            fingerprint,
            n_documents: report.n_documents,
            catalog: in_use(&catalog, &learned.model),
            learned: learned.model,
            state: learned.state,
        };
        Ok(TrainOutcome::Trained {
            model: Box::new(model),
            report,
        })
    }
}

/// How the documents are filed, at one moment.
struct Filings {
    filings: Vec<Filing>,
    fingerprint: Fingerprint,
}

impl Filings {
    fn read(snapshot: &mut dyn Snapshot) -> Result<Self> {
        let mut filings = Vec::new();
        let mut fingerprint = FingerprintBuilder::default();
        snapshot.for_each_filing(&mut |filing| {
            fingerprint.add(&filing);
            filings.push(filing);
            Ok(())
        })?;
        Ok(Self {
            filings,
            fingerprint: fingerprint.finish(),
        })
    }

    /// As pipelines take them, apart: where nothing changed, nobody does.
    fn into_parts(self) -> (Vec<DocumentVersion>, Vec<Labels>) {
        let version = |filing: &Filing| DocumentVersion {
            id: filing.id,
            modified: filing.modified.as_microsecond(),
        };
        let documents = self.filings.iter().map(version).collect();
        // Collected where the filings are, in whose room there would be twice as many.
        let mut labels: Vec<Labels> = self.filings.into_iter().map(|filing| filing.labels).collect();
        labels.shrink_to_fit();
        (documents, labels)
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
