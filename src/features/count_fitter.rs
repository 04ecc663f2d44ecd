//! Learning a vocabulary from documents that pass by once.
//!
//! In come contents, chunk by chunk; they are tokenised on every core and not kept. Out go the vectorizer
//! and the matrix of counts. What is kept of a document meanwhile is a number per token.
//!
//! Bigrams are counted at the end, and only those of two tokens that are frequent enough themselves: a pair is
//! in no more documents than either of its tokens (the Apriori property; Agrawal & Srikant 1994). Of the 2.94
//! million different terms of a large archive that spares all but a few ten thousand, and loses none.

use rayon::prelude::*;
use tracing::Span;

use super::bigram_counts::frequent_bigrams;
use super::columns::{Columns, NO_TERM, TermCounter};
use super::count_vectorizer::CountVectorizer;
use super::params::{CountVectorizerParams, Ngrams};
use super::token_counts::{Part, PartSequence, TokenTable, merge, replace_all};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::sparse::{CsrMatrix, count_into};
use crate::text::{Language, Preprocessor};

/// So many documents are counted before their rows are moved into the matrix: more only cost memory.
const DOCUMENTS_A_ROUND: usize = 512;
/// So many documents are counted by one thread at a stretch.
const DOCUMENTS_A_STRETCH: usize = 16;

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
    preprocessor: Preprocessor,
    /// One a thread. Which part a document falls to has no effect on the result.
    parts: Vec<Part>,
    /// Which part took how many documents, in the order of the documents.
    pieces: Vec<(usize, usize)>,
}

impl CountFitter {
    pub(super) fn new(params: CountVectorizerParams, language: Option<Language>) -> Result<Self> {
        params.check()?;
        let mut parts = Vec::new();
        parts.resize_with(rayon::current_num_threads(), Part::default);
        Ok(Self {
            params,
            preprocessor: Preprocessor::new(language),
            parts,
            pieces: Vec::new(),
        })
    }

    /// Takes the next documents, in order; their contents are not needed any more afterwards.
    ///
    /// Some hundred documents at a time keep every core busy.
    pub fn push_chunk<T: AsRef<str> + Sync>(&mut self, contents: &[T]) {
        let pieces = split_evenly(contents, self.parts.len());
        self.pieces
            .extend(pieces.iter().map(|piece| piece.len()).enumerate());
        let preprocessor = &self.preprocessor;
        let span = Span::current();
        self.parts.par_iter_mut().zip(pieces).for_each(|(part, piece)| {
            let _entered = span.enter();
            for content in piece {
                part.push_document(preprocessor, content.as_ref());
            }
        });
    }

    /// How many documents it has taken.
    pub fn n_documents(&self) -> usize {
        self.pieces.iter().map(|(_, n_documents)| n_documents).sum()
    }

    /// Settles on the vocabulary, and counts its terms: a matrix of `n_documents × n_terms`.
    ///
    /// # Errors
    /// [`Error::NoTermLeft`] if no term is frequent enough.
    pub fn finish(self) -> Result<(CountVectorizer, CsrMatrix)> {
        let n_documents = self.n_documents();
        let Self {
            params,
            preprocessor,
            parts,
            pieces,
        } = self;
        let keeps = |frequency| params.keeps(frequency, n_documents);
        let (mut sequences, tokens) = merge(parts);
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
        replace_all(&mut sequences, &rank_of_token);
        let documents = in_order(&sequences, &pieces);
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
        let vectorizer = CountVectorizer::from_vocabulary(params, preprocessor.language(), vocabulary)?;
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
        let numbers = 0..tokens.frequencies.len() as u32;
        let frequency = |number: u32| tokens.frequencies[number as usize];
        let mut kept: Vec<u32> = numbers.filter(|&number| keeps(frequency(number))).collect();
        kept.sort_unstable_by_key(|&number| tokens.strings.string(number));
        let mut rank_of_token = vec![NO_TERM; tokens.frequencies.len()];
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

/// The contents shared out among `n` parts: consecutive pieces of about as many bytes each.
fn split_evenly<T: AsRef<str>>(mut contents: &[T], n: usize) -> Vec<&[T]> {
    let mut n_bytes: usize = contents.iter().map(|content| content.as_ref().len()).sum();
    let mut pieces = Vec::with_capacity(n);
    for parts_left in (1..=n).rev() {
        let share = n_bytes.div_ceil(parts_left);
        let (mut taken, mut n_taken) = (0, 0);
        while n_taken < contents.len() && (taken < share || parts_left == 1) {
            taken += contents[n_taken].as_ref().len();
            n_taken += 1;
        }
        let (piece, rest) = contents.split_at(n_taken);
        pieces.push(piece);
        contents = rest;
        n_bytes -= taken;
    }
    pieces
}

/// The token sequences of the documents in the order in which they came.
fn in_order<'a>(sequences: &'a [PartSequence], pieces: &[(usize, usize)]) -> Vec<&'a [u32]> {
    let mut documents: Vec<_> = sequences.iter().map(PartSequence::documents).collect();
    pieces
        .iter()
        .flat_map(|&(part, n_documents)| documents[part].by_ref().take(n_documents).collect::<Vec<_>>())
        .collect()
}

/// Counts the terms of each document: a row each, `n_entries` entries altogether.
fn count_terms(documents: &[&[u32]], columns: &Columns, n_entries: usize) -> Result<CsrMatrix> {
    let mut indptr = Vec::with_capacity(documents.len() + 1);
    let (mut indices, mut values) = (Vec::with_capacity(n_entries), Vec::with_capacity(n_entries));
    indptr.push(0);
    let span = Span::current();
    for round in documents.chunks(DOCUMENTS_A_ROUND) {
        let stretches = round
            .par_chunks(DOCUMENTS_A_STRETCH)
            .map(|stretch| span.in_scope(|| Rows::count(stretch, columns)));
        for rows in stretches.collect::<Vec<_>>() {
            indptr.extend(rows.ends.iter().map(|end| indices.len() + end));
            indices.extend_from_slice(&rows.indices);
            values.extend_from_slice(&rows.values);
        }
    }
    CsrMatrix::new(columns.n_terms(), indptr, indices, values)
}

/// The rows of some consecutive documents.
#[derive(Default)]
struct Rows {
    ends: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    fn count(documents: &[&[u32]], columns: &Columns) -> Self {
        let mut rows = Self::default();
        let mut occurrences = Vec::new();
        for ranks in documents {
            occurrences.clear();
            let mut counter = TermCounter::new(columns, &mut occurrences);
            ranks.iter().for_each(|&rank| counter.push(rank));
            count_into(&mut occurrences, &mut rows.indices, &mut rows.values);
            rows.ends.push(rows.indices.len());
        }
        rows
    }
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
