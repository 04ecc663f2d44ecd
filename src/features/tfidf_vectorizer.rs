//! Tf-idf of words and of the character n-grams inside them.
//!
//! In comes one text, or [`TokenBags`]; out go rows of unit length. Everything here follows from [`TfidfParts`]
//! alone, which is all that a model file stores.

use std::cmp::Reverse;
use std::ops::Range;

use rayon::prelude::*;
use tracing::Span;

use super::char_grams::for_each_gram;
use super::column_counter::{ColumnCounter, CounterPool};
use super::columns::NO_TERM;
use super::meaning::for_each_counted_token;
use super::term_table::TermTable;
use super::tfidf_fitter;
use super::tfidf_params::{TfidfParams, TfidfTerms};
use super::tfidf_parts::{FittedTerms, TfidfParts};
use super::tfidf_weighting::{CountedRow, Weighting};
use super::token_bags::TokenBags;
use super::token_columns::TokenColumns;
use super::word_cache::WordCache;
use crate::error::Result;
use crate::sparse::{FactoredMatrix, SparseVector};
use crate::text::{Language, Preprocessor, for_each_word, for_each_word_at};

/// Turns texts into tf-idf rows; shared freely between threads.
///
/// The columns are the words that stayed, in code-point order, then the character n-grams, likewise. A word's value
/// is (1 + ln tf) × (ln((1 + n) / (1 + df)) + 1), the words' part of a row is brought to unit length. The n-grams
/// ([`TfidfParams::gram_length`]) are those of all tokens of the text, also of such that are no terms; they are
/// weighed in the same way, and their part is as long as [`TfidfParams::gram_weight`] says. Then the
/// whole row is brought to unit length. A text without any term is an empty row.
#[derive(Debug)]
pub struct TfidfVectorizer {
    parts: TfidfParts,
    preprocessor: Preprocessor,
    words: TermTable,
    char_grams: TermTable,
    weighting: Weighting,
    counters: CounterPool,
    /// Words and the columns that each adds to, as often as it does.
    columns_of_words: WordCache,
}

/// What a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'a> {
    /// A token.
    Word(&'a str),
    /// A part of a token, with a space where the token begins or ends.
    CharGram(&'a str),
}

impl TfidfVectorizer {
    /// Fits on documents and weighs them: the vectorizer and a matrix of `n_documents × n_terms`.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if a parameter is out of its range,
    /// [`Error::NoSharedTerm`](crate::Error::NoSharedTerm) if no term is left.
    pub fn fit(bags: &TokenBags, params: TfidfParams) -> Result<(Self, FactoredMatrix)> {
        let (parts, columns) = tfidf_fitter::fit(bags, params)?;
        let vectorizer = Self::prepared(parts);
        let matrix = vectorizer.rows(bags, &columns);
        Ok((vectorizer, matrix))
    }

    /// The vectorizer that once was fitted.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter),
    /// [`Error::InvalidVocabulary`](crate::Error::InvalidVocabulary) or
    /// [`Error::InvalidTfidf`](crate::Error::InvalidTfidf) if no fit can have led to these parts.
    pub fn from_parts(parts: TfidfParts) -> Result<Self> {
        parts.check()?;
        Ok(Self::prepared(parts))
    }

    fn prepared(parts: TfidfParts) -> Self {
        let table = |terms: &FittedTerms| {
            let vocabulary = &terms.vocabulary;
            TermTable::new(vocabulary, 0..vocabulary.len() as u32)
        };
        let kinds: [(f64, &[u32]); 2] = [
            (1.0, parts.words.document_frequencies.as_slice()),
            (
                parts.params.gram_weight,
                parts.char_grams.document_frequencies.as_slice(),
            ),
        ];
        Self {
            preprocessor: Preprocessor::new(parts.language),
            words: table(&parts.words),
            char_grams: table(&parts.char_grams),
            weighting: Weighting::new(parts.n_documents, kinds),
            counters: CounterPool::new(parts.n_terms()),
            columns_of_words: WordCache::default(),
            parts,
        }
    }

    /// What it consists of.
    pub fn parts(&self) -> &TfidfParts {
        &self.parts
    }

    /// What it consists of, when the rest isn't needed any more.
    pub fn into_parts(self) -> TfidfParts {
        self.parts
    }

    /// The parameters it was fitted with.
    pub fn params(&self) -> &TfidfParams {
        &self.parts.params
    }

    /// The language whose stop words and stems it uses.
    pub fn language(&self) -> Option<Language> {
        self.parts.language
    }

    /// How many columns there are.
    pub fn n_terms(&self) -> usize {
        self.parts.n_terms()
    }

    /// SHA-256 over what the vectorizer consists of, see [`TfidfParts::hash`].
    pub fn hash(&self) -> [u8; 32] {
        self.parts.hash()
    }

    /// The term of a column.
    ///
    /// # Panics
    /// If there is no such column, like the indexing of a slice.
    pub fn term(&self, column: u32) -> Term<'_> {
        let (column, n_words) = (column as usize, self.parts.words.vocabulary.len());
        if column < n_words {
            Term::Word(self.parts.words.vocabulary.term(column))
        } else {
            Term::CharGram(self.parts.char_grams.vocabulary.term(column - n_words))
        }
    }

    /// The row of `text`.
    pub fn transform(&self, text: &str) -> SparseVector {
        self.counters.lend(|counter| {
            self.count(text, counter);
            self.weighting.row(counter)
        })
    }

    /// The rows of documents given as bags, `n_documents × n_terms`; equal, bit for bit, to those that
    /// [`Self::transform`] makes of their texts.
    ///
    /// # Errors
    /// [`Error::InvalidTokenBags`](crate::Error::InvalidTokenBags) if the bags are of another language.
    pub fn transform_bags(&self, bags: &TokenBags) -> Result<FactoredMatrix> {
        bags.check_language(self.parts.language)?;
        Ok(self.rows(bags, &self.columns_of_tokens(bags)))
    }

    /// Calls `each` with the column of every occurrence of a term in `text`, in order, and the bytes where it stands:
    /// of a word the word's, whose stem the term is; of an n-gram its own where the word begins with the stem as it
    /// is written there (give or take the case of ASCII letters), else the word's.
    ///
    /// A column comes up as many times as [`Self::transform`] counts it.
    pub fn for_each_occurrence(&self, text: &str, mut each: impl FnMut(u32, Range<usize>)) {
        let [mut word_buffer, mut token_buffer, mut gram_buffer] = [const { String::new() }; 3];
        for_each_word_at(text, &mut word_buffer, |word, at| {
            let written = &text[at.clone()];
            for_each_counted_token(&self.preprocessor, word, &mut token_buffer, |token| {
                let is_written = begins_with(written, token);
                self.for_each_column(token, &mut gram_buffer, |column, in_token| match in_token {
                    Some(part) if is_written => each(column, at.start + part.start..at.start + part.end),
                    _ => each(column, at.clone()),
                });
            });
        });
    }

    /// Counts the columns of `text`.
    fn count(&self, text: &str, counter: &mut ColumnCounter) {
        let [mut word_buffer, mut token_buffer, mut gram_buffer] = [const { String::new() }; 3];
        let mut words = self.columns_of_words.reader();
        for_each_word(text, &mut word_buffer, |word| {
            let columns = words.get(word, |columns| {
                for_each_counted_token(&self.preprocessor, word, &mut token_buffer, |token| {
                    self.for_each_column(token, &mut gram_buffer, |column, _| columns.push(column));
                });
            });
            for &column in columns {
                counter.add(column, 1);
            }
        });
    }

    /// Calls `each` with the columns that one occurrence of `token` adds to, as often as it does; in case of an
    /// n-gram also with the bytes of the token that it covers.
    fn for_each_column(
        &self,
        token: &str,
        buffer: &mut String,
        mut each: impl FnMut(u32, Option<Range<usize>>),
    ) {
        let words = &self.parts.words.vocabulary;
        if let Some(word) = self.words.find(token, words) {
            each(word, None);
        }
        if self.parts.params.terms == TfidfTerms::Words {
            return;
        }
        let grams = &self.parts.char_grams.vocabulary;
        let length = usize::from(self.parts.params.gram_length);
        for_each_gram(token, length, buffer, |gram, in_token| {
            let found = self.char_grams.find(gram, grams);
            if let Some(gram) = found {
                each(words.len() as u32 + gram, Some(in_token));
            }
        });
    }

    fn rows(&self, bags: &TokenBags, columns: &TokenColumns) -> FactoredMatrix {
        let (order, places) = self.order_of_columns(columns);
        let factors = self.weighting.inverse_document_frequencies();
        let factors = order.iter().map(|&column| factors[column as usize]).collect();
        FactoredMatrix::new(bags.n_documents(), order, factors, |documents, rows| {
            let mut row = CountedRow::default();
            self.counters.lend(|counter| {
                for document in documents {
                    for (token, count) in bags.document(document) {
                        columns.for_each_of(token, |column| counter.add(column, count));
                    }
                    self.weighting.take_row(counter, &mut row);
                    row.order_by_place(&places, counter);
                    self.weighting.append_row(&row, rows);
                }
            });
        })
    }

    /// The column at each place of a matrix, and the place of each column: words, then n-grams; of either those in most
    /// documents first, and those that are in about as many in the order of the tokens, so that a token's lie together.
    // PERF: whoever trains goes through rows in random order, and in code-point order every entry was on a page of its
    // own.
    fn order_of_columns(&self, columns: &TokenColumns) -> (Vec<u32>, Vec<u32>) {
        let (n_words, n_terms) = (self.parts.words.vocabulary.len(), self.n_terms());
        let [mut words, mut grams] = [n_words, n_terms - n_words].map(Vec::with_capacity);
        let mut places = vec![NO_TERM; n_terms];
        let mut take = |column: u32| {
            if std::mem::replace(&mut places[column as usize], 0) == NO_TERM {
                let is_word = (column as usize) < n_words;
                if is_word { &mut words } else { &mut grams }.push(column);
            }
        };
        columns.for_each(&mut take);
        (0..n_terms as u32).for_each(take);
        let frequencies =
            [&self.parts.words, &self.parts.char_grams].map(|terms| &terms.document_frequencies);
        // Stable; a term is in one document at least.
        words.sort_by_key(|&word| Reverse(frequencies[0][word as usize].max(1).ilog2()));
        grams.sort_by_key(|&gram| Reverse(frequencies[1][gram as usize - n_words].max(1).ilog2()));
        let mut order = words;
        order.extend(grams);
        for (&column, place) in order.iter().zip(0..) {
            places[column as usize] = place;
        }
        (order, places)
    }

    /// The columns of every token of `bags`, looked up once.
    fn columns_of_tokens(&self, bags: &TokenBags) -> TokenColumns {
        let span = Span::current();
        let n_tokens = bags.tokens().len();
        let share = n_tokens.div_ceil(rayon::current_num_threads()).max(1);
        let shares = (0..n_tokens).step_by(share).collect::<Vec<_>>();
        let found: Vec<TokenColumns> = shares
            .into_par_iter()
            .map(|start| {
                let _entered = span.enter();
                let (mut found, mut buffer) = (TokenColumns::default(), String::new());
                for token in start..n_tokens.min(start + share) {
                    let (mut word, grams) = (None, &mut found.grams);
                    let token = bags.tokens().term(token);
                    self.for_each_column(token, &mut buffer, |column, in_token| match in_token {
                        None => word = Some(column),
                        Some(_) => grams.push(column),
                    });
                    found.end_token(word);
                }
                found
            })
            .collect();
        TokenColumns::concat(&found)
    }
}

/// Whether `written` begins with `token`, give or take the case of ASCII letters.
fn begins_with(written: &str, token: &str) -> bool {
    let beginning = written.as_bytes().get(..token.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(texts: &[&str]) -> (TokenBags, TfidfVectorizer) {
        let bags = TokenBags::of(None, texts).unwrap();
        let (vectorizer, _) = TfidfVectorizer::fit(&bags, TfidfParams::default()).unwrap();
        (bags, vectorizer)
    }

    #[test]
    fn frequent_terms_come_first_and_those_of_a_token_lie_together() {
        let (bags, vectorizer) = fit(&["gamma beta zeta", "zeta", "zeta", "zeta"]);
        let (order, places) = vectorizer.order_of_columns(&vectorizer.columns_of_tokens(&bags));
        let terms: Vec<_> = order.iter().map(|&column| vectorizer.term(column)).collect();
        let words = ["zeta", "beta", "gamma"].map(Term::Word);
        // Of `eta `, which two tokens have, the first decides.
        let grams = [
            "eta ", " zet", "zeta", " bet", "beta", " gam", "gamm", "amma", "mma ",
        ];
        assert_eq!(terms, [&words[..], &grams.map(Term::CharGram)].concat());
        for (&column, place) in order.iter().zip(0..) {
            assert_eq!(places[column as usize], place);
        }
    }

    #[test]
    fn tokens_are_looked_up_once_each() {
        let texts: Vec<String> = (0..200).map(|n| format!("word{}", n / 2)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (bags, vectorizer) = fit(&texts);
        let mut n_words = 0;
        vectorizer.columns_of_tokens(&bags).for_each(|column| {
            n_words += usize::from(matches!(vectorizer.term(column), Term::Word(_)));
        });
        assert_eq!(n_words, 100);
    }
}
