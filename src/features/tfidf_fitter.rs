//! Which words and character n-grams are in enough documents.

use rayon::prelude::*;
use tracing::Span;

use super::char_grams::for_each_gram;
use super::columns::NO_TERM;
use super::interner::Interner;
use super::tfidf_params::{TfidfParams, TfidfTerms};
use super::tfidf_parts::{FittedTerms, TfidfParts};
use super::token_bags::TokenBags;
use super::token_columns::TokenColumns;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};

/// The terms that `bags` leave, and their columns by token.
pub(super) fn fit(bags: &TokenBags, params: TfidfParams) -> Result<(TfidfParts, TokenColumns)> {
    params.check()?;
    let n_documents = bags.n_documents();
    let Ok(few_documents) = u32::try_from(n_documents) else {
        return Err(Error::InvalidTokenBags {
            problem: format!("{n_documents} documents, of 2³² at most"),
        });
    };
    let min_df = params.min_df_of(n_documents);
    let grams = Grams::new(bags, params);
    let frequencies = DocumentFrequencies::count(bags, &grams);
    let (words, column_of_word) = frequent(&frequencies.of_tokens, min_df, |number| {
        bags.tokens().term(number as usize)
    })?;
    let (char_grams, mut column_of_gram) = frequent(&frequencies.of_grams, min_df, |number| {
        grams.strings.string(number)
    })?;
    let n_words = words.vocabulary.len();
    if n_words + char_grams.vocabulary.len() == 0 {
        let n_tokens = bags.tokens().len();
        return Err(Error::NoSharedTerm {
            n_documents,
            n_tokens,
            min_df,
        });
    }
    for column in column_of_gram.iter_mut().filter(|column| **column != NO_TERM) {
        *column += n_words as u32;
    }
    let mut columns = grams.of_tokens;
    columns.replace(column_of_word, &column_of_gram);
    let parts = TfidfParts {
        params,
        language: bags.language(),
        n_documents: few_documents,
        words,
        char_grams,
    };
    Ok((parts, columns))
}

/// Those of the numbered terms that are in enough documents, in code-point order, and the position there of each
/// number, or [`NO_TERM`].
fn frequent<'a>(
    frequencies: &[u32],
    min_df: u32,
    spelled: impl Fn(u32) -> &'a str + Sync,
) -> Result<(FittedTerms, Vec<u32>)> {
    let frequency = |number: u32| frequencies[number as usize];
    let numbers = 0..frequencies.len() as u32;
    let mut kept: Vec<u32> = numbers.filter(|&number| frequency(number) >= min_df).collect();
    kept.par_sort_unstable_by_key(|&number| spelled(number));
    let mut positions = vec![NO_TERM; frequencies.len()];
    for (&number, position) in kept.iter().zip(0..) {
        positions[number as usize] = position;
    }
    let terms = FittedTerms {
        vocabulary: Vocabulary::new(kept.iter().map(|&number| spelled(number)))?,
        document_frequencies: kept.iter().map(|&number| frequency(number)).collect(),
    };
    Ok((terms, positions))
}

/// The different grams of all tokens, numbered as they came.
struct Grams {
    strings: Interner,
    /// The numbers of each token's grams.
    of_tokens: TokenColumns,
}

impl Grams {
    fn new(bags: &TokenBags, params: TfidfParams) -> Self {
        let length = usize::from(params.gram_length);
        let mut strings = Interner::default();
        let mut of_tokens = TokenColumns::default();
        let mut buffer = String::new();
        for token in bags.tokens().iter() {
            if params.terms == TfidfTerms::WordsAndCharGrams {
                for_each_gram(token, length, &mut buffer, |gram, _| {
                    of_tokens.grams.push(strings.intern(gram));
                });
            }
            of_tokens.end_token(None);
        }
        Self { strings, of_tokens }
    }
}

/// How many documents each token and each gram is in.
struct DocumentFrequencies {
    of_tokens: Vec<u32>,
    of_grams: Vec<u32>,
}

impl DocumentFrequencies {
    fn count(bags: &TokenBags, grams: &Grams) -> Self {
        let span = Span::current();
        let shares = bags.split(rayon::current_num_threads());
        let counted: Vec<Self> = shares
            .into_par_iter()
            .map(|documents| {
                let _entered = span.enter();
                Self::count_share(bags, documents, grams)
            })
            .collect();
        let sum = |mut all: Self, share: Self| {
            add(&mut all.of_tokens, &share.of_tokens);
            add(&mut all.of_grams, &share.of_grams);
            all
        };
        counted
            .into_iter()
            .reduce(sum)
            .expect("documents are split into one share at least")
    }

    fn count_share(bags: &TokenBags, documents: std::ops::Range<usize>, grams: &Grams) -> Self {
        let n_grams = grams.strings.len();
        let mut counted = Self {
            of_tokens: vec![0; bags.tokens().len()],
            of_grams: vec![0; n_grams],
        };
        // The last document that each gram was seen in, so that it counts once a document.
        let mut last_documents = vec![u32::MAX; n_grams];
        for document in documents {
            for (token, _) in bags.document(document) {
                counted.of_tokens[token as usize] += 1;
                for &gram in grams.of_tokens.grams_of(token) {
                    let last = &mut last_documents[gram as usize];
                    counted.of_grams[gram as usize] += u32::from(*last != document as u32);
                    *last = document as u32;
                }
            }
        }
        counted
    }
}

fn add(sums: &mut [u32], others: &[u32]) {
    sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
}
