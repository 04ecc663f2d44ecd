//! How good a classifier would be on an archive: trained on most of it, asked about the rest, every part in turn.
//!
//! In comes a store, out goes an [`Evaluation`], which prints as a table and serializes for programs. Every document is
//! filed once by a model that has never seen it; nothing of the archive or of a model in use changes.

mod folds;
mod scores;
mod table;

use serde::Serialize;

use crate::document::{DocumentId, Field, LabelCatalog, LabelId};
use crate::error::{Error, Result};
use crate::model::TrainingParams;
use crate::predictor::Predictor;
use crate::status::{Status, StatusCallback, tell};
use crate::store::DocumentStore;
use crate::trainer::{TrainOutcome, Trainer};
use crate::vector_cache::VectorCacheParams;
use folds::{Archive, Folds};
use scores::FieldScores;

/// Every fold is a training.
const MOST_FOLDS: usize = 256;

/// How an archive is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationParams {
    /// Parts that the archive is divided into, 2 to 256 (5). With five, each model learns from four fifths.
    pub n_folds: usize,
    /// What is evaluated. Its seed also shuffles the documents.
    pub training: TrainingParams,
}

impl Default for EvaluationParams {
    fn default() -> Self {
        Self {
            n_folds: 5,
            training: TrainingParams::default(),
        }
    }
}

/// How good the classifier is on documents that it hasn't seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The pipeline that was evaluated.
    pub pipeline: &'static str,
    /// Documents, each of which was filed once.
    pub n_documents: usize,
    /// Parts that they were divided into.
    pub n_folds: usize,
    /// The fields that have a label, in the order of [`Field::ALL`].
    pub fields: Vec<FieldEvaluation>,
}

/// How good one field's answers are. Shares are 0 to 1, and 0 where there is nothing to share out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldEvaluation {
    /// The field.
    pub field: Field,
    /// Documents that have a label.
    pub n_labelled: usize,
    /// Share of all documents whose answer is wholly right: the label, or rightly none; of tags, all of them.
    pub accuracy: f64,
    /// Mean over the labels of their F1, each counting alike, however rare.
    pub macro_f1: f64,
    /// F1 over all assignments together.
    pub micro_f1: f64,
    /// Share of the labelled documents that were assigned a label.
    pub coverage: f64,
    /// Share of the assigned labels that were right.
    pub precision: f64,
    /// Expected calibration error: how far confidences and shares of right answers are apart on average, over ten bins
    /// of equal width (Naeini, Cooper & Hauskrecht 2015). Of a field with one label, the most confident one counts,
    /// assigned or not; of tags, all that were assigned or came close.
    pub calibration_error: f64,
    /// Each label, by its key.
    pub labels: Vec<LabelEvaluation>,
    /// What was taken for what, the most frequent first.
    pub confusions: Vec<Confusion>,
    /// Documents whose label looks wrong, because a confident answer disagrees; the most confident first.
    pub suspects: Vec<Suspect>,
}

/// How good the answers are for one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelEvaluation {
    /// The label.
    pub label: LabelId,
    /// Its name, with its number where others are called the same; as in confusions and suspects.
    pub name: String,
    /// Documents that have it.
    pub support: usize,
    /// Documents that it was assigned to.
    pub n_assigned: usize,
    /// Documents that it was rightly assigned to.
    pub n_right: usize,
}

impl LabelEvaluation {
    /// Share of its assignments that were right.
    pub fn precision(&self) -> f64 {
        scores::share(self.n_right, self.n_assigned)
    }

    /// Share of its documents that it was assigned to.
    pub fn recall(&self) -> f64 {
        scores::share(self.n_right, self.support)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        scores::share(2 * self.n_right, self.support + self.n_assigned)
    }
}

/// One label taken for another. For tags: one wrongly assigned (no `actual`) or missed (no `assigned`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// What the documents have; none for "no label".
    pub actual: Option<String>,
    /// What they were assigned; none for "no label".
    pub assigned: Option<String>,
    /// How many documents.
    pub n_documents: usize,
}

/// A document whose label looks wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// The document.
    pub document: DocumentId,
    /// What it has; none for "no label". For tags: nothing, where one seems to be missing.
    pub actual: Option<String>,
    /// What the classifier would give it; none for "no label".
    pub expected: Option<String>,
    /// How sure the classifier is of that.
    pub confidence: f32,
}

/// Files every document of `store` by a model that was trained on others.
///
/// Holds the contents of the archive in memory. Runs on the current rayon pool; the result doesn't depend on the number
/// of threads. `status` is told of every fold and every training, and may cancel.
///
/// # Errors
/// [`Error::Parameter`] if there are fewer than two folds or more than 256; [`Error::TooFewDocuments`] if there are fewer documents than
/// folds; whatever reading and training may run into.
pub fn evaluate(
    store: &dyn DocumentStore,
    params: &EvaluationParams,
    status: StatusCallback<'_>,
) -> Result<Evaluation> {
    if !(2..=MOST_FOLDS).contains(&params.n_folds) {
        return Err(Error::Parameter {
            of: "evaluation",
            name: "n_folds",
            found: params.n_folds.to_string(),
            expected: "2 to 256",
        });
    }
    let archive = Archive::read(store)?;
    let n_documents = archive.documents.len();
    if n_documents < params.n_folds {
        return Err(Error::TooFewDocuments {
            found: n_documents,
            expected: params.n_folds,
        });
    }
    let folds = Folds::stratified(&archive, params.n_folds, params.training.seed);
    let trainer = Trainer::new(params.training.clone());
    let mut scores = Field::ALL.map(FieldScores::new);
    for number in 0..params.n_folds {
        tell(
            status,
            Status::Fold {
                number: number + 1,
                n_folds: params.n_folds,
            },
        )?;
        let TrainOutcome::Trained { model, .. } =
            trainer.train(&archive.without(&folds, number), None, status)?
        else {
            unreachable!("there is no previous model that could still hold");
        };
        let predictor = Predictor::new(&model, VectorCacheParams::default())?;
        for document in folds.members(number).map(|at| &archive.documents[at]) {
            let suggestions = predictor.predict(&document.content);
            for (field, scores) in Field::ALL.into_iter().zip(&mut scores) {
                scores.add(
                    document.filing.id,
                    document.filing.labels.of(field),
                    suggestions.of(field),
                );
            }
        }
    }
    Ok(Evaluation {
        pipeline: params.training.pipeline.name(),
        n_documents,
        n_folds: params.n_folds,
        fields: finish(scores, &archive.catalog),
    })
}

fn finish(scores: [FieldScores; 4], catalog: &LabelCatalog) -> Vec<FieldEvaluation> {
    scores
        .into_iter()
        .filter_map(|scores| scores.finish(catalog))
        .collect()
}
