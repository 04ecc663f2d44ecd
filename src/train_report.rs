//! What a training did and what it cost.

use std::time::Duration;

use tracing::{Span, info_span};

use crate::document::Field;
use crate::learners::linear::LinearFitReport;
use crate::learners::mlp::FitReport;

/// What a training did and what it cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainReport {
    /// Whether the training began from nothing or went on from the last one; none if nothing changed.
    pub kind: Option<TrainingKind>,
    /// Documents that trained.
    pub n_documents: usize,
    /// Terms in the vocabulary; zero if nothing changed.
    pub n_terms: usize,
    /// Stored values of the document-term matrix; zero if nothing changed.
    pub n_stored: usize,
    /// Wall time of each stage, in the order in which they began. The fits run side by side.
    pub stages: Vec<Stage>,
    /// How each field with a classifier was learned, in the order of [`Field::ALL`].
    pub fields: Vec<FieldReport>,
}

/// Where a training began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingKind {
    /// From nothing: all contents were read, all that can be learned was.
    Full {
        /// Why.
        reason: FullReason,
    },
    /// From the last model: contents of changed documents were read, the classifiers went through *all* documents from
    /// where they were. How far scores can be trusted was taken over from the last full training.
    Incremental {
        /// Documents that are new, gone, changed or filed otherwise since the last training.
        n_changed: usize,
        /// As many since the last full training, each as often as it changed.
        n_since_full: usize,
    },
}

/// Why a training was a full one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FullReason {
    /// There was no model.
    First,
    /// It was asked for.
    AskedFor,
    /// The last model was trained with other parameters, in another language or by another pipeline.
    OtherParameters,
    /// The pipeline always begins from nothing.
    Pipeline,
    /// The last model holds nothing to go on from.
    NoState,
    /// Too many documents changed since the last full training.
    Documents {
        /// How many, each as often as it changed.
        n_changed: usize,
        /// Documents that train.
        n_documents: usize,
    },
    /// In one field, too many documents changed their labels since the last full training.
    Labels {
        /// The field.
        field: Field,
        /// How many, each as often as it changed.
        n_changed: usize,
        /// Documents that have a label of the field, or had one.
        n_labelled: usize,
    },
    /// A field's first label came, or what can be learned about documents without one changed: what is taken over from
    /// the last full training would not hold.
    Confidence {
        /// The field.
        field: Field,
    },
}

impl std::fmt::Display for FullReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::First => f.write_str("there was no model"),
            Self::AskedFor => f.write_str("it was asked for"),
            Self::OtherParameters => f.write_str("the last model was trained with other parameters"),
            Self::Pipeline => f.write_str("this pipeline always begins from nothing"),
            Self::NoState => f.write_str("the last model holds nothing to go on from"),
            Self::Documents {
                n_changed,
                n_documents,
            } => write!(
                f,
                "{n_changed} of {n_documents} documents changed since the last full training"
            ),
            Self::Labels {
                field,
                n_changed,
                n_labelled,
            } => write!(
                f,
                "{field}: the labels of {n_changed} of {n_labelled} documents changed since the last full training"
            ),
            Self::Confidence { field } => {
                write!(f, "{field}: confidences have to be learned again")
            }
        }
    }
}

/// One stage of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What was done.
    pub kind: StageKind,
    /// How long it took.
    pub duration: Duration,
}

/// The stages of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageKind {
    /// Reading how the documents are filed, and comparing it with the previous model.
    Check,
    /// Reading the contents.
    Read,
    /// From contents to term counts.
    Vectorize,
    /// Learning one field.
    Fit(Field),
}

impl std::fmt::Display for StageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check => f.pad("check"),
            Self::Read => f.pad("read"),
            Self::Vectorize => f.pad("vectorize"),
            Self::Fit(field) => f.pad(&format!("fit {field}")),
        }
    }
}

impl StageKind {
    /// Target of the spans that trainings enter.
    pub const SPANS: &'static str = "postroom::stage";

    /// A span that bears the stage's name. Every thread that works on the stage enters it.
    pub(crate) fn span(self) -> Span {
        match self {
            Self::Check => info_span!(target: StageKind::SPANS, "check"),
            Self::Read => info_span!(target: StageKind::SPANS, "read"),
            Self::Vectorize => info_span!(target: StageKind::SPANS, "vectorize"),
            Self::Fit(Field::Tags) => info_span!(target: StageKind::SPANS, "fit tags"),
            Self::Fit(Field::Correspondent) => info_span!(target: StageKind::SPANS, "fit correspondent"),
            Self::Fit(Field::DocumentType) => info_span!(target: StageKind::SPANS, "fit document_type"),
            Self::Fit(Field::StoragePath) => info_span!(target: StageKind::SPANS, "fit storage_path"),
        }
    }
}

/// How one field was learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldReport {
    /// The field.
    pub field: Field,
    /// Labels that its classifier can assign.
    pub n_labels: usize,
    /// How its learner fared.
    pub learner: LearnerReport,
}

/// How the learner of a field fared.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnerReport {
    /// All documents are alike: there was nothing to learn.
    Constant,
    /// A network: epochs and losses.
    Mlp(FitReport),
    /// Linear classifiers, one a label.
    Linear(LinearReport),
}

/// How the linear classifiers of a field fared.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearReport {
    /// Their training on all documents.
    pub fit: LinearFitReport,
    /// Documents that were held out once, to learn confidences from; 0 where those of an earlier training were kept.
    pub n_held_out: usize,
}

impl FieldReport {
    /// Epochs and losses of the field's network, if it is one that learned it.
    pub fn network(&self) -> Option<&FitReport> {
        match &self.learner {
            LearnerReport::Mlp(report) => Some(report),
            LearnerReport::Constant | LearnerReport::Linear(_) => None,
        }
    }
}
