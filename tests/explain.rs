//! An explanation adds up to the score, names the terms that decide, and says where they stand.
#![expect(clippy::unwrap_used, reason = "what the tests share panics as the tests do")]

mod sixty_documents;

use std::ops::{ControlFlow, Range};

use postroom::Error;
use postroom::classifier::DocumentClassifier;
use postroom::document::{Field, LabelId};
use postroom::explanation::{Explanation, TermEvidence, TermKind};
use postroom::model::TrainingParams;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use sixty_documents::{SENDERS, archive, classifier, content, networks, noon, train};

fn trained(params: TrainingParams) -> DocumentClassifier {
    let mut classifier = classifier(params);
    train(&mut classifier, &archive().store).unwrap();
    classifier
}

fn both() -> [DocumentClassifier; 2] {
    [TrainingParams::default(), networks()].map(trained)
}

fn pipeline(classifier: &DocumentClassifier) -> &'static str {
    classifier.model().unwrap().params.pipeline.name()
}

/// Every label of every field that the classifier can assign.
fn labels(classifier: &DocumentClassifier) -> Vec<(Field, LabelId)> {
    let learned = &classifier.model().unwrap().learned;
    let of_field = |field| learned.labels(field).into_iter().map(move |label| (field, label));
    Field::ALL.into_iter().flat_map(of_field).collect()
}

fn assert_adds_up(explanation: &Explanation) {
    let terms = explanation.terms.iter().map(|term| f64::from(term.contribution));
    let sum = f64::from(explanation.bias) + terms.sum::<f64>();
    let distance = (sum - f64::from(explanation.score)).abs();
    assert!(distance < 1e-4, "{sum} instead of\n{explanation}");
}

/// Documents of the archive, of several of its contents at once, and of words it doesn't have.
fn contents() -> Vec<String> {
    let joined = |from: usize, to: usize| (from..to).map(content).collect::<Vec<_>>().join(". ");
    let mut contents: Vec<String> = (0..60).map(content).collect();
    contents.extend([
        joined(0, 2),
        joined(3, 60),
        joined(0, 60).repeat(20),
        content(1).to_uppercase(),
    ]);
    contents.extend(
        [
            "",
            "the of and",
            "xyzzy",
            "Überfällig: mahngebühr — 漢字 kilowatt",
        ]
        .map(String::from),
    );
    contents
}

#[test]
fn contributions_and_bias_sum_to_the_score() {
    for classifier in both() {
        for content in contents() {
            for (field, label) in labels(&classifier) {
                assert_adds_up(&classifier.explain_label(&content, field, label).unwrap());
            }
        }
    }
}

#[test]
fn networks_confidence_follows_from_the_scores() {
    let classifier = trained(networks());
    let sigmoid = |score: f32| 1.0 / (1.0 + (-score).exp());
    for content in contents() {
        for (field, label) in labels(&classifier) {
            let found = classifier.explain_label(&content, field, label).unwrap();
            // Senders are classes of which one is right, and so are types, of which there are two.
            if field != Field::Correspondent {
                let expected = sigmoid(found.score);
                assert!((found.confidence - expected).abs() < 1e-5, "{expected} {found}");
            }
        }
        let [one, other] = [1, 2].map(|sender| {
            classifier
                .explain_label(&content, Field::Correspondent, LabelId(sender))
                .unwrap()
        });
        if one.confidence.min(other.confidence) > 1e-30 {
            let odds = (one.confidence / other.confidence).ln();
            let expected = one.score - other.score;
            assert!((odds - expected).abs() < 1e-3, "{odds} {expected}");
        }
    }
}

#[test]
fn each_suggested_label_is_explained_with_its_confidence() {
    for classifier in both() {
        for content in contents() {
            let suggestions = classifier.predict(&content).unwrap();
            let expected: Vec<_> = Field::ALL
                .into_iter()
                .flat_map(|field| {
                    let labels = suggestions.of(field).labels.iter();
                    labels.map(move |candidate| (field, candidate.label, candidate.confidence.to_bits()))
                })
                .collect();
            let found = classifier.explain(&content).unwrap();
            assert!(found.iter().all(|explanation| explanation.is_suggested));
            let found: Vec<_> = found
                .iter()
                .map(|found| (found.field, found.label, found.confidence.to_bits()))
                .collect();
            assert_eq!(found, expected, "{}: {content}", pipeline(&classifier));
        }
    }
}

#[test]
fn labels_that_are_not_suggested_have_the_confidence_of_runners_up() {
    for classifier in both() {
        for content in contents() {
            let suggestions = classifier.predict(&content).unwrap();
            for field in Field::ALL {
                for other in &suggestions.of(field).runners_up {
                    let found = classifier.explain_label(&content, field, other.label).unwrap();
                    assert!(!found.is_suggested, "{found}");
                    assert_eq!(found.confidence.to_bits(), other.confidence.to_bits(), "{found}");
                }
            }
        }
    }
}

/// Why the sender at `position` is suggested for this content.
fn sender_of(classifier: &DocumentClassifier, content: &str, position: usize) -> Explanation {
    let found = classifier.explain(content).unwrap();
    let mut of_sender = found
        .into_iter()
        .filter(|explanation| explanation.field == Field::Correspondent);
    let found = of_sender.next().unwrap();
    assert_eq!(found.name.as_deref(), Some(SENDERS[position].0));
    found
}

#[test]
fn senders_own_words_speak_for_it_and_stand_where_it_says() {
    for classifier in both() {
        for (at, (_, words)) in SENDERS.iter().enumerate() {
            let content = format!("{} — {}", content(at), words.to_uppercase());
            let found = sender_of(&classifier, &content, at);
            // A payment may be overdue as well as a loan.
            let own: Vec<&str> = words.split(' ').filter(|&word| word != "overdue").collect();
            let is_own = |term: &&TermEvidence| {
                let mut parts = term.term.split(' ');
                parts.all(|part| own.iter().any(|word| word.contains(part)))
            };
            assert!(
                is_own(&&found.terms[0]),
                "the strongest term is the sender's: {found}"
            );
            let own_terms: Vec<&TermEvidence> = found.terms.iter().filter(is_own).collect();
            let sum: f32 = own_terms.iter().map(|term| term.contribution).sum();
            assert!(sum > 0.0, "{found}");
            for term in own_terms {
                // In a network one word's part may be played by a pair that it is in.
                assert!(
                    term.contribution > 0.0 || pipeline(&classifier) == "mlp",
                    "{term:?}"
                );
                let stands =
                    |at: &Range<usize>| content[at.clone()].to_lowercase().contains(term.term.trim());
                assert!(
                    term.occurrences.len() == 2 && term.occurrences.iter().all(stands),
                    "{term:?}"
                );
            }
        }
    }
}

#[test]
fn terms_of_another_sender_speak_against_it() {
    for classifier in both() {
        let found = classifier
            .explain_label(&content(1), Field::Correspondent, LabelId(1))
            .unwrap();
        assert!(!found.is_suggested && found.score < 0.0, "{found}");
        let word = found.terms.iter().find(|term| term.term == "shelf").unwrap();
        assert!(word.contribution < 0.0, "{found}");
    }
}

#[test]
fn strongest_terms_come_first_and_each_occurs() {
    for classifier in both() {
        for explanation in classifier.explain(&content(3)).unwrap() {
            let terms = &explanation.terms;
            assert!(!terms.is_empty());
            assert!(terms.is_sorted_by(|a, b| {
                let (strong, weak) = (a.contribution.abs(), b.contribution.abs());
                strong > weak || (strong.to_bits() == weak.to_bits() && a.term <= b.term)
            }));
            assert!(terms.iter().all(|term| !term.occurrences.is_empty()));
        }
    }
}

#[test]
fn pair_of_words_reaches_from_the_first_to_the_second() {
    let content = "Kilowatt of the METER tariff";
    let found = trained(networks())
        .explain_label(content, Field::Correspondent, LabelId(1))
        .unwrap();
    let pair = found
        .terms
        .iter()
        .find(|term| term.term == "kilowatt meter")
        .unwrap();
    assert_eq!(pair.kind, TermKind::WordPair);
    assert_eq!(&content[pair.occurrences[0].clone()], "Kilowatt of the METER");
}

#[test]
fn occurrences_in_a_very_long_content_are_those_of_the_whole() {
    let filler = "ä- ".repeat(500_000);
    let content = format!("kilowatt {filler} kilowatt {filler} kilowatt");
    for classifier in both() {
        let found = classifier
            .explain_label(&content, Field::Correspondent, LabelId(1))
            .unwrap();
        let kilowatt = found.terms.iter().find(|term| term.term == "kilowatt").unwrap();
        let expected: Vec<usize> = content.match_indices("kilowatt").map(|(at, _)| at).collect();
        let starts: Vec<usize> = kilowatt.occurrences.iter().map(|at| at.start).collect();
        // What stands in the middle isn't read.
        assert_eq!(starts, [expected[0], expected[2]], "{}", pipeline(&classifier));
        assert!(
            kilowatt
                .occurrences
                .iter()
                .all(|at| &content[at.clone()] == "kilowatt")
        );
    }
}

#[test]
fn linear_confidence_comes_with_what_it_is_made_of() {
    let classifier = trained(TrainingParams::default());
    let found = classifier.explain(&content(2)).unwrap();
    let of = |field| {
        found
            .iter()
            .find(|explanation| explanation.field == field)
            .unwrap()
    };
    let sender = of(Field::Correspondent);
    let fact = |name| {
        let fact = sender.evidence.iter().find(|fact| fact.0 == name);
        fact.unwrap_or_else(|| panic!("{name}: {:?}", sender.evidence)).1
    };
    assert!((fact("n_documents_with_label") - 15.0).abs() < f64::EPSILON);
    assert!(fact("margin") > 0.0 && fact("cosine_to_label") > fact("cosine_to_best_other"));
    assert!((fact("score_without_bias") - f64::from(sender.score - sender.bias)).abs() < 1e-6);
    assert!(
        sender
            .threshold
            .is_some_and(|threshold| sender.confidence >= threshold)
    );
    let tag = of(Field::Tags);
    assert_eq!(tag.evidence, [("n_documents_with_label", 30.0)]);
}

#[test]
fn label_on_every_document_is_certain_with_networks() {
    let mut store = MemoryStore::new();
    let label = store.add_label(Field::StoragePath, &NewLabel::auto("archive"));
    let documents: Vec<NewDocument<'_>> = ["the invoice is due", "the invoice is paid"]
        .iter()
        .map(|content| NewDocument {
            title: "",
            content,
            modified: noon(0),
            correspondent: None,
            document_type: None,
            storage_path: Some(label),
        })
        .collect();
    store.add_documents(&documents).unwrap();
    for params in [TrainingParams::default(), networks()] {
        let is_network = params == networks();
        let mut classifier = classifier(params);
        classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
        let found = classifier
            .explain_label("a letter", Field::StoragePath, label)
            .unwrap();
        assert_adds_up(&found);
        assert!(found.terms.is_empty(), "{found}");
        if is_network {
            let certain = [found.score, found.bias, found.confidence];
            assert_eq!(certain.map(f32::to_bits), [1.0_f32; 3].map(f32::to_bits));
            assert!(found.is_suggested);
        }
    }
}

#[test]
fn label_that_was_not_learned_is_an_error_that_says_what_to_do() {
    for classifier in both() {
        for field in [Field::Correspondent, Field::StoragePath] {
            let error = classifier
                .explain_label("a letter", field, LabelId(77))
                .unwrap_err();
            assert!(matches!(error, Error::LabelNotLearned { field: of, label: LabelId(77) } if of == field));
            let message = error.to_string();
            for part in ["77", field.name(), "train again"] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}

#[test]
fn without_a_model_there_is_nothing_to_explain() {
    let classifier = DocumentClassifier::default();
    assert!(matches!(classifier.explain("a letter"), Err(Error::NoModel)));
    let error = classifier.explain_label("a letter", Field::Tags, LabelId(1));
    assert!(matches!(error, Err(Error::NoModel)));
}

#[test]
fn explanation_serializes_for_programs() {
    let classifier = trained(TrainingParams::default());
    let found = classifier
        .explain_label(&content(0), Field::Correspondent, LabelId(1))
        .unwrap();
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["field"], "correspondent");
    assert_eq!(json["label"], 1);
    assert_eq!(json["name"], "Northwind Energy");
    assert!(json["evidence"]["margin"].is_number());
    let first = &json["terms"][0];
    assert!(first["contribution"].is_number() && first["kind"].is_string());
    assert_eq!(
        first["occurrences"][0]["start"],
        found.terms[0].occurrences[0].start
    );
}

#[test]
fn table_fits_a_terminal() {
    for classifier in both() {
        for explanation in classifier.explain(&content(3)).unwrap() {
            let table = explanation.to_string();
            assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        }
    }
}
