//! What speaks for a label being right on a document: eight numbers, which become a confidence.

/// How many numbers there are.
pub(super) const N_EVIDENCE: usize = 8;

/// Where fewer documents than this share have no label, what one without looks like can't be learned.
pub(super) const LEAST_NONE_SHARE: f64 = 0.02;

/// The evidence for one label of a field with at most one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    /// Of the label's classifier, in units of the margin.
    pub(super) score: f32,
    /// The best score of another label; −1, that of an example against a label, where there is no other.
    pub(super) best_other_score: f32,
    /// The score of there being no label, and the likeness to documents without one; 0 where that can't be learned.
    pub(super) none_score: f32,
    pub(super) none_cosine: f32,
    /// Documents that have the label.
    pub(super) n_positives: u32,
    /// Between the document and the mean of the label's documents.
    pub(super) cosine: f32,
    /// Between the document and the mean of another label's documents, the most alike one's.
    pub(super) best_other_cosine: f32,
    /// Between the document and the mean of all documents.
    pub(super) cosine_to_all: f32,
}

impl Evidence {
    pub(super) fn numbers(&self) -> [f64; N_EVIDENCE] {
        [
            f64::from(self.score),
            f64::from(self.score) - f64::from(self.best_other_score),
            f64::from(self.none_score),
            libm::log(f64::from(self.n_positives) + 1.0),
            f64::from(self.cosine),
            f64::from(self.best_other_cosine),
            f64::from(self.none_cosine),
            f64::from(self.cosine_to_all),
        ]
    }
}

/// Position of the highest of `scores`, the first of equals; none if there are none.
pub(super) fn top(scores: &[f32]) -> Option<usize> {
    let mut top = 0;
    for (at, score) in scores.iter().enumerate() {
        if *score > scores[top] {
            top = at;
        }
    }
    (!scores.is_empty()).then_some(top)
}

/// The highest of `values` but for the one at `except`; `least` if there is no other.
pub(super) fn best_other(values: &[f32], except: usize, least: f32) -> f32 {
    let (before, from) = values.split_at(except);
    before
        .iter()
        .chain(&from[1..])
        .copied()
        .reduce(f32::max)
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_on_top() {
        assert_eq!(top(&[0.25, 0.5, 0.5]), Some(1));
        assert_eq!(top(&[-2.0, -1.0]), Some(1));
        assert_eq!(top(&[]), None);
    }

    #[test]
    fn the_best_other_is_never_the_one_itself() {
        let found: [f32; 3] = [
            best_other(&[0.25, 0.75, 0.5], 1, -1.0),
            best_other(&[0.25, 0.75, 0.5], 0, -1.0),
            best_other(&[0.25], 0, -1.0),
        ];
        assert_eq!(found.map(f32::to_bits), [0.5_f32, 0.75, -1.0].map(f32::to_bits));
    }

    #[test]
    fn the_second_number_is_the_margin() {
        let evidence = Evidence {
            score: 1.5,
            best_other_score: -0.5,
            none_score: 0.0,
            none_cosine: 0.0,
            n_positives: 0,
            cosine: 0.25,
            best_other_cosine: 0.125,
            cosine_to_all: 0.5,
        };
        let expected = [1.5, 2.0, 0.0, 0.0, 0.25, 0.125, 0.0, 0.5_f64];
        assert_eq!(evidence.numbers().map(f64::to_bits), expected.map(f64::to_bits));
    }
}
