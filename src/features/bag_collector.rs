//! From contents to [`TokenBags`].

use rayon::prelude::*;

use super::column_counter::CounterPool;
use super::token_bags::{TokenBags, pack};
use super::token_collector::TokenCollector;
use super::token_counts::TokenTable;
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::text::Language;

/// Bags in the making.
#[derive(Debug)]
pub struct BagCollector {
    tokens: TokenCollector,
}

impl BagCollector {
    pub(super) fn new(language: Option<Language>) -> Self {
        Self {
            tokens: TokenCollector::new(language),
        }
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

    /// The bags.
    ///
    /// # Errors
    /// [`Error::InvalidVocabulary`](crate::Error::InvalidVocabulary) if the different tokens are longer than 4 GiB together.
    pub fn finish(self) -> Result<TokenBags> {
        let language = self.tokens.language();
        let (table, mut sequences) = self.tokens.finish();
        let sorted = in_code_point_order(&table);
        let mut rank_of_token = vec![0; sorted.len()];
        for (&number, rank) in sorted.iter().zip(0..) {
            rank_of_token[number as usize] = rank;
        }
        let tokens = Vocabulary::new(sorted.iter().map(|&number| table.strings.string(number)))?;
        drop(table);
        sequences.replace(&rank_of_token);
        let documents = sequences.in_order();
        let counters = CounterPool::new(tokens.len());
        let (packed, ends) = pack(documents.len(), |document, writer| {
            counters.lend(|counter| {
                documents[document].iter().for_each(|&rank| counter.add(rank, 1));
                counter.take(|rank, count| writer.push(rank, count));
            });
        });
        Ok(TokenBags {
            language,
            tokens,
            packed,
            ends,
        })
    }
}

/// The numbers of all tokens, ordered by their spelling.
fn in_code_point_order(table: &TokenTable) -> Vec<u32> {
    let spelled = |number| table.strings.string(number);
    let numbers = 0..table.strings.len() as u32;
    let mut keyed: Vec<(u64, u32)> = numbers.map(|number| (prefix(spelled(number)), number)).collect();
    keyed.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| spelled(a.1).cmp(spelled(b.1))));
    keyed.into_iter().map(|(_, number)| number).collect()
}

/// The first eight bytes as a number that sorts as they do: most tokens are told apart without looking them up.
/// A shorter one is filled up with zeros, which no word contains.
fn prefix(token: &str) -> u64 {
    let mut bytes = [0; 8];
    let n_bytes = token.len().min(8);
    bytes[..n_bytes].copy_from_slice(&token.as_bytes()[..n_bytes]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_counted_as_they_are_taken() {
        let mut collector = BagCollector::new(None);
        assert_eq!(collector.n_documents(), 0);
        collector.push_chunk(&["rent", "", "insurance"]);
        assert_eq!(collector.n_documents(), 3);
    }

    #[test]
    fn tokens_of_one_beginning_are_ordered_by_what_follows() {
        let bags = TokenBags::of(None, &["insurance insurances insurancf insuranc insuranceagent"]).unwrap();
        let sorted: Vec<_> = bags.tokens().iter().collect();
        assert_eq!(
            sorted,
            [
                "insuranc",
                "insurance",
                "insuranceagent",
                "insurances",
                "insurancf"
            ]
        );
    }
}
