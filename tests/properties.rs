//! Properties of words, vectorizers and classes on texts and labels that nobody would think of.
//!
//! The seed is fixed: each run tries the same inputs. `PROPTEST_CASES=100000` tries more of them.

use std::collections::{BTreeMap, BTreeSet};

use postroom::document::{Field, LabelId, LabelIds, Labels};
use postroom::features::{
    CountVectorizer, CountVectorizerParams, Ngrams, TfidfParams, TfidfTerms, TfidfVectorizer, TokenBags,
};
use postroom::learners::Targets;
use postroom::targets::{ClassEncoder, FieldTargets};
use postroom::text::{Language, Preprocessor, for_each_word_at, is_word_character};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(20_260_101),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Characters of every plane, and more than their share of those that have rules of their own.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        4 => prop::char::range('a', 'z'),
        2 => prop::sample::select(vec![' ', '_', '0', '\'', '\n', '\0', '-', 'A', 'Z', 'y']),
        1 => prop::sample::select(vec!['İ', 'ı', 'Σ', 'ς', 'ß', 'ẞ', 'é', '\u{301}', '\u{307}', '\u{200d}', 'ª', '²', '½', '١', 'Ⅷ', 'ʰ', 'ǅ', 'ﬁ']),
        1 => prop::char::range('\u{10000}', '\u{1ffff}'),
        1 => prop::char::range('\u{20000}', '\u{10ffff}'),
        1 => any::<char>(),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(character(), 0..60).prop_map(|characters| characters.into_iter().collect())
}

/// Documents of few different words, so that they have some in common.
fn documents() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(vec![
        "due",
        "date",
        "Dates",
        "the",
        "x",
        "wanna",
        "İstanbul",
        "straße",
        "٣٤",
        "naïve",
        "ΟΔΟΣ",
        "7",
        "a_b",
        "𝔘𝔫𝔦",
    ]);
    let document = prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "));
    prop::collection::vec(document, 1..14)
}

fn language() -> impl Strategy<Value = Option<Language>> {
    prop::option::of(prop::sample::select(Language::ALL.to_vec()))
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_word_at(text, &mut String::new(), |word, _| words.push(word.to_owned()));
    words
}

/// The tokens that a vectorizer counts, by the definition: of two characters or more, read once more as words.
fn counted(language: Option<Language>, text: &str) -> Vec<String> {
    let tokens = words(&Preprocessor::new(language).preprocess(text));
    tokens
        .into_iter()
        .filter(|token| token.chars().count() > 1)
        .collect()
}

/// Each term's count in each document, by the definition.
fn term_counts(
    language: Option<Language>,
    ngrams: Ngrams,
    documents: &[String],
) -> Vec<BTreeMap<String, f32>> {
    let count = |document: &String| {
        let tokens = counted(language, document);
        let mut counts = BTreeMap::new();
        let pairs = match ngrams {
            Ngrams::Unigrams => Vec::new(),
            Ngrams::UnigramsAndBigrams => tokens.windows(2).map(|pair| pair.join(" ")).collect(),
        };
        for term in tokens.iter().cloned().chain(pairs) {
            *counts.entry(term).or_insert(0.0) += 1.0;
        }
        counts
    };
    documents.iter().map(count).collect()
}

fn document_frequency(counts: &[BTreeMap<String, f32>], term: &str) -> usize {
    counts.iter().filter(|counts| counts.contains_key(term)).count()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn words_and_what_is_between_them_are_the_text(text in text()) {
        let mut end = 0;
        for_each_word_at(&text, &mut String::new(), |word, at| {
            assert!(!text[end..at.start].chars().any(is_word_character));
            assert!(text[at.clone()].chars().all(is_word_character));
            assert_eq!(word, text[at.clone()].to_lowercase());
            end = at.end;
        });
        prop_assert!(!text[end..].chars().any(is_word_character));
    }

    #[test]
    fn words_do_not_depend_on_what_stands_beyond_a_space(one in text(), other in text()) {
        prop_assert_eq!(words(&format!("{one} {other}")), [words(&one), words(&other)].concat());
    }

    #[test]
    fn tokens_are_never_empty_and_no_longer_than_their_words(language in language(), text in text()) {
        let tokens = Preprocessor::new(language).preprocess(&text);
        let n_tokens = if tokens.is_empty() { 0 } else { tokens.split(' ').count() };
        prop_assert!(tokens.is_empty() || tokens.split(' ').all(|token| !token.is_empty()));
        prop_assert!(n_tokens <= 2 * words(&text).len());
        // Some stemmers put an accent or a second letter where there was none.
        prop_assert!(tokens.len() <= 2 * words(&text).join(" ").len() + 1);
    }

    #[test]
    fn counts_are_those_of_the_definition(
        documents in documents(),
        language in language(),
        ngrams in prop::sample::select(vec![Ngrams::Unigrams, Ngrams::UnigramsAndBigrams]),
        min_df in prop::sample::select(vec![0.0, 0.1, 0.25, 0.5, 1.0]),
    ) {
        let params = CountVectorizerParams { min_df, ngrams };
        let counts = term_counts(language, ngrams, &documents);
        let keeps = |term: &&String| document_frequency(&counts, term) as f64 >= min_df * documents.len() as f64;
        let all: BTreeSet<&String> = counts.iter().flat_map(BTreeMap::keys).collect();
        let vocabulary: Vec<&String> = all.into_iter().filter(keeps).collect();
        let fitted = CountVectorizer::fit_transform(params, language, &documents);
        let has_unigram = vocabulary.iter().any(|term| !term.contains(' '));
        prop_assert_eq!(fitted.is_ok(), has_unigram);
        let Ok((vectorizer, matrix)) = fitted else { return Ok(()); };
        prop_assert!(vectorizer.vocabulary().iter().eq(vocabulary.iter().map(|term| term.as_str())));
        let again = CountVectorizer::from_vocabulary(params, language, vectorizer.vocabulary().clone()).unwrap();
        prop_assert_eq!(vectorizer.hash(), again.hash());
        for (at, document) in documents.iter().enumerate() {
            let expected: Vec<(u32, f32)> = (0..).zip(&vocabulary)
                .filter_map(|(column, term)| Some((column, *counts[at].get(*term)?)))
                .collect();
            let found = again.transform(document);
            let row = found.as_row();
            prop_assert_eq!(row.indices.iter().copied().zip(row.values.iter().copied()).collect::<Vec<_>>(), expected);
            prop_assert_eq!(row.indices, matrix.row(at).indices);
            prop_assert_eq!(row.values, matrix.row(at).values);
        }
    }

    #[test]
    fn weights_of_words_are_those_of_the_definition(documents in documents(), language in language(), min_df in 1_u32..4) {
        let params = TfidfParams { min_df, terms: TfidfTerms::Words, ..TfidfParams::default() };
        let counts = term_counts(language, Ngrams::Unigrams, &documents);
        let least = params.min_df_of(documents.len()) as usize;
        let all: BTreeSet<&String> = counts.iter().flat_map(BTreeMap::keys).collect();
        let kept: Vec<&String> = all.into_iter().filter(|term| document_frequency(&counts, term) >= least).collect();
        let bags = TokenBags::of(language, &documents).unwrap();
        let fitted = TfidfVectorizer::fit(&bags, params);
        prop_assert_eq!(fitted.is_ok(), !kept.is_empty());
        let Ok((vectorizer, matrix)) = fitted else { return Ok(()); };
        let n = documents.len() as f64;
        for (at, document) in documents.iter().enumerate() {
            let weights: Vec<f64> = kept.iter().map(|term| {
                let times = f64::from(counts[at].get(*term).copied().unwrap_or(0.0));
                let rarity = ((1.0 + n) / (1.0 + document_frequency(&counts, term) as f64)).ln() + 1.0;
                if times > 0.0 { (1.0 + times.ln()) * rarity } else { 0.0 }
            }).collect();
            let length = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            let row = vectorizer.transform(document);
            let row = row.as_row();
            let fitted = matrix.row(at);
            prop_assert_eq!(row.values, fitted.as_row().values);
            let columns: Vec<u32> = (0..).zip(&weights).filter(|(_, weight)| **weight > 0.0).map(|(column, _)| column).collect();
            prop_assert_eq!(row.indices, &columns[..]);
            for (&column, &value) in row.indices.iter().zip(row.values) {
                let expected = weights[column as usize] / length;
                prop_assert!((f64::from(value) - expected).abs() < 1e-6, "{} for {}", value, expected);
            }
        }
    }

    #[test]
    fn any_text_is_weighed_as_its_bag_is(texts in prop::collection::vec(text(), 1..6), language in language()) {
        let bags = TokenBags::of(language, &texts).unwrap();
        let Ok((vectorizer, matrix)) = TfidfVectorizer::fit(&bags, TfidfParams::default()) else { return Ok(()); };
        let again = TfidfVectorizer::from_parts(vectorizer.parts().clone()).unwrap();
        for (at, text) in texts.iter().enumerate() {
            let row = again.transform(text);
            prop_assert_eq!(&row, &matrix.row(at));
            let mut n_occurrences = 0;
            again.for_each_occurrence(text, |column, at| {
                assert!((column as usize) < again.n_terms() && text.get(at).is_some());
                n_occurrences += 1;
            });
            prop_assert_eq!(n_occurrences > 0, row.nnz() > 0);
        }
    }

    #[test]
    fn labels_that_were_encoded_are_decoded(labels in prop::collection::vec((0_i32..5, prop::collection::btree_set(1_i32..7, 0..4)), 1..20)) {
        let documents: Vec<Labels> = labels.iter().map(|(one, tags)| Labels {
            document_type: (*one > 0).then_some(LabelId(*one)),
            tags: tags.iter().copied().map(LabelId).collect(),
            ..Labels::default()
        }).collect();
        for field in [Field::DocumentType, Field::Tags] {
            let has_label = documents.iter().any(|labels| !labels.of(field).is_empty());
            let Some((encoder, targets)) = ClassEncoder::fit(field, &documents) else {
                prop_assert!(!has_label);
                continue;
            };
            let in_use: BTreeSet<LabelId> = documents.iter().flat_map(|labels| labels.of(field)).copied().collect();
            prop_assert!(encoder.labels().eq(in_use.iter().copied()));
            prop_assert_eq!(encoder.n_labels(), in_use.len());
            for (at, document) in documents.iter().enumerate() {
                let answer = certain(&targets, at);
                prop_assert_eq!(answer.len(), encoder.n_outputs());
                prop_assert_eq!(&encoder.decode(&answer)[..], document.of(field));
                let suggested: LabelIds = encoder.suggest(&answer).label_ids().collect();
                prop_assert_eq!(&suggested[..], document.of(field));
            }
        }
    }
}

/// What a learner answers that has learned the document's target by heart.
fn certain(targets: &FieldTargets, document: usize) -> Vec<f32> {
    match targets {
        FieldTargets::Constant => Vec::new(),
        FieldTargets::Learnable(Targets::Binary(is_second)) => vec![f32::from(u8::from(is_second[document]))],
        FieldTargets::Learnable(Targets::Classes { class, n_classes }) => (0..*n_classes as u32)
            .map(|at| f32::from(u8::from(at == class[document])))
            .collect(),
        FieldTargets::Learnable(Targets::MultiLabel { labels, n_labels }) => (0..*n_labels as u32)
            .map(|at| f32::from(u8::from(labels[document].contains(&at))))
            .collect(),
    }
}
