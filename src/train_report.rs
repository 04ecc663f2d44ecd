//! What a training did and what it cost.

use std::time::Duration;

use tracing::{Span, info_span};

use crate::document::Field;
use crate::learners::linear::LinearFitReport;
use crate::learners::mlp::FitReport;

/// What a training did and what it cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainReport {
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
    /// Documents that were held out once, to learn confidences from.
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
