//! Learning a field with at most one label a document.
//!
//! Documents without a label are examples against every label. Where there are enough of them, one more classifier learns
//! to tell them from all others; it is never an answer, but its score is part of the evidence.

use super::centroids::{GroupSizes, centroids};
use super::evidence::{Evidence, LEAST_NONE_SHARE, N_EVIDENCE, TopTwo};
use super::fitting::{Fitted, Fitting};
use super::held_out::{BestTwo, BestTwoOfRows};
use super::one_label::{ALONE, OneLabel};
use super::state::Newcomer;
use super::threshold::{HeldOutAnswer, Threshold};
use crate::document::{Field, LabelId, Labels};
use crate::error::Result;
use crate::learners::Targets;
use crate::learners::linear::PreparedLinear;
use crate::learners::logistic::{Logistic, Outcome};
use crate::sparse::{FactoredMatrix, SparseRow};

/// Penalty on the weights of the evidence.
const PENALTY: f64 = 1.0;

/// Where fewer documents than this share have no label, a threshold can't be learned from them: a new document has to
/// score as high as labelled ones do.
const FEW_UNLABELLED: f64 = 0.05;

/// A new document may score so much lower than the lowest rightly filed ones. In units of the margin, not a share: the
/// lowest of an archive of long texts lie just below 0, where a share of them would ask for more than they reached. At
/// this slack a set of news in five folds loses nothing by the floor, at a share of 0.9 it lost 0.12 points of accuracy;
/// documents without a sign of any label were still told at a slack of 0.6.
const FLOOR_SLACK: f32 = 0.2;

/// So many rightly filed documents score below a floor: one, and one more for so many documents.
const DOCUMENTS_AN_EXCEPTION: usize = 2_000;

/// A label that so many documents have, and at least this share of them, has a floor of its own: the common words of
/// whatever is filed look like it.
const LEAST_DOMINANT: usize = 20;
const DOMINANT_SHARE: f64 = 1.0 / 3.0;

/// How the documents of a training are filed in such a field.
pub(super) struct Filed {
    pub(super) labels: Vec<LabelId>,
    /// Position of each document's label in `labels`; their number for a document without one.
    pub(super) group_of_row: Vec<usize>,
    /// Documents in each group.
    sizes: Vec<usize>,
}

/// What can be learned about documents without a label: another way of it needs other confidences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one of the questions that learning a field begins with"
)]
pub(super) struct Unlabelled {
    there_are_some: bool,
    have_a_classifier: bool,
    are_few: bool,
    the_rest_is_alike: bool,
}

impl Filed {
    /// As [`Self::new`], of all documents.
    pub(super) fn of_field(field: Field, labels: &[Labels]) -> Option<Self> {
        let label_of_row: Vec<_> = labels
            .iter()
            .map(|labels| labels.of(field).first().copied())
            .collect();
        Self::new(&label_of_row)
    }

    /// Nothing if no document has a label.
    pub(super) fn new(label_of_row: &[Option<LabelId>]) -> Option<Self> {
        let mut labels: Vec<LabelId> = label_of_row.iter().copied().flatten().collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            return None;
        }
        let group = |label: &Option<LabelId>| match label {
            Some(label) => labels
                .binary_search(label)
                .expect("every label in use was collected"),
            None => labels.len(),
        };
        let group_of_row: Vec<usize> = label_of_row.iter().map(group).collect();
        let mut sizes = vec![0; labels.len() + 1];
        for &group in &group_of_row {
            sizes[group] += 1;
        }
        Some(Self {
            labels,
            group_of_row,
            sizes,
        })
    }

    pub(super) fn n_labels(&self) -> usize {
        self.labels.len()
    }

    /// Documents that have each label.
    pub(super) fn n_positives(&self) -> Vec<u32> {
        let sizes = &self.sizes[..self.n_labels()];
        sizes.iter().map(|&size| size as u32).collect()
    }

    pub(super) fn unlabelled(&self) -> Unlabelled {
        Unlabelled {
            there_are_some: self.n_unlabelled() > 0,
            have_a_classifier: self.knows_none(),
            are_few: self.has_few_unlabelled(),
            the_rest_is_alike: self.n_labels() == 1,
        }
    }

    fn has_few_unlabelled(&self) -> bool {
        (self.n_unlabelled() as f64) < self.documents(FEW_UNLABELLED)
    }

    fn n_unlabelled(&self) -> usize {
        self.sizes[self.labels.len()]
    }

    fn has_label(&self, row: usize) -> bool {
        self.group_of_row[row] < self.labels.len()
    }

    /// `share` of the documents.
    fn documents(&self, share: f64) -> f64 {
        share * self.group_of_row.len() as f64
    }

    /// Whether what a document without a label looks like can be learned.
    pub(super) fn knows_none(&self) -> bool {
        self.n_unlabelled() > 1 && self.n_unlabelled() as f64 >= self.documents(LEAST_NONE_SHARE)
    }

    pub(super) fn targets(&self) -> Targets {
        let n_labels = self.labels.len() + usize::from(self.knows_none());
        let on = |&group: &usize| {
            if group < n_labels {
                vec![group as u32]
            } else {
                Vec::new()
            }
        };
        Targets::MultiLabel {
            labels: self.group_of_row.iter().map(on).collect(),
            n_labels,
        }
    }
}

impl Fitting<'_> {
    /// Learns the field from rows of length 1 (or 0).
    pub(super) fn one_label(&self, matrix: &FactoredMatrix, filed: Filed) -> Result<Fitted<OneLabel>> {
        let mut held_out = BestTwoOfRows::new(matrix.n_rows(), filed.n_labels());
        let learned = self.learn(
            matrix,
            &filed.targets(),
            &self.params.one_label,
            &filed.group_of_row,
            &mut held_out,
        )?;
        let (centroids, sizes) = centroids(matrix, &filed.group_of_row, filed.n_labels() + 1);
        let compared = Compared {
            matrix,
            filed: &filed,
            centroids: &PreparedLinear::new(&centroids),
            sizes: &sizes,
        };
        let kept = held_out.into_rows();
        let mut buffer = Entries::default();
        let answers: Vec<Answer> = kept
            .iter()
            .enumerate()
            .filter_map(|(row, kept)| compared.answer(row, kept, &mut buffer))
            .collect();
        let calibration = calibrate(&answers);
        let threshold = match self.params.threshold {
            Threshold::BestAccuracy | Threshold::BestF1 if filed.n_unlabelled() == 0 => 0.0,
            threshold => {
                let answers: Vec<_> = answers.iter().map(|answer| answer.with(&calibration)).collect();
                threshold.choose(&answers)
            }
        };
        let of_label = |&label: &LabelId| {
            self.params
                .threshold_of(self.field, label)
                .unwrap_or(threshold as f32)
        };
        let floors = Floors::of(&answers, &filed);
        let newcomer = Newcomer {
            threshold: threshold as f32,
            floor: floors.common,
        };
        Ok(learned.into_fitted(answers.len(), newcomer, |learner| OneLabel {
            thresholds: filed.labels.iter().map(of_label).collect(),
            floors: floors.of_labels,
            n_positives: filed.n_positives(),
            labels: filed.labels,
            learner,
            centroids,
            calibration,
        }))
    }
}

/// The held-out answer for one document, and what speaks for it.
struct Answer {
    label: usize,
    evidence: Evidence,
    score_without_bias: f32,
    is_right: bool,
    has_label: bool,
}

impl Answer {
    fn with(&self, calibration: &Logistic) -> HeldOutAnswer {
        HeldOutAnswer {
            confidence: calibration.probability(&self.evidence.numbers()),
            is_right: self.is_right,
            has_label: self.has_label,
        }
    }
}

/// The documents of a training, to be compared with each other.
struct Compared<'a> {
    matrix: &'a FactoredMatrix,
    filed: &'a Filed,
    centroids: &'a PreparedLinear,
    sizes: &'a GroupSizes,
}

impl Compared<'_> {
    /// None if the row wasn't scored.
    fn answer(&self, row: usize, kept: &BestTwo, buffer: &mut Entries) -> Option<Answer> {
        let best = kept.best?;
        let group = self.filed.group_of_row[row];
        let n_labels = self.filed.n_labels();
        let features = buffer.of(self.matrix, row);
        let mut cosines = vec![0.0; self.centroids.n_outputs()];
        self.centroids.scores(features, &mut cosines);
        if !features.indices.is_empty() {
            self.sizes.leave_out(group, &mut cosines);
        }
        let evidence = Evidence {
            score: best.score,
            best_other_score: kept.second.map_or(ALONE, |second| second.score),
            none_score: kept.none.unwrap_or(0.0),
            none_cosine: kept.none.map_or(0.0, |_| cosines[n_labels]),
            n_positives: self.filed.sizes[best.output] as u32,
            cosine: cosines[best.output],
            best_other_cosine: TopTwo::of(&cosines[..n_labels])?.but_for(best.output, ALONE),
            cosine_to_all: cosines[n_labels + 1],
        };
        Some(Answer {
            label: best.output,
            evidence,
            score_without_bias: best.score - best.bias,
            is_right: best.output == group,
            has_label: self.filed.has_label(row),
        })
    }
}

/// The entries of a row.
#[derive(Default)]
struct Entries {
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Entries {
    fn of(&mut self, matrix: &FactoredMatrix, row: usize) -> SparseRow<'_> {
        self.columns.clear();
        self.values.clear();
        matrix.for_each_entry(row, |column, value| {
            self.columns.push(column);
            self.values.push(value);
        });
        SparseRow {
            indices: &self.columns,
            values: &self.values,
        }
    }
}

fn calibrate(answers: &[Answer]) -> Logistic {
    let evidence: Vec<f64> = answers
        .iter()
        .flat_map(|answer| answer.evidence.numbers())
        .collect();
    let outcomes: Vec<Outcome> = answers
        .iter()
        .map(|answer| Outcome::once(answer.is_right))
        .collect();
    Logistic::fit(&evidence, N_EVIDENCE, &outcomes, PENALTY)
}

/// What a label's score without its bias has to reach, where too few documents are without a label to learn from: nearly
/// what the lowest of rightly filed documents reach. The bias itself says how frequent a label is, not what a
/// document is about.
struct Floors {
    of_labels: Vec<f32>,
    /// Of a label without a floor of its own.
    common: f32,
}

impl Floors {
    fn of(answers: &[Answer], filed: &Filed) -> Self {
        // One label on every document is the answer, whatever a document says.
        let is_only_answer = filed.n_labels() == 1 && filed.n_unlabelled() == 0;
        if is_only_answer || !filed.has_few_unlabelled() {
            return Self {
                of_labels: vec![f32::NEG_INFINITY; filed.n_labels()],
                common: f32::NEG_INFINITY,
            };
        }
        let right = |label: Option<usize>| {
            let right = answers.iter().filter(|answer| answer.is_right);
            let right = right.filter(|answer| label.is_none_or(|label| answer.label == label));
            let mut scores: Vec<f32> = right.map(|answer| answer.score_without_bias).collect();
            scores.sort_unstable_by(f32::total_cmp);
            scores
        };
        let floor = |scores: &[f32], n_documents: usize| {
            let at = (1 + n_documents / DOCUMENTS_AN_EXCEPTION).min(scores.len().saturating_sub(1));
            scores.get(at).map(|score| score - FLOOR_SLACK)
        };
        let common = floor(&right(None), filed.group_of_row.len()).unwrap_or(f32::INFINITY);
        let of_label = |label: usize| {
            let size = filed.sizes[label];
            if size < LEAST_DOMINANT || (size as f64) < filed.documents(DOMINANT_SHARE) {
                return common;
            }
            let own = right(Some(label));
            floor(&own, own.len()).map_or(common, |own| own.max(common))
        };
        Self {
            of_labels: (0..filed.n_labels()).map(of_label).collect(),
            common,
        }
    }
}
