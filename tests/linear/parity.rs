//! On the archives that paperless-ngx itself was trained on, the linear pipeline files at least as well as its networks;
//! and tags are found on real text.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what tests share panics and prints as tests do"
)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::shared;
use crate::shared::holdout;
use crate::shared::text_sets::{Text, parts, texts};
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::store::{DocumentStore, MemoryStore, NewDocument, NewLabel};
use postroom::text::Language;

fn train(store: &dyn DocumentStore, language: Option<Language>) -> DocumentClassifier {
    let training = TrainingParams {
        language,
        ..TrainingParams::default()
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    classifier.train(store, &|_| ControlFlow::Continue(())).unwrap();
    classifier
}

#[test]
fn held_out_documents_are_filed_no_worse_than_by_the_networks() {
    let (Some(archive), Some(documents)) = (
        shared::Genuine::unpack("paperless_seed_5000"),
        shared::json_lines("holdout_1000.jsonl.gz"),
    ) else {
        return;
    };
    for language in [None, Some(Language::English)] {
        let scores = holdout::scores(&train(&archive.store, language), &documents);
        eprintln!(
            "{language:?}: tags micro-F1, correspondent, document type, storage path accuracy: {scores:.4?}"
        );
        let least = [0.997, 0.998, 0.998, 0.998];
        assert!(
            scores.iter().zip(least).all(|(score, least)| *score >= least),
            "{language:?}: {scores:?}, at least {least:?}"
        );
    }
}

/// Every document with a label has two tags: the label, and what stands in it before the first mark, which many labels
/// share.
fn pseudo_tags(label: Option<&str>) -> Vec<String> {
    let Some(label) = label else { return Vec::new() };
    let kind = label.split(|mark: char| !mark.is_alphanumeric()).next().unwrap();
    vec![format!("kind {kind}"), format!("label {label}")]
}

/// Micro-F1 and macro-F1 over the tags.
fn tagging(training: &[&Text], tests: &[&Text]) -> [f64; 2] {
    let mut store = MemoryStore::new();
    let mut keys: BTreeMap<String, LabelId> = BTreeMap::new();
    for text in training {
        let document = NewDocument {
            title: "",
            content: &text.content,
            modified: jiff::Timestamp::UNIX_EPOCH,
            correspondent: None,
            document_type: None,
            storage_path: None,
        };
        let document = store.add_documents(&[document]).unwrap()[0];
        for name in pseudo_tags(text.label.as_deref()) {
            let key = *keys
                .entry(name)
                .or_insert_with_key(|name| store.add_label(Field::Tags, &NewLabel::auto(name)));
            store.add_tags(&[(document, key)]).unwrap();
        }
    }
    let classifier = train(&store, Some(Language::English));
    // Of each tag: documents that have it, that got it, and both.
    let mut counts: BTreeMap<LabelId, [usize; 3]> = BTreeMap::new();
    for text in tests {
        let answer = classifier.predict_tags(&text.content).unwrap();
        let actual: Vec<LabelId> = pseudo_tags(text.label.as_deref())
            .iter()
            .map(|name| keys.get(name).copied().unwrap_or(LabelId(-1)))
            .collect();
        for tag in &actual {
            counts.entry(*tag).or_default()[0] += 1;
        }
        for tag in answer {
            let counts = counts.entry(tag).or_default();
            counts[1] += 1;
            counts[2] += usize::from(actual.contains(&tag));
        }
    }
    let f1 = |[has, got, both]: [usize; 3]| 2.0 * both as f64 / (has + got) as f64;
    let sum = |at: usize| counts.values().map(|counts| counts[at]).sum::<usize>();
    let macro_f1 = counts.values().copied().map(f1).sum::<f64>() / counts.len() as f64;
    [f1([sum(0), sum(1), sum(2)]), macro_f1]
}

fn tags_reach(name: &str, least: [f64; 2]) {
    let Some(texts) = texts(name) else { return };
    let (training, tests) = parts(&texts);
    let found = tagging(&training, &tests);
    eprintln!("{name}: tags micro-F1, macro-F1 {found:.3?}");
    assert!(
        found.iter().zip(least).all(|(found, least)| *found >= least),
        "{name}: {found:?}, at least {least:?}"
    );
}

#[test]
fn tags_of_a_small_archive() {
    tags_reach("archive_300", [0.86, 0.74]);
}

#[test]
fn tags_of_an_archive_with_many() {
    tags_reach("archive_1000", [0.82, 0.69]);
}

#[test]
fn tags_of_misread_texts() {
    tags_reach("archive_1000_ocr_noise", [0.80, 0.64]);
}
