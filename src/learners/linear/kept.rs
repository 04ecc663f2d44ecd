//! The weights of trained blocks that aren't zero, kept until all blocks are there and then put in the order of terms.
//!
//! In come the dense weights of block after block, in any order of blocks; out go a row of weights for each term, with
//! the outputs that they are of.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::examples::OnBits;
use super::lanes::{LANES, TermLanes};

/// Terms that one thread puts in order at a stretch.
const TERMS_A_STRETCH: usize = 2_048;

/// Takes weights in, from several threads.
pub(super) struct Keeper<'a> {
    /// What the weights of each place are divided by.
    factors: &'a [f32],
    /// The place of each term.
    places: Vec<u32>,
    // PERF: all in one piece, which grows where it lies. In pieces of their own, blocks left what they had held with the
    // allocator while as much again was asked of the system.
    weights: Mutex<Vec<f32>>,
}

/// Where in a [`Keeper`] the weights of a block are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    first: usize,
    pub(super) n_weights: usize,
}

impl<'a> Keeper<'a> {
    /// Of places with these terms and factors.
    pub(super) fn new(terms: &[u32], factors: &'a [f32]) -> Self {
        let mut places = vec![0; terms.len()];
        for (place, &term) in (0..).zip(terms) {
            places[term as usize] = place;
        }
        Self {
            factors,
            places,
            weights: Mutex::default(),
        }
    }

    /// Takes the weights of the first `n_lanes` lanes in, given those of each place, and notes in `stored` which of each
    /// term's there are, a bit a lane.
    pub(super) fn keep(&self, weights: &[TermLanes], n_lanes: usize, stored: &mut [OnBits]) -> Span {
        let mut n_weights = 0;
        for (stored, &place) in stored.iter_mut().zip(&self.places) {
            *stored = not_zero(&weights[place as usize], n_lanes);
            n_weights += stored.count_ones() as usize;
        }
        let mut kept = self.weights.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.len();
        if kept.capacity() - first < n_weights {
            kept.reserve_exact(n_weights.max(first / 8));
        }
        for (&stored, &place) in stored.iter().zip(&self.places) {
            let (of_term, factor) = (&weights[place as usize], self.factors[place as usize]);
            kept.extend(lanes(stored).map(|lane| of_term.0.as_flattened()[lane] / factor));
        }
        Span { first, n_weights }
    }

    /// What was kept: of each block where its weights are, and the bits of all blocks in the same order.
    pub(super) fn finish(self, spans: &[Span], stored: Vec<OnBits>) -> Kept {
        let weights = self.weights.into_inner().unwrap_or_else(PoisonError::into_inner);
        Kept {
            n_terms: self.places.len(),
            stored,
            firsts: spans.iter().map(|span| span.first).collect(),
            weights,
        }
    }
}

/// A bit for each of the first lanes that isn't zero.
fn not_zero(of_term: &TermLanes, n_lanes: usize) -> OnBits {
    let numbers = of_term.0.as_flattened()[..n_lanes].iter();
    (0..).zip(numbers).fold(0, |bits, (lane, &number)| {
        bits | (OnBits::from(number != 0.0) << lane)
    })
}

/// The lanes whose bits are set, ascending.
fn lanes(mut bits: OnBits) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(lane)
    })
}

/// The weights of all blocks.
pub(super) struct Kept {
    n_terms: usize,
    /// Per block and term, a bit for each lane that has a weight.
    stored: Vec<OnBits>,
    /// Where in the weights those of each block begin.
    firsts: Vec<usize>,
    /// Block after block; in each by term and lane.
    weights: Vec<f32>,
}

/// Weights by term and output; those of a term are between two of the `n_terms + 1` bounds.
pub(super) struct ByTerm {
    pub(super) bounds: Vec<usize>,
    pub(super) outputs: Vec<u32>,
    pub(super) weights: Vec<f32>,
}

/// Some terms of a block.
struct Part<'a> {
    block: usize,
    stretch: usize,
    /// Per term.
    stored: &'a [OnBits],
}

impl Kept {
    /// Puts the weights in the order of terms, on the current rayon pool.
    pub(super) fn into_order(mut self) -> ByTerm {
        let (bounds, starts) = (self.bounds(), self.starts());
        let weights = self.in_order(&bounds, |part: Part<'_>, next, weights| {
            let mut rest = &self.weights[starts[part.block][part.stretch]..];
            for (stored, next) in part.stored.iter().zip(next) {
                let of_term;
                (of_term, rest) = rest.split_at(stored.count_ones() as usize);
                weights[*next..*next + of_term.len()].copy_from_slice(of_term);
                *next += of_term.len();
            }
        });
        // They are gone before as many outputs are there.
        self.weights = Vec::new();
        let outputs = self.in_order(&bounds, |part: Part<'_>, next, outputs| {
            for (&stored, next) in part.stored.iter().zip(next) {
                for lane in lanes(stored) {
                    outputs[*next] = (part.block * LANES + lane) as u32;
                    *next += 1;
                }
            }
        });
        ByTerm {
            bounds,
            outputs,
            weights,
        }
    }

    fn blocks(&self) -> impl Iterator<Item = &[OnBits]> {
        self.stored.chunks(self.n_terms.max(1))
    }

    fn bounds(&self) -> Vec<usize> {
        let mut bounds = vec![0; self.n_terms + 1];
        let stretches = bounds[1..].par_chunks_mut(TERMS_A_STRETCH).enumerate();
        stretches.for_each(|(stretch, counts)| {
            for stored in self.blocks() {
                for (count, stored) in counts.iter_mut().zip(&stored[stretch * TERMS_A_STRETCH..]) {
                    *count += stored.count_ones() as usize;
                }
            }
        });
        for term in 0..self.n_terms {
            bounds[term + 1] += bounds[term];
        }
        bounds
    }

    /// Of each block, where the weights of each stretch of terms begin.
    fn starts(&self) -> Vec<Vec<usize>> {
        let of_block = |(&first, stored): (&usize, &[OnBits])| {
            let stretches = stored.chunks(TERMS_A_STRETCH);
            let starts = stretches.scan(first, |next, stored| {
                let n_weights: usize = stored.iter().map(|stored| stored.count_ones() as usize).sum();
                Some(std::mem::replace(next, *next + n_weights))
            });
            starts.collect()
        };
        self.firsts.iter().zip(self.blocks()).map(of_block).collect()
    }

    /// An item for each weight, in the order of terms. `put` puts those of a part among the items of its stretch, each
    /// term's from where the next is to be, which it moves on.
    fn in_order<T, F>(&self, bounds: &[usize], put: F) -> Vec<T>
    where
        T: Copy + Default + Send,
        F: Fn(Part<'_>, &mut [usize], &mut [T]) + Sync,
    {
        let mut items = vec![T::default(); bounds[self.n_terms]];
        let mut rest = &mut items[..];
        let mut stretches = Vec::with_capacity(self.n_terms.div_ceil(TERMS_A_STRETCH));
        for terms in bounds[..self.n_terms].chunks(TERMS_A_STRETCH) {
            let end = bounds[stretches.len() * TERMS_A_STRETCH + terms.len()];
            let of_stretch;
            (of_stretch, rest) = rest.split_at_mut(end - terms[0]);
            stretches.push((terms, of_stretch));
        }
        let stretches = stretches.into_par_iter().enumerate();
        stretches.for_each(|(stretch, (terms, items))| {
            let mut next: Vec<usize> = terms.iter().map(|start| start - terms[0]).collect();
            for (block, stored) in self.blocks().enumerate() {
                let first = stretch * TERMS_A_STRETCH;
                let stored = &stored[first..first + terms.len()];
                let part = Part {
                    block,
                    stretch,
                    stored,
                };
                put(part, &mut next, items);
            }
        });
        items
    }
}

#[cfg(test)]
mod tests {
    use super::super::lanes::all;
    use super::*;

    #[test]
    fn weights_come_in_the_order_of_terms_whatever_the_order_of_blocks() {
        const N_TERMS: usize = 2 * TERMS_A_STRETCH + 7;
        const N_BLOCKS: usize = 3;
        const LAST_LANES: usize = 5;
        let terms: Vec<u32> = (0..N_TERMS as u32).rev().collect();
        let factors = vec![2.0; N_TERMS];
        // The weight is half the number by which it is stored, and none where that is 0.
        let number = |term: usize, output: usize| ((term * 7 + output * 3) % 4) as f32;
        let keeper = Keeper::new(&terms, &factors);
        let mut stored = vec![0; N_BLOCKS * N_TERMS];
        let mut spans = vec![None; N_BLOCKS];
        for block in [2, 0, 1] {
            let mut weights = vec![TermLanes(all(0.0)); N_TERMS];
            for (weights, &term) in weights.iter_mut().zip(&terms) {
                for (lane, weight) in weights.0.as_flattened_mut().iter_mut().enumerate() {
                    *weight = number(term as usize, block * LANES + lane);
                }
            }
            let n_lanes = if block == 2 { LAST_LANES } else { LANES };
            let stored = &mut stored[block * N_TERMS..][..N_TERMS];
            spans[block] = Some(keeper.keep(&weights, n_lanes, stored));
        }
        let spans: Vec<Span> = spans.into_iter().flatten().collect();
        let by_term = keeper.finish(&spans, stored).into_order();
        for term in 0..N_TERMS {
            let entries = by_term.bounds[term]..by_term.bounds[term + 1];
            let outputs = by_term.outputs[entries.clone()].iter().copied();
            let found: Vec<_> = outputs.zip(by_term.weights[entries].iter().copied()).collect();
            let expected: Vec<_> = (0..2 * LANES + LAST_LANES)
                .map(|output| (output as u32, number(term, output) / 2.0))
                .filter(|&(_, weight)| weight > 0.0)
                .collect();
            assert_eq!(found, expected, "term {term}");
        }
    }

    #[test]
    fn without_terms_there_are_no_weights() {
        let keeper = Keeper::new(&[], &[]);
        let mut stored = vec![0];
        let span = keeper.keep(&[], LANES, &mut stored);
        let by_term = keeper.finish(&[span], stored).into_order();
        assert_eq!((by_term.bounds, by_term.weights.len()), (vec![0], 0));
    }
}
