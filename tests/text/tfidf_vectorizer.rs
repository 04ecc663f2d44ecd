//! Tf-idf rows are scikit-learn's, and depend on the documents alone: not on threads, chunks, or how the bags of tokens
//! came to be. What no fit can have led to is refused.
//!
//! The fixture, with the versions of the tools, comes from `tests/fixtures/make_tfidf_fixture.py`.
#![expect(clippy::unwrap_used, reason = "what the tests share panics as the tests do")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use postroom::Error;
use postroom::features::{BagSource, FittedTerms, Term, TfidfParams, TfidfTerms, TfidfVectorizer, TokenBags};
use postroom::sparse::FactoredMatrix;
use postroom::text::Language;
use serde_json::Value;

const WORDS_ONLY: TfidfParams = TfidfParams {
    min_df: 2,
    terms: TfidfTerms::Words,
    gram_length: 4,
    gram_weight: 0.7,
};

/// Documents of 0 to 60 words, frequent and rare ones, of a fixed generator.
fn documents(n: usize) -> Vec<String> {
    let mut state = 42_u64;
    let mut next = |bound: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut document = || {
        let mut text = String::new();
        for _ in 0..next(61) {
            let most = [4, 30, 200, 5_000][next(4) as usize];
            let word = next(most);
            let ending = ["", "s", "ing", "İ", " the", "ß", "Σ", "請求"][next(8) as usize];
            write!(text, "Word{word}ly{ending} ").unwrap();
        }
        text
    };
    (0..n).map(|_| document()).collect()
}

fn fit(language: Option<Language>, texts: &[String]) -> (TokenBags, TfidfVectorizer, FactoredMatrix) {
    let bags = TokenBags::of(language, texts).unwrap();
    let (vectorizer, matrix) = TfidfVectorizer::fit(&bags, TfidfParams::default()).unwrap();
    (bags, vectorizer, matrix)
}

fn fit_words(texts: &[&str], params: TfidfParams) -> Result<(TfidfVectorizer, FactoredMatrix), Error> {
    TfidfVectorizer::fit(&TokenBags::of(Some(Language::English), texts).unwrap(), params)
}

fn strings(value: &Value) -> Vec<&str> {
    let listed = value.as_array().map_or(&[][..], Vec::as_slice);
    listed.iter().map(|string| string.as_str().unwrap()).collect()
}

#[test]
fn terms_and_values_are_scikit_learn_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tfidf.json");
    let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in fixture["cases"].as_array().unwrap() {
        let params = TfidfParams {
            min_df: case["min_df"].as_u64().unwrap() as u32,
            terms: if case["grams"].is_null() {
                TfidfTerms::Words
            } else {
                TfidfTerms::WordsAndCharGrams
            },
            gram_length: case["gram_length"].as_u64().unwrap() as u8,
            gram_weight: case["gram_weight"].as_f64().unwrap(),
        };
        let (name, language) = (&case["name"], case["language"].as_str());
        let bags = TokenBags::of(
            language.map(|name| name.parse().unwrap()),
            &strings(&case["texts"]),
        )
        .unwrap();
        let (vectorizer, matrix) = TfidfVectorizer::fit(&bags, params).unwrap();
        let parts = vectorizer.parts();
        let spelled = |terms: &FittedTerms| terms.vocabulary.iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(spelled(&parts.words), strings(&case["words"]), "{name}");
        assert_eq!(spelled(&parts.char_grams), strings(&case["grams"]), "{name}");
        let rows = case["rows"].as_array().unwrap();
        assert_eq!(matrix.n_rows(), rows.len());
        for (row, expected) in matrix.rows().zip(rows) {
            let expected = expected.as_array().unwrap();
            let row = row.as_row();
            assert_eq!(row.indices.len(), expected.len(), "{name}");
            for ((&column, &value), entry) in row.indices.iter().zip(row.values).zip(expected) {
                assert_eq!(u64::from(column), entry[0], "{name}");
                let difference = f64::from(value) - entry[1].as_f64().unwrap();
                assert!(
                    difference.abs() < 1e-6,
                    "{name}: column {column}: {value}, {entry}"
                );
            }
        }
    }
}

#[test]
fn transform_gives_the_rows_of_the_fit_bit_for_bit() {
    let texts = documents(300);
    for language in [None, Some(Language::English)] {
        let (bags, vectorizer, matrix) = fit(language, &texts);
        for _ in ["words unknown yet", "words remembered"] {
            for (text, row) in texts.iter().zip(matrix.rows()) {
                assert_eq!(vectorizer.transform(text), row, "{text}");
            }
        }
        assert_eq!(vectorizer.transform_bags(&bags).unwrap(), matrix);
    }
}

#[test]
fn rows_of_further_bags_are_those_of_their_texts() {
    let texts = documents(400);
    let (_, vectorizer, _) = fit(None, &texts[..200]);
    let further = TokenBags::of(None, &texts[200..]).unwrap();
    let matrix = vectorizer.transform_bags(&further).unwrap();
    for (text, row) in texts[200..].iter().zip(matrix.rows()) {
        assert_eq!(vectorizer.transform(text), row);
    }
    let german = TokenBags::of(Some(Language::German), &texts).unwrap();
    let message = vectorizer.transform_bags(&german).unwrap_err().to_string();
    assert!(message.contains("german"), "{message}");
}

#[test]
fn result_is_the_same_for_any_number_of_threads_and_any_chunks() {
    let texts = documents(700);
    let (bags, vectorizer, matrix) = fit(Some(Language::English), &texts);
    for (n_threads, chunk) in [(1, 700), (2, 1), (4, 100), (8, 64)] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut collector = TokenBags::collector(Some(Language::English));
            texts.chunks(chunk).for_each(|chunk| collector.push_chunk(chunk));
            assert_eq!(collector.n_documents(), 700);
            let again = collector.finish().unwrap();
            assert_eq!(again.to_bytes(), bags.to_bytes(), "{n_threads} threads");
            let (fitted, rows) = TfidfVectorizer::fit(&again, TfidfParams::default()).unwrap();
            assert!(
                fitted.hash() == vectorizer.hash() && rows == matrix,
                "{n_threads} threads"
            );
        });
    }
}

#[test]
fn updated_bags_are_byte_for_byte_those_made_anew() {
    let texts = documents(900);
    let previous = TokenBags::of(None, &texts[..600]).unwrap();
    // Every third document stays, some go, some are replaced, some are added at either end; their order changes.
    let sources: Vec<(BagSource, &String)> = (0..600)
        .rev()
        .filter_map(|i| match i % 5 {
            0 => None,
            1 => Some((BagSource::Fresh, &texts[600 + i / 2])),
            _ => Some((BagSource::Previous(i), &texts[i])),
        })
        .collect();
    let current: Vec<&String> = sources.iter().map(|&(_, text)| text).collect();
    let is_fresh = |&&(source, _): &&(BagSource, _)| source == BagSource::Fresh;
    let changed: Vec<&String> = sources.iter().filter(is_fresh).map(|&(_, text)| text).collect();
    let sources: Vec<BagSource> = sources.iter().map(|&(source, _)| source).collect();
    let stored = TokenBags::from_bytes(&previous.to_bytes()).unwrap();
    let updated = stored
        .updated(&sources, &TokenBags::of(None, &changed).unwrap())
        .unwrap();
    let anew = TokenBags::of(None, &current).unwrap();
    assert!(anew.tokens().len() < previous.tokens().len() && anew.tokens() != previous.tokens());
    assert_eq!(updated.to_bytes(), anew.to_bytes());
}

#[test]
fn vectorizer_follows_from_its_parts() {
    let texts = documents(300);
    let (_, fitted, matrix) = fit(Some(Language::English), &texts);
    let rebuilt = TfidfVectorizer::from_parts(fitted.parts().clone()).unwrap();
    assert_eq!(rebuilt.hash(), fitted.hash());
    assert_eq!(rebuilt.transform(&texts[9]), matrix.row(9));
}

#[test]
fn vectorizer_says_what_it_was_made_of() {
    let hashes = [None, Some(Language::German)].map(|language| {
        let bags = TokenBags::of(language, &["rechnung"; 3]).unwrap();
        let (vectorizer, _) = TfidfVectorizer::fit(&bags, WORDS_ONLY).unwrap();
        assert_eq!(
            (*vectorizer.params(), vectorizer.language()),
            (WORDS_ONLY, language)
        );
        assert_eq!(vectorizer.hash(), vectorizer.parts().hash());
        vectorizer.hash()
    });
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn rows_have_unit_length_or_none() {
    let texts = documents(300);
    let (_, _, matrix) = fit(None, &texts);
    for row in matrix.rows() {
        let row = row.as_row();
        let square: f64 = row.values.iter().map(|&value| f64::from(value).powi(2)).sum();
        assert!(row.values.is_empty() || (square - 1.0).abs() < 1e-6, "{square}");
    }
}

#[test]
fn text_of_unknown_words_is_carried_by_their_parts() {
    let texts = ["insurance policy", "insurance premium", "rent"].repeat(5);
    let (vectorizer, _) = fit_words(&texts, TfidfParams::default()).unwrap();
    let row = vectorizer.transform("1nsurances");
    let terms: Vec<Term<'_>> = row
        .as_row()
        .indices
        .iter()
        .map(|&column| vectorizer.term(column))
        .collect();
    assert_eq!(terms[0], Term::CharGram("nsur"));
    assert!(vectorizer.transform("xyzzy").as_row().indices.is_empty());
}

#[test]
fn occurrences_are_as_many_as_transform_counts() {
    let texts = documents(100);
    for language in [None, Some(Language::English)] {
        let (bags, vectorizer, _) = fit(language, &texts);
        for (i, text) in texts.iter().enumerate() {
            let mut words = BTreeMap::new();
            let mut columns = Vec::new();
            vectorizer.for_each_occurrence(text, |column, at| {
                assert!(!text[at].is_empty());
                columns.push(column);
                if let Term::Word(word) = vectorizer.term(column) {
                    *words.entry(word).or_insert(0) += 1;
                }
            });
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns, vectorizer.transform(text).as_row().indices);
            let counted = bags
                .document(i)
                .map(|(token, count)| (bags.tokens().term(token as usize), count));
            let kept = counted.filter(|(token, _)| words.contains_key(token));
            assert!(kept.eq(words.iter().map(|(&word, &count)| (word, count))));
        }
    }
}

#[test]
fn occurrences_stand_where_the_text_has_them() {
    let (vectorizer, _) = fit_words(&["payment ärzte", "payments ärzte"], TfidfParams::default()).unwrap();
    let text = "Late PAYMENTS, Ärzte";
    let mut found = Vec::new();
    vectorizer.for_each_occurrence(text, |column, at| {
        let term = match vectorizer.term(column) {
            Term::Word(term) | Term::CharGram(term) => term,
        };
        found.push((term.to_owned(), &text[at]));
    });
    let expected = [
        ("payment", "PAYMENTS"),
        (" pay", "PAY"),
        ("paym", "PAYM"),
        ("ayme", "AYME"),
        ("ymen", "YMEN"),
        ("ment", "MENT"),
        ("ent ", "ENT"),
        // The parts of a stem that isn't in the text as it is have no place of their own.
        ("ärzte", "Ärzte"),
    ];
    let found: Vec<_> = found.iter().map(|(term, at)| (term.as_str(), *at)).collect();
    assert_eq!(found[..8], expected);
    assert!(found[8..].iter().all(|&(_, at)| at == "Ärzte") && found.len() > 8);
}

#[test]
fn every_character_of_unicode_passes() {
    let all: Vec<char> = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
    let texts: Vec<String> = all
        .chunks(3)
        .collect::<Vec<_>>()
        .chunks(4_096)
        .flat_map(|words| {
            let words: Vec<String> = words.iter().map(|word| word.iter().collect()).collect();
            [words.join(" "), words.join("")]
        })
        .collect();
    let (_, vectorizer, matrix) = fit(Some(Language::German), &texts);
    for (text, row) in texts.iter().zip(matrix.rows()) {
        assert_eq!(vectorizer.transform(text), row);
        vectorizer.for_each_occurrence(text, |_, at| {
            assert!(text.get(at).is_some());
        });
    }
}

#[test]
fn word_of_ten_megabytes_and_nuls_pass() {
    let mut texts = vec![
        "due\0date\0\0".to_owned(),
        "ab".repeat(5_000_000),
        "due date ababab".to_owned(),
    ];
    texts.resize(12, "paid".to_owned());
    let (bags, vectorizer, matrix) = fit(None, &texts);
    assert_eq!(TokenBags::from_bytes(&bags.to_bytes()).unwrap(), bags);
    assert!(bags.document(0).eq(bags.document(0)) && bags.document(0).count() == 2);
    assert_eq!(vectorizer.transform(&texts[1]), matrix.row(1));
    let row = matrix.row(1);
    let terms = row.as_row().indices.iter().map(|&column| vectorizer.term(column));
    assert!(terms.eq([" aba", "abab", "bab ", "baba"].map(Term::CharGram)));
}

#[test]
fn one_document_is_enough() {
    let (vectorizer, matrix) = fit_words(&["Invoice of May"], TfidfParams::default()).unwrap();
    assert_eq!(vectorizer.term(0), Term::Word("invoic"));
    assert_eq!((vectorizer.parts().n_documents, matrix.n_rows()), (1, 1));
}

#[test]
fn terms_of_one_document_go_from_ten_documents_on() {
    let names = [
        "anna", "bert", "carl", "dora", "emil", "fritz", "gerd", "hans", "ida", "jan",
    ];
    let n_words = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|name| format!("{name} letter")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        fit_words(&texts, WORDS_ONLY).unwrap().0.n_terms()
    };
    assert_eq!((n_words(&names[..9]), n_words(&names)), (10, 1));
}

#[test]
fn as_many_parts_of_words_as_words_are_learned_from() {
    // A word of two letters has one part: itself, between what is around it.
    let (vectorizer, _) = fit_words(&["ab cd"; 3], TfidfParams::default()).unwrap();
    assert_eq!(vectorizer.n_terms(), 4);
}

#[test]
fn nothing_in_common_is_an_error_that_says_so() {
    let alone = [
        "abc", "def", "ghi", "jkl", "mno", "pqr", "stu", "vwx", "yza", "bcd",
    ];
    for (texts, n_tokens) in [(&[][..], 0), (&["", "the of a", "é"], 0), (&alone, 10)] {
        let error = fit_words(texts, TfidfParams::default()).unwrap_err();
        let message = error.to_string();
        assert!(
            matches!(error, Error::NoSharedTerm { n_documents, n_tokens: n, .. } if n_documents == texts.len() && n == n_tokens)
        );
        assert!(
            message.contains("nothing to learn from") && message.contains("lower min_df"),
            "{message}"
        );
    }
}

#[test]
fn parameters_out_of_range_are_refused() {
    let params = TfidfParams {
        gram_length: 0,
        ..TfidfParams::default()
    };
    let error = fit_words(&["due"], params).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Parameter {
                name: "gram_length",
                ..
            }
        ),
        "{error}"
    );
}
