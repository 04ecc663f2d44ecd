//! Sets of real text, each document with one label or none, and how often a classifier is right on them.
//!
//! C95 is the share of the labelled documents that the confidences allow to assign when 95 % of what is assigned has to be
//! right.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;

use flate2::read::GzDecoder;
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use postroom::text::Language;
use serde_json::Value;

/// One document of a set; no label is "none of them".
pub(crate) struct Text {
    pub(crate) is_test: bool,
    pub(crate) label: Option<String>,
    pub(crate) content: String,
}

impl From<Value> for Text {
    /// `split` ("train" or "test"), `label` (null for none), `text`.
    fn from(row: Value) -> Self {
        Self {
            is_test: row["split"] == "test",
            label: row["label"].as_str().map(str::to_owned),
            content: row["text"].as_str().unwrap().to_owned(),
        }
    }
}

/// A set that stands beside the project.
pub(crate) fn texts(name: &str) -> Option<Vec<Text>> {
    let rows = super::json_lines(&format!("text/{name}.jsonl.gz"))?;
    Some(rows.into_iter().map(Text::from).collect())
}

/// A set anywhere: JSON lines, gzipped if the name ends in `.gz`.
pub(crate) fn read(path: &Path) -> Vec<Text> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Box<dyn Read> = match path.extension() {
        Some(ending) if ending == "gz" => Box::new(GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let rows = BufReader::new(lines).lines();
    rows.map(|row| Text::from(serde_json::from_str::<Value>(&row.unwrap()).unwrap()))
        .collect()
}

/// What a classifier did with the test documents.
#[derive(Debug, Default)]
pub(crate) struct Scores {
    /// Share of the documents with the right label, or rightly without one.
    pub(crate) accuracy: f64,
    /// Share of the labelled documents whose best candidate is right, assigned or not.
    pub(crate) top: f64,
    pub(crate) macro_f1: f64,
    pub(crate) c95: f64,
    pub(crate) precision: f64,
    pub(crate) coverage: f64,
    pub(crate) calibration_error: f64,
}

fn trained(pipeline: Pipeline, training: &[&Text]) -> (DocumentClassifier, BTreeMap<String, LabelId>) {
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
    let training = TrainingParams {
        language: Some(Language::English),
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

/// Learns from some documents and files others.
pub(crate) fn measure(pipeline: Pipeline, training: &[&Text], tests: &[&Text]) -> Scores {
    let (classifier, labels) = trained(pipeline, training);
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
        top: share(
            answers.iter().filter(|(_, is_right)| *is_right).count(),
            n_labelled,
        ),
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
pub(crate) fn parts(texts: &[Text]) -> (Vec<&Text>, Vec<&Text>) {
    let (tests, training) = texts.iter().partition(|text| text.is_test);
    (training, tests)
}

/// What is left to learn from and the test documents of each of `n_folds` folds; the documents of each label are dealt
/// out in the order in which they come.
pub(crate) fn folds(texts: &[Text], n_folds: usize) -> Vec<(Vec<&Text>, Vec<&Text>)> {
    let mut n_of_label: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let mut parts = vec![(Vec::new(), Vec::new()); n_folds];
    for text in texts {
        let n = n_of_label.entry(text.label.as_deref()).or_default();
        *n += 1;
        for (fold, (training, tests)) in parts.iter_mut().enumerate() {
            if *n % n_folds == fold { tests } else { training }.push(text);
        }
    }
    parts
}
