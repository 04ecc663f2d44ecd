//! Words, tokens, stems and counts equal those of Python, NLTK and scikit-learn on invented texts.
//!
//! The fixtures, with the versions of the tools, come from `tests/fixtures/make_fixtures.py`.
#![expect(clippy::unwrap_used, reason = "what the tests share panics as the tests do")]

use std::path::Path;

use postroom::features::{CountVectorizer, CountVectorizerParams, Ngrams};
use postroom::text::{Language, Preprocessor};
use serde_json::Value;

#[test]
fn words_are_python_s() {
    let preprocessor = Preprocessor::new(None);
    for case in fixture("text.json")["words"].as_array().unwrap() {
        let expected: Vec<&str> = case["words"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        assert_eq!(
            preprocessor.preprocess(text(case)),
            expected.join(" "),
            "{}",
            case["text"]
        );
    }
}

#[test]
fn preprocessed_texts_are_nltk_s() {
    for case in fixture("text.json")["preprocessed"].as_array().unwrap() {
        let preprocessor = Preprocessor::new(language(case));
        assert_eq!(
            preprocessor.preprocess(text(case)),
            case["preprocessed"],
            "{} {}",
            case["language"],
            case["text"]
        );
    }
}

#[test]
fn stems_are_nltk_s() {
    let fixture = fixture("text.json");
    let by_language = fixture["stems"].as_object().unwrap();
    assert_eq!(by_language.len(), Language::ALL.len());
    for (language, pairs) in by_language {
        let preprocessor = Preprocessor::new(Some(language.parse().unwrap()));
        for pair in pairs.as_array().unwrap() {
            let word = pair[0].as_str().unwrap();
            assert_eq!(preprocessor.preprocess(word), pair[1], "{language} {word}");
        }
    }
}

#[test]
fn vocabularies_and_counts_are_scikit_learn_s() {
    for case in fixture("counts.json")["cases"].as_array().unwrap() {
        let texts: Vec<&str> = case["texts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        let ngrams = if case["ngrams"] == 1 {
            Ngrams::Unigrams
        } else {
            Ngrams::UnigramsAndBigrams
        };
        let params = CountVectorizerParams {
            min_df: case["min_df"].as_f64().unwrap(),
            ngrams,
        };
        let (vectorizer, counts) = CountVectorizer::fit_transform(params, language(case), &texts).unwrap();
        let vocabulary: Vec<&str> = vectorizer.vocabulary().iter().collect();
        assert_eq!(Value::from(vocabulary), case["vocabulary"], "{}", case["name"]);
        let rows = counts.rows().map(|row| {
            let entries = row.indices.iter().zip(row.values);
            entries
                .map(|(&column, &count)| Value::from(vec![column, count as u32]))
                .collect::<Value>()
        });
        assert_eq!(rows.collect::<Value>(), case["rows"], "{}", case["name"]);
        for (text, row) in texts.iter().zip(counts.rows()) {
            assert_eq!(
                vectorizer.transform(text).as_row(),
                row,
                "{}: {text}",
                case["name"]
            );
        }
    }
}

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn language(case: &Value) -> Option<Language> {
    case["language"].as_str().map(|name| name.parse().unwrap())
}

fn text(case: &Value) -> &str {
    case["text"].as_str().unwrap()
}
