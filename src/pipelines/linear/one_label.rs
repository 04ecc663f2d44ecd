//! A field with at most one label a document: the correspondent, the document type, the storage path.
//!
//! The label with the highest score is suggested if it is probable enough that it is right.

use smallvec::smallvec;

use super::super::Attribution;
use super::Scores;
use super::evidence::{Evidence, N_EVIDENCE, TopTwo};
use crate::document::LabelId;
use crate::learners::linear::{Linear, PreparedLinear};
use crate::learners::logistic::Logistic;
use crate::sparse::SparseRow;
use crate::suggestions::{Candidate, Candidates, FieldSuggestion, N_RUNNERS_UP, most_confident};

/// The score of an example against a label stands for another label's, where there is no other.
pub(super) const ALONE: f32 = -1.0;

/// What decides the field.
#[derive(Debug, Clone, PartialEq)]
pub struct OneLabel {
    /// The labels, ascending: the first outputs of the learner.
    pub labels: Vec<LabelId>,
    /// Documents that had each label.
    pub n_positives: Vec<u32>,
    /// A classifier for each label, and one for "no label" where that could be learned.
    pub learner: Linear,
    /// The directions of the mean document of each label, of those without one, of all: their scores are cosines.
    pub centroids: Linear,
    /// How probable it is that a label is right, given the evidence for it.
    pub calibration: Logistic,
    /// From which confidence on each label is assigned.
    pub thresholds: Vec<f32>,
    /// What each label's score without its bias has to reach besides.
    pub floors: Vec<f32>,
}

impl OneLabel {
    /// How many numbers the confidence of a label is made of.
    pub(crate) const N_EVIDENCE: usize = N_EVIDENCE;
}

/// The field, ready to answer.
#[derive(Debug)]
pub(super) struct PreparedOneLabel {
    field: OneLabel,
    learner: PreparedLinear,
    centroids: PreparedLinear,
}

/// What the field's classifiers say about a document.
struct Answers {
    /// Of the labels, and of "no label" where that was learned.
    scores: Scores,
    cosines: Scores,
    /// Of the labels alone.
    top_scores: TopTwo,
    top_cosines: TopTwo,
    /// Whether the document has any term that speaks for a label or against it.
    says_something: bool,
}

impl PreparedOneLabel {
    pub(super) fn new(field: &OneLabel) -> Self {
        Self {
            learner: PreparedLinear::new(&field.learner),
            centroids: PreparedLinear::new(&field.centroids),
            field: field.clone(),
        }
    }

    /// What is suggested for a document of these features.
    pub(super) fn suggest(&self, features: SparseRow<'_>) -> FieldSuggestion {
        let Some(answers) = self.answers(features) else {
            return FieldSuggestion::default();
        };
        let (labels, best) = (&self.field.labels, answers.top_scores.at);
        let candidate = |at: usize| Candidate {
            label: labels[at],
            confidence: self.confidence(&answers, at),
        };
        let best_candidate = candidate(best);
        let others = (0..labels.len()).filter(|&at| at != best).map(candidate);
        let others = capped(most_confident(others), best_candidate.confidence);
        let left: f32 = others.iter().map(|other| other.confidence).sum();
        let none = (1.0 - best_candidate.confidence - left).max(0.0);
        if self.is_assigned(&answers, best, best_candidate.confidence) {
            return FieldSuggestion {
                labels: smallvec![best_candidate],
                runners_up: others,
                none,
            };
        }
        let runners_up = std::iter::once(best_candidate).chain(others);
        FieldSuggestion {
            labels: Candidates::new(),
            runners_up: runners_up.take(N_RUNNERS_UP).collect(),
            none,
        }
    }

    /// The label assigned, if any.
    pub(super) fn label(&self, features: SparseRow<'_>) -> Option<LabelId> {
        let answers = self.answers(features)?;
        let best = answers.top_scores.at;
        let confidence = self.confidence(&answers, best);
        self.is_assigned(&answers, best, confidence)
            .then(|| self.field.labels[best])
    }

    /// What the score of `label` is made of; none if that is no label here.
    pub(super) fn attribution(&self, label: LabelId, features: SparseRow<'_>) -> Option<Attribution> {
        let field = &self.field;
        let at = field.labels.binary_search(&label).ok()?;
        let answers = self.answers(features)?;
        let best = answers.top_scores.at;
        let best_confidence = self.confidence(&answers, best);
        let confidence = if at == best {
            best_confidence
        } else {
            left_by(best_confidence, self.confidence(&answers, at))
        };
        let mut evidence = self
            .evidence(&answers, at)
            .facts(field.learner.n_outputs() > field.labels.len());
        evidence.push(("score_without_bias", f64::from(self.without_bias(&answers, at))));
        if field.floors[at].is_finite() {
            evidence.push(("least_score_without_bias", f64::from(field.floors[at])));
        }
        Some(Attribution {
            is_suggested: at == best && self.is_assigned(&answers, at, confidence),
            confidence,
            threshold: Some(field.thresholds[at]),
            score: answers.scores[at],
            bias: field.learner.bias()[at],
            contributions: field.learner.contributions(at, features).collect(),
            evidence,
        })
    }

    /// None where there are no labels.
    fn answers(&self, features: SparseRow<'_>) -> Option<Answers> {
        let mut scores: Scores = smallvec![0.0; self.learner.n_outputs()];
        let mut cosines: Scores = smallvec![0.0; self.centroids.n_outputs()];
        self.learner.scores(features, &mut scores);
        self.centroids.scores(features, &mut cosines);
        let n_labels = self.field.labels.len();
        let biases = self.field.learner.bias();
        let says_something = scores
            .iter()
            .zip(biases)
            .any(|(score, bias)| score.to_bits() != bias.to_bits());
        Some(Answers {
            top_scores: TopTwo::of(&scores[..n_labels])?,
            top_cosines: TopTwo::of(&cosines[..n_labels])?,
            scores,
            cosines,
            says_something,
        })
    }

    fn evidence(&self, answers: &Answers, label: usize) -> Evidence {
        let n_labels = self.field.labels.len();
        let none_score = answers.scores.get(n_labels).copied();
        Evidence {
            score: answers.scores[label],
            best_other_score: answers.top_scores.but_for(label, ALONE),
            none_score: none_score.unwrap_or(0.0),
            none_cosine: none_score.map_or(0.0, |_| answers.cosines[n_labels]),
            n_positives: self.field.n_positives[label],
            cosine: answers.cosines[label],
            best_other_cosine: answers.top_cosines.but_for(label, ALONE),
            cosine_to_all: answers.cosines[n_labels + 1],
        }
    }

    fn confidence(&self, answers: &Answers, label: usize) -> f32 {
        let evidence = self.evidence(answers, label);
        self.field.calibration.probability(&evidence.numbers()) as f32
    }

    fn without_bias(&self, answers: &Answers, label: usize) -> f32 {
        answers.scores[label] - self.field.learner.bias()[label]
    }

    fn is_assigned(&self, answers: &Answers, label: usize, confidence: f32) -> bool {
        let floor = self.field.floors[label];
        // A floor can lie below 0, where a document that says nothing is.
        let is_above = answers.says_something && self.without_bias(answers, label) >= floor;
        confidence >= self.field.thresholds[label] && (floor == f32::NEG_INFINITY || is_above)
    }
}

fn capped(mut others: Candidates, best: f32) -> Candidates {
    for other in &mut others {
        other.confidence = left_by(best, other.confidence);
    }
    others
}

/// Two labels can't both be right: what another can have is what the best leaves.
fn left_by(best: f32, other: f32) -> f32 {
    other.min(1.0 - best).min(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::{CsrMatrix, SparseVector};

    /// One label, one term that speaks against it a little; always probable enough.
    fn label_of(features: &SparseVector, floor: f32) -> Option<LabelId> {
        let linear = |weights: &[(u32, f32)], n_outputs: usize| {
            let weights = CsrMatrix::from_rows(n_outputs, &[weights.to_vec()]);
            Linear::new(weights, vec![0.0; n_outputs]).unwrap()
        };
        let field = OneLabel {
            labels: vec![LabelId(7)],
            n_positives: vec![10],
            learner: linear(&[(0, -0.25)], 1),
            centroids: linear(&[], 3),
            calibration: Logistic {
                intercept: 0.0,
                weights: vec![0.0; N_EVIDENCE],
            },
            thresholds: vec![0.0],
            floors: vec![floor],
        };
        PreparedOneLabel::new(&field).label(features.as_row())
    }

    fn says_something() -> SparseVector {
        SparseVector::new(1, vec![0], vec![1.0]).unwrap()
    }

    fn says_nothing() -> SparseVector {
        SparseVector::new(1, Vec::new(), Vec::new()).unwrap()
    }

    #[test]
    fn a_score_below_the_floor_gets_no_label() {
        assert_eq!(label_of(&says_something(), -0.5), Some(LabelId(7)));
        assert_eq!(label_of(&says_something(), -0.125), None);
    }

    #[test]
    fn a_document_without_a_term_is_above_no_floor() {
        assert_eq!(label_of(&says_nothing(), -0.5), None);
        assert_eq!(label_of(&says_nothing(), f32::NEG_INFINITY), Some(LabelId(7)));
    }
}
