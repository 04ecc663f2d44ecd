//! From an archive to a model: what changed, what the documents say, what each field's classifier learns.
//!
//! [`Trainer::train`] reads one snapshot of a store in two passes. The first, without contents, finds out whether
//! anything changed since the last model and what each document's labels are. Only then are the contents
//! streamed, a chunk at a time, through the vectorizer, and the four fields are learned side by side.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::document::{AutoLabel, Document, Field, LabelCatalog, Labels};
use crate::error::{Error, Result};
use crate::features::CountVectorizer;
use crate::fingerprint::{Fingerprint, FingerprintBuilder};
use crate::learners::Targets;
use crate::learners::mlp::{self, FitReport, Seed};
use crate::model::{FieldClassifier, Learner, Model, TrainingParams};
use crate::sparse::CsrMatrix;
use crate::status::{Status, StatusCallback};
use crate::store::{DocumentStore, Snapshot};
use crate::targets::{ClassEncoder, FieldTargets};
use crate::train_report::{FieldReport, Stage, StageKind, TrainReport};

/// Documents that are in memory at a time: enough to keep all cores busy, a few megabytes of text.
const CHUNK: usize = 512;

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
        let (vectorizer, matrix) = self.vectorize(snapshot, &mut report, status)?;
        (report.n_terms, report.n_stored) = (matrix.n_cols(), matrix.nnz());
        let fits = self.fit_fields(&matrix, &filings.labels, status)?;
        let catalog = in_use(&catalog, &fits);
        let mut classifiers = [const { None }; 4];
        for fit in fits {
            report.stages.push(fit.stage);
            classifiers[fit.report.field.index()] = Some(fit.classifier);
            report.fields.push(fit.report);
        }
        let model = Model {
            params: self.params.clone(),
            fingerprint: filings.fingerprint,
            n_documents: report.n_documents,
            vocabulary: vectorizer.into_vocabulary(),
            catalog,
            classifiers,
        };
        Ok(TrainOutcome::Trained {
            model: Box::new(model),
            report,
        })
    }

    /// Takes the snapshot, to let go of it as soon as the last content is read: an archive with a rollback journal
    /// can't be written to while it is open.
    fn vectorize(
        &self,
        mut snapshot: Box<dyn Snapshot + '_>,
        report: &mut TrainReport,
        status: StatusCallback<'_>,
    ) -> Result<(CountVectorizer, CsrMatrix)> {
        let n_total = report.n_documents;
        tell(status, Status::Gathering { n_documents: n_total })?;
        let reading = StageKind::Read.span().entered();
        let began = Instant::now();
        let mut vectorizing = Duration::ZERO;
        let mut fitter = CountVectorizer::fitter(self.params.vectorizer, self.params.language)?;
        let mut chunk: Vec<Document> = Vec::with_capacity(CHUNK.min(n_total));
        let mut n_read = 0;
        let mut take = |chunk: &mut Vec<Document>| {
            let _vectorizing = StageKind::Vectorize.span().entered();
            let began = Instant::now();
            n_read += chunk.len();
            let contents: Vec<&str> = chunk.iter().map(|document| document.content.as_str()).collect();
            fitter.push_chunk(&contents);
            chunk.clear();
            vectorizing += began.elapsed();
            tell(status, Status::Read { n_read, n_total })
        };
        snapshot.for_each_document(&mut |document| {
            chunk.push(document);
            if chunk.len() == CHUNK {
                take(&mut chunk)
            } else {
                Ok(())
            }
        })?;
        drop(snapshot);
        take(&mut chunk)?;
        drop(reading);
        let read = began.elapsed().saturating_sub(vectorizing);
        let _vectorizing = StageKind::Vectorize.span().entered();
        tell(status, Status::Vectorizing)?;
        let began = Instant::now();
        let fitted = fitter.finish()?;
        report.stages.push(Stage {
            kind: StageKind::Read,
            duration: read,
        });
        report.stages.push(Stage {
            kind: StageKind::Vectorize,
            duration: vectorizing + began.elapsed(),
        });
        Ok(fitted)
    }

    /// The fields side by side, tags first: they take longest.
    fn fit_fields(
        &self,
        matrix: &CsrMatrix,
        labels: &[Labels],
        status: StatusCallback<'_>,
    ) -> Result<Vec<FieldFit>> {
        let fits: Result<Vec<Option<FieldFit>>> = Field::ALL
            .into_par_iter()
            .map(|field| self.fit_field(field, matrix, labels, status).transpose())
            .collect();
        Ok(fits?.into_iter().flatten().collect())
    }

    fn fit_field(
        &self,
        field: Field,
        matrix: &CsrMatrix,
        labels: &[Labels],
        status: StatusCallback<'_>,
    ) -> Option<Result<FieldFit>> {
        let began = Instant::now();
        let _fitting = StageKind::Fit(field).span().entered();
        let (classes, targets) = ClassEncoder::fit(field, labels)?;
        let learned = match targets {
            FieldTargets::Constant => Ok((Learner::Constant, None)),
            FieldTargets::Learnable(targets) => self.fit_network(field, &classes, (matrix, &targets), status),
        };
        Some(learned.map(|(learner, fit)| FieldFit {
            report: FieldReport {
                field,
                n_labels: classes.n_labels(),
                fit,
            },
            classifier: FieldClassifier { classes, learner },
            stage: Stage {
                kind: StageKind::Fit(field),
                duration: began.elapsed(),
            },
        }))
    }

    fn fit_network(
        &self,
        field: Field,
        classes: &ClassEncoder,
        examples: (&CsrMatrix, &Targets),
        status: StatusCallback<'_>,
    ) -> Result<(Learner, Option<FitReport>)> {
        tell(
            status,
            Status::Training {
                field,
                n_labels: classes.n_labels(),
            },
        )?;
        let seed = Seed {
            seed: self.params.seed,
            stream: field.index() as u64,
        };
        let (network, report) = mlp::fit(examples.0, examples.1, &self.params.mlp, seed, &mut |epoch| {
            status(&Status::Epoch {
                field,
                number: epoch.number,
                loss: epoch.loss,
            })
        })?;
        Ok((Learner::Mlp(Box::new(network)), Some(report)))
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

/// One field, learned.
struct FieldFit {
    classifier: FieldClassifier,
    report: FieldReport,
    stage: Stage,
}

/// The part of `catalog` that the fitted classifiers can assign.
fn in_use(catalog: &LabelCatalog, fits: &[FieldFit]) -> LabelCatalog {
    let mut used = LabelCatalog::default();
    for fit in fits {
        let field = fit.report.field;
        let named = |id| AutoLabel {
            id,
            name: catalog.name(field, id).unwrap_or_default().to_owned(),
        };
        used.set(field, fit.classifier.classes.labels().map(named).collect());
    }
    used
}

/// Tells `status`, and turns its wish to stop into an error.
fn tell(status: StatusCallback<'_>, event: Status) -> Result<()> {
    match status(&event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
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
