//! From documents that pass by once, chunk by chunk, to one sequence of token numbers a document.

use rayon::prelude::*;
use tracing::Span;

use super::token_counts::{Part, PartSequence, TokenTable, merge, replace_all};
use crate::text::{Language, Preprocessor};

/// Tokenises documents on every core; their contents are not kept, only a number per token.
#[derive(Debug)]
pub(super) struct TokenCollector {
    preprocessor: Preprocessor,
    /// One a thread. Which part a document falls to has no effect on the result.
    parts: Vec<Part>,
    /// Which part took how many documents, in the order of the documents.
    pieces: Vec<(usize, usize)>,
}

impl TokenCollector {
    pub(super) fn new(language: Option<Language>) -> Self {
        let mut parts = Vec::new();
        parts.resize_with(rayon::current_num_threads(), Part::default);
        Self {
            preprocessor: Preprocessor::new(language),
            parts,
            pieces: Vec::new(),
        }
    }

    pub(super) fn language(&self) -> Option<Language> {
        self.preprocessor.language()
    }

    /// Takes the next documents, in order.
    pub(super) fn push_chunk<T: AsRef<str> + Sync>(&mut self, contents: &[T]) {
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
    pub(super) fn n_documents(&self) -> usize {
        self.pieces.iter().map(|(_, n_documents)| n_documents).sum()
    }

    /// The different tokens, numbered in common, and the documents' sequences of them.
    pub(super) fn finish(self) -> (TokenTable, TokenSequences) {
        let (sequences, tokens) = merge(self.parts);
        let pieces = self.pieces;
        (tokens, TokenSequences { sequences, pieces })
    }
}

/// The tokens of every document as numbers.
#[derive(Debug)]
pub(super) struct TokenSequences {
    sequences: Vec<PartSequence>,
    pieces: Vec<(usize, usize)>,
}

impl TokenSequences {
    /// Replaces each token's number by what `value_of_token` has for it.
    pub(super) fn replace(&mut self, value_of_token: &[u32]) {
        replace_all(&mut self.sequences, value_of_token);
    }

    /// The documents in the order in which they came.
    pub(super) fn in_order(&self) -> Vec<&[u32]> {
        let mut documents: Vec<_> = self.sequences.iter().map(PartSequence::documents).collect();
        self.pieces
            .iter()
            .flat_map(|&(part, n_documents)| documents[part].by_ref().take(n_documents).collect::<Vec<_>>())
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stay_in_order_whoever_took_them() {
        let mut collector = TokenCollector::new(None);
        collector.parts.resize_with(3, Part::default);
        collector.push_chunk(&["due", "date", "", "paid"]);
        collector.push_chunk(&["paid paid", "due"]);
        assert_eq!(collector.n_documents(), 6);
        let (tokens, sequences) = collector.finish();
        let spell = |document: &&[u32]| -> Vec<String> {
            let spelled = document.iter().map(|&number| tokens.strings.string(number));
            spelled.map(str::to_owned).collect()
        };
        let mut numbered = sequences;
        let same: Vec<u32> = (0..tokens.strings.len() as u32).collect();
        numbered.replace(&same);
        let documents: Vec<_> = numbered.in_order().iter().map(spell).collect();
        assert_eq!(
            documents,
            [
                vec!["due"],
                vec!["date"],
                vec![],
                vec!["paid"],
                vec!["paid", "paid"],
                vec!["due"]
            ]
        );
    }
}
