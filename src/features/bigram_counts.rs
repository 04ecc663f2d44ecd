//! How many documents each pair of neighbouring terms is in.

use hashbrown::HashMap;
use rayon::prelude::*;
use tracing::Span;

use super::columns::NO_TERM;
use super::seen::Seen;

type Frequencies = HashMap<(u32, u32), Seen>;

/// A pair of neighbours that is a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bigram {
    /// The ranks of both tokens.
    pub(super) pair: (u32, u32),
    /// How many documents it is in.
    pub(super) frequency: u32,
}

/// The bigrams that are frequent enough, in ascending order, of documents given as ranks of their tokens. `keeps` says
/// whether so many documents are enough; where they are, more are.
///
/// Of all pairs most are rare. So they are counted twice: first how often they occur, in a few places that many pairs share
/// ([`Occurrences`]), and then, only those that this leaves, in how many documents each is. No rare pair is ever in a table
/// (Park, Chen & Yu 1995). Each thread takes some of the documents, and what they counted is added up.
pub(super) fn frequent_bigrams(documents: &[&[u32]], keeps: impl Fn(u32) -> bool + Sync) -> Vec<Bigram> {
    let n_neighbours: usize = documents.iter().map(|ranks| ranks.len()).sum();
    let n_places = Occurrences::places_for(n_neighbours, &keeps);
    let per_thread = documents.len().div_ceil(rayon::current_num_threads());
    let parts = documents.par_chunks(per_thread.max(1));
    let span = Span::current();
    let occurrences = parts
        .clone()
        .map(|documents| span.in_scope(|| Occurrences::count(documents, n_places)))
        .reduce_with(Occurrences::add);
    let Some(occurrences) = occurrences else {
        return Vec::new();
    };
    let may_be_kept = |pair| keeps(occurrences.at_most(pair));
    let frequencies = parts
        .map(|documents| span.in_scope(|| count_documents(documents, may_be_kept)))
        .reduce(HashMap::new, add);
    let bigrams = frequencies.into_iter().map(|(pair, seen)| Bigram {
        pair,
        frequency: seen.frequency,
    });
    let mut bigrams: Vec<_> = bigrams.filter(|bigram| keeps(bigram.frequency)).collect();
    bigrams.sort_unstable();
    bigrams
}

/// The pairs of neighbours that are terms both.
fn pairs_of(ranks: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let pairs = ranks.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.filter(|&(first, second)| first != NO_TERM && second != NO_TERM)
}

/// How often pairs occur, at each place those that fall to it together: no pair more often than its place says.
struct Occurrences(Vec<u16>);

impl Occurrences {
    const FEWEST_PLACES: usize = 1 << 10;
    /// Two megabytes a thread.
    const MOST_PLACES: usize = 1 << 20;

    /// So many that the rare pairs of a place together are a quarter of what is enough.
    fn places_for(n_neighbours: usize, keeps: impl Fn(u32) -> bool) -> usize {
        let powers = (0..u32::BITS).map(|power| 1 << power);
        let enough: u32 = powers.take_while(|&n| !keeps(n)).last().unwrap_or(1);
        let n_places = n_neighbours.saturating_mul(4) / enough as usize;
        n_places
            .clamp(Self::FEWEST_PLACES, Self::MOST_PLACES)
            .next_power_of_two()
    }

    /// `n_places` is a power of two.
    fn count(documents: &[&[u32]], n_places: usize) -> Self {
        let mut occurrences = Self(vec![0; n_places]);
        for pair in documents.iter().flat_map(|ranks| pairs_of(ranks)) {
            let place = occurrences.place(pair);
            let count = &mut occurrences.0[place];
            *count = count.saturating_add(1);
        }
        occurrences
    }

    /// Of both, which have the same number of places.
    fn add(mut self, other: Self) -> Self {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(other);
        }
        self
    }

    /// A number that a pair doesn't occur more often than.
    fn at_most(&self, pair: (u32, u32)) -> u32 {
        match self.0[self.place(pair)] {
            u16::MAX => u32::MAX,
            count => u32::from(count),
        }
    }

    /// Spread by a multiplication (Fibonacci hashing; Knuth, volume 3, 6.4), without a seed: who makes pairs fall together makes
    /// them be counted in vain, and no more.
    #[inline]
    fn place(&self, (first, second): (u32, u32)) -> usize {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let pair = u64::from(first) << 32 | u64::from(second);
        (pair.wrapping_mul(GOLDEN) >> 32) as usize & (self.0.len() - 1)
    }
}

/// How many documents each pair is in that may be kept.
fn count_documents(documents: &[&[u32]], may_be_kept: impl Fn((u32, u32)) -> bool) -> Frequencies {
    let mut frequencies = Frequencies::new();
    for (ranks, document) in documents.iter().zip(0..) {
        for pair in pairs_of(ranks).filter(|&pair| may_be_kept(pair)) {
            frequencies.entry(pair).or_insert(Seen::NEVER).see(document);
        }
    }
    frequencies
}

/// Of both, which are of different documents.
fn add(one: Frequencies, other: Frequencies) -> Frequencies {
    let (mut sum, fewer) = if one.len() < other.len() {
        (other, one)
    } else {
        (one, other)
    };
    for (pair, seen) in fewer {
        sum.entry(pair).or_insert(Seen::NEVER).frequency += seen.frequency;
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

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

    /// As counting every pair of every document by itself.
    #[test]
    fn pairs_are_counted_exactly_however_many_share_a_place() {
        let token = |document: u32, place: u32| (document * 7 + place * place) % 97;
        let documents: Vec<Vec<u32>> = (0..200)
            .map(|document| (0..document % 40).map(|place| token(document, place)).collect())
            .collect();
        let mut expected: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for document in &documents {
            let pairs: BTreeSet<_> = document.windows(2).map(|pair| (pair[0], pair[1])).collect();
            for pair in pairs {
                *expected.entry(pair).or_default() += 1;
            }
        }
        let documents: Vec<&[u32]> = documents.iter().map(Vec::as_slice).collect();
        for (enough, n_threads) in [1, 2, 5, 12, 30].into_iter().zip([1, 3].into_iter().cycle()) {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .unwrap();
            let found = pool.install(|| frequent_bigrams(&documents, |frequency| frequency >= enough));
            let found: Vec<_> = found
                .iter()
                .map(|bigram| (bigram.pair, bigram.frequency))
                .collect();
            let expected = expected.iter().map(|(&pair, &frequency)| (pair, frequency));
            let expected: Vec<_> = expected.filter(|&(_, frequency)| frequency >= enough).collect();
            assert_eq!(found, expected, "in {enough} documents, on {n_threads} threads");
        }
    }

    #[test]
    fn pairs_are_spread_over_the_places() {
        let occurrences = Occurrences::count(&[], 1 << 10);
        let pairs = (0..32).flat_map(|first| (0..32).map(move |second| (first, second)));
        let places: BTreeSet<_> = pairs.map(|pair| occurrences.place(pair)).collect();
        // Of as many places as pairs, chance leaves 37 in 100 without any.
        assert!(places.len() > 500, "{}", places.len());
    }

    #[test]
    fn no_pair_occurs_more_often_than_its_place_says() {
        let (often, seldom) = ([3, 4].repeat(40_000), [4, 5]);
        let count = |documents: &[&[u32]]| Occurrences::count(documents, 2);
        let occurrences = count(&[&often[..70_000], &seldom]).add(count(&[&often[70_000..], &seldom]));
        assert_eq!(occurrences.at_most((3, 4)), u32::MAX);
        let few = count(&[&[1, 2, 1]]).add(count(&[&[1, 2]]));
        assert_eq!(few.0.iter().sum::<u16>(), 3);
        assert!(few.at_most((1, 2)) >= 2 && few.at_most((2, 1)) >= 1);
    }

    #[test]
    fn there_are_places_for_the_pairs_that_are_not_enough() {
        let places = |n_neighbours, enough| Occurrences::places_for(n_neighbours, |n| n >= enough);
        assert_eq!(places(0, 1), 1 << 10);
        assert_eq!(places(1 << 16, 65), 1 << 12);
        assert_eq!(places(1 << 16, 64), 1 << 13);
        assert_eq!(places(1 << 30, 1), 1 << 20);
        assert_eq!(places(usize::MAX, u32::MAX), 1 << 20);
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
