//! Learning a vocabulary from documents that pass by once.
//!
//! In come contents, chunk by chunk; they are tokenised on every core and not kept. Out go the vectorizer
//! and the matrix of counts. What is kept of a document meanwhile is a number per token.
//!
//! Bigrams are counted at the end, and only those of two tokens that are frequent enough themselves: a pair is
//! in no more documents than either of its tokens (the Apriori property; Agrawal & Srikant 1994). Of the 2.94
//! million different terms of a large archive that spares all but a few ten thousand, and loses none.

use super::bigram_counts::frequent_bigrams;
use super::columns::{Columns, NO_TERM, TermCounter};
use super::count_vectorizer::CountVectorizer;
use super::params::{CountVectorizerParams, Ngrams};
use super::rows::{Shape, matrix_of};
use super::token_collector::TokenCollector;
use super::token_counts::TokenTable;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::sparse::{CsrMatrix, count_into};
use crate::text::Language;

/// A fit in progress.
///
/// ```
/// use postroom::features::CountVectorizer;
///
/// let mut fitter = CountVectorizer::fitter(Default::default(), None)?;
/// fitter.push_chunk(&["Invoice of May", "Invoice of June"]);
/// fitter.push_chunk(&["Letter of a friend"]);
/// let (vectorizer, counts) = fitter.finish()?;
/// assert_eq!(counts.n_rows(), 3);
/// assert_eq!(vectorizer.vocabulary().iter().next(), Some("friend"));
/// # Ok::<(), postroom::Error>(())
/// ```
#[derive(Debug)]
pub struct CountFitter {
    params: CountVectorizerParams,
    tokens: TokenCollector,
}

impl CountFitter {
    pub(super) fn new(params: CountVectorizerParams, language: Option<Language>) -> Result<Self> {
        params.check()?;
        Ok(Self {
            params,
            tokens: TokenCollector::new(language),
        })
    }

    /// Takes the next documents, in order; their contents are not needed any more afterwards.
    ///
    /// Some hundred documents at a time keep every core busy.
    pub fn push_chunk<T: AsRef<str> + Sync>(&mut self, contents: &[T]) {
        self.tokens.push_chunk(contents);
    }

    /// How many documents it has taken.
    pub fn n_documents(&self) -> usize {
        self.tokens.n_documents()
    }

    /// Settles on the vocabulary, and counts its terms: a matrix of `n_documents × n_terms`.
    ///
    /// # Errors
    /// [`Error::NoTermLeft`] if no term is frequent enough.
    pub fn finish(self) -> Result<(CountVectorizer, CsrMatrix)> {
        let n_documents = self.n_documents();
        let (params, language) = (self.params, self.tokens.language());
        let keeps = |frequency| params.keeps(frequency, n_documents);
        let (tokens, mut sequences) = self.tokens.finish();
        let Unigrams {
            spelled: unigrams,
            rank_of_token,
            n_entries,
        } = Unigrams::new(&tokens, keeps)?;
        if unigrams.is_empty() {
            let n_tokens = tokens.strings.len();
            return Err(Error::NoTermLeft {
                n_documents,
                n_tokens,
                min_df: params.min_df,
            });
        }
        drop(tokens);
        sequences.replace(&rank_of_token);
        let documents = sequences.in_order();
        let bigrams = match params.ngrams {
            Ngrams::Unigrams => Vec::new(),
            Ngrams::UnigramsAndBigrams => frequent_bigrams(&documents, keeps),
        };
        // Every document that a term is in has one entry for it.
        let n_entries = n_entries
            + bigrams
                .iter()
                .map(|bigram| bigram.frequency as usize)
                .sum::<usize>();
        let columns = Columns::new(unigrams.len(), bigrams.iter().map(|bigram| bigram.pair));
        let counts = count_terms(&documents, &columns, n_entries)?;
        let vocabulary = spell_out(&columns, &unigrams)?;
        let vectorizer = CountVectorizer::from_vocabulary(params, language, vocabulary)?;
        Ok((vectorizer, counts))
    }
}

/// The tokens that are frequent enough to be terms.
struct Unigrams {
    /// Their spelling, by rank.
    spelled: Vocabulary,
    /// The rank of each token, or [`NO_TERM`].
    rank_of_token: Vec<u32>,
    /// Entries that they have in the matrix, together.
    n_entries: usize,
}

impl Unigrams {
    fn new(tokens: &TokenTable, keeps: impl Fn(u32) -> bool) -> Result<Self> {
        let numbers = 0..tokens.seen.len() as u32;
        let frequency = |number: u32| tokens.seen[number as usize].frequency;
        let mut kept: Vec<u32> = numbers.filter(|&number| keeps(frequency(number))).collect();
        kept.sort_unstable_by_key(|&number| tokens.strings.string(number));
        let mut rank_of_token = vec![NO_TERM; tokens.seen.len()];
        for (&number, rank) in kept.iter().zip(0..) {
            rank_of_token[number as usize] = rank;
        }
        let n_entries = kept.iter().map(|&number| frequency(number) as usize).sum();
        let spelled = Vocabulary::new(kept.iter().map(|&number| tokens.strings.string(number)))?;
        Ok(Self {
            spelled,
            rank_of_token,
            n_entries,
        })
    }
}

/// Counts the terms of each document: a row each, `n_entries` entries altogether.
fn count_terms(documents: &[&[u32]], columns: &Columns, n_entries: usize) -> Result<CsrMatrix> {
    let shape = Shape {
        n_documents: documents.len(),
        n_terms: columns.n_terms(),
        room: n_entries,
    };
    matrix_of(shape, |range, rows| {
        let mut occurrences = Vec::new();
        for ranks in &documents[range] {
            occurrences.clear();
            let mut counter = TermCounter::new(columns, &mut occurrences);
            ranks.iter().for_each(|&rank| counter.push(rank));
            count_into(&mut occurrences, &mut rows.indices, &mut rows.values);
            rows.end_row();
        }
    })
}

/// The terms in the order of their columns.
fn spell_out(columns: &Columns, unigrams: &Vocabulary) -> Result<Vocabulary> {
    let spelled = |rank: u32| unigrams.term(rank as usize);
    let terms: Vec<String> = columns
        .iter()
        .map(|(first, second)| match second {
            None => spelled(first).to_owned(),
            Some(second) => [spelled(first), spelled(second)].join(" "),
        })
        .collect();
    Vocabulary::new(terms.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second has more pairs than tokens: room is needed for both.
    #[test]
    fn chunks_are_counted_as_one_sequence_of_documents() {
        let params = CountVectorizerParams {
            min_df: 0.0,
            ngrams: Ngrams::UnigramsAndBigrams,
        };
        let mut fitter = CountFitter::new(params, None).unwrap();
        fitter.push_chunk(&["aa"]);
        fitter.push_chunk(&["aa bb aa cc bb cc"]);
        assert_eq!(fitter.n_documents(), 2);
        let (vectorizer, counts) = fitter.finish().unwrap();
        let terms: Vec<_> = vectorizer.vocabulary().iter().collect();
        assert_eq!(
            terms,
            ["aa", "aa bb", "aa cc", "bb", "bb aa", "bb cc", "cc", "cc bb"]
        );
        assert_eq!((counts.n_rows(), counts.nnz()), (2, 9));
    }
}
