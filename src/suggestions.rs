//! What a classifier answers: labels, how sure it is of them, and what else it considered.

use smallvec::SmallVec;

use crate::document::{Field, LabelId, Labels};

/// Labels that were not assigned, but came closest, are listed up to this number.
pub const N_RUNNERS_UP: usize = 3;

/// How to file one document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suggestions {
    by_field: [FieldSuggestion; 4],
}

/// What is suggested for one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSuggestion {
    /// What to assign, keys ascending: any number of tags, at most one label of another field.
    pub labels: Candidates,
    /// The labels that came closest without being assigned, the most confident first, at most [`N_RUNNERS_UP`].
    pub runners_up: Candidates,
    /// Confidence that none of the field's labels belongs on the document, 0 to 1.
    pub none: f32,
}

/// Some labels and how sure the classifier is of each; up to four take no allocation.
pub type Candidates = SmallVec<[Candidate; 4]>;

/// A label and how sure the classifier is that it belongs on the document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The label.
    pub label: LabelId,
    /// 0 to 1. The linear pipeline's are calibrated: of the documents that got a label with confidence 0.8, four
    /// of five are to have it. A network's are its outputs, which tend to be too sure.
    pub confidence: f32,
}

impl Suggestions {
    /// Suggestions for the fields in the order of [`Field::ALL`].
    pub(crate) fn new(by_field: [FieldSuggestion; 4]) -> Self {
        Self { by_field }
    }

    /// What is suggested for one field.
    pub fn of(&self, field: Field) -> &FieldSuggestion {
        &self.by_field[field.index()]
    }

    /// The same without labels of less than this confidence, 0 to 1: they become runners-up.
    #[must_use]
    pub fn at_least(&self, confidence: f32) -> Self {
        let at_least = |field: &FieldSuggestion| field.at_least(confidence);
        Self::new(self.by_field.each_ref().map(at_least))
    }

    /// The labels alone, as a document bears them.
    pub fn labels(&self) -> Labels {
        Labels {
            correspondent: self.of(Field::Correspondent).label(),
            document_type: self.of(Field::DocumentType).label(),
            storage_path: self.of(Field::StoragePath).label(),
            tags: self.of(Field::Tags).label_ids().collect(),
        }
    }
}

impl FieldSuggestion {
    /// Always this label, whatever the document says.
    pub(crate) fn certain(label: Option<LabelId>) -> Self {
        let confidence = 1.0;
        Self {
            labels: label
                .map(|label| Candidate { label, confidence })
                .into_iter()
                .collect(),
            runners_up: Candidates::new(),
            none: if label.is_some() { 0.0 } else { 1.0 },
        }
    }

    fn at_least(&self, confidence: f32) -> Self {
        let (labels, unsure): (Candidates, Candidates) = self
            .labels
            .iter()
            .copied()
            .partition(|candidate| candidate.confidence >= confidence);
        Self {
            labels,
            runners_up: most_confident(unsure.into_iter().chain(self.runners_up.iter().copied())),
            none: self.none,
        }
    }

    /// The assigned label of a field that takes at most one.
    pub fn label(&self) -> Option<LabelId> {
        self.label_ids().next()
    }

    /// The assigned labels, ascending.
    pub fn label_ids(&self) -> impl ExactSizeIterator<Item = LabelId> {
        self.labels.iter().map(|candidate| candidate.label)
    }

    /// Confidence in what is suggested for a field that takes at most one label: in the label, or in there being
    /// none.
    pub fn confidence(&self) -> f32 {
        self.labels
            .first()
            .map_or(self.none, |candidate| candidate.confidence)
    }
}

impl Default for FieldSuggestion {
    /// For a field that nothing was learned about: certainly no label.
    fn default() -> Self {
        Self::certain(None)
    }
}

/// The most confident of `candidates`, most confident first; of equals, the one with the lower key.
// PERF: kept in order by exchanges of numbers, without a branch a candidate: an eighth of a prediction went into branches.
pub(crate) fn most_confident(candidates: impl IntoIterator<Item = Candidate>) -> Candidates {
    let mut highest = [0; N_RUNNERS_UP];
    let mut n_candidates = 0;
    for candidate in candidates {
        let mut order = candidate.order();
        for place in &mut highest {
            (*place, order) = ((*place).max(order), (*place).min(order));
        }
        n_candidates += 1;
    }
    highest
        .into_iter()
        .take(n_candidates)
        .map(Candidate::of_order)
        .collect()
}

impl Candidate {
    /// A number that is higher the more confident a candidate is, and among equals the lower its key.
    fn order(self) -> u64 {
        let bits = self.confidence.to_bits();
        // Numbers above zero ascend with their bits; those below descend, and come first: as in `f32::total_cmp`.
        let flipped = if bits >> 31 == 0 { SIGN } else { u32::MAX };
        u64::from(bits ^ flipped) << 32 | u64::from(!(self.label.0 as u32 ^ SIGN))
    }

    /// The candidate of that [`order`](Self::order).
    fn of_order(order: u64) -> Self {
        let bits = (order >> 32) as u32;
        let flipped = if bits >> 31 == 1 { SIGN } else { u32::MAX };
        Self {
            label: LabelId((!(order as u32) ^ SIGN) as i32),
            confidence: f32::from_bits(bits ^ flipped),
        }
    }
}

const SIGN: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use smallvec::smallvec;

    use super::*;

    fn candidate(label: i32, confidence: f32) -> Candidate {
        Candidate {
            label: LabelId(label),
            confidence,
        }
    }

    #[test]
    fn most_confident_come_first_and_few() {
        let found = most_confident((1..=9).map(|label| candidate(label, label as f32 / 10.0)));
        assert_eq!(
            found[..],
            [candidate(9, 0.9), candidate(8, 0.8), candidate(7, 0.7)]
        );
    }

    #[test]
    fn of_equally_confident_ones_the_lower_key_comes_first() {
        let found = most_confident([5, 3, 4, 1].map(|label| candidate(label, 0.5)));
        assert_eq!(
            found[..],
            [candidate(1, 0.5), candidate(3, 0.5), candidate(4, 0.5)]
        );
    }

    #[test]
    fn candidates_come_in_the_total_order_of_confidences() {
        let confidences = [
            0.5,
            -0.0,
            f32::NAN,
            1.0,
            0.0,
            -1.0,
            f32::INFINITY,
            -f32::NAN,
            1e-40,
        ];
        let candidates = confidences.iter().zip([7, 0, -1, i32::MIN, i32::MAX, 3, 2, 9, 4]);
        let mut candidates: Vec<_> = candidates
            .map(|(&confidence, label)| candidate(label, confidence))
            .collect();
        let bits = |found: &[Candidate]| -> Vec<_> {
            let bits = |found: &Candidate| (found.label, found.confidence.to_bits());
            found.iter().map(bits).collect()
        };
        while !candidates.is_empty() {
            let found = most_confident(candidates.iter().copied());
            candidates.sort_by(|a, b| {
                let by_confidence = b.confidence.total_cmp(&a.confidence);
                by_confidence.then(a.label.cmp(&b.label))
            });
            let n_found = candidates.len().min(N_RUNNERS_UP);
            assert_eq!(bits(&found), bits(&candidates[..n_found]));
            candidates.remove(0);
        }
    }

    #[test]
    fn labels_that_are_not_certain_enough_become_runners_up() {
        let field = FieldSuggestion {
            labels: smallvec![candidate(1, 0.7), candidate(2, 0.9)],
            runners_up: smallvec![candidate(3, 0.4)],
            none: 0.1,
        };
        let suggestions = Suggestions::new(std::array::from_fn(|_| field.clone()));
        let strict = suggestions.at_least(0.8);
        assert_eq!(strict.of(Field::Tags).labels[..], [candidate(2, 0.9)]);
        assert_eq!(
            strict.of(Field::Tags).runners_up[..],
            [candidate(1, 0.7), candidate(3, 0.4)]
        );
        assert_eq!(suggestions.at_least(0.7), suggestions);
    }

    #[test]
    fn nothing_learned_is_certainly_no_label() {
        let suggestions = Suggestions::default();
        for field in Field::ALL {
            assert_eq!(
                (suggestions.of(field).label(), suggestions.of(field).confidence()),
                (None, 1.0)
            );
        }
        assert_eq!(suggestions.labels(), Labels::default());
    }
}
