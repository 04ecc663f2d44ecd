//! The tags: any number of labels a document, each decided for itself.

use smallvec::smallvec;

use super::super::Attribution;
use super::Scores;
use super::evidence::N_DOCUMENTS_WITH_LABEL;
use crate::document::{LabelId, LabelIds};
use crate::learners::linear::{Linear, PreparedLinear};
use crate::learners::logistic::Logistic;
use crate::sparse::SparseRow;
use crate::suggestions::{Candidate, Candidates, FieldSuggestion, most_confident};

/// How many numbers a tag's confidence is made of.
pub(super) const N_TAG_EVIDENCE: usize = 3;

/// What decides the tags.
#[derive(Debug, Clone, PartialEq)]
pub struct Tags {
    /// The tags, ascending: the outputs of the learner.
    pub labels: Vec<LabelId>,
    /// Documents that had each tag.
    pub n_positives: Vec<u32>,
    /// A classifier for each tag.
    pub learner: Linear,
    /// How probable it is that a tag is right, given its score and how often it was seen: the same for all tags.
    pub calibration: Logistic,
    /// From which confidence on each tag is assigned.
    pub thresholds: Vec<f32>,
}

/// The score of a tag, how often it was seen, and the product: scores of rare tags mean something else.
pub(super) fn tag_evidence(score: f32, n_positives: u32) -> [f64; N_TAG_EVIDENCE] {
    let (score, seen) = (f64::from(score), libm::log(f64::from(n_positives)));
    [score, seen, score * seen]
}

impl Tags {
    /// How many numbers the confidence of a tag is made of.
    pub(crate) const N_EVIDENCE: usize = N_TAG_EVIDENCE;
}

/// The tags, ready to answer.
#[derive(Debug)]
pub(super) struct PreparedTags {
    tags: Tags,
    learner: PreparedLinear,
}

impl PreparedTags {
    pub(super) fn new(tags: &Tags) -> Self {
        Self {
            learner: PreparedLinear::new(&tags.learner),
            tags: tags.clone(),
        }
    }

    /// What is suggested for a document of these features.
    pub(super) fn suggest(&self, features: SparseRow<'_>) -> FieldSuggestion {
        let (mut labels, mut surest) = (Candidates::new(), 0.0_f32);
        let others = self.candidates(features).filter_map(|(candidate, is_assigned)| {
            surest = surest.max(candidate.confidence);
            if is_assigned {
                labels.push(candidate);
            }
            (!is_assigned).then_some(candidate)
        });
        let runners_up = most_confident(others);
        FieldSuggestion {
            labels,
            runners_up,
            none: 1.0 - surest,
        }
    }

    /// The tags assigned, ascending.
    pub(super) fn assigned(&self, features: SparseRow<'_>) -> LabelIds {
        let candidates = self.candidates(features);
        let assigned = candidates.filter(|(_, is_assigned)| *is_assigned);
        assigned.map(|(candidate, _)| candidate.label).collect()
    }

    /// What the score of `label` is made of; none if that is no tag here.
    pub(super) fn attribution(&self, label: LabelId, features: SparseRow<'_>) -> Option<Attribution> {
        let at = self.tags.labels.binary_search(&label).ok()?;
        let score = self.scores(features)[at];
        let (candidate, is_suggested) = self.candidate(at, score);
        Some(Attribution {
            is_suggested,
            confidence: candidate.confidence,
            threshold: Some(self.tags.thresholds[at]),
            score,
            bias: self.tags.learner.bias()[at],
            contributions: self.tags.learner.contributions(at, features).collect(),
            evidence: vec![(N_DOCUMENTS_WITH_LABEL, f64::from(self.tags.n_positives[at]))],
        })
    }

    /// Every tag, ascending, and whether it is assigned.
    fn candidates(&self, features: SparseRow<'_>) -> impl Iterator<Item = (Candidate, bool)> {
        let scores = self.scores(features).into_iter().enumerate();
        scores.map(|(at, score)| self.candidate(at, score))
    }

    fn scores(&self, features: SparseRow<'_>) -> Scores {
        let mut scores = smallvec![0.0; self.learner.n_outputs()];
        self.learner.scores(features, &mut scores);
        scores
    }

    /// The tag at a position, given its score, and whether it is assigned.
    fn candidate(&self, at: usize, score: f32) -> (Candidate, bool) {
        let tags = &self.tags;
        let evidence = tag_evidence(score, tags.n_positives[at]);
        let confidence = tags.calibration.probability(&evidence) as f32;
        let label = tags.labels[at];
        (Candidate { label, confidence }, confidence >= tags.thresholds[at])
    }
}
