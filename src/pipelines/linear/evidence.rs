//! What speaks for a label being right on a document: eight numbers, which become a confidence.

/// How many numbers there are.
pub(super) const N_EVIDENCE: usize = 8;

/// Where fewer documents than this share have no label, what one without looks like can't be learned.
pub(super) const LEAST_NONE_SHARE: f64 = 0.02;

/// The name, among the facts of an explanation, of the number of documents that had the label at training.
pub(super) const N_DOCUMENTS_WITH_LABEL: &str = "n_documents_with_label";

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

    /// What isn't in the score, by name, for people. What there is to say of documents without a label is left out
    /// unless that could be learned.
    pub(super) fn facts(&self, none_was_learned: bool) -> Vec<(&'static str, f64)> {
        let margin = self.score - self.best_other_score;
        let facts = [
            ("margin", f64::from(margin)),
            (N_DOCUMENTS_WITH_LABEL, f64::from(self.n_positives)),
            ("cosine_to_label", f64::from(self.cosine)),
            ("cosine_to_best_other", f64::from(self.best_other_cosine)),
            ("cosine_to_all", f64::from(self.cosine_to_all)),
        ];
        let of_none = [
            ("none_score", f64::from(self.none_score)),
            ("cosine_to_none", f64::from(self.none_cosine)),
        ];
        let of_none = of_none.into_iter().filter(|_| none_was_learned);
        facts.into_iter().chain(of_none).collect()
    }
}

/// The highest of some values and the next: what every label's best other is one of.
#[derive(Debug, Clone, Copy)]
pub(super) struct TopTwo {
    /// Position of the highest, the first of equals.
    pub(super) at: usize,
    best: f32,
    next: Option<f32>,
}

impl TopTwo {
    /// None of no values.
    pub(super) fn of(values: &[f32]) -> Option<Self> {
        let (&best, others) = values.split_first()?;
        let mut top = Self {
            at: 0,
            best,
            next: None,
        };
        for (&value, at) in others.iter().zip(1..) {
            if value > top.best {
                (top.at, top.next, top.best) = (at, Some(top.best), value);
            } else if top.next.is_none_or(|next| value > next) {
                top.next = Some(value);
            }
        }
        Some(top)
    }

    /// The highest value but for the one at `except`; `least` if there is no other.
    pub(super) fn but_for(self, except: usize, least: f32) -> f32 {
        if except == self.at {
            self.next.unwrap_or(least)
        } else {
            self.best
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_on_top() {
        let top = |values: &[f32]| TopTwo::of(values).map(|top| top.at);
        assert_eq!(top(&[0.25, 0.5, 0.5]), Some(1));
        assert_eq!(top(&[-2.0, -1.0]), Some(1));
        assert_eq!(top(&[]), None);
    }

    #[test]
    fn the_best_other_is_never_the_one_itself() {
        let best_other = |values: &[f32], except, least| TopTwo::of(values).unwrap().but_for(except, least);
        let found: [f32; 3] = [
            best_other(&[0.25, 0.75, 0.5], 1, -1.0),
            best_other(&[0.25, 0.75, 0.5], 0, -1.0),
            best_other(&[0.25], 0, -1.0),
        ];
        assert_eq!(found.map(f32::to_bits), [0.5_f32, 0.75, -1.0].map(f32::to_bits));
    }

    const EVIDENCE: Evidence = Evidence {
        score: 1.5,
        best_other_score: -0.5,
        none_score: 0.0,
        none_cosine: 0.0,
        n_positives: 0,
        cosine: 0.25,
        best_other_cosine: 0.125,
        cosine_to_all: 0.5,
    };

    #[test]
    fn facts_speak_of_none_only_where_that_was_learned() {
        let names = |none_was_learned| -> Vec<&str> {
            let facts = EVIDENCE.facts(none_was_learned);
            facts.into_iter().map(|(name, _)| name).collect()
        };
        assert!(!names(false).contains(&"none_score"));
        assert_eq!(names(true)[..5], names(false));
        assert_eq!(names(true)[5..], ["none_score", "cosine_to_none"]);
    }

    #[test]
    fn the_second_number_is_the_margin() {
        let expected = [1.5, 2.0, 0.0, 0.0, 0.25, 0.125, 0.0, 0.5_f64];
        assert_eq!(EVIDENCE.numbers().map(f64::to_bits), expected.map(f64::to_bits));
    }
}
