//! From labels to what a learner reproduces, and from its answer back to labels.

use serde::{Deserialize, Serialize};

use crate::document::{Field, LabelId, LabelIds, Labels};
use crate::learners::Targets;
use crate::suggestions::{Candidate, FieldSuggestion, most_confident};

/// The classes of one field, in the order of a learner's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassEncoder {
    /// Exactly one class a document, ascending, `None` ("none of them") first where it occurs.
    ///
    /// Tags are of this kind when only one auto tag is in use: a document has it or it doesn't.
    OneOf(Vec<Option<LabelId>>),
    /// Any number of these tags, ascending; two or more.
    AnyOf(Vec<LabelId>),
}

/// What is to be learned for one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldTargets {
    /// Every document has the same class, so there is nothing to learn.
    Constant,
    /// Something a learner can reproduce.
    Learnable(Targets),
}

impl ClassEncoder {
    /// Finds the classes of `field` in use, and encodes each document's.
    ///
    /// Returns nothing if no document has an auto label of that field: it then has no classifier.
    pub fn fit(field: Field, documents: &[Labels]) -> Option<(Self, FieldTargets)> {
        match field {
            Field::Tags => Self::fit_tags(documents),
            Field::Correspondent => Self::fit_one_of(documents.iter().map(|labels| labels.correspondent)),
            Field::DocumentType => Self::fit_one_of(documents.iter().map(|labels| labels.document_type)),
            Field::StoragePath => Self::fit_one_of(documents.iter().map(|labels| labels.storage_path)),
        }
    }

    /// Number of labels that can be assigned; "none" isn't one.
    pub fn n_labels(&self) -> usize {
        self.labels().count()
    }

    /// The labels that can be assigned, ascending.
    pub fn labels(&self) -> impl Iterator<Item = LabelId> {
        let (one_of, any_of): (&[Option<LabelId>], &[LabelId]) = match self {
            Self::OneOf(classes) => (classes, &[]),
            Self::AnyOf(tags) => (&[], tags),
        };
        one_of.iter().copied().flatten().chain(any_of.iter().copied())
    }

    /// Where `label` stands among the classes.
    pub fn position(&self, label: LabelId) -> Option<usize> {
        match self {
            Self::OneOf(classes) => classes.binary_search(&Some(label)).ok(),
            Self::AnyOf(tags) => tags.binary_search(&label).ok(),
        }
    }

    /// Number of outputs that a learner of these classes has; none if it would always answer the same.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::OneOf(classes) if classes.len() < 3 => classes.len().saturating_sub(1),
            Self::OneOf(classes) => classes.len(),
            Self::AnyOf(tags) => tags.len(),
        }
    }

    /// The labels that `probabilities` (one for each output) stand for.
    ///
    /// The most probable class, the first of equals; with two classes the second if its probability is above one
    /// half; each tag whose probability is above one half.
    pub fn decode(&self, probabilities: &[f32]) -> LabelIds {
        match self {
            Self::OneOf(classes) => classes[most_probable(probabilities)].into_iter().collect(),
            Self::AnyOf(tags) => {
                let answers = tags.iter().zip(probabilities);
                answers
                    .filter(|&(_, &probability)| probability > 0.5)
                    .map(|(&tag, _)| tag)
                    .collect()
            }
        }
    }

    /// What `probabilities` (one for each output) amount to: as [`Self::decode`] answers, with confidences.
    pub fn suggest(&self, probabilities: &[f32]) -> FieldSuggestion {
        match self {
            Self::OneOf(classes) => match (&classes[..], probabilities) {
                ([only], _) => FieldSuggestion::certain(*only),
                ([_, _], &[second]) => one_of(classes, &[1.0 - second, second], usize::from(second > 0.5)),
                _ => one_of(classes, probabilities, most_probable(probabilities)),
            },
            Self::AnyOf(tags) => {
                let candidates = tags.iter().zip(probabilities);
                let candidates = candidates.map(|(&label, &confidence)| Candidate { label, confidence });
                let is_assigned = |candidate: &Candidate| candidate.confidence > 0.5;
                let surest = probabilities.iter().copied().fold(0.0, f32::max);
                FieldSuggestion {
                    labels: candidates.clone().filter(is_assigned).collect(),
                    runners_up: most_confident(candidates.filter(|candidate| !is_assigned(candidate))),
                    none: 1.0 - surest,
                }
            }
        }
    }

    fn fit_one_of(labels: impl Iterator<Item = Option<LabelId>> + Clone) -> Option<(Self, FieldTargets)> {
        let mut classes: Vec<_> = labels.clone().collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.iter().all(Option::is_none) {
            return None;
        }
        let position = |label| {
            classes
                .binary_search(&label)
                .expect("every label was made a class")
        };
        let targets = match classes.len() {
            1 => FieldTargets::Constant,
            2 => FieldTargets::Learnable(Targets::Binary(
                labels.map(|label| position(label) == 1).collect(),
            )),
            n_classes => {
                let class = labels.map(|label| position(label) as u32).collect();
                FieldTargets::Learnable(Targets::Classes { class, n_classes })
            }
        };
        Some((Self::OneOf(classes), targets))
    }

    fn fit_tags(documents: &[Labels]) -> Option<(Self, FieldTargets)> {
        let mut tags: Vec<_> = documents
            .iter()
            .flat_map(|labels| &labels.tags)
            .copied()
            .collect();
        tags.sort_unstable();
        tags.dedup();
        if tags.len() < 2 {
            return Self::fit_one_of(documents.iter().map(|labels| labels.tags.first().copied()));
        }
        let position = |tag| tags.binary_search(tag).expect("every tag in use was collected") as u32;
        let labels = documents
            .iter()
            .map(|labels| labels.tags.iter().map(position).collect())
            .collect();
        let targets = Targets::MultiLabel {
            labels,
            n_labels: tags.len(),
        };
        Some((Self::AnyOf(tags), FieldTargets::Learnable(targets)))
    }
}

/// The class at `chosen`, and the other labels by their probabilities.
fn one_of(classes: &[Option<LabelId>], probabilities: &[f32], chosen: usize) -> FieldSuggestion {
    let candidates = classes
        .iter()
        .zip(probabilities)
        .map(|(label, &confidence)| label.map(|label| Candidate { label, confidence }));
    let (before, behind) = (
        candidates.clone().take(chosen),
        candidates.clone().skip(chosen + 1),
    );
    FieldSuggestion {
        labels: candidates.skip(chosen).take(1).flatten().collect(),
        runners_up: most_confident(before.chain(behind).flatten()),
        none: if classes[0].is_none() {
            probabilities[0]
        } else {
            0.0
        },
    }
}

/// Index of the most probable class, the first of equals; a single output is the probability of the second of two.
fn most_probable(probabilities: &[f32]) -> usize {
    if let [second] = probabilities {
        return usize::from(*second > 0.5);
    }
    let mut best = 0;
    for class in 1..probabilities.len() {
        if probabilities[class] > probabilities[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: LabelId = LabelId(3);
    const B: LabelId = LabelId(8);
    const C: LabelId = LabelId(21);

    fn correspondents(labels: &[Option<LabelId>]) -> Vec<Labels> {
        labels
            .iter()
            .map(|&correspondent| Labels {
                correspondent,
                ..Labels::default()
            })
            .collect()
    }

    fn tagged(tags: &[&[LabelId]]) -> Vec<Labels> {
        tags.iter()
            .map(|tags| Labels {
                tags: tags.to_vec(),
                ..Labels::default()
            })
            .collect()
    }

    #[test]
    fn classes_are_ascending_with_none_first() {
        let documents = correspondents(&[Some(B), None, Some(A), Some(B)]);
        let (encoder, targets) = ClassEncoder::fit(Field::Correspondent, &documents).unwrap();
        assert_eq!(encoder, ClassEncoder::OneOf(vec![None, Some(A), Some(B)]));
        let expected = Targets::Classes {
            class: vec![2, 0, 1, 2],
            n_classes: 3,
        };
        assert_eq!(targets, FieldTargets::Learnable(expected));
        assert_eq!((encoder.n_labels(), encoder.n_outputs()), (2, 3));
    }

    #[test]
    fn a_field_without_labels_has_no_classifier() {
        let documents = correspondents(&[None, None]);
        for field in Field::ALL {
            assert_eq!(ClassEncoder::fit(field, &documents), None);
        }
    }

    #[test]
    fn a_label_on_every_document_is_always_the_answer() {
        let (encoder, targets) =
            ClassEncoder::fit(Field::Correspondent, &correspondents(&[Some(A), Some(A)])).unwrap();
        assert_eq!(targets, FieldTargets::Constant);
        assert_eq!(encoder.n_outputs(), 0);
        assert_eq!(encoder.decode(&[])[..], [A]);
    }

    #[test]
    fn two_classes_need_one_output_strictly_above_one_half() {
        let (encoder, targets) =
            ClassEncoder::fit(Field::Correspondent, &correspondents(&[Some(A), None])).unwrap();
        assert_eq!(
            targets,
            FieldTargets::Learnable(Targets::Binary(vec![true, false]))
        );
        assert_eq!(encoder.n_outputs(), 1);
        assert_eq!(encoder.decode(&[0.5])[..], []);
        assert_eq!(encoder.decode(&[0.500_001])[..], [A]);
    }

    #[test]
    fn the_chosen_class_comes_with_its_probability_and_the_labels_that_came_close() {
        let encoder = ClassEncoder::OneOf(vec![None, Some(A), Some(B), Some(C)]);
        let found = encoder.suggest(&[0.1, 0.2, 0.6, 0.1]);
        let candidate = |label, confidence| Candidate { label, confidence };
        assert_eq!(found.labels[..], [candidate(B, 0.6)]);
        assert_eq!(found.runners_up[..], [candidate(A, 0.2), candidate(C, 0.1)]);
        assert_eq!((found.none, found.confidence()), (0.1, 0.6));
    }

    #[test]
    fn where_none_is_chosen_its_probability_is_the_confidence() {
        let encoder = ClassEncoder::OneOf(vec![None, Some(A)]);
        let found = encoder.suggest(&[0.25]);
        assert_eq!(
            (found.label(), found.confidence(), found.runners_up[0].confidence),
            (None, 0.75, 0.25)
        );
    }

    #[test]
    fn suggested_class_is_the_decoded_one() {
        for classes in [vec![None, Some(A)], vec![Some(A), Some(B)]] {
            let encoder = ClassEncoder::OneOf(classes);
            for second in [0.0, 0.5, 0.500_001, 1.0] {
                let suggested: LabelIds = encoder.suggest(&[second]).label_ids().collect();
                assert_eq!(suggested, encoder.decode(&[second]), "{second}");
            }
        }
        let only = ClassEncoder::OneOf(vec![Some(B)]);
        assert_eq!(
            (only.suggest(&[]).label(), only.suggest(&[]).confidence()),
            (Some(B), 1.0)
        );
    }

    #[test]
    fn suggested_tags_are_the_decoded_ones() {
        let encoder = ClassEncoder::AnyOf(vec![A, B, C]);
        let probabilities = [0.9, 0.5, 0.51];
        let found = encoder.suggest(&probabilities);
        assert_eq!(
            found.label_ids().collect::<LabelIds>(),
            encoder.decode(&probabilities)
        );
        assert!((found.none - 0.1).abs() < 1e-6, "{}", found.none);
        assert_eq!(
            found.runners_up[..],
            [Candidate {
                label: B,
                confidence: 0.5
            }]
        );
    }

    #[test]
    fn labels_are_found_among_the_classes() {
        let encoder = ClassEncoder::OneOf(vec![None, Some(A), Some(C)]);
        assert_eq!(
            [A, B, C].map(|label| encoder.position(label)),
            [Some(1), None, Some(2)]
        );
        let encoder = ClassEncoder::AnyOf(vec![A, C]);
        assert_eq!(
            [A, B, C].map(|label| encoder.position(label)),
            [Some(0), None, Some(1)]
        );
    }

    #[test]
    fn two_labels_without_none_are_two_classes() {
        let (encoder, _) =
            ClassEncoder::fit(Field::Correspondent, &correspondents(&[Some(A), Some(B)])).unwrap();
        assert_eq!(encoder.decode(&[0.2])[..], [A]);
        assert_eq!(encoder.decode(&[0.8])[..], [B]);
    }

    #[test]
    fn the_first_of_equally_probable_classes_wins() {
        let encoder = ClassEncoder::OneOf(vec![None, Some(A), Some(B)]);
        assert_eq!(encoder.decode(&[0.2, 0.4, 0.4])[..], [A]);
    }

    #[test]
    fn one_tag_in_use_is_yes_or_no() {
        let (encoder, targets) = ClassEncoder::fit(Field::Tags, &tagged(&[&[B], &[], &[B]])).unwrap();
        assert_eq!(encoder, ClassEncoder::OneOf(vec![None, Some(B)]));
        assert_eq!(
            targets,
            FieldTargets::Learnable(Targets::Binary(vec![true, false, true]))
        );
    }

    #[test]
    fn one_tag_on_every_document_is_always_assigned() {
        let (encoder, targets) = ClassEncoder::fit(Field::Tags, &tagged(&[&[B], &[B]])).unwrap();
        assert_eq!(targets, FieldTargets::Constant);
        assert_eq!(encoder.decode(&[])[..], [B]);
    }

    #[test]
    fn two_tags_are_decided_one_by_one() {
        let (encoder, _) = ClassEncoder::fit(Field::Tags, &tagged(&[&[A, B], &[A]])).unwrap();
        assert_eq!(encoder, ClassEncoder::AnyOf(vec![A, B]));
    }

    #[test]
    fn several_tags_are_decided_one_by_one() {
        let (encoder, targets) = ClassEncoder::fit(Field::Tags, &tagged(&[&[A, C], &[], &[B, C]])).unwrap();
        assert_eq!(encoder, ClassEncoder::AnyOf(vec![A, B, C]));
        let expected = Targets::MultiLabel {
            labels: vec![vec![0, 2], vec![], vec![1, 2]],
            n_labels: 3,
        };
        assert_eq!(targets, FieldTargets::Learnable(expected));
        assert_eq!(encoder.decode(&[0.9, 0.5, 0.51])[..], [A, C]);
    }
}
