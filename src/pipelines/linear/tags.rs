//! The tags: any number of labels a document, each decided for itself.

use crate::document::LabelId;
use crate::learners::linear::{Linear, PreparedLinear};
use crate::learners::logistic::Logistic;
use crate::sparse::SparseRow;
use crate::suggestions::{Candidate, FieldSuggestion, most_confident};

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
        let (mut labels, mut others) = (Vec::new(), Vec::new());
        let mut surest = 0.0_f32;
        for (candidate, is_assigned) in self.candidates(features) {
            surest = surest.max(candidate.confidence);
            if is_assigned {
                labels.push(candidate);
            } else {
                others.push(candidate);
            }
        }
        FieldSuggestion {
            labels,
            runners_up: most_confident(others),
            none: 1.0 - surest,
        }
    }

    /// The tags assigned, ascending.
    pub(super) fn assigned(&self, features: SparseRow<'_>) -> Vec<LabelId> {
        let candidates = self.candidates(features);
        let assigned = candidates.filter(|(_, is_assigned)| *is_assigned);
        assigned.map(|(candidate, _)| candidate.label).collect()
    }

    /// Every tag, ascending, and whether it is assigned.
    fn candidates(&self, features: SparseRow<'_>) -> impl Iterator<Item = (Candidate, bool)> {
        let Self { tags, learner } = self;
        let mut scores = vec![0.0; learner.n_outputs()];
        learner.scores(features, &mut scores);
        scores.into_iter().enumerate().map(move |(at, score)| {
            let evidence = tag_evidence(score, tags.n_positives[at]);
            let confidence = tags.calibration.probability(&evidence) as f32;
            let label = tags.labels[at];
            (Candidate { label, confidence }, confidence >= tags.thresholds[at])
        })
    }
}
