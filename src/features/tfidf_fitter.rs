//! Which words and character n-grams are in enough documents.

use rayon::prelude::*;
use tracing::Span;

use super::char_grams::for_each_gram;
use super::interner::Interner;
use super::tfidf_params::{TfidfParams, TfidfTerms};
use super::tfidf_parts::{FittedTerms, TfidfParts};
use super::tfidf_vectorizer::TokenColumns;
use super::token_bags::TokenBags;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};

/// The terms that `bags` leave.
pub(super) fn fit(bags: &TokenBags, params: TfidfParams) -> Result<TfidfParts> {
    params.check()?;
    let n_documents = bags.n_documents();
    let Ok(few_documents) = u32::try_from(n_documents) else {
        return Err(Error::InvalidTokenBags {
            problem: format!("{n_documents} documents, of 2³² at most"),
        });
    };
    let min_df = params.min_df_of(n_documents);
    let grams = match params.terms {
        TfidfTerms::Words => None,
        TfidfTerms::WordsAndCharGrams => Some(Grams::new(bags, usize::from(params.gram_length))),
    };
    let frequencies = DocumentFrequencies::count(bags, grams.as_ref());
    let words = frequent_words(bags, frequencies.of_tokens, min_df)?;
    let char_grams = match grams {
        None => FittedTerms::default(),
        Some(grams) => grams.into_frequent(&frequencies.of_grams, min_df)?,
    };
    if words.vocabulary.is_empty() && char_grams.vocabulary.is_empty() {
        let n_tokens = bags.tokens().len();
        return Err(Error::NoSharedTerm {
            n_documents,
            n_tokens,
            min_df,
        });
    }
    Ok(TfidfParts {
        params,
        language: bags.language(),
        n_documents: few_documents,
        words,
        char_grams,
    })
}

fn frequent_words(bags: &TokenBags, mut frequencies: Vec<u32>, min_df: u32) -> Result<FittedTerms> {
    let tokens = bags.tokens().iter().zip(&frequencies);
    let kept = tokens.filter(|&(_, &frequency)| frequency >= min_df);
    let vocabulary = Vocabulary::new(kept.map(|(token, _)| token))?;
    frequencies.retain(|&frequency| frequency >= min_df);
    frequencies.shrink_to_fit();
    Ok(FittedTerms {
        vocabulary,
        document_frequencies: frequencies,
    })
}

/// The different grams of all tokens, numbered as they came.
struct Grams {
    strings: Interner,
    /// The numbers of each token's grams.
    of_tokens: TokenColumns,
}

impl Grams {
    fn new(bags: &TokenBags, length: usize) -> Self {
        let mut grams = Self {
            strings: Interner::default(),
            of_tokens: TokenColumns::default(),
        };
        let mut buffer = String::new();
        let of_tokens = &mut grams.of_tokens;
        for token in bags.tokens().iter() {
            for_each_gram(token, length, &mut buffer, |gram, _| {
                of_tokens.columns.push(grams.strings.intern(gram));
            });
            of_tokens.ends.push(of_tokens.columns.len());
        }
        grams
    }

    fn into_frequent(self, frequencies: &[u32], min_df: u32) -> Result<FittedTerms> {
        let spelled = |number| self.strings.string(number);
        let frequency = |number: u32| frequencies[number as usize];
        let numbers = 0..self.strings.len() as u32;
        let mut kept: Vec<u32> = numbers.filter(|&number| frequency(number) >= min_df).collect();
        kept.par_sort_unstable_by_key(|&number| spelled(number));
        Ok(FittedTerms {
            vocabulary: Vocabulary::new(kept.iter().map(|&number| spelled(number)))?,
            document_frequencies: kept.iter().map(|&number| frequency(number)).collect(),
        })
    }
}

/// How many documents each token and each gram is in.
struct DocumentFrequencies {
    of_tokens: Vec<u32>,
    of_grams: Vec<u32>,
}

impl DocumentFrequencies {
    fn count(bags: &TokenBags, grams: Option<&Grams>) -> Self {
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

    fn count_share(bags: &TokenBags, documents: std::ops::Range<usize>, grams: Option<&Grams>) -> Self {
        let n_grams = grams.map_or(0, |grams| grams.strings.len());
        let mut counted = Self {
            of_tokens: vec![0; bags.tokens().len()],
            of_grams: vec![0; n_grams],
        };
        // The last document that each gram was seen in, so that it counts once a document.
        let mut last_documents = vec![u32::MAX; n_grams];
        for document in documents {
            for (token, _) in bags.document(document) {
                counted.of_tokens[token as usize] += 1;
                for &gram in grams.map_or(&[][..], |grams| grams.of_tokens.of(token)) {
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
