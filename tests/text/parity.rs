//! Text processing and term counts equal those of the reference on genuine archives, and on every character
//! there is, where its data is present.
#![expect(clippy::unwrap_used, reason = "what the tests share panics as the tests do")]

use crate::shared::{Genuine, hex, unzip};
use postroom::document::Document;
use postroom::features::{CountVectorizer, CountVectorizerParams};
use postroom::sparse::CsrMatrix;
use postroom::store::DocumentStore;
use postroom::text::{Preprocessor, is_word_character};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// An archive, and what the reference made of it.
struct Archive {
    contents: Vec<String>,
    expected: Value,
}

impl Archive {
    fn load(name: &str) -> Option<Self> {
        let genuine = Genuine::unpack(name)?;
        let mut contents = Vec::new();
        let mut snapshot = genuine.store.snapshot().unwrap();
        let mut collect = |document: Document| {
            contents.push(document.content);
            Ok(())
        };
        snapshot.for_each_document(&mut collect).unwrap();
        drop(snapshot);
        let expected = genuine.expected;
        Some(Self { contents, expected })
    }

    fn fit(&self) -> (CountVectorizer, CsrMatrix) {
        CountVectorizer::fit_transform(CountVectorizerParams::default(), None, &self.contents).unwrap()
    }

    fn assert_counts_are_the_reference_s(&self) {
        let (vectorizer, counts) = self.fit();
        let vocabulary: Vec<&str> = vectorizer.vocabulary().iter().collect();
        assert_eq!(vocabulary, strings(&self.expected["vocabulary"]));
        let matrix = &self.expected["matrix"];
        assert_eq!(
            Value::from(vec![counts.n_rows(), counts.n_cols()]),
            matrix["shape"]
        );
        assert_eq!(Value::from(counts.nnz()), matrix["nnz"]);
        assert_eq!(Value::from(digest(&counts)), matrix["sha256"]);
    }

    fn assert_transform_gives_the_fitted_rows(&self) {
        let (vectorizer, counts) = self.fit();
        for (content, row) in self.contents.iter().zip(counts.rows()) {
            assert_eq!(vectorizer.transform(content).as_row(), row, "{content:.80}");
        }
    }
}

#[test]
fn preprocessed_texts_are_the_reference_s() {
    let Some(archive) = Archive::load("paperless_small") else {
        return;
    };
    let preprocessor = Preprocessor::new(None);
    let documents = archive.expected["docs"].as_array().unwrap();
    assert_eq!(archive.contents.len(), documents.len());
    for (content, document) in archive.contents.iter().zip(documents) {
        let preprocessed = preprocessor.preprocess(content);
        // The digest alone is given for a text of 200,000 characters.
        let is_equal = match document["preprocessed"].as_str() {
            Some(expected) => preprocessed == expected,
            None => hex(&Sha256::digest(&preprocessed)) == document["preprocessed_sha256"],
        };
        assert!(is_equal, "document {}: {preprocessed:.200}", document["pk"]);
    }
}

#[test]
fn counts_of_the_small_archive_are_the_reference_s() {
    if let Some(archive) = Archive::load("paperless_small") {
        archive.assert_counts_are_the_reference_s();
    }
}

#[test]
fn counts_of_the_large_archive_are_the_reference_s() {
    if let Some(archive) = Archive::load("paperless_seed_5000") {
        archive.assert_counts_are_the_reference_s();
    }
}

#[test]
fn transform_gives_the_rows_of_the_fit() {
    for name in ["paperless_small", "paperless_seed_5000"] {
        if let Some(archive) = Archive::load(name) {
            archive.assert_transform_gives_the_fitted_rows();
        }
    }
}

#[test]
fn word_characters_are_python_s_up_to_those_assigned_later() {
    let Some(python) = python_unicode() else { return };
    let ranges: Vec<(u32, u32)> = serde_json::from_value(python["word_ranges_inclusive"].clone()).unwrap();
    let is_python_s = |c: char| {
        ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(&(c as u32)))
    };
    let differing: Vec<char> = all_characters()
        .filter(|&c| is_word_character(c) != is_python_s(c))
        .collect();
    let missing: Vec<&char> = differing.iter().filter(|&&c| is_python_s(c)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Letters and numbers of Unicode 16, unassigned in Python 3.13's Unicode 15.1.
    assert_eq!(differing.len(), 4_382, "{differing:?}");
}

#[test]
fn lower_case_is_python_s_up_to_characters_assigned_later() {
    let Some(python) = python_unicode() else { return };
    let python_s = |c: char| match python["lower"].get(format!("{:04X}", c as u32)) {
        Some(mapped) => strings(mapped)
            .iter()
            .map(|hex| char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap())
            .collect(),
        None => c.to_string(),
    };
    let preprocessor = Preprocessor::new(None);
    let differing: Vec<char> = all_characters()
        .filter(|&c| is_word_character(c))
        .filter(|&c| preprocessor.preprocess(&c.to_string()) != python_s(c))
        .collect();
    let is_later = |&c: &char| matches!(c, '\u{1c89}' | '\u{a7cb}'..='\u{a7dc}' | '\u{10d50}'..='\u{10d65}');
    assert!(differing.iter().all(is_later), "{differing:?}");
}

fn all_characters() -> impl Iterator<Item = char> {
    (0..=u32::from(char::MAX)).filter_map(char::from_u32)
}

fn python_unicode() -> Option<Value> {
    Some(serde_json::from_reader(unzip("python_unicode_3.13.json.gz")?).unwrap())
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|string| string.as_str().unwrap())
        .collect()
}

/// SHA-256 over a line `row:column:count` for each entry.
fn digest(counts: &CsrMatrix) -> String {
    let mut hasher = Sha256::new();
    for (row_idx, row) in counts.rows().enumerate() {
        for (column, count) in row.indices.iter().zip(row.values) {
            hasher.update(format!("{row_idx}:{column}:{count}\n"));
        }
    }
    hex(&hasher.finalize())
}
