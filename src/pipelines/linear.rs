//! The better way: weighted words and character n-grams, linear classifiers, confidences that keep their word.
//!
//! ```text
//! contents → TokenBags → tf-idf matrix ─┬─ held-out scores → calibration, thresholds ─┬→ LinearModel
//!                                        └─ classifiers, one a label ──────────────────┘
//! ```
//! A training that goes on from the last one begins with its bags and classifiers, and takes confidences over from it.
//! A label is assigned where it is probable enough to be right; a document that nothing is known about gets none.

mod centroids;
mod changes;
mod evidence;
mod fitting;
mod held_out;
mod incremental;
mod learn_one_label;
mod learn_tags;
mod one_label;
mod relearn;
mod state;
mod tags;
mod threshold;
mod training;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Attribution;
use crate::document::{Field, LabelId, LabelIds};
use crate::error::{Error, Result};
use crate::features::{TfidfParams, TfidfParts, TfidfVectorizer};
use crate::learners::linear::{Linear, LinearParams};
use crate::sparse::SparseVector;
use crate::suggestions::{FieldSuggestion, Suggestions};
use one_label::PreparedOneLabel;
use tags::PreparedTags;

pub use incremental::Incremental;
pub use one_label::OneLabel;
pub use tags::Tags;
pub use threshold::Threshold;

/// The most folds that held-out scores are made in.
const MOST_FOLDS: usize = 64;

/// Parameters of the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearPipeline {
    /// How documents become features.
    pub features: TfidfParams,
    /// How the classifiers of a field with one label a document are trained.
    pub one_label: LinearParams,
    /// How those of the tags are.
    pub tags: LinearParams,
    /// Parts that the documents are divided into to find out how far scores can be trusted, 2 to 64 (5).
    pub n_folds: usize,
    /// What the thresholds are chosen for.
    pub threshold: Threshold,
    /// Labels whose threshold is given, not chosen.
    pub label_thresholds: Vec<LabelThreshold>,
    /// When a training goes on from the last one.
    pub incremental: Incremental,
}

/// From which confidence on one label is to be assigned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabelThreshold {
    /// The label's field.
    pub field: Field,
    /// The label.
    pub label: LabelId,
    /// Above 1 for never.
    pub confidence: f32,
}

impl Default for LinearPipeline {
    fn default() -> Self {
        let one_label = LinearParams::default();
        Self {
            features: TfidfParams::default(),
            one_label,
            tags: LinearParams {
                positive_weight_exponent: 0.25,
                ..one_label
            },
            n_folds: 5,
            threshold: Threshold::default(),
            label_thresholds: Vec::new(),
            incremental: Incremental::default(),
        }
    }
}

impl LinearPipeline {
    /// Refuses parameters that no training takes.
    pub(super) fn check(&self) -> Result<()> {
        let unusable = |name, found: String, expected| {
            Err(Error::Parameter {
                of: "linear pipeline",
                name,
                found,
                expected,
            })
        };
        if !(2..=MOST_FOLDS).contains(&self.n_folds) {
            return unusable("n_folds", self.n_folds.to_string(), "2 to 64");
        }
        self.features.check()?;
        self.one_label.check()?;
        self.tags.check()?;
        let is_confidence = |given: &&LabelThreshold| given.confidence.is_finite() && given.confidence >= 0.0;
        if let Some(given) = self.label_thresholds.iter().find(|given| !is_confidence(given)) {
            let expected = "a finite number, 0 or more";
            return unusable("label_thresholds", given.confidence.to_string(), expected);
        }
        self.incremental.check()?;
        match self.threshold {
            Threshold::Precision(precision) if !(precision > 0.0 && precision < 1.0) => unusable(
                "threshold",
                precision.to_string(),
                "a precision above 0 and below 1",
            ),
            _ => Ok(()),
        }
    }

    fn threshold_of(&self, field: Field, label: LabelId) -> Option<f32> {
        let given = self
            .label_thresholds
            .iter()
            .find(|given| given.field == field && given.label == label);
        given.map(|given| given.confidence)
    }
}

/// What the pipeline learned.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    /// The terms and how they are weighted.
    pub features: TfidfParts,
    /// One a field, in the order of [`Field::ALL`]; none where no document had an auto label.
    pub fields: [Option<LinearField>; 4],
}

/// What decides one field.
#[derive(Debug, Clone, PartialEq)]
pub enum LinearField {
    /// Of a field with at most one label a document.
    OneLabel(OneLabel),
    /// Of the tags.
    Tags(Tags),
}

impl LinearField {
    /// The labels that can be assigned, ascending.
    pub fn labels(&self) -> &[LabelId] {
        match self {
            Self::OneLabel(field) => &field.labels,
            Self::Tags(tags) => &tags.labels,
        }
    }
}

impl LinearField {
    /// Whether whatever has to be a finite number is one; a floor may be infinite.
    fn is_finite(&self) -> bool {
        let (learners, calibration, thresholds): (&[&Linear], _, _) = match self {
            Self::OneLabel(field) if field.floors.iter().any(|floor| floor.is_nan()) => return false,
            Self::OneLabel(field) => (
                &[&field.learner, &field.centroids],
                &field.calibration,
                &field.thresholds,
            ),
            Self::Tags(tags) => (&[&tags.learner], &tags.calibration, &tags.thresholds),
        };
        let are_finite = thresholds.iter().all(|threshold| threshold.is_finite());
        are_finite && calibration.is_finite() && learners.iter().all(|learner| learner.is_finite())
    }

    fn n_outputs(&self) -> usize {
        match self {
            Self::OneLabel(field) => field.learner.n_outputs(),
            Self::Tags(tags) => tags.learner.n_outputs(),
        }
    }
}

impl LinearModel {
    /// Whether whatever has to be a finite number in `field` is one.
    pub(super) fn is_finite(&self, field: Field) -> bool {
        self.fields[field.index()]
            .as_ref()
            .is_none_or(LinearField::is_finite)
    }

    pub(super) fn labels(&self, field: Field) -> Vec<LabelId> {
        let learned = self.fields[field.index()].as_ref();
        learned.map_or_else(Vec::new, |learned| learned.labels().to_vec())
    }
}

/// What classifiers say of a document, a number for each output: as many as most archives have labels take no allocation.
type Scores = SmallVec<[f32; 64]>;

/// The pipeline, ready to answer.
#[derive(Debug)]
pub(crate) struct PreparedLinearPipeline {
    vectorizer: TfidfVectorizer,
    fields: [Option<PreparedField>; 4],
}

#[derive(Debug)]
enum PreparedField {
    OneLabel(Box<PreparedOneLabel>),
    Tags(Box<PreparedTags>),
}

impl PreparedLinearPipeline {
    pub(super) fn new(model: &LinearModel) -> Result<Self> {
        Ok(Self {
            vectorizer: TfidfVectorizer::from_parts(model.features.clone())?,
            fields: model.fields.each_ref().map(|field| {
                Some(match field.as_ref()? {
                    LinearField::OneLabel(field) => {
                        PreparedField::OneLabel(Box::new(PreparedOneLabel::new(field)))
                    }
                    LinearField::Tags(tags) => PreparedField::Tags(Box::new(PreparedTags::new(tags))),
                })
            }),
        })
    }

    pub(super) fn vectorizer(&self) -> &TfidfVectorizer {
        &self.vectorizer
    }

    pub(super) fn suggest(&self, vector: &SparseVector) -> Suggestions {
        Suggestions::new(Field::ALL.map(|field| match &self.fields[field.index()] {
            None => FieldSuggestion::default(),
            Some(PreparedField::OneLabel(field)) => field.suggest(vector.as_row()),
            Some(PreparedField::Tags(tags)) => tags.suggest(vector.as_row()),
        }))
    }

    pub(super) fn labels(&self, field: Field, vector: &SparseVector) -> LabelIds {
        match &self.fields[field.index()] {
            None => LabelIds::new(),
            Some(PreparedField::OneLabel(field)) => field.label(vector.as_row()).into_iter().collect(),
            Some(PreparedField::Tags(tags)) => tags.assigned(vector.as_row()),
        }
    }

    pub(super) fn attribution(
        &self,
        field: Field,
        label: LabelId,
        vector: &SparseVector,
    ) -> Option<Attribution> {
        match self.fields[field.index()].as_ref()? {
            PreparedField::OneLabel(field) => field.attribution(label, vector.as_row()),
            PreparedField::Tags(tags) => tags.attribution(label, vector.as_row()),
        }
    }
}
