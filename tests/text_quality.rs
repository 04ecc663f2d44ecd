//! How often the linear pipeline is right on real text, where it stands beside the project: news, e-mail, receipts.
//!
//! C95 is the share of the labelled documents that the confidences allow to assign when 95 % of what is assigned has to be
//! right.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod shared;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{LinearPipeline, Threshold};
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use serde_json::Value;

/// One document of a set; no label is "none of them".
struct Text {
    is_test: bool,
    label: Option<String>,
    content: String,
}

fn texts(name: &str) -> Option<Vec<Text>> {
    let parse = |row: Value| Text {
        is_test: row["split"] == "test",
        label: row["label"].as_str().map(str::to_owned),
        content: row["text"].as_str().unwrap().to_owned(),
    };
    Some(
        shared::json_lines(&format!("text/{name}.jsonl.gz"))?
            .into_iter()
            .map(parse)
            .collect(),
    )
}

/// What a classifier did with the test documents.
#[derive(Debug, Default)]
struct Scores {
    accuracy: f64,
    macro_f1: f64,
    c95: f64,
    precision: f64,
    coverage: f64,
    calibration_error: f64,
}

fn trained(threshold: Threshold, training: &[&Text]) -> (DocumentClassifier, BTreeMap<String, LabelId>) {
    let mut store = MemoryStore::new();
    let mut labels = BTreeMap::new();
    for label in training.iter().filter_map(|text| text.label.as_ref()) {
        if !labels.contains_key(label) {
            labels.insert(
                label.clone(),
                store.add_label(Field::Correspondent, &NewLabel::auto(label)),
            );
        }
    }
    let documents: Vec<NewDocument<'_>> = training
        .iter()
        .map(|text| NewDocument {
            title: "",
            content: &text.content,
            modified: jiff::Timestamp::UNIX_EPOCH,
            correspondent: text.label.as_ref().map(|label| labels[label]),
            document_type: None,
            storage_path: None,
        })
        .collect();
    store.add_documents(&documents).unwrap();
    let pipeline = Pipeline::Linear(LinearPipeline {
        threshold,
        ..LinearPipeline::default()
    });
    let training = TrainingParams {
        pipeline,
        ..TrainingParams::default()
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
    (classifier, labels)
}

fn measure(threshold: Threshold, training: &[&Text], tests: &[&Text]) -> Scores {
    let (classifier, labels) = trained(threshold, training);
    let mut n_right = 0;
    let (mut n_assigned, mut n_assigned_right, mut n_labelled, mut n_labelled_assigned) = (0, 0, 0, 0);
    let mut of_label: BTreeMap<LabelId, [usize; 3]> = BTreeMap::new();
    let mut answers = Vec::new();
    for test in tests {
        // A label that no training document has can't be found.
        let actual = test
            .label
            .as_ref()
            .map(|label| labels.get(label).copied().unwrap_or(LabelId(-1)));
        let suggestions = classifier.predict(&test.content).unwrap();
        let answer = suggestions.of(Field::Correspondent);
        n_right += usize::from(answer.label() == actual);
        n_labelled += usize::from(actual.is_some());
        if let Some(actual) = actual {
            of_label.entry(actual).or_default()[0] += 1;
        }
        if let Some(assigned) = answer.label() {
            n_assigned += 1;
            n_labelled_assigned += usize::from(actual.is_some());
            n_assigned_right += usize::from(actual == Some(assigned));
            let counts = of_label.entry(assigned).or_default();
            counts[1] += 1;
            counts[2] += usize::from(actual == Some(assigned));
        }
        let best = answer.labels.first().or(answer.runners_up.first()).unwrap();
        answers.push((best.confidence, actual == Some(best.label)));
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let f1 = of_label
        .values()
        .map(|[support, assigned, right]| share(2 * right, support + assigned));
    Scores {
        accuracy: share(n_right, tests.len()),
        macro_f1: f1.sum::<f64>() / of_label.len() as f64,
        c95: coverage_at(0.95, &mut answers, n_labelled),
        precision: share(n_assigned_right, n_assigned),
        coverage: share(n_labelled_assigned, n_labelled),
        calibration_error: calibration_error(&answers),
    }
}

/// The largest share of the labelled documents that can be assigned, most confident first, at this precision.
fn coverage_at(precision: f64, answers: &mut [(f32, bool)], n_labelled: usize) -> f64 {
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut n_right = 0_u32;
    let mut best = 0;
    for (n, (_, is_right)) in (1_u32..).zip(answers.iter()) {
        n_right += u32::from(*is_right);
        if f64::from(n_right) >= precision * f64::from(n) {
            best = n_right;
        }
    }
    f64::from(best) / n_labelled as f64
}

fn calibration_error(answers: &[(f32, bool)]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for &(confidence, is_right) in answers {
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin.0 += f64::from(confidence);
        bin.1 += f64::from(u8::from(is_right));
    }
    bins.iter()
        .map(|(confidence, right): &(f64, f64)| (confidence - right).abs())
        .sum::<f64>()
        / answers.len() as f64
}

/// A set with a training and a test part.
fn parts(texts: &[Text]) -> (Vec<&Text>, Vec<&Text>) {
    let (tests, training) = texts.iter().partition(|text| text.is_test);
    (training, tests)
}

/// Accuracy, macro-F1 and C95 are at least these.
fn reaches(name: &str, least: [f64; 3]) -> Option<Scores> {
    let texts = texts(name)?;
    let (training, tests) = parts(&texts);
    let scores = measure(Threshold::BestAccuracy, &training, &tests);
    for (found, least) in [scores.accuracy, scores.macro_f1, scores.c95]
        .into_iter()
        .zip(least)
    {
        assert!(found >= least, "{name}: {scores:?}, expected {least:?}");
    }
    assert!(scores.calibration_error <= 0.05, "{name}: {scores:?}");
    Some(scores)
}

#[test]
fn small_archive_with_few_documents_a_label() {
    reaches("archive_300", [0.770, 0.70, 0.56]);
}

#[test]
fn archive_with_many_labels_and_its_misread_twin() {
    let clean = reaches("archive_1000", [0.725, 0.68, 0.48]);
    let misread = reaches("archive_1000_ocr_noise", [0.695, 0.65, 0.45]);
    if let (Some(clean), Some(misread)) = (clean, misread) {
        assert!(
            misread.accuracy >= clean.accuracy - 0.03,
            "{misread:?}, clean {clean:?}"
        );
    }
}

/// Five folds, as the documents of each label come.
#[test]
fn news_in_five_folds() {
    let Some(texts) = texts("bbc_news") else { return };
    let mut n_of_label: BTreeMap<&Option<String>, usize> = BTreeMap::new();
    let fold_of_text: Vec<usize> = texts
        .iter()
        .map(|text| {
            let n = n_of_label.entry(&text.label).or_default();
            *n += 1;
            *n % 5
        })
        .collect();
    let of_fold = |fold: usize| {
        let folds = texts.iter().zip(&fold_of_text);
        let training: Vec<&Text> = folds
            .clone()
            .filter(|&(_, &own)| own != fold)
            .map(|(text, _)| text)
            .collect();
        let tests: Vec<&Text> = folds
            .filter(|&(_, &own)| own == fold)
            .map(|(text, _)| text)
            .collect();
        measure(Threshold::BestAccuracy, &training, &tests).accuracy
    };
    let accuracy = (0..5).map(of_fold).sum::<f64>() / 5.0;
    assert!(accuracy >= 0.98, "{accuracy}");
}

#[test]
fn precision_asked_for_is_kept_where_there_is_enough_to_learn_from() {
    for name in ["archive_1000", "archive_1000_ocr_noise", "bbc_news"] {
        let Some(texts) = texts(name) else { return };
        let (training, tests) = parts(&texts);
        let scores = measure(Threshold::Precision(0.9), &training, &tests);
        assert!(scores.precision >= 0.88, "{name}: {scores:?}");
        assert!(scores.coverage >= 0.5, "{name}: {scores:?}");
    }
}
