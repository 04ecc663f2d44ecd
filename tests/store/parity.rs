//! What is read from genuine paperless-ngx databases equals what paperless-ngx 3.0.5's own classifier gathered.
//!
//! The databases and expectations stand beside the project, not in it; without them these tests say so and pass.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use crate::shared::{Genuine, hex};
use postroom::document::{Field, Filing, LabelId};
use postroom::fingerprint::{Fingerprint, FingerprintBuilder};
use postroom::store::DocumentStore;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Documents of every kind: edge texts, inbox, trash, versions, nested tags, every matching algorithm.
const SMALL: &str = "paperless_small";
/// The 5,000 documents that everything is compared on; its expectations leave out single documents.
const SEED_CORPUS: &str = "paperless_seed_5000";

fn filings(genuine: &Genuine) -> Vec<Filing> {
    crate::filings(&mut *genuine.store.snapshot().unwrap()).unwrap()
}

fn fingerprint(genuine: &Genuine) -> Fingerprint {
    let mut builder = FingerprintBuilder::new();
    for filing in filings(genuine) {
        builder.add(&filing);
    }
    builder.finish()
}

/// The keys in which the expectations of single documents are written down.
fn expected_filings(genuine: &Genuine) -> Vec<Value> {
    let keys = [
        "pk",
        "document_type",
        "correspondent",
        "storage_path",
        "auto_tags",
    ];
    let docs = genuine.expected["docs"].as_array().unwrap();
    docs.iter()
        .map(|doc| keys.iter().map(|&key| doc[key].clone()).collect())
        .collect()
}

fn key(label: Option<LabelId>) -> i32 {
    label.map_or(-1, |label| label.0)
}

fn as_expected(filing: &Filing) -> Value {
    let labels = &filing.labels;
    let tags: Vec<i32> = labels.tags.iter().map(|tag| tag.0).collect();
    json!([
        filing.id.0,
        key(labels.document_type),
        key(labels.correspondent),
        key(labels.storage_path),
        tags
    ])
}

fn assert_same_number_of_documents(name: &str) {
    let Some(genuine) = Genuine::unpack(name) else {
        return;
    };
    assert_eq!(filings(&genuine).len(), genuine.expected["training_docs"]);
}

fn assert_same_label_hash(name: &str) {
    let Some(genuine) = Genuine::unpack(name) else {
        return;
    };
    assert_eq!(
        hex(&fingerprint(&genuine).label_hash),
        genuine.expected["auto_type_hash"]
    );
}

fn assert_same_last_change(name: &str) {
    let Some(genuine) = Genuine::unpack(name) else {
        return;
    };
    let expected = genuine.expected["last_doc_change_time"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(fingerprint(&genuine).last_change, Some(expected));
}

/// Every label in use that the reference learned is in the catalog.
fn assert_catalog_has_the_classes(name: &str) {
    let Some(genuine) = Genuine::unpack(name) else {
        return;
    };
    let catalog = genuine.store.snapshot().unwrap().label_catalog().unwrap();
    for field in Field::ALL {
        let classes = genuine.expected["classes"][field.name()].as_array().unwrap();
        let learned = classes
            .iter()
            .map(|class| class.as_i64().unwrap())
            .filter(|&class| class != -1);
        let missing: Vec<i64> = learned
            .filter(|&id| catalog.name(field, LabelId(id as i32)).is_none())
            .collect();
        assert_eq!(missing, [0; 0], "{field}");
    }
}

#[test]
fn documents_and_their_labels_are_equal() {
    let Some(genuine) = Genuine::unpack(SMALL) else {
        return;
    };
    let expected = expected_filings(&genuine);
    let filings: Vec<Value> = filings(&genuine).iter().map(as_expected).collect();
    assert_eq!(filings, expected);
}

#[test]
fn contents_are_equal() {
    let Some(genuine) = Genuine::unpack(SMALL) else {
        return;
    };
    let docs = genuine.expected["docs"].as_array().unwrap();
    let mut digests = Vec::new();
    genuine
        .store
        .snapshot()
        .unwrap()
        .for_each_document(&mut |document| {
            digests.push(json!([document.id.0, hex(&Sha256::digest(&document.content))]));
            Ok(())
        })
        .unwrap();
    let expected: Vec<Value> = docs
        .iter()
        .map(|doc| json!([doc["pk"], doc["content_sha256"]]))
        .collect();
    assert_eq!(digests, expected);
}

#[test]
fn as_many_documents_train() {
    assert_same_number_of_documents(SMALL);
}

#[test]
fn as_many_documents_train_in_the_seed_corpus() {
    assert_same_number_of_documents(SEED_CORPUS);
}

#[test]
fn label_hash_is_equal() {
    assert_same_label_hash(SMALL);
}

#[test]
fn label_hash_is_equal_in_the_seed_corpus() {
    assert_same_label_hash(SEED_CORPUS);
}

#[test]
fn last_change_is_equal() {
    assert_same_last_change(SMALL);
}

#[test]
fn last_change_is_equal_in_the_seed_corpus() {
    assert_same_last_change(SEED_CORPUS);
}

#[test]
fn catalog_has_every_learned_class() {
    assert_catalog_has_the_classes(SMALL);
}

#[test]
fn catalog_has_every_learned_class_in_the_seed_corpus() {
    assert_catalog_has_the_classes(SEED_CORPUS);
}
