//! The better way: weighted words and character n-grams, linear classifiers, confidences that keep their word.
//!
//! ```text
//! contents → TokenBags → tf-idf matrix ─┬─ held-out scores → calibration, thresholds ─┬→ LinearModel
//!                                        └─ classifiers, one a label ──────────────────┘
//! ```
//! A label is assigned where it is probable enough to be right; a document that nothing is known about gets none.

mod centroids;
mod evidence;
mod fitting;
mod held_out;
mod learn_one_label;
mod learn_tags;
mod one_label;
mod tags;
mod threshold;

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Examples, Learned, PipelineModel};
use crate::document::{Field, LabelId, Labels};
use crate::error::{Error, Result};
use crate::features::{TfidfParams, TfidfParts, TfidfVectorizer, TokenBags};
use crate::learners::linear::LinearParams;
use crate::sparse::{CsrMatrix, SparseVector};
use crate::status::{Status, tell};
use crate::suggestions::{FieldSuggestion, Suggestions};
use crate::train_report::{FieldReport, LearnerReport, Stage, StageKind};
use fitting::{Fitted, Fitting};
use learn_one_label::Filed;
use learn_tags::Tagged;
use one_label::PreparedOneLabel;
use tags::PreparedTags;

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
        }
    }
}

impl LinearPipeline {
    fn check(&self) -> Result<()> {
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

    pub(super) fn train(&self, examples: Examples<'_>) -> Result<Learned> {
        self.check()?;
        let Examples {
            contents,
            labels,
            language,
            seed,
            status,
        } = examples;
        let mut collector = TokenBags::collector(language);
        let times = contents.read(|chunk| collector.push_chunk(chunk))?;
        tell(status, Status::Vectorizing)?;
        let began = Instant::now();
        let (vectorizer, matrix) = StageKind::Vectorize
            .span()
            .in_scope(|| TfidfVectorizer::fit(&collector.finish()?, self.features))?;
        let mut stages = times.stages(began.elapsed());
        let fit = |field: Field| {
            let _fitting = StageKind::Fit(field).span().entered();
            Fitting {
                field,
                params: self,
                seed,
                status,
            }
            .field(&matrix, labels)
        };
        let fits: Result<Vec<Option<FieldFit>>> = Field::ALL.into_par_iter().map(fit).collect();
        let mut fields = [const { None }; 4];
        let mut reports = Vec::new();
        for fit in fits?.into_iter().flatten() {
            stages.push(fit.stage);
            fields[fit.report.field.index()] = Some(fit.learned);
            reports.push(fit.report);
        }
        Ok(Learned {
            model: PipelineModel::Linear(Box::new(LinearModel {
                features: vectorizer.into_parts(),
                fields,
            })),
            fields: reports,
            stages,
            n_stored: matrix.nnz(),
        })
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

impl LinearModel {
    pub(super) fn labels(&self, field: Field) -> Vec<LabelId> {
        let learned = self.fields[field.index()].as_ref();
        learned.map_or_else(Vec::new, |learned| learned.labels().to_vec())
    }
}

/// One field, learned.
struct FieldFit {
    learned: LinearField,
    report: FieldReport,
    stage: Stage,
}

impl Fitting<'_> {
    /// Nothing if no document has a label of the field.
    fn field(&self, matrix: &CsrMatrix, labels: &[Labels]) -> Result<Option<FieldFit>> {
        let began = Instant::now();
        let field = self.field;
        let (learned, report) = if field == Field::Tags {
            let Some(tagged) = Tagged::new(labels.iter().map(|labels| &labels.tags[..])) else {
                return Ok(None);
            };
            self.tell_of(tagged.n_labels())?;
            let Fitted { field, report, .. } = self.tags(matrix, tagged)?;
            (LinearField::Tags(field), report)
        } else {
            let label_of_row: Vec<_> = labels
                .iter()
                .map(|labels| labels.of(field).first().copied())
                .collect();
            let Some(filed) = Filed::new(&label_of_row) else {
                return Ok(None);
            };
            self.tell_of(filed.n_labels())?;
            let Fitted { field, report, .. } = self.one_label(matrix, filed)?;
            (LinearField::OneLabel(field), report)
        };
        let n_labels = learned.labels().len();
        Ok(Some(FieldFit {
            learned,
            report: FieldReport {
                field,
                n_labels,
                learner: LearnerReport::Linear(report),
            },
            stage: Stage {
                kind: StageKind::Fit(field),
                duration: began.elapsed(),
            },
        }))
    }

    fn tell_of(&self, n_labels: usize) -> Result<()> {
        tell(
            self.status,
            Status::Training {
                field: self.field,
                n_labels,
            },
        )
    }
}

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

    pub(super) fn labels(&self, field: Field, vector: &SparseVector) -> Vec<LabelId> {
        match &self.fields[field.index()] {
            None => Vec::new(),
            Some(PreparedField::OneLabel(field)) => field.label(vector.as_row()).into_iter().collect(),
            Some(PreparedField::Tags(tags)) => tags.assigned(vector.as_row()),
        }
    }
}
