//! A fit depends on the documents alone: not on threads, chunks, or where the vectorizer was before.
#![expect(clippy::unwrap_used, reason = "what the tests share panics as the tests do")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use postroom::Error;
use postroom::features::{CountVectorizer, CountVectorizerParams, Ngrams, Vocabulary};
use postroom::sparse::CsrMatrix;
use postroom::text::Language;

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
            let most = [4, 30, 200][next(3) as usize];
            let word = next(most);
            let ending = ["", "s", "ing", "İ", " the", "ß"][next(6) as usize];
            write!(text, "word{word}X{ending} ").unwrap();
        }
        text.replace('X', "ly")
    };
    (0..n).map(|_| document()).collect()
}

fn fit(documents: &[String], chunk: usize, language: Option<Language>) -> (CountVectorizer, CsrMatrix) {
    let mut fitter = CountVectorizer::fitter(CountVectorizerParams::default(), language).unwrap();
    documents.chunks(chunk).for_each(|chunk| fitter.push_chunk(chunk));
    fitter.finish().unwrap()
}

fn refusal(terms: &[&str], ngrams: Ngrams) -> Error {
    let params = CountVectorizerParams {
        ngrams,
        ..CountVectorizerParams::default()
    };
    CountVectorizer::from_vocabulary(params, None, Vocabulary::new(terms.iter().copied()).unwrap())
        .unwrap_err()
}

#[test]
fn result_is_the_same_for_any_number_of_threads() {
    let documents = documents(700);
    for language in [None, Some(Language::English)] {
        let (vectorizer, counts) = fit(&documents, 700, language);
        assert!(vectorizer.vocabulary().iter().any(|term| term.contains(' ')));
        for n_threads in [1, 2, 4, 8] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .unwrap();
            let (again, counts_again) = pool.install(|| fit(&documents, 100, language));
            assert_eq!(
                (again.hash(), counts_again),
                (vectorizer.hash(), counts.clone()),
                "{n_threads} threads"
            );
        }
    }
}

#[test]
fn result_is_the_same_for_any_chunks() {
    let documents = documents(200);
    let (vectorizer, counts) = fit(&documents, 200, None);
    for chunk in [1, 7, 64] {
        let (again, counts_again) = fit(&documents, chunk, None);
        assert_eq!(
            (again.vocabulary(), &counts_again),
            (vectorizer.vocabulary(), &counts),
            "chunks of {chunk}"
        );
    }
}

#[test]
fn transform_gives_the_rows_of_the_fit() {
    let documents = documents(300);
    for language in [None, Some(Language::German)] {
        let (vectorizer, counts) = fit(&documents, 300, language);
        for _ in ["words unknown yet", "words remembered"] {
            for (document, row) in documents.iter().zip(counts.rows()) {
                assert_eq!(vectorizer.transform(document).as_row(), row, "{document}");
            }
        }
    }
}

#[test]
fn occurrences_are_as_many_as_transform_counts() {
    let documents = documents(100);
    for language in [None, Some(Language::English)] {
        let (vectorizer, counts) = fit(&documents, 100, language);
        for (document, row) in documents.iter().zip(counts.rows()) {
            let mut found = BTreeMap::new();
            vectorizer.for_each_occurrence(document, |column, at| {
                assert!(!document[at].is_empty());
                *found.entry(column).or_insert(0.0) += 1.0;
            });
            assert!(found.keys().eq(row.indices) && found.values().eq(row.values));
        }
    }
}

#[test]
fn occurrences_stand_where_the_text_has_them() {
    let vocabulary = Vocabulary::new(["date", "due", "due date", "payment"]).unwrap();
    let params = CountVectorizerParams::default();
    let vectorizer = CountVectorizer::from_vocabulary(params, Some(Language::English), vocabulary).unwrap();
    let text = "Payments: DUE on the date. Due, unknown date";
    let mut found = Vec::new();
    vectorizer.for_each_occurrence(text, |column, at| {
        found.push((vectorizer.vocabulary().term(column as usize), &text[at]));
    });
    let expected = [
        ("payment", "Payments"),
        ("due", "DUE"),
        ("date", "date"),
        ("due date", "DUE on the date"),
        ("due", "Due"),
        ("date", "date"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn vectorizer_follows_from_its_vocabulary() {
    let documents = documents(300);
    let (fitted, counts) = fit(&documents, 300, Some(Language::English));
    let vocabulary = Vocabulary::new(fitted.vocabulary().iter()).unwrap();
    let rebuilt = CountVectorizer::from_vocabulary(*fitted.params(), fitted.language(), vocabulary).unwrap();
    assert_eq!(rebuilt.hash(), fitted.hash());
    assert_eq!(rebuilt.transform(&documents[9]).as_row(), counts.row(9));
}

#[test]
fn hash_tells_parameters_languages_and_terms_apart() {
    let hash = |min_df, language, terms: &[&str]| {
        let params = CountVectorizerParams {
            min_df,
            ..CountVectorizerParams::default()
        };
        let vocabulary = Vocabulary::new(terms.iter().copied()).unwrap();
        CountVectorizer::from_vocabulary(params, language, vocabulary)
            .unwrap()
            .hash()
    };
    let base = hash(0.01, None, &["ab", "cd"]);
    assert_eq!(base, hash(0.01, None, &["ab", "cd"]));
    assert_ne!(base, hash(0.02, None, &["ab", "cd"]));
    assert_ne!(base, hash(0.01, Some(Language::English), &["ab", "cd"]));
    assert_ne!(base, hash(0.01, None, &["abcd"]));
}

#[test]
fn vectorizer_says_what_it_was_made_of() {
    let made = |ngrams, language| {
        let params = CountVectorizerParams { min_df: 0.5, ngrams };
        let vocabulary = Vocabulary::new(["ab", "cd"]).unwrap();
        let vectorizer = CountVectorizer::from_vocabulary(params, language, vocabulary.clone()).unwrap();
        assert_eq!((*vectorizer.params(), vectorizer.language()), (params, language));
        let hash = vectorizer.hash();
        assert_eq!(vectorizer.into_vocabulary(), vocabulary);
        hash
    };
    let [single, pairs] = [Ngrams::Unigrams, Ngrams::UnigramsAndBigrams].map(|ngrams| made(ngrams, None));
    assert_ne!(single, pairs);
    assert_ne!(single, made(Ngrams::Unigrams, Some(Language::German)));
}

#[test]
fn documents_without_a_frequent_term_are_an_error_that_says_so() {
    let texts = ["", "a b c", "ab", "cd", "ef"];
    let params = CountVectorizerParams {
        min_df: 0.5,
        ..CountVectorizerParams::default()
    };
    let error = CountVectorizer::fit_transform(params, None, &texts).unwrap_err();
    assert!(matches!(
        error,
        Error::NoTermLeft {
            n_documents: 5,
            n_tokens: 3,
            ..
        }
    ));
    let message = error.to_string();
    assert!(
        message.contains("no term left") && message.contains("lower min_df"),
        "{message}"
    );
}

#[test]
fn pair_of_an_unknown_token_is_refused() {
    for terms in [["ab", "ab cd"], ["ab", "cd ab"]] {
        let error = refusal(&terms, Ngrams::UnigramsAndBigrams);
        assert!(
            matches!(error, Error::InvalidVocabulary { position: 1, .. }),
            "{error}"
        );
    }
}

#[test]
fn three_tokens_are_refused() {
    assert!(matches!(
        refusal(&["ab", "ab ab ab"], Ngrams::UnigramsAndBigrams),
        Error::InvalidVocabulary { position: 1, .. }
    ));
}

#[test]
fn pair_is_refused_where_single_tokens_count() {
    assert!(matches!(
        refusal(&["ab", "ab ab"], Ngrams::Unigrams),
        Error::InvalidVocabulary { position: 1, .. }
    ));
}

#[test]
fn empty_term_is_refused() {
    assert!(matches!(
        refusal(&["", "ab"], Ngrams::Unigrams),
        Error::InvalidVocabulary { position: 0, .. }
    ));
}

#[test]
fn term_with_a_character_below_the_space_is_refused() {
    // Between a token and its pairs it would shift their columns.
    let error = refusal(&["ab", "ab\t", "ab\t ab", "ab ab"], Ngrams::UnigramsAndBigrams);
    assert!(
        matches!(error, Error::InvalidVocabulary { position: 1, .. }),
        "{error}"
    );
}
