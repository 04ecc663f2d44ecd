//! How many documents each pair of neighbouring terms is in.

use hashbrown::HashMap;
use rayon::prelude::*;
use tracing::Span;

use super::columns::NO_TERM;

/// A pair of neighbours that is a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bigram {
    /// The ranks of both tokens.
    pub(super) pair: (u32, u32),
    /// How many documents it is in.
    pub(super) frequency: u32,
}

/// How often a pair was seen so far.
#[derive(Debug, Clone, Copy)]
struct Seen {
    frequency: u32,
    last_document: u32,
}

/// So many neighbours, at most, go into one table, as long as that doesn't take more than [`MOST_SHARES`].
const NEIGHBOURS_A_SHARE: usize = 1 << 20;
/// Every share reads all documents once (1 ns a token).
const MOST_SHARES: usize = 64;

/// The bigrams that are frequent enough, in ascending order, of documents given as ranks of their tokens.
///
/// Pairs are counted in shares, by their first token. A share has a table of its own, dropped before the thread
/// takes up the next one: no pair is in two tables, nothing needs merging, and of all pairs, most of which are
/// rare, only some are ever in memory. (5,000 documents of 3,000 words: the peak falls from 335 to 230 MB.)
pub(super) fn frequent_bigrams(documents: &[&[u32]], keeps: impl Fn(u32) -> bool + Sync) -> Vec<Bigram> {
    let n_neighbours: usize = documents.iter().map(|ranks| ranks.len()).sum();
    let n_shares = (n_neighbours / NEIGHBOURS_A_SHARE)
        .min(MOST_SHARES)
        .max(rayon::current_num_threads());
    let n_shares = n_shares.next_power_of_two() as u32;
    let span = Span::current();
    let shares = (0..n_shares).into_par_iter().map(|share| {
        let _entered = span.enter();
        let seen = count_pairs(documents, |first| first & (n_shares - 1) == share);
        let bigrams = seen.into_iter().map(|(pair, seen)| Bigram {
            pair,
            frequency: seen.frequency,
        });
        bigrams
            .filter(|bigram| keeps(bigram.frequency))
            .collect::<Vec<_>>()
    });
    let mut bigrams = shares.collect::<Vec<_>>().concat();
    bigrams.sort_unstable();
    bigrams
}

fn count_pairs(documents: &[&[u32]], is_own: impl Fn(u32) -> bool) -> HashMap<(u32, u32), Seen> {
    let mut table: HashMap<(u32, u32), Seen> = HashMap::new();
    for (ranks, document) in documents.iter().zip(0..) {
        for pair in ranks.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if first == NO_TERM || second == NO_TERM || !is_own(first) {
                continue;
            }
            let unseen = Seen {
                frequency: 0,
                last_document: u32::MAX,
            };
            let seen = table.entry((first, second)).or_insert(unseen);
            if seen.last_document != document {
                *seen = Seen {
                    frequency: seen.frequency + 1,
                    last_document: document,
                };
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pair_counts_once_a_document() {
        let found = frequent_bigrams(&[&[0, 1, 0, 1], &[0, 1]], |_| true);
        let expected = [
            Bigram {
                pair: (0, 1),
                frequency: 2,
            },
            Bigram {
                pair: (1, 0),
                frequency: 1,
            },
        ];
        assert_eq!(found, expected);
    }

    /// More tokens than there are shares, so that each share has several.
    #[test]
    fn every_pair_is_in_one_share() {
        let tokens: Vec<u32> = (0..300).collect();
        let found = frequent_bigrams(&[&tokens], |_| true);
        let pairs: Vec<(u32, u32)> = found.iter().map(|bigram| bigram.pair).collect();
        let expected: Vec<(u32, u32)> = tokens.windows(2).map(|pair| (pair[0], pair[1])).collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn token_that_is_no_term_keeps_its_neighbours_apart() {
        assert!(frequent_bigrams(&[&[0, NO_TERM, 1]], |_| true).is_empty());
    }

    #[test]
    fn documents_do_not_touch() {
        assert!(frequent_bigrams(&[&[0], &[1]], |_| true).is_empty());
    }

    #[test]
    fn rare_pairs_are_left_out() {
        let found = frequent_bigrams(&[&[0, 1], &[0, 1], &[1, 0]], |frequency| frequency >= 2);
        assert_eq!(
            found,
            [Bigram {
                pair: (0, 1),
                frequency: 2
            }]
        );
    }
}
