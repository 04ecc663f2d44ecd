//! How many documents each pair of neighbouring terms is in.

use hashbrown::HashMap;
use rayon::prelude::*;

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
    last_document: usize,
}

/// The bigrams that are frequent enough, in ascending order, of documents given as ranks of their tokens.
///
/// Every thread goes over all documents, but keeps only the pairs whose first token is its own: no pair is in
/// two tables, and nothing needs merging. The tables are the largest thing in a fit on large archives.
pub(super) fn frequent_bigrams(documents: &[&[u32]], keeps: impl Fn(u32) -> bool + Sync) -> Vec<Bigram> {
    let n_shares = rayon::current_num_threads().next_power_of_two() as u32;
    let shares = (0..n_shares).into_par_iter().map(|share| {
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
    for (document, ranks) in documents.iter().enumerate() {
        for pair in ranks.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            if first == NO_TERM || second == NO_TERM || !is_own(first) {
                continue;
            }
            let unseen = Seen {
                frequency: 0,
                last_document: usize::MAX,
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
