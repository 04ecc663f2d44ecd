//! From which confidence on a label is assigned, found on answers to documents that were held out.

use serde::{Deserialize, Serialize};

/// Thresholds whose accuracy is within this of the best are equally good; the one in their middle is the least
/// likely to be an accident.
const PLATEAU: f64 = 0.003;

/// What the thresholds of a classifier are chosen for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub enum Threshold {
    /// The most documents filed wholly right: with the right label, or rightly without one. For tags: as
    /// [`Self::BestF1`].
    #[default]
    BestAccuracy,
    /// The best F1 over all assignments.
    BestF1,
    /// As many assignments as possible of which at least this share is right, above 0 and below 1. What was measured on
    /// held-out documents has to exceed it by a standard error.
    Precision(f64),
}

/// An answer to a document that was held out: how sure, and whether right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HeldOutAnswer {
    pub(super) confidence: f64,
    pub(super) is_right: bool,
    /// Whether some label would have been right.
    pub(super) has_label: bool,
}

/// A threshold that no confidence reaches.
pub(super) const NEVER: f64 = 2.0;

impl Threshold {
    /// The confidence from which on an answer is given.
    pub(super) fn choose(self, answers: &[HeldOutAnswer]) -> f64 {
        let mut answers = answers.to_vec();
        // Stable: equally confident ones stay in the order of the documents.
        answers.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        match self {
            Self::BestAccuracy => best_accuracy(&answers),
            Self::BestF1 => best_f1(&answers),
            Self::Precision(precision) => for_precision(&answers, precision),
        }
    }
}

/// Where the answers can be cut in two, most confident first: the number given, and the confidence between the last
/// of them and the next. Equally confident answers aren't cut apart.
fn cuts(answers: &[HeldOutAnswer]) -> impl Iterator<Item = (usize, f64)> {
    (0..=answers.len()).filter_map(|n_given| {
        let next = answers.get(n_given).map(|answer| answer.confidence);
        let Some(last) = n_given.checked_sub(1).map(|last| answers[last].confidence) else {
            return Some((0, next.map_or(NEVER, |next| (next + 1e-6).min(1.0 + 1e-6))));
        };
        match next {
            None => Some((n_given, 0.0)),
            Some(next) if next < last => Some((n_given, f64::midpoint(last, next))),
            Some(_) => None,
        }
    })
}

fn best_accuracy(answers: &[HeldOutAnswer]) -> f64 {
    let n_unlabelled = answers.iter().filter(|answer| !answer.has_label).count() as i64;
    // What is gained by giving the first n answers, against giving none.
    let gains: Vec<i64> = std::iter::once(0)
        .chain(answers.iter().scan(0, |gain, answer| {
            *gain += i64::from(answer.is_right) - i64::from(!answer.has_label);
            Some(*gain)
        }))
        .collect();
    let accuracies: Vec<(f64, f64)> = cuts(answers)
        .map(|(n_given, cut)| {
            (
                cut,
                (n_unlabelled + gains[n_given]) as f64 / answers.len().max(1) as f64,
            )
        })
        .collect();
    let best = accuracies
        .iter()
        .map(|&(_, accuracy)| accuracy)
        .fold(0.0, f64::max);
    let good: Vec<f64> = accuracies
        .iter()
        .filter(|&&(_, accuracy)| accuracy >= best - PLATEAU)
        .map(|&(cut, _)| cut)
        .collect();
    median_of_descending(&good)
}

fn median_of_descending(values: &[f64]) -> f64 {
    match values.len() {
        0 => NEVER,
        n => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
    }
}

fn best_f1(answers: &[HeldOutAnswer]) -> f64 {
    let n_labelled = answers.iter().filter(|answer| answer.has_label).count();
    let n_right = running_count(answers);
    let mut best = (0.0, NEVER);
    for (n_given, cut) in cuts(answers) {
        let f1 = 2.0 * n_right[n_given] as f64 / (n_given + n_labelled).max(1) as f64;
        if f1 > best.0 {
            best = (f1, cut);
        }
    }
    best.1
}

/// The lowest confidence down to which both the share that was right and the mean confidence are a standard error above
/// `precision`: of a few hundred answers, one of the two alone is too easily lucky.
fn for_precision(answers: &[HeldOutAnswer], precision: f64) -> f64 {
    let n_right = running_count(answers);
    let mut sum = 0.0;
    let mut threshold = NEVER;
    for (answer, n_given) in answers.iter().zip(1_usize..) {
        sum += answer.confidence;
        let n = n_given as f64;
        let standard_error = (precision * (1.0 - precision) / n).sqrt();
        let measured = (n_right[n_given] as f64 / n).min(sum / n);
        // Equally confident answers are given together or not at all.
        let is_cut = answers
            .get(n_given)
            .is_none_or(|next| next.confidence < answer.confidence);
        if is_cut && measured - standard_error >= precision {
            threshold = answer.confidence;
        }
    }
    threshold
}

/// How many of the first n answers are right, for n from 0 on.
fn running_count(answers: &[HeldOutAnswer]) -> Vec<usize> {
    let right = answers.iter().scan(0, |n_right, answer| {
        *n_right += usize::from(answer.is_right);
        Some(*n_right)
    });
    std::iter::once(0).chain(right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(of: &[(f64, bool, bool)]) -> Vec<HeldOutAnswer> {
        of.iter()
            .map(|&(confidence, is_right, has_label)| HeldOutAnswer {
                confidence,
                is_right,
                has_label,
            })
            .collect()
    }

    #[test]
    fn best_accuracy_cuts_between_labelled_and_unlabelled() {
        let answers = answers(&[
            (0.9, true, true),
            (0.8, true, true),
            (0.3, false, false),
            (0.2, false, false),
        ]);
        let threshold = Threshold::BestAccuracy.choose(&answers);
        assert!((threshold - 0.55).abs() < 1e-12, "{threshold}");
    }

    #[test]
    fn wrong_answers_to_labelled_documents_cost_no_accuracy_and_some_f1() {
        let answers = answers(&[(0.9, true, true), (0.5, false, true), (0.4, false, true)]);
        assert!(Threshold::BestAccuracy.choose(&answers) < 0.9);
        let best_f1 = Threshold::BestF1.choose(&answers);
        assert!((best_f1 - 0.7).abs() < 1e-12, "{best_f1}");
    }

    #[test]
    fn where_every_answer_is_right_all_are_given() {
        let answers = answers(&[(0.99, true, true), (0.9, true, true), (0.6, true, true)]);
        assert!(Threshold::BestF1.choose(&answers) <= 0.6);
    }

    #[test]
    fn where_no_answer_is_right_none_is_given() {
        let answers = answers(&[(0.4, false, true), (0.3, false, true), (0.2, false, false)]);
        assert!(Threshold::BestF1.choose(&answers) > 1.0);
        assert!(Threshold::Precision(0.5).choose(&answers) > 1.0);
    }

    #[test]
    fn without_answers_none_is_given() {
        for threshold in [
            Threshold::BestAccuracy,
            Threshold::BestF1,
            Threshold::Precision(0.9),
        ] {
            assert!(threshold.choose(&[]) > 1.0, "{threshold:?}");
        }
    }

    #[test]
    fn precision_is_kept_with_a_standard_error_to_spare() {
        let mut answers = answers(&[(0.97, true, true); 100]);
        answers.extend(self::answers(&[(0.5, false, true); 20]));
        let threshold = Threshold::Precision(0.9).choose(&answers);
        assert!(threshold > 0.5 && threshold <= 0.97, "{threshold}");
        // Ten answers don't prove it.
        assert!(Threshold::Precision(0.9).choose(&answers[..3]) > 1.0);
    }

    #[test]
    fn equally_confident_answers_share_their_fate() {
        let answers = answers(&[(0.5, true, true), (0.5, false, false), (0.5, true, true)]);
        let threshold = Threshold::BestAccuracy.choose(&answers);
        assert!(threshold <= 0.5, "{threshold}");
    }
}
