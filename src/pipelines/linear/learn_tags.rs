//! Learning the tags.
//!
//! A tag's own best threshold is an accident where few documents have it: it counts for as much as there are of them,
//! against what is best for all tags together.

use super::fitting::{Fitted, Fitting};
use super::held_out::{ScoresAbove, ScoresOfOutput};
use super::state::Newcomer;
use super::tags::{N_TAG_EVIDENCE, Tags, tag_evidence};
use super::threshold::{HeldOutAnswer, Threshold};
use crate::document::LabelId;
use crate::error::Result;
use crate::learners::Targets;
use crate::learners::logistic::{Logistic, Outcome};
use crate::sparse::FactoredMatrix;

/// Scores below this are as good as certain not to be the tag's, and not looked at.
const LEAST_SCORE: f32 = -0.75;

/// Penalty on the weights of the evidence.
const PENALTY: f64 = 1.0;

/// A tag with fewer documents has no threshold of its own.
const LEAST_POSITIVES: u32 = 8;

/// All tags together count as much as so many documents of one tag.
const PRIOR_DOCUMENTS: f64 = 10.0;

/// A tag's own threshold is at most this far from that of all, in log-odds.
const FURTHEST: f64 = 2.0;

/// How the documents of a training are tagged.
pub(super) struct Tagged {
    pub(super) labels: Vec<LabelId>,
    /// Positions in `labels` of each document's tags, ascending.
    tags_of_row: Vec<Vec<u32>>,
}

impl Tagged {
    /// Nothing if no document has a tag.
    pub(super) fn new<'a>(tags_of_row: impl Iterator<Item = &'a [LabelId]> + Clone) -> Option<Self> {
        let mut labels: Vec<LabelId> = tags_of_row.clone().flatten().copied().collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.is_empty() {
            return None;
        }
        let position = |tag| labels.binary_search(tag).expect("every tag in use was collected") as u32;
        let tags_of_row = tags_of_row
            .map(|tags| tags.iter().map(position).collect())
            .collect();
        Some(Self { labels, tags_of_row })
    }

    pub(super) fn n_labels(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn targets(&self) -> Targets {
        Targets::MultiLabel {
            labels: self.tags_of_row.clone(),
            n_labels: self.n_labels(),
        }
    }

    /// Documents that have each tag.
    pub(super) fn n_positives(&self) -> Vec<u32> {
        let mut n_positives = vec![0; self.labels.len()];
        self.tags_of_row
            .iter()
            .flatten()
            .for_each(|&tag| n_positives[tag as usize] += 1);
        n_positives
    }

    fn has(&self, row: u32, tag: usize) -> bool {
        self.tags_of_row[row as usize]
            .binary_search(&(tag as u32))
            .is_ok()
    }
}

impl Fitting<'_> {
    /// Learns the tags from rows of length 1 (or 0).
    pub(super) fn tags(&self, matrix: &FactoredMatrix, tagged: Tagged) -> Result<Fitted<Tags>> {
        let mut above = ScoresAbove::new(LEAST_SCORE, tagged.n_labels());
        let learned = self.learn(
            matrix,
            &tagged.targets(),
            &self.params.tags,
            &tagged.tags_of_row,
            &mut above,
        )?;
        let n_positives = tagged.n_positives();
        let scored = Scored {
            scores: above.into_outputs(),
            tagged: &tagged,
            n_positives: &n_positives,
        };
        let calibration = scored.calibrate();
        let (of_all, thresholds) = scored.thresholds(&calibration, self.params.threshold);
        let newcomer = Newcomer {
            threshold: of_all as f32,
            floor: f32::NEG_INFINITY,
        };
        let n_held_out = matrix.n_rows();
        let own = |(label, threshold): (&LabelId, f64)| {
            self.params
                .threshold_of(self.field, *label)
                .unwrap_or(threshold as f32)
        };
        let thresholds = tagged.labels.iter().zip(thresholds).map(own).collect();
        Ok(learned.into_fitted(n_held_out, newcomer, |learner| Tags {
            labels: tagged.labels,
            n_positives,
            learner,
            calibration,
            thresholds,
        }))
    }
}

/// The scores that held-out documents reached.
struct Scored<'a> {
    scores: Vec<ScoresOfOutput>,
    tagged: &'a Tagged,
    n_positives: &'a [u32],
}

impl Scored<'_> {
    /// Scores that weren't looked at count as [`LEAST_SCORE`]: they are at most that.
    fn calibrate(&self) -> Logistic {
        let (mut evidence, mut outcomes) = (Vec::new(), Vec::new());
        for (tag, scores) in self.scores.iter().enumerate() {
            let n_positives = self.n_positives[tag];
            for &(row, score) in &scores.above {
                evidence.extend(tag_evidence(score, n_positives));
                outcomes.push(Outcome::once(self.tagged.has(row, tag)));
            }
            let n_missed = self.n_missed(tag);
            for (happened, n) in [(true, n_missed), (false, scores.n_below - n_missed)] {
                evidence.extend(tag_evidence(LEAST_SCORE, n_positives));
                outcomes.push(Outcome {
                    happened,
                    weight: n as f64,
                });
            }
        }
        Logistic::fit(&evidence, N_TAG_EVIDENCE, &outcomes, PENALTY)
    }

    /// Documents that have the tag and scored too low to be looked at.
    fn n_missed(&self, tag: usize) -> usize {
        let above = &self.scores[tag].above;
        let n_found = above
            .iter()
            .filter(|&&(row, _)| self.tagged.has(row, tag))
            .count();
        self.n_positives[tag] as usize - n_found
    }

    /// The held-out answers for one tag. Of those that weren't looked at, one stands for all that would be wrong, at the
    /// most that they can have; what was missed can't be had.
    fn answers(&self, tag: usize, calibration: &Logistic) -> Vec<HeldOutAnswer> {
        let confidence = |score| calibration.probability(&tag_evidence(score, self.n_positives[tag]));
        let answer = |&(row, score): &(u32, f32)| {
            let is_right = self.tagged.has(row, tag);
            HeldOutAnswer {
                confidence: confidence(score),
                is_right,
                has_label: is_right,
            }
        };
        let below = HeldOutAnswer {
            confidence: confidence(LEAST_SCORE),
            is_right: false,
            has_label: false,
        };
        let missed = HeldOutAnswer {
            confidence: 0.0,
            is_right: false,
            has_label: true,
        };
        let answers = self.scores[tag].above.iter().map(answer);
        let answers = answers.chain([below]);
        answers
            .chain(std::iter::repeat_n(missed, self.n_missed(tag)))
            .collect()
    }

    /// The threshold of all tags together, and that of each.
    fn thresholds(&self, calibration: &Logistic, threshold: Threshold) -> (f64, Vec<f64>) {
        let threshold = match threshold {
            Threshold::BestAccuracy => Threshold::BestF1,
            threshold => threshold,
        };
        let answers: Vec<_> = (0..self.scores.len())
            .map(|tag| self.answers(tag, calibration))
            .collect();
        let of_all = threshold.choose(&answers.concat());
        // A precision that was asked for is kept by all together; of a single tag, too little is known.
        if threshold != Threshold::BestF1 || of_all >= 1.0 {
            return (of_all, vec![of_all; answers.len()]);
        }
        let of_all_log_odds = log_odds(of_all);
        let of_tag = |(answers, &n_positives): (&Vec<HeldOutAnswer>, &u32)| {
            if n_positives < LEAST_POSITIVES {
                return of_all;
            }
            let own = log_odds(threshold.choose(answers));
            let own = own.clamp(of_all_log_odds - FURTHEST, of_all_log_odds + FURTHEST);
            let n = f64::from(n_positives);
            let shrunken = (n * own + PRIOR_DOCUMENTS * of_all_log_odds) / (n + PRIOR_DOCUMENTS);
            1.0 / (1.0 + libm::exp(-shrunken))
        };
        let of_tags = answers.iter().zip(self.n_positives).map(of_tag);
        (of_all, of_tags.collect())
    }
}

/// Of a threshold, which may lie outside 0 to 1 where all or nothing is to be assigned.
fn log_odds(threshold: f64) -> f64 {
    let threshold = threshold.clamp(1e-6, 1.0 - 1e-6);
    libm::log(threshold / (1.0 - threshold))
}
