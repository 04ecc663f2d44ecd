//! Counts of terms: single tokens and pairs of neighbours.
//!
//! In comes one text, out goes how often each term of the vocabulary occurs in it. Everything here follows
//! from parameters, language and [`Vocabulary`] alone, which is all that a model file stores.

use std::ops::Range;

use hashbrown::HashMap;
use sha2::{Digest, Sha256};

use super::columns::{Columns, NO_TERM, TermCounter};
use super::count_fitter::CountFitter;
use super::meaning::{Meaning, for_each_counted_token, is_counted, is_own_token};
use super::params::{CountVectorizerParams, Ngrams};
use super::term_table::TermTable;
use super::vocabulary::Vocabulary;
use super::word_cache::{WordCache, WordReader};
use crate::error::{Error, Result};
use crate::sparse::{CsrMatrix, SparseVector};
use crate::text::{Language, Preprocessor, for_each_word, for_each_word_at, is_word_character};

/// Turns texts into counts of the terms of a vocabulary; shared freely between threads.
///
/// The words that a text consists of become tokens ([`Preprocessor`]); a token of fewer than two characters is
/// dropped, and its neighbours become neighbours of each other. A token that isn't in the vocabulary stays
/// between its neighbours: they form no bigram.
#[derive(Debug)]
pub struct CountVectorizer {
    params: CountVectorizerParams,
    preprocessor: Preprocessor,
    vocabulary: Vocabulary,
    columns: Columns,
    /// Finds the rank of a token among the unigrams.
    unigrams: TermTable,
    /// Words and their [`Meaning`]; not used where a word is its own token.
    words: WordCache,
}

impl CountVectorizer {
    /// Starts a fit on documents that come in chunks.
    ///
    /// # Errors
    /// [`Error::Parameter`] if a parameter is out of its range.
    pub fn fitter(params: CountVectorizerParams, language: Option<Language>) -> Result<CountFitter> {
        CountFitter::new(params, language)
    }

    /// Fits on `texts` and counts them: the vectorizer and a matrix of `n_documents × n_terms`.
    ///
    /// # Errors
    /// A parameter is out of its range, or no term is left ([`Error::NoTermLeft`]).
    pub fn fit_transform<T: AsRef<str> + Sync>(
        params: CountVectorizerParams,
        language: Option<Language>,
        texts: &[T],
    ) -> Result<(Self, CsrMatrix)> {
        let mut fitter = Self::fitter(params, language)?;
        fitter.push_chunk(texts);
        fitter.finish()
    }

    /// The vectorizer that once was fitted with these parameters, to this vocabulary.
    ///
    /// # Errors
    /// [`Error::Parameter`], or [`Error::InvalidVocabulary`] if no fit can have led to the vocabulary.
    pub fn from_vocabulary(
        params: CountVectorizerParams,
        language: Option<Language>,
        vocabulary: Vocabulary,
    ) -> Result<Self> {
        params.check()?;
        let columns = columns_of(&vocabulary, params.ngrams)?;
        let ranks = 0..columns.n_unigrams() as u32;
        let unigrams = TermTable::new(&vocabulary, ranks.map(|rank| columns.unigram_column(rank)));
        let preprocessor = Preprocessor::new(language);
        Ok(Self {
            params,
            preprocessor,
            vocabulary,
            columns,
            unigrams,
            words: WordCache::default(),
        })
    }

    /// Whether there is a vectorizer that was fitted with these parameters, to this vocabulary: as
    /// [`Self::from_vocabulary`], without making it.
    pub(crate) fn check(params: CountVectorizerParams, vocabulary: &Vocabulary) -> Result<()> {
        params.check()?;
        columns_of(vocabulary, params.ngrams).map(drop)
    }

    /// The parameters it was fitted with.
    pub fn params(&self) -> &CountVectorizerParams {
        &self.params
    }

    /// The language whose stop words and stems it uses.
    pub fn language(&self) -> Option<Language> {
        self.preprocessor.language()
    }

    /// The terms; the position of a term is its column.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The terms, when the rest isn't needed any more.
    pub fn into_vocabulary(self) -> Vocabulary {
        self.vocabulary
    }

    /// How often each term occurs in `text`.
    pub fn transform(&self, text: &str) -> SparseVector {
        // Of running text every sixth byte starts a word, which gives a token and perhaps a bigram.
        let mut occurrences = Vec::with_capacity((text.len() / 4).min(4_096));
        let mut counter = TermCounter::new(&self.columns, &mut occurrences);
        let (mut word_buffer, mut token_buffer) = (String::new(), String::new());
        let mut words = self.words.reader();
        for_each_word(text, &mut word_buffer, |word| {
            match self.meaning(word, &mut words) {
                Meaning::Dropped => {}
                Meaning::Token(rank) => counter.push(rank),
                Meaning::Several => {
                    for_each_counted_token(&self.preprocessor, word, &mut token_buffer, |token| {
                        counter.push(self.rank(token));
                    });
                }
            }
        });
        SparseVector::count(&mut occurrences)
    }

    /// Calls `each` with the column of every occurrence of a term in `text`, in order, and the bytes where it stands:
    /// of a token the word's that it comes from, of a pair those from its first word to its second.
    ///
    /// A column comes up as many times as [`Self::transform`] counts it.
    pub fn for_each_occurrence(&self, text: &str, mut each: impl FnMut(u32, Range<usize>)) {
        let (mut word_buffer, mut token_buffer) = (String::new(), String::new());
        let (mut previous, mut previous_start) = (NO_TERM, 0);
        for_each_word_at(text, &mut word_buffer, |word, at| {
            for_each_counted_token(&self.preprocessor, word, &mut token_buffer, |token| {
                let rank = self.rank(token);
                if rank != NO_TERM {
                    each(self.columns.unigram_column(rank), at.clone());
                    if previous != NO_TERM
                        && let Some(pair) = self.columns.bigram_column(previous, rank)
                    {
                        each(pair, previous_start..at.end);
                    }
                }
                (previous, previous_start) = (rank, at.start);
            });
        });
    }

    /// SHA-256 over what the vectorizer consists of.
    ///
    /// Input: the ASCII bytes `postroom count vectorizer 1`; `min_df` (f64), the longest n-gram (u8), the language's
    /// name or nothing, the number of terms (u64), each term. Numbers are little-endian; a text is preceded by its
    /// length in bytes (u32).
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"postroom count vectorizer 1");
        hasher.update(self.params.min_df.to_le_bytes());
        hasher.update([self.params.ngrams.longest()]);
        let mut update_text = |text: &str| {
            hasher.update((text.len() as u32).to_le_bytes());
            hasher.update(text);
        };
        update_text(self.language().map_or("", Language::name));
        hasher.update((self.vocabulary.len() as u64).to_le_bytes());
        for term in self.vocabulary.iter() {
            hasher.update((term.len() as u32).to_le_bytes());
            hasher.update(term);
        }
        hasher.finalize().into()
    }

    /// What `word` comes to, looked up or worked out.
    fn meaning(&self, word: &str, words: &mut WordReader<'_>) -> Meaning {
        if is_own_token(&self.preprocessor, word) {
            return if is_counted(word) {
                Meaning::Token(self.rank(word))
            } else {
                Meaning::Dropped
            };
        }
        let codes = words.get(word, |codes| {
            codes.push(Meaning::of(&self.preprocessor, word, |token| self.rank(token)).code());
        });
        Meaning::from_code(codes[0])
    }

    /// The rank of a token, [`NO_TERM`] if it has none.
    fn rank(&self, token: &str) -> u32 {
        self.unigrams.find(token, &self.vocabulary).unwrap_or(NO_TERM)
    }
}

/// The columns of a vocabulary that may come from anywhere.
fn columns_of(vocabulary: &Vocabulary, ngrams: Ngrams) -> Result<Columns> {
    let unigrams = vocabulary.iter().filter(|term| !term.contains(' '));
    let ranks: HashMap<&str, u32> = unigrams.zip(0..).collect();
    let mut pairs = Vec::with_capacity(vocabulary.len() - ranks.len());
    for (position, term) in vocabulary.iter().enumerate() {
        let invalid = |problem| Error::InvalidVocabulary {
            position,
            term: term.to_owned(),
            problem,
        };
        let rank = |token: &str| {
            let rank = ranks.get(token).copied();
            rank.ok_or_else(|| invalid("both tokens of a pair have to be terms"))
        };
        if !term.split(' ').all(is_token) {
            return Err(invalid("a term is made of word characters"));
        }
        if let Some((first, second)) = term.split_once(' ') {
            if ngrams == Ngrams::Unigrams {
                return Err(invalid("the vectorizer counts single tokens only"));
            }
            pairs.push((rank(first)?, rank(second)?));
        }
    }
    Ok(Columns::new(ranks.len(), pairs))
}

/// Whether the vocabulary may have it as a token. What matters is that no character sorts before the space
/// ([`Columns`]).
fn is_token(token: &str) -> bool {
    !token.is_empty() && token.chars().all(is_word_character)
}
