//! The ways from contents and labels to a classifier, and from a content to its labels.
//!
//! A pipeline consists of parameters, of what it learns (plain data, stored in the model file) and of a prepared form
//! that answers. [`mlp`] reproduces what paperless-ngx trains, [`linear`] is right more often and knows when it isn't.

mod attribution;
pub mod linear;
pub mod mlp;
mod reading;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::document::{DocumentId, Field, LabelId, LabelIds, Labels};
use crate::error::{Error, Result};
use crate::explanation::TermKind;
use crate::features::Term;
use crate::model::TrainingState;
use crate::sparse::SparseVector;
use crate::status::StatusCallback;
use crate::suggestions::Suggestions;
use crate::text::Language;
use crate::train_report::{FieldReport, FullReason, Stage, TrainingKind};
use linear::{LinearModel, LinearPipeline, PreparedLinearPipeline};
use mlp::{MlpModel, MlpPipeline, PreparedMlpPipeline};

pub(crate) use attribution::Attribution;
pub(crate) use reading::Contents;

/// Which pipeline a training goes through, and with what parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Pipeline {
    /// Counts of words and pairs of words, four networks: what paperless-ngx does.
    Mlp(MlpPipeline),
    /// Weighted words and character n-grams, linear classifiers, calibrated confidences.
    Linear(LinearPipeline),
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::Linear(LinearPipeline::default())
    }
}

impl Pipeline {
    /// The name as it stands in settings and reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Linear(_) => "linear",
        }
    }

    /// Refuses parameters that no training takes.
    ///
    /// # Errors
    /// [`Error::Parameter`].
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Mlp(pipeline) => pipeline.check(),
            Self::Linear(pipeline) => pipeline.check(),
        }
    }

    pub(crate) fn train(&self, examples: Examples<'_>) -> Result<Learned> {
        match self {
            Self::Mlp(pipeline) => pipeline.train(examples),
            Self::Linear(pipeline) => pipeline.train(examples),
        }
    }
}

/// What a training is given to learn from.
pub(crate) struct Examples<'a> {
    /// To be read once.
    pub(crate) contents: Contents<'a>,
    /// Which document each is, ascending, in the order of the contents.
    pub(crate) documents: &'a [DocumentVersion],
    /// How each document is filed.
    pub(crate) labels: &'a [Labels],
    pub(crate) language: Option<Language>,
    pub(crate) seed: u64,
    /// What can be gone on from, or why nothing can.
    pub(crate) last: Result<LastTraining<'a>, FullReason>,
    pub(crate) status: StatusCallback<'a>,
}

/// A document as it was when it was last changed: what has the same id and the same time has the same content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DocumentVersion {
    pub(crate) id: DocumentId,
    /// In microseconds since 1970.
    pub(crate) modified: i64,
}

/// A training with the same parameters, and what it left.
#[derive(Clone, Copy)]
pub(crate) struct LastTraining<'a> {
    pub(crate) learned: &'a PipelineModel,
    pub(crate) state: Option<&'a TrainingState>,
}

/// What a training made of its examples, and how.
pub(crate) struct Learned {
    pub(crate) kind: TrainingKind,
    /// For the next training.
    pub(crate) state: Option<TrainingState>,
    pub(crate) model: PipelineModel,
    pub(crate) fields: Vec<FieldReport>,
    pub(crate) stages: Vec<Stage>,
    /// Stored values of the document-term matrix.
    pub(crate) n_stored: usize,
}

/// What a pipeline learned: fitted data only.
#[derive(Debug, Clone, PartialEq)]
pub enum PipelineModel {
    /// By [`Pipeline::Mlp`].
    Mlp(MlpModel),
    /// By [`Pipeline::Linear`].
    Linear(Box<LinearModel>),
}

impl PipelineModel {
    /// The terms that documents are seen as, in the order of their columns.
    pub fn terms(&self) -> Box<dyn ExactSizeIterator<Item = &str> + '_> {
        match self {
            Self::Mlp(model) => Box::new(model.vocabulary.iter()),
            Self::Linear(model) => Box::new(model.features.terms()),
        }
    }

    /// Refuses what came of a training that diverged: no model file holds it.
    ///
    /// # Errors
    /// [`Error::Diverged`].
    pub(crate) fn check_finite(&self) -> Result<()> {
        let is_finite = |&field: &Field| match self {
            Self::Mlp(model) => model.is_finite(field),
            Self::Linear(model) => model.is_finite(field),
        };
        match Field::ALL.into_iter().find(|field| !is_finite(field)) {
            Some(field) => Err(Error::Diverged { field }),
            None => Ok(()),
        }
    }

    /// The labels of `field` that can be assigned, ascending.
    pub fn labels(&self, field: Field) -> Vec<LabelId> {
        match self {
            Self::Mlp(model) => model.labels(field),
            Self::Linear(model) => model.labels(field),
        }
    }
}

/// What a pipeline learned, prepared to answer.
#[derive(Debug)]
pub(crate) enum Prepared {
    Mlp(Box<PreparedMlpPipeline>),
    Linear(Box<PreparedLinearPipeline>),
}

impl Prepared {
    /// # Errors
    /// No training can have led to the model.
    pub(crate) fn new(model: &PipelineModel, params: &Pipeline, language: Option<Language>) -> Result<Self> {
        match (model, params) {
            (PipelineModel::Mlp(model), Pipeline::Mlp(params)) => Ok(Self::Mlp(Box::new(
                PreparedMlpPipeline::new(model, params, language)?,
            ))),
            (PipelineModel::Linear(model), Pipeline::Linear(_)) => {
                Ok(Self::Linear(Box::new(PreparedLinearPipeline::new(model)?)))
            }
            (PipelineModel::Mlp(_) | PipelineModel::Linear(_), params) => Err(Error::Parameter {
                of: "model",
                name: "pipeline",
                found: params.name().to_owned(),
                expected: "the one that the model was learned by",
            }),
        }
    }

    pub(crate) fn vectorize(&self, content: &str) -> SparseVector {
        match self {
            Self::Mlp(prepared) => prepared.vectorizer().transform(content),
            Self::Linear(prepared) => prepared.vectorizer().transform(content),
        }
    }

    pub(crate) fn vectorizer_hash(&self) -> [u8; 32] {
        match self {
            Self::Mlp(prepared) => prepared.vectorizer().hash(),
            Self::Linear(prepared) => prepared.vectorizer().hash(),
        }
    }

    pub(crate) fn suggest(&self, vector: &SparseVector) -> Suggestions {
        match self {
            Self::Mlp(prepared) => prepared.suggest(vector),
            Self::Linear(prepared) => prepared.suggest(vector),
        }
    }

    /// The labels of one field, without the confidences of those that aren't assigned.
    pub(crate) fn labels(&self, field: Field, vector: &SparseVector) -> LabelIds {
        match self {
            Self::Mlp(prepared) => prepared.labels(field, vector),
            Self::Linear(prepared) => prepared.labels(field, vector),
        }
    }

    /// What a label's score is made of; none if the label can't be assigned.
    pub(crate) fn attribution(
        &self,
        field: Field,
        label: LabelId,
        vector: &SparseVector,
    ) -> Option<Attribution> {
        match self {
            Self::Mlp(prepared) => prepared.attribution(field, label, vector),
            Self::Linear(prepared) => prepared.attribution(field, label, vector),
        }
    }

    /// The term of a column.
    pub(crate) fn term(&self, column: u32) -> (TermKind, &str) {
        match self {
            Self::Mlp(prepared) => {
                let term = prepared.vectorizer().vocabulary().term(column as usize);
                let kind = if term.contains(' ') {
                    TermKind::WordPair
                } else {
                    TermKind::Word
                };
                (kind, term)
            }
            Self::Linear(prepared) => match prepared.vectorizer().term(column) {
                Term::Word(term) => (TermKind::Word, term),
                Term::CharGram(term) => (TermKind::CharGram, term),
            },
        }
    }

    /// Calls `each` with the column of every occurrence of a term in `text`, in order, and the bytes where it stands.
    pub(crate) fn for_each_occurrence(&self, text: &str, each: impl FnMut(u32, Range<usize>)) {
        match self {
            Self::Mlp(prepared) => prepared.vectorizer().for_each_occurrence(text, each),
            Self::Linear(prepared) => prepared.vectorizer().for_each_occurrence(text, each),
        }
    }
}
