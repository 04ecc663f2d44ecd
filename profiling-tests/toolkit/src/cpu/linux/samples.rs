//! The samples by number of their stack, and how much what they have in common varies from tick to tick.
//!
//! Threads that do the same thing at the same time are found doing it together, so samples of one tick aren't
//! independent of each other, while ticks are. Errors are therefore those of a ratio of sums over ticks (Cochran,
//! "Sampling Techniques", 1977, section 6.3): with weights `a` of what is asked for and `b` of all at each tick, and
//! `p = Σa / Σb`, the standard error of `Σa` is `√Σ(a - pb)²`. On one thread that is the binomial one.

use std::collections::HashMap;

use super::arena::Arena;
use crate::phase::Phase;

/// A stack of return addresses, leaf first.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct RawStack {
    pub(super) addresses: Vec<usize>,
    pub(super) truncated: bool,
    pub(super) complete: bool,
}

/// A sample as the costs are added up from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    tick: u64,
    /// Place in [`Samples::stacks`].
    pub(super) stack: usize,
    pub(super) phase: Phase,
    pub(super) weight_ns: u64,
}

/// All samples of a measurement.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// The distinct stacks.
    pub(super) stacks: Vec<RawStack>,
    /// By tick.
    taken: Vec<Sample>,
}

impl Samples {
    pub(super) fn collect(arena: &Arena) -> Self {
        let mut numbers = HashMap::<RawStack, usize>::new();
        let mut taken = Vec::new();
        arena.for_each(|sample| {
            let stack = RawStack {
                addresses: sample.frames.to_vec(),
                truncated: sample.truncated,
                complete: sample.complete,
            };
            let n_known = numbers.len();
            taken.push(Sample {
                tick: sample.tick,
                stack: *numbers.entry(stack).or_insert(n_known),
                phase: sample.phase,
                weight_ns: sample.weight_ns,
            });
        });
        taken.sort_by_key(|sample| sample.tick);
        let mut stacks: Vec<(RawStack, usize)> = numbers.into_iter().collect();
        stacks.sort_unstable_by_key(|&(_, number)| number);
        Self {
            stacks: stacks.into_iter().map(|(stack, _)| stack).collect(),
            taken,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.taken.iter()
    }

    /// Those of each tick.
    pub(super) fn ticks(&self) -> impl Iterator<Item = &[Sample]> {
        self.taken.chunk_by(|a, b| a.tick == b.tick)
    }

    /// The sums over ticks of all that was sampled.
    pub(super) fn whole(&self) -> Whole {
        let mut whole = Whole::default();
        for tick in self.ticks() {
            let weight = weight(tick);
            whole.sum += weight;
            whole.sum_of_squares += weight * weight;
        }
        whole
    }
}

/// What the samples of a tick weigh together.
pub(super) fn weight(tick: &[Sample]) -> f64 {
    tick.iter().map(|sample| sample.weight_ns).sum::<u64>() as f64
}

/// Sums over ticks of the weight of all samples.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whole {
    sum: f64,
    sum_of_squares: f64,
}

impl Whole {
    /// The number of ticks of equal weight that would be as precise (Kish: `(Σw)² / Σw²`).
    pub(super) fn effective_ticks(self) -> f64 {
        if self.sum_of_squares > 0.0 {
            self.sum * self.sum / self.sum_of_squares
        } else {
            0.0
        }
    }
}

/// How a part varies from tick to tick, beside the whole.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spread {
    sum_of_squares: f64,
    sum_with_whole: f64,
}

impl Spread {
    /// Adds a tick in which the part weighed `part` of `whole`.
    pub(super) fn add(&mut self, part: f64, whole: f64) {
        self.sum_of_squares += part * part;
        self.sum_with_whole += part * whole;
    }

    /// Standard error of the part's sum, nanoseconds.
    pub(super) fn error_ns(self, part_ns: u64, whole: Whole) -> u64 {
        if whole.sum <= 0.0 {
            return 0;
        }
        let share = part_ns as f64 / whole.sum;
        let squares =
            self.sum_of_squares - 2.0 * share * self.sum_with_whole + share * share * whole.sum_of_squares;
        squares.max(0.0).sqrt().round() as u64
    }
}

/// The spreads of many parts: what they weigh in a tick is added up one by one, and settled at its end.
#[derive(Debug, Default)]
pub(super) struct Spreads {
    of_parts: Vec<Spread>,
    of_tick: Vec<f64>,
    touched: Vec<usize>,
}

impl Spreads {
    pub(super) fn new(n_parts: usize) -> Self {
        Self {
            of_parts: vec![Spread::default(); n_parts],
            of_tick: vec![0.0; n_parts],
            touched: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, part: usize, weight_ns: u64) {
        if self.of_tick[part] <= 0.0 {
            self.touched.push(part);
        }
        self.of_tick[part] += weight_ns as f64;
    }

    pub(super) fn end_tick(&mut self, whole: f64) {
        for part in self.touched.drain(..) {
            self.of_parts[part].add(self.of_tick[part], whole);
            self.of_tick[part] = 0.0;
        }
    }

    pub(super) fn error_ns(&self, part: usize, part_ns: u64, whole: Whole) -> u64 {
        self.of_parts[part].error_ns(part_ns, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::arena::RawSample;
    use super::*;

    fn sample_of(tick: u64, frames: &[usize]) -> RawSample<'_> {
        RawSample {
            slot: 0,
            phase: Phase::NONE,
            tick,
            weight_ns: 1_000_000,
            truncated: false,
            complete: true,
            frames,
        }
    }

    fn samples(n_threads: u64) -> Samples {
        let arena = Arena::with_bytes(1 << 20);
        for tick in 0..100 {
            for _ in 0..n_threads {
                assert!(arena.push(sample_of(tick, if tick < 30 { &[7] } else { &[8] })));
            }
        }
        Samples::collect(&arena)
    }

    fn error_of_thirty(n_threads: u64) -> u64 {
        let samples = samples(n_threads);
        let mut spreads = Spreads::new(samples.stacks.len());
        for tick in samples.ticks() {
            for sample in tick {
                spreads.add(sample.stack, sample.weight_ns);
            }
            spreads.end_tick(weight(tick));
        }
        spreads.error_ns(0, 30 * n_threads * 1_000_000, samples.whole())
    }

    #[test]
    fn error_on_one_thread_is_the_binomial_one() {
        // √(100 · 0.3 · 0.7) milliseconds.
        assert_eq!(error_of_thirty(1), 4_582_576);
    }

    #[test]
    fn threads_in_step_are_no_more_precise_than_one() {
        let (four, one) = (error_of_thirty(4), error_of_thirty(1));
        assert!(four.abs_diff(4 * one) <= 4, "{four} {one}");
        assert!((samples(4).whole().effective_ticks() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn samples_of_a_tick_are_together_however_they_came() {
        let arena = Arena::with_bytes(1 << 20);
        for tick in [1, 2, 1] {
            assert!(arena.push(sample_of(tick, &[7])));
        }
        let samples = Samples::collect(&arena);
        let lengths: Vec<usize> = samples.ticks().map(<[Sample]>::len).collect();
        assert_eq!((lengths, samples.stacks.len()), (vec![2, 1], 1));
    }
}
