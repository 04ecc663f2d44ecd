//! Archives and documents at the edge of what can be learned from: what the linear pipeline answers there is defined.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::Timestamp;
use postroom::Error;
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::model_file::SecretKey;
use postroom::pipelines::linear::{LabelThreshold, LinearField, LinearPipeline, Threshold};
use postroom::pipelines::{Pipeline, PipelineModel};
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use postroom::suggestions::Candidate;

const WORDS: [&str; 8] = [
    "kilowatt", "overdue", "molar", "harvest", "lantern", "quartz", "saddle", "turbine",
];

/// A document to learn from; labels are counted from 0.
#[derive(Debug, Clone, Default)]
struct Example {
    content: String,
    sender: Option<usize>,
    tags: Vec<usize>,
}

/// A sentence in which only one word says whose it is.
fn content(of: usize, number: usize) -> String {
    let (word, other) = (WORDS[of % WORDS.len()], number % 5);
    format!(
        "{word} statement page{other} {word} regarding account{} attached",
        number % 3
    )
}

fn sent_by(sender: Option<usize>, content: String) -> Example {
    Example {
        content,
        sender,
        ..Example::default()
    }
}

fn tagged(tags: &[usize], content: String) -> Example {
    Example {
        content,
        tags: tags.to_vec(),
        ..Example::default()
    }
}

/// Twenty documents each of `n` senders.
fn senders(n: usize) -> Vec<Example> {
    (0..20 * n)
        .map(|at| sent_by(Some(at % n), content(at % n, at / n)))
        .collect()
}

fn store(examples: &[Example]) -> MemoryStore {
    let mut store = MemoryStore::new();
    let most = |used: &mut dyn Iterator<Item = usize>| used.max().map_or(0, |last| last + 1);
    let n_senders = most(&mut examples.iter().filter_map(|example| example.sender));
    let n_tags = most(&mut examples.iter().flat_map(|example| example.tags.iter().copied()));
    let mut labels = |field, n: usize| -> Vec<LabelId> {
        (0..n)
            .map(|at| store.add_label(field, &NewLabel::auto(&format!("label {at}"))))
            .collect()
    };
    let (senders, tags) = (
        labels(Field::Correspondent, n_senders),
        labels(Field::Tags, n_tags),
    );
    let documents: Vec<NewDocument<'_>> = examples
        .iter()
        .map(|example| NewDocument {
            title: "",
            content: &example.content,
            modified: Timestamp::UNIX_EPOCH,
            correspondent: example.sender.map(|sender| senders[sender]),
            document_type: None,
            storage_path: None,
        })
        .collect();
    let documents = store.add_documents(&documents).unwrap();
    let assignments: Vec<_> = documents
        .into_iter()
        .zip(examples)
        .flat_map(|(document, example)| example.tags.iter().map(move |&tag| (document, tag)))
        .map(|(document, tag)| (document, tags[tag]))
        .collect();
    store.add_tags(&assignments).unwrap();
    store
}

fn trained_with(pipeline: LinearPipeline, examples: &[Example]) -> postroom::Result<DocumentClassifier> {
    let training = TrainingParams {
        pipeline: Pipeline::Linear(pipeline),
        ..TrainingParams::default()
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    classifier.train(&store(examples), &|_| ControlFlow::Continue(()))?;
    Ok(classifier)
}

fn trained(examples: &[Example]) -> DocumentClassifier {
    trained_with(LinearPipeline::default(), examples).unwrap()
}

fn sender(classifier: &DocumentClassifier, content: &str) -> Option<LabelId> {
    let alone = classifier.predict_correspondent(content).unwrap();
    let suggestions = classifier.predict(content).unwrap();
    assert_eq!(
        suggestions.of(Field::Correspondent).label(),
        alone,
        "two ways to ask"
    );
    for candidate in &suggestions.of(Field::Correspondent).labels {
        assert!((0.0..=1.0).contains(&candidate.confidence), "{candidate:?}");
    }
    alone
}

fn tags(classifier: &DocumentClassifier, content: &str) -> Vec<LabelId> {
    classifier.predict_tags(content).unwrap().to_vec()
}

/// What comes closest, assigned or not.
fn best(classifier: &DocumentClassifier, content: &str) -> Candidate {
    let suggestions = classifier.predict(content).unwrap();
    let field = suggestions.of(Field::Correspondent);
    *field.labels.first().or(field.runners_up.first()).unwrap()
}

fn assert_finite(classifier: &DocumentClassifier) {
    let PipelineModel::Linear(model) = &classifier.model().unwrap().learned else {
        panic!("another pipeline");
    };
    for field in model.fields.iter().flatten() {
        let (learner, calibration, thresholds) = match field {
            LinearField::OneLabel(field) => (&field.learner, &field.calibration, &field.thresholds),
            LinearField::Tags(tags) => (&tags.learner, &tags.calibration, &tags.thresholds),
        };
        let weights = learner.weights().rows().flat_map(|row| row.values);
        assert!(weights.chain(learner.bias()).all(|weight| weight.is_finite()));
        assert!(
            calibration
                .weights
                .iter()
                .chain([&calibration.intercept])
                .all(|weight| weight.is_finite())
        );
        assert!(thresholds.iter().all(|threshold| threshold.is_finite()));
    }
}

/// The model survives the model file, wherever it stems from.
fn assert_survives_the_file(classifier: &DocumentClassifier, content: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (path, key) = (
        directory.path().join("model"),
        SecretKey::new("the key of these tests"),
    );
    classifier.save(&path, &key).unwrap();
    let mut loaded = DocumentClassifier::new(ClassifierParams::default());
    let _ = loaded.load(&path, &key).unwrap();
    assert_eq!(
        loaded.predict(content).unwrap(),
        classifier.predict(content).unwrap()
    );
}

#[test]
fn one_label_on_every_document_is_the_answer_to_any() {
    let classifier = trained(&senders(1));
    assert_finite(&classifier);
    for content in [&content(0, 3), "", "entirely different"] {
        assert_eq!(sender(&classifier, content), Some(LabelId(1)), "{content:?}");
    }
    assert_survives_the_file(&classifier, &content(0, 3));
}

#[test]
fn one_label_and_none_are_told_apart() {
    let examples: Vec<Example> = (0..40)
        .map(|at| sent_by((at % 2 == 0).then_some(0), content(at % 2, at / 2)))
        .collect();
    let classifier = trained(&examples);
    assert_eq!(sender(&classifier, &content(0, 3)), Some(LabelId(1)));
    assert_eq!(sender(&classifier, &content(1, 3)), None);
    assert_eq!(sender(&classifier, ""), None);
    assert_survives_the_file(&classifier, &content(0, 3));
}

#[test]
fn copies_of_two_texts_are_told_apart() {
    let (bill, letter) = ("kilowatt meter tariff", "greetings from home");
    let both = [(Some(0), bill), (None, letter)].map(|(sender, text)| sent_by(sender, text.to_owned()));
    let classifier = trained(&vec![both; 20].concat());
    assert_eq!(sender(&classifier, bill), Some(LabelId(1)));
    assert_eq!(sender(&classifier, letter), None);
}

#[test]
fn one_document_a_label_proves_nothing_and_none_is_given() {
    let examples: Vec<Example> = (0..8).map(|at| sent_by(Some(at), content(at, at))).collect();
    let classifier = trained(&examples);
    assert_finite(&classifier);
    // Whoever's document is held out, nobody knows them: no answer was ever right.
    assert_eq!(sender(&classifier, &content(3, 3)), None);
    let best = best(&classifier, &content(3, 3));
    assert_eq!(best.label, LabelId(4), "what comes closest is named all the same");
    assert_survives_the_file(&classifier, &content(3, 3));
}

#[test]
fn tag_on_every_document_is_on_any() {
    let examples: Vec<Example> = (0..40)
        .map(|at| tagged(if at % 2 == 0 { &[0] } else { &[0, 1] }, content(at % 2, at / 2)))
        .collect();
    let classifier = trained(&examples);
    assert_finite(&classifier);
    assert_eq!(tags(&classifier, &content(0, 3)), [LabelId(1)]);
    assert_eq!(tags(&classifier, &content(1, 3)), [LabelId(1), LabelId(2)]);
    assert_eq!(tags(&classifier, "entirely different")[..1], [LabelId(1)]);
    assert_survives_the_file(&classifier, &content(1, 3));
}

#[test]
fn tag_on_no_document_is_not_learned() {
    let mut store = store(&[tagged(&[0], content(0, 0)), tagged(&[], content(1, 0))]);
    let unused = store.add_label(Field::Tags, &NewLabel::auto("unused"));
    let mut classifier = DocumentClassifier::new(ClassifierParams::default());
    classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
    let learned = classifier.model().unwrap().learned.labels(Field::Tags);
    assert_eq!(learned, [LabelId(1)]);
    assert!(!learned.contains(&unused));
}

#[test]
fn archive_without_a_tag_suggests_none() {
    let classifier = trained(&senders(2));
    assert_eq!(tags(&classifier, &content(0, 3)), []);
    assert!(classifier.model().unwrap().learned.labels(Field::Tags).is_empty());
}

#[test]
fn texts_without_a_term_teach_and_get_nothing() {
    let mut examples = senders(2);
    for (at, empty) in ["", "the and of to is", "\u{0}\u{0}", " \n\t"]
        .into_iter()
        .cycle()
        .take(12)
        .enumerate()
    {
        examples.push(sent_by((at % 3 == 0).then_some(0), empty.to_owned()));
    }
    let classifier = trained(&examples);
    assert_finite(&classifier);
    assert_eq!(sender(&classifier, &content(1, 3)), Some(LabelId(2)));
    for content in ["", "the and of to is", "\u{0}\u{0}\u{0}"] {
        assert_eq!(sender(&classifier, content), None, "{content:?}");
    }
}

/// Archives in which every document has a label, some of them by chance rather than by what they say.
#[test]
fn text_without_a_term_is_nobody_s_where_all_documents_are_somebody_s() {
    let mut examples = senders(2);
    examples.extend((0..20).map(|at| sent_by(Some(at % 2), format!("page{} attached", at % 5))));
    for examples in [senders(2), examples] {
        let classifier = trained(&examples);
        for content in ["", "the and of to is", "unheard"] {
            assert_eq!(sender(&classifier, content), None, "{content:?}");
        }
    }
}

#[test]
fn nothing_but_stop_words_is_an_error() {
    let examples: Vec<Example> = (0..20)
        .map(|at| sent_by(Some(at % 2), "the and of".to_owned()))
        .collect();
    let error = trained_with(LinearPipeline::default(), &examples).unwrap_err();
    assert!(matches!(error, Error::NoSharedTerm { .. }), "{error}");
}

#[test]
fn one_document_is_learned_without_being_held_out() {
    let classifier = trained(&[Example {
        tags: vec![0],
        ..sent_by(Some(0), content(0, 0))
    }]);
    assert_finite(&classifier);
    assert_eq!(
        sender(&classifier, &content(0, 1)),
        Some(LabelId(1)),
        "the only label there is"
    );
    assert_survives_the_file(&classifier, &content(0, 1));
}

#[test]
fn two_documents_of_two_labels_prove_nothing() {
    let classifier = trained(&[sent_by(Some(0), content(0, 0)), sent_by(Some(1), content(1, 0))]);
    assert_finite(&classifier);
    assert_eq!(sender(&classifier, &content(0, 0)), None);
    assert_survives_the_file(&classifier, &content(0, 0));
}

#[test]
fn equal_texts_of_different_labels_are_no_one_s() {
    let examples: Vec<Example> = (0..40)
        .map(|at| Example {
            tags: vec![at % 4],
            ..sent_by(Some(at % 4), content(0, 0))
        })
        .collect();
    let classifier = trained(&examples);
    assert_finite(&classifier);
    let best = best(&classifier, &content(0, 0));
    assert!(best.confidence <= 0.35, "one of four: {best:?}");
}

#[test]
fn override_decides_for_its_label_alone() {
    let never = LabelThreshold {
        field: Field::Correspondent,
        label: LabelId(1),
        confidence: 1.5,
    };
    let pipeline = LinearPipeline {
        label_thresholds: vec![never],
        ..LinearPipeline::default()
    };
    let classifier = trained_with(pipeline, &senders(2)).unwrap();
    assert_eq!(sender(&classifier, &content(0, 3)), None);
    assert_eq!(sender(&classifier, &content(1, 3)), Some(LabelId(2)));
}

#[test]
fn override_of_a_tag_decides_for_it_alone() {
    let examples: Vec<Example> = (0..60)
        .map(|at| tagged(&[at % 3], content(at % 3, at / 3)))
        .collect();
    let always = LabelThreshold {
        field: Field::Tags,
        label: LabelId(2),
        confidence: 0.0,
    };
    let pipeline = LinearPipeline {
        label_thresholds: vec![always],
        ..LinearPipeline::default()
    };
    let classifier = trained_with(pipeline, &examples).unwrap();
    assert_eq!(tags(&classifier, &content(0, 3)), [LabelId(1), LabelId(2)]);
    assert_eq!(tags(&trained(&examples), &content(0, 3)), [LabelId(1)]);
}

/// Half of a label's documents say nothing of it.
#[test]
fn precision_asked_for_leaves_the_doubtful_without_a_label() {
    let mut examples = senders(3);
    examples.extend((0..60).map(|at| sent_by(Some(at % 3), format!("page{} attached statement", at % 5))));
    let pipeline = LinearPipeline {
        threshold: Threshold::Precision(0.9),
        ..LinearPipeline::default()
    };
    let classifier = trained_with(pipeline, &examples).unwrap();
    assert_eq!(sender(&classifier, &content(2, 3)), Some(LabelId(3)));
    let doubtful = "page3 attached statement";
    assert_eq!(sender(&classifier, doubtful), None);
    let best = best(&classifier, doubtful);
    assert!(best.confidence < 0.6, "one of three: {best:?}");
}

#[test]
fn threshold_that_is_no_precision_is_refused() {
    for precision in [0.0, 1.0, f64::NAN] {
        let pipeline = LinearPipeline {
            threshold: Threshold::Precision(precision),
            ..LinearPipeline::default()
        };
        let error = trained_with(pipeline, &senders(2)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Parameter {
                    name: "threshold",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn text_of_ten_megabytes_is_answered() {
    let classifier = trained(&senders(2));
    let one = format!("{} ", content(1, 3));
    let long = one.repeat(10_000_000 / one.len() + 1);
    assert!(long.len() >= 10_000_000);
    // Repeated so often, the words that tell nothing weigh as much as the one that does.
    sender(&classifier, &long);
    assert_eq!(best(&classifier, &long).label, LabelId(2));
    // A single word of that size is a word that nobody knows; its parts may be known.
    sender(&classifier, &"x".repeat(10_000_000));
}

#[test]
fn nuls_part_words() {
    let classifier = trained(&senders(2));
    let written = content(1, 3).replace(' ', "\u{0}");
    assert_eq!(sender(&classifier, &written), Some(LabelId(2)));
}

/// As many tags as the reference's users report. Weights are kept only where a tag needs them.
#[test]
fn thousands_of_tags_stay_few_weights() {
    const N_TAGS: usize = 3_085;
    const N_DOCUMENTS: usize = 4_000;
    let name = |tag: usize| format!("tag{tag}word");
    let examples: Vec<Example> = (0..N_DOCUMENTS)
        .map(|at| {
            let own: BTreeSet<usize> = [at % N_TAGS, at * 7 % N_TAGS].into();
            let own: Vec<usize> = own.into_iter().collect();
            let words: Vec<String> = own.iter().map(|&tag| name(tag)).collect();
            tagged(&own, format!("{} {}", words.join(" "), content(at, at)))
        })
        .collect();
    let classifier = trained(&examples);
    assert_finite(&classifier);
    let PipelineModel::Linear(model) = &classifier.model().unwrap().learned else {
        panic!("another pipeline");
    };
    let Some(LinearField::Tags(tags)) = &model.fields[Field::Tags.index()] else {
        panic!("no tags");
    };
    assert_eq!(tags.labels.len(), N_TAGS);
    let (n_stored, n_all) = (tags.learner.weights().nnz(), model.features.n_terms() * N_TAGS);
    assert!(n_stored * 20 < n_all, "{n_stored} of {n_all} weights");
}
