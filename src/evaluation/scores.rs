//! What the answers for one field add up to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Confusion, FieldEvaluation, LabelEvaluation, Suspect};
use crate::document::{DocumentId, Field, LabelCatalog, LabelId};
use crate::suggestions::{Candidate, FieldSuggestion};

/// Answers at least so sure that a document filed otherwise is looked at again.
const SURE: f32 = 0.9;
const MOST_SUSPECTS: usize = 50;
const MOST_CONFUSIONS: usize = 20;
const N_BINS: usize = 10;

/// `part` of `whole`; zero of nothing.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The answers so far.
pub(super) struct FieldScores {
    field: Field,
    n_documents: usize,
    n_labelled: usize,
    n_labelled_answered: usize,
    n_wholly_right: usize,
    labels: BTreeMap<LabelId, Counts>,
    /// By what the document has and what it was assigned.
    confusions: BTreeMap<(Option<LabelId>, Option<LabelId>), usize>,
    bins: [Bin; N_BINS],
    suspects: Vec<(DocumentId, Disagreement)>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    support: usize,
    n_assigned: usize,
    n_right: usize,
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Default)]
struct Bin {
    n_answers: usize,
    n_right: usize,
    confidences: f64,
}

#[derive(Clone, Copy)]
struct Disagreement {
    actual: Option<LabelId>,
    expected: Option<LabelId>,
    confidence: f32,
}

impl FieldScores {
    pub(super) fn new(field: Field) -> Self {
        Self {
            field,
            n_documents: 0,
            n_labelled: 0,
            n_labelled_answered: 0,
            n_wholly_right: 0,
            labels: BTreeMap::new(),
            confusions: BTreeMap::new(),
            bins: [Bin::default(); N_BINS],
            suspects: Vec::new(),
        }
    }

    /// Counts the answer for one document that has the labels `actual`, ascending.
    pub(super) fn add(&mut self, document: DocumentId, actual: &[LabelId], answer: &FieldSuggestion) {
        let is_labelled = !actual.is_empty();
        self.n_documents += 1;
        self.n_labelled += usize::from(is_labelled);
        self.n_labelled_answered += usize::from(is_labelled && !answer.labels.is_empty());
        self.n_wholly_right += usize::from(answer.label_ids().eq(actual.iter().copied()));
        for &label in actual {
            self.labels.entry(label).or_default().support += 1;
        }
        for label in answer.label_ids() {
            let counts = self.labels.entry(label).or_default();
            counts.n_assigned += 1;
            counts.n_right += usize::from(actual.contains(&label));
        }
        self.add_confidences(actual, answer);
        if self.field == Field::Tags {
            self.add_tag_confusions(document, actual, answer);
        } else {
            self.add_confusion(document, actual.first().copied(), answer);
        }
    }

    fn add_confidences(&mut self, actual: &[LabelId], answer: &FieldSuggestion) {
        let considered = answer.labels.iter().chain(&answer.runners_up);
        let n_counted = if self.field == Field::Tags { usize::MAX } else { 1 };
        for candidate in considered.take(n_counted) {
            let bin = (candidate.confidence * N_BINS as f32) as usize;
            let bin = &mut self.bins[bin.min(N_BINS - 1)];
            bin.n_answers += 1;
            bin.n_right += usize::from(actual.contains(&candidate.label));
            bin.confidences += f64::from(candidate.confidence);
        }
    }

    fn add_confusion(&mut self, document: DocumentId, actual: Option<LabelId>, answer: &FieldSuggestion) {
        if answer.label() == actual {
            return;
        }
        *self.confusions.entry((actual, answer.label())).or_default() += 1;
        let (expected, confidence) = (answer.label(), answer.confidence());
        self.suspect(
            document,
            Disagreement {
                actual,
                expected,
                confidence,
            },
        );
    }

    fn add_tag_confusions(&mut self, document: DocumentId, actual: &[LabelId], answer: &FieldSuggestion) {
        for &Candidate { label, confidence } in &answer.labels {
            if !actual.contains(&label) {
                *self.confusions.entry((None, Some(label))).or_default() += 1;
                self.suspect(
                    document,
                    Disagreement {
                        actual: None,
                        expected: Some(label),
                        confidence,
                    },
                );
            }
        }
        for &label in actual {
            if !answer.label_ids().any(|assigned| assigned == label) {
                *self.confusions.entry((Some(label), None)).or_default() += 1;
                let close = answer
                    .runners_up
                    .iter()
                    .find(|candidate| candidate.label == label);
                // One that isn't even among those that came close is as unlikely as the last of them, at most.
                let close = close.or(answer.runners_up.last());
                let confidence = 1.0 - close.map_or(0.0, |candidate| candidate.confidence);
                self.suspect(
                    document,
                    Disagreement {
                        actual: Some(label),
                        expected: None,
                        confidence,
                    },
                );
            }
        }
    }

    fn suspect(&mut self, document: DocumentId, disagreement: Disagreement) {
        if disagreement.confidence >= SURE {
            self.suspects.push((document, disagreement));
        }
    }

    /// The figures; none if no document has a label of the field.
    pub(super) fn finish(self, catalog: &LabelCatalog) -> Option<FieldEvaluation> {
        if self.n_labelled == 0 {
            return None;
        }
        let name = |id: LabelId| {
            let name = catalog.unmistakable_name(self.field, id);
            name.map_or_else(|| id.to_string(), Cow::into_owned)
        };
        let labels: Vec<LabelEvaluation> = self
            .labels
            .iter()
            .map(|(&label, counts)| LabelEvaluation {
                label,
                name: name(label),
                support: counts.support,
                n_assigned: counts.n_assigned,
                n_right: counts.n_right,
            })
            .collect();
        let sum = |count: fn(&LabelEvaluation) -> usize| labels.iter().map(count).sum::<usize>();
        let (support, n_assigned, n_right) = (
            sum(|label| label.support),
            sum(|label| label.n_assigned),
            sum(|label| label.n_right),
        );
        Some(FieldEvaluation {
            field: self.field,
            n_labelled: self.n_labelled,
            accuracy: share(self.n_wholly_right, self.n_documents),
            macro_f1: labels.iter().map(LabelEvaluation::f1).sum::<f64>() / labels.len() as f64,
            micro_f1: share(2 * n_right, support + n_assigned),
            coverage: share(self.n_labelled_answered, self.n_labelled),
            precision: share(n_right, n_assigned),
            calibration_error: calibration_error(&self.bins),
            confusions: confusions(&self.confusions, name),
            suspects: suspects(self.suspects, name),
            labels,
        })
    }
}

fn calibration_error(bins: &[Bin]) -> f64 {
    let n_answers: usize = bins.iter().map(|bin| bin.n_answers).sum();
    let distance = |bin: &Bin| (bin.confidences - bin.n_right as f64).abs();
    bins.iter().map(distance).sum::<f64>() / n_answers.max(1) as f64
}

fn confusions(
    counted: &BTreeMap<(Option<LabelId>, Option<LabelId>), usize>,
    name: impl Fn(LabelId) -> String + Copy,
) -> Vec<Confusion> {
    let mut confusions: Vec<Confusion> = counted
        .iter()
        .map(|(&(actual, assigned), &n_documents)| Confusion {
            actual: actual.map(name),
            assigned: assigned.map(name),
            n_documents,
        })
        .collect();
    // Stable: equally frequent ones stay in the order of their keys.
    confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.n_documents));
    confusions.truncate(MOST_CONFUSIONS);
    confusions
}

fn suspects(
    mut found: Vec<(DocumentId, Disagreement)>,
    name: impl Fn(LabelId) -> String + Copy,
) -> Vec<Suspect> {
    found.sort_by(|(a_id, a), (b_id, b)| b.confidence.total_cmp(&a.confidence).then(a_id.cmp(b_id)));
    found.truncate(MOST_SUSPECTS);
    let suspect = |(
        document,
        Disagreement {
            actual,
            expected,
            confidence,
        },
    )| Suspect {
        document,
        actual: actual.map(name),
        expected: expected.map(name),
        confidence,
    };
    found.into_iter().map(suspect).collect()
}

#[cfg(test)]
mod tests {
    use smallvec::SmallVec;

    use super::*;

    const A: LabelId = LabelId(1);
    const B: LabelId = LabelId(2);

    fn answer(label: Option<LabelId>, confidence: f32) -> FieldSuggestion {
        let candidate = |label| Candidate { label, confidence };
        FieldSuggestion {
            labels: label.map(candidate).into_iter().collect(),
            runners_up: SmallVec::new(),
            none: if label.is_some() { 0.0 } else { confidence },
        }
    }

    fn evaluation(answers: &[(Option<LabelId>, FieldSuggestion)]) -> FieldEvaluation {
        let mut scores = FieldScores::new(Field::Correspondent);
        for ((actual, answer), id) in answers.iter().zip(1..) {
            scores.add(DocumentId(id), actual.as_slice(), answer);
        }
        scores.finish(&LabelCatalog::default()).unwrap()
    }

    #[test]
    fn shares_are_those_of_the_definition() {
        let found = evaluation(&[
            (Some(A), answer(Some(A), 0.8)),
            (Some(A), answer(Some(B), 0.8)),
            (Some(B), answer(None, 0.8)),
            (None, answer(None, 0.8)),
        ]);
        assert_eq!((found.accuracy, found.n_labelled), (0.5, 3));
        assert_eq!((found.precision, found.micro_f1), (0.5, 2.0 / 5.0));
        assert!((found.coverage - 2.0 / 3.0).abs() < 1e-12);
        // A: one of two found, one assigned; B: none of one found, one assigned.
        assert!((found.macro_f1 - (2.0 / 3.0) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn confidences_that_keep_their_word_have_no_calibration_error() {
        let right = std::iter::repeat_n((Some(A), answer(Some(A), 0.75)), 3);
        let found = evaluation(&right.chain([(None, answer(Some(A), 0.75))]).collect::<Vec<_>>());
        assert!(found.calibration_error < 1e-6, "{}", found.calibration_error);
    }

    #[test]
    fn confidences_that_promise_too_much_are_apart_by_that_much() {
        let found = evaluation(&[(Some(A), answer(Some(A), 0.95)), (Some(A), answer(Some(B), 0.95))]);
        assert!(
            (found.calibration_error - 0.45).abs() < 1e-6,
            "{}",
            found.calibration_error
        );
    }

    #[test]
    fn a_sure_answer_that_disagrees_makes_a_suspect_and_an_unsure_one_does_not() {
        let found = evaluation(&[(Some(A), answer(Some(B), 0.5)), (None, answer(Some(B), 0.95))]);
        assert_eq!(found.suspects.len(), 1);
        assert_eq!(
            (found.suspects[0].document, &found.suspects[0].actual),
            (DocumentId(2), &None)
        );
    }

    #[test]
    fn a_field_that_no_document_has_is_not_evaluated() {
        let mut scores = FieldScores::new(Field::StoragePath);
        scores.add(DocumentId(1), &[], &FieldSuggestion::default());
        assert_eq!(scores.finish(&LabelCatalog::default()), None);
    }

    #[test]
    fn missed_and_wrongly_assigned_tags_are_told_apart() {
        let mut scores = FieldScores::new(Field::Tags);
        scores.add(DocumentId(1), &[A], &answer(Some(B), 0.97));
        let found = scores.finish(&LabelCatalog::default()).unwrap();
        let pairs: Vec<_> = found
            .confusions
            .iter()
            .map(|c| (c.actual.is_some(), c.assigned.is_some()))
            .collect();
        assert_eq!(pairs, [(false, true), (true, false)]);
    }
}
