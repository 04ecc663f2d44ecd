//! How long calls take, with no instrument switched on: warm-up, batches for short calls, robust statistics.
//!
//! ```text
//! TimedCalls::call(…) → measure(rounds) → … other work … → measure(rounds) → TimingSummary of each call
//! ```
//!
//! A sample is one call, or as many as fill [`TimingOptions::least_sample`]: a clock that takes 30 ns to read
//! can't time a call of 100 ns. Dropping the result belongs to the call. Samples are taken in blocks, a block of each
//! call in turn, so that a slow spell of the machine meets all of them and none for all of its samples; the intervals
//! hold what drifts from block to block. Two pieces of work that never change are timed in every round beside
//! them: by these a later run can tell a slower program from a slower machine.

mod reference;
pub(crate) mod statistics;

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cpu_clock::process_cpu_ns;
use crate::processor::Pinned;
use crate::turns::Turns;
use reference::{Reference, time_sorting, time_walking};
pub use statistics::median;
use statistics::{median_deviation, median_interval_95, quantile, sorted};

/// What one reference takes, roughly.
const ABOUT_ONCE: Duration = Duration::from_millis(2);

const LONGEST_REFERENCE: Duration = Duration::from_millis(200);

/// How calls are timed.
#[derive(Debug, Clone)]
pub struct TimingOptions {
    /// Calls before the first sample. At least one is made, to find out how many calls make a sample.
    /// Default 3.
    pub warm_up_calls: u32,
    /// Blocks of samples, at least 1. Default 10.
    pub blocks: u32,
    /// Samples in a block, at least 1. Default 5.
    pub samples_per_block: u32,
    /// Samples in a block of calls that are prepared, which can't be timed in batches. Default 30.
    pub prepared_per_block: u32,
    /// Shortest sample; shorter calls are timed in batches. Default 20 µs.
    pub least_sample: Duration,
    /// No further block is begun after so much time in samples, once there are [`TimingOptions::least_blocks`].
    /// Default 10 s.
    pub time_limit: Duration,
    /// Blocks that are taken however long they last, at least 1. Default 5: with fewer an interval says little.
    pub least_blocks: u32,
    /// Threads that the reference keeps busy: as many as the calls do. Default 1.
    pub reference_threads: usize,
    /// Passed on before each block; by default nobody else takes any. Where others do, nothing is timed beside the calls;
    /// calls of one thread are made on the same processor by all, another one in each round; and brief calls begin a block
    /// with a sample that doesn't count, since what the others left in the caches isn't theirs.
    pub turns: Turns,
}

impl Default for TimingOptions {
    fn default() -> Self {
        Self {
            warm_up_calls: 3,
            blocks: 10,
            samples_per_block: 5,
            prepared_per_block: 30,
            least_sample: Duration::from_micros(20),
            time_limit: Duration::from_secs(10),
            least_blocks: 5,
            reference_threads: 1,
            turns: Turns::default(),
        }
    }
}

/// How long a call took. All times are nanoseconds per call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingSummary {
    /// Calls that make a sample.
    pub calls_per_sample: u64,
    /// The samples, block by block, in the order in which they were taken.
    pub samples: Samples,
    /// The fastest sample.
    pub min_ns: f64,
    /// The middle sample.
    pub median_ns: f64,
    /// Median of the distances from the median, not scaled to a standard deviation.
    pub mad_ns: f64,
    /// 95 % of the samples are at most this.
    pub p95_ns: f64,
    /// The average, which one slow sample can move.
    pub mean_ns: f64,
    /// 95 % confidence interval of the median, by a bootstrap of blocks.
    pub median_interval_95_ns: [f64; 2],
    /// CPU time of the process, all threads, one value a block; none where calls are prepared between samples, or
    /// the system has no such clock.
    pub cpu: Option<Samples>,
}

/// Samples of one quantity, in the order in which they were taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    /// Nanoseconds per call.
    pub ns: Vec<f64>,
    /// So many of them were taken one right after the other, before anything else had its turn.
    pub per_block: usize,
    /// What the reference of the processor took before each block, nanoseconds: elapsed, or of CPU time where samples
    /// are that, or are shorter than the reference.
    pub reference_ns: Vec<f64>,
    /// What the reference of the memory took, likewise.
    pub memory_reference_ns: Vec<f64>,
}

impl Samples {
    /// The middle sample, 0 without samples.
    pub fn median_ns(&self) -> f64 {
        median(&self.ns)
    }

    /// The smallest median of a block, infinite without samples: whatever disturbs a program makes it slower.
    pub fn fastest_block_ns(&self) -> f64 {
        self.block_medians_ns().fold(f64::INFINITY, f64::min)
    }

    /// The median of each block, in the order in which they were taken.
    pub fn block_medians_ns(&self) -> impl Iterator<Item = f64> {
        self.ns.chunks(self.per_block.max(1)).map(median)
    }

    /// Blocks that were begun.
    pub fn n_blocks(&self) -> usize {
        self.ns.len().div_ceil(self.per_block.max(1))
    }

    /// 95 % confidence interval of the median, by a bootstrap of blocks.
    pub fn median_interval_95_ns(&self) -> [f64; 2] {
        median_interval_95(&self.ns, self.per_block)
    }
}

/// Times one call: all of its blocks, with nothing but the reference between them.
pub fn measure_time<R>(options: &TimingOptions, mut work: impl FnMut() -> R) -> TimingSummary {
    let mut calls = TimedCalls::new(options.clone());
    calls.call(move || {
        black_box(work());
    });
    calls.measure(options.blocks);
    calls.finish().swap_remove(0)
}

/// Calls that are timed in turn.
#[derive(Debug)]
pub struct TimedCalls<'work> {
    options: TimingOptions,
    calls: Vec<Call<'work>>,
    n_rounds: u32,
    /// Of processor and memory, a pair a round.
    references: Vec<[Reference; 2]>,
    /// By references and blocks.
    elapsed: Duration,
}

struct Call<'work> {
    prepare: Option<Box<dyn FnMut() + 'work>>,
    work: Box<dyn FnMut() + 'work>,
    /// None before the warm-up.
    calls_per_sample: Option<u64>,
    /// What a sample took in the warm-up.
    warm_sample: Duration,
    samples_ns: Vec<f64>,
    cpu_ns: Vec<f64>,
}

impl<'work> TimedCalls<'work> {
    /// No calls yet.
    pub fn new(options: TimingOptions) -> Self {
        Self {
            options,
            calls: Vec::new(),
            n_rounds: 0,
            references: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// Adds a call.
    pub fn call(&mut self, work: impl FnMut() + 'work) {
        self.calls.push(Call::new(None, Box::new(work)));
    }

    /// Adds a call with something to do before each, which isn't timed. Each call is then a sample of its own.
    pub fn prepared_call(&mut self, prepare: impl FnMut() + 'work, work: impl FnMut() + 'work) {
        self.calls
            .push(Call::new(Some(Box::new(prepare)), Box::new(work)));
    }

    /// Half of the blocks, rounded down: to be measured before something else that takes time, the rest after it.
    pub fn measure_first_half(&mut self) {
        self.measure(self.options.blocks / 2);
    }

    /// The blocks that are left.
    pub fn measure_rest(&mut self) {
        self.measure(self.options.blocks.max(1).saturating_sub(self.n_rounds));
    }

    /// Up to `n_rounds` rounds: the reference, then a block of each call.
    pub fn measure(&mut self, n_rounds: u32) {
        for _ in 0..n_rounds {
            let enough = self.n_rounds >= self.options.least_blocks.max(1);
            if enough && self.elapsed >= self.options.time_limit {
                return;
            }
            for call in &mut self.calls {
                call.warm_up(&self.options);
            }
            if !self.options.turns.are_taken() {
                self.time_references();
            }
            for call in &mut self.calls {
                self.options.turns.pass();
                let is_one_thread = self.options.reference_threads == 1;
                let is_pinned = self.options.turns.are_taken() && is_one_thread;
                let _pinned = is_pinned.then(|| Pinned::to_nth(self.n_rounds as usize));
                let start = Instant::now();
                call.take_block(&self.options);
                self.elapsed += start.elapsed();
            }
            self.n_rounds += 1;
        }
    }

    fn time_references(&mut self) {
        let (n_threads, n_times) = (self.options.reference_threads, self.times_for_reference());
        let start = Instant::now();
        self.references
            .push([time_sorting(n_threads, n_times), time_walking(n_threads, n_times)]);
        self.elapsed += start.elapsed();
    }

    /// So many that they take about a quarter as long as the longest sample: the scheduler lets a short burst of work
    /// pass before others that are waiting, and such a reference wouldn't see a machine that is busy.
    fn times_for_reference(&self) -> u32 {
        let longest = self.calls.iter().map(|call| call.warm_sample).max();
        let quarter = longest.unwrap_or_default().min(LONGEST_REFERENCE * 4) / 4;
        (quarter.as_nanos() / ABOUT_ONCE.as_nanos()) as u32 + 1
    }

    /// What came out, in the order in which the calls were added.
    pub fn finish(self) -> Vec<TimingSummary> {
        let summary = |call: Call<'work>| call.finish(&self.options, &self.references);
        self.calls.into_iter().map(summary).collect()
    }
}

impl<'work> Call<'work> {
    fn new(prepare: Option<Box<dyn FnMut() + 'work>>, work: Box<dyn FnMut() + 'work>) -> Self {
        Self {
            prepare,
            work,
            calls_per_sample: None,
            warm_sample: Duration::ZERO,
            samples_ns: Vec::new(),
            cpu_ns: Vec::new(),
        }
    }

    /// Calls the work at least [`TimingOptions::warm_up_calls`] times and finds the calls that fill a sample; once.
    fn warm_up(&mut self, options: &TimingOptions) {
        if self.calls_per_sample.is_some() {
            return;
        }
        let (mut calls_per_sample, mut n_calls) = (1, 0);
        loop {
            let elapsed = self.time_batch(calls_per_sample);
            n_calls += calls_per_sample;
            self.warm_sample = elapsed;
            let long_enough = elapsed >= options.least_sample || self.prepare.is_some();
            if !long_enough {
                calls_per_sample *= 2;
            } else if n_calls >= u64::from(options.warm_up_calls) {
                break;
            }
        }
        self.calls_per_sample = Some(calls_per_sample);
    }

    fn take_block(&mut self, options: &TimingOptions) {
        let calls_per_sample = self.calls_per_sample.unwrap_or(1);
        let n_samples = self.samples_per_block(options);
        if options.turns.are_taken() && self.warm_sample < ABOUT_ONCE {
            self.time_batch(calls_per_sample);
        }
        let cpu_before = process_cpu_ns();
        for _ in 0..n_samples {
            let elapsed = self.time_batch(calls_per_sample);
            self.samples_ns
                .push(elapsed.as_nanos() as f64 / calls_per_sample as f64);
        }
        if let (Some(before), Some(after), None) = (cpu_before, process_cpu_ns(), &self.prepare) {
            let n_calls = n_samples as u64 * calls_per_sample;
            self.cpu_ns
                .push(after.saturating_sub(before) as f64 / n_calls as f64);
        }
    }

    fn samples_per_block(&self, options: &TimingOptions) -> usize {
        let n_samples = match self.prepare {
            Some(_) => options.prepared_per_block,
            None => options.samples_per_block,
        };
        n_samples.max(1) as usize
    }

    fn time_batch(&mut self, n_calls: u64) -> Duration {
        if let Some(prepare) = &mut self.prepare {
            prepare();
        }
        let start = Instant::now();
        for _ in 0..n_calls {
            (self.work)();
        }
        start.elapsed()
    }

    fn finish(self, options: &TimingOptions, references: &[[Reference; 2]]) -> TimingSummary {
        let of_round = |which: usize, time: fn(&Reference) -> Option<f64>| -> Vec<f64> {
            references.iter().filter_map(|pair| time(&pair[which])).collect()
        };
        let cpu_time = |reference: &Reference| reference.cpu_ns;
        // The scheduler interrupts few samples that are shorter than a reference, and most references: elapsed, these
        // would tell of waits that the median sample knows nothing of.
        let elapsed = match self.warm_sample {
            brief if brief < ABOUT_ONCE => |reference: &Reference| reference.cpu_ns.or(Some(reference.ns)),
            _ => |reference: &Reference| Some(reference.ns),
        };
        let cpu = Samples {
            ns: self.cpu_ns.clone(),
            per_block: 1,
            reference_ns: of_round(0, cpu_time),
            memory_reference_ns: of_round(1, cpu_time),
        };
        let samples = Samples {
            per_block: self.samples_per_block(options),
            ns: self.samples_ns,
            reference_ns: of_round(0, elapsed),
            memory_reference_ns: of_round(1, elapsed),
        };
        TimingSummary {
            cpu: (!cpu.ns.is_empty()).then_some(cpu),
            ..TimingSummary::from_samples(samples, self.calls_per_sample.unwrap_or(1))
        }
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("calls_per_sample", &self.calls_per_sample)
            .field("samples_ns", &self.samples_ns)
            .finish_non_exhaustive()
    }
}

impl TimingSummary {
    /// Sums up samples, each of `calls_per_sample` calls. The same samples give the same summary. Without samples all
    /// numbers are 0.
    pub fn from_samples(samples: Samples, calls_per_sample: u64) -> Self {
        let sorted = sorted(&samples.ns);
        Self {
            calls_per_sample,
            min_ns: sorted.first().copied().unwrap_or(0.0),
            median_ns: quantile(&sorted, 0.5),
            mad_ns: median_deviation(&samples.ns),
            p95_ns: quantile(&sorted, 0.95),
            mean_ns: sorted.iter().sum::<f64>() / sorted.len().max(1) as f64,
            median_interval_95_ns: samples.median_interval_95_ns(),
            cpu: None,
            samples,
        }
    }

    /// A single call.
    pub fn once(elapsed: Duration) -> Self {
        let samples = Samples {
            ns: vec![elapsed.as_nanos() as f64],
            per_block: 1,
            ..Samples::default()
        };
        Self::from_samples(samples, 1)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
    }

    fn summary(samples: &[f64]) -> TimingSummary {
        let samples = Samples {
            ns: samples.to_vec(),
            per_block: 1,
            ..Samples::default()
        };
        TimingSummary::from_samples(samples, 1)
    }

    /// One sample a block, no batches.
    fn long_calls(blocks: u32) -> TimingOptions {
        TimingOptions {
            warm_up_calls: 2,
            blocks,
            samples_per_block: 1,
            prepared_per_block: 1,
            least_sample: Duration::ZERO,
            ..TimingOptions::default()
        }
    }

    #[test]
    fn statistics_of_a_known_vector() {
        let summary = summary(&[9.0, 1.0, 2.0, 4.0, 6.0, 1.0, 2.0]);
        assert_close(summary.min_ns, 1.0);
        assert_close(summary.median_ns, 2.0);
        // Distances: 7, 1, 0, 2, 4, 1, 0.
        assert_close(summary.mad_ns, 1.0);
        assert_close(summary.mean_ns, 25.0 / 7.0);
        assert_close(summary.p95_ns, 8.1);
    }

    #[test]
    fn samples_keep_their_order() {
        assert_eq!(summary(&[3.0, 1.0, 2.0]).samples.ns, [3.0, 1.0, 2.0]);
    }

    #[test]
    fn same_samples_give_the_same_summary() {
        let samples = [7.0, 3.0, 9.0, 4.0, 4.5];
        assert_eq!(summary(&samples), summary(&samples));
    }

    #[test]
    fn no_samples_give_zeros() {
        let summary = summary(&[]);
        assert_close(summary.median_ns, 0.0);
        assert_close(summary.median_interval_95_ns[1], 0.0);
    }

    #[test]
    fn short_calls_are_batched_and_all_samples_taken() {
        let options = TimingOptions {
            blocks: 3,
            samples_per_block: 5,
            ..TimingOptions::default()
        };
        let mut n_calls = 0_u64;
        let summary = measure_time(&options, || n_calls += 1);
        assert!(summary.calls_per_sample > 1);
        assert_eq!(summary.samples.ns.len(), 15);
        assert_eq!(summary.samples.reference_ns.len(), 3);
        assert!(n_calls >= 15 * summary.calls_per_sample);
    }

    #[test]
    fn long_calls_are_samples_of_their_own() {
        let mut n_calls = 0;
        let summary = measure_time(&long_calls(3), || n_calls += 1);
        assert_eq!((summary.calls_per_sample, n_calls), (1, 5));
    }

    #[test]
    fn calls_take_turns_block_by_block() {
        let order = RefCell::new(String::new());
        let mut calls = TimedCalls::new(TimingOptions {
            samples_per_block: 2,
            warm_up_calls: 1,
            ..long_calls(2)
        });
        calls.call(|| order.borrow_mut().push('a'));
        calls.call(|| order.borrow_mut().push('b'));
        calls.measure_first_half();
        order.borrow_mut().push('|');
        calls.measure_rest();
        assert_eq!(calls.finish().len(), 2);
        assert_eq!(order.into_inner(), "abaabb|aabb");
    }

    #[test]
    fn every_prepared_call_is_prepared() {
        let (n_prepared, n_calls) = (Cell::new(0), Cell::new(0));
        let mut calls = TimedCalls::new(TimingOptions {
            prepared_per_block: 7,
            ..long_calls(2)
        });
        calls.prepared_call(
            || n_prepared.set(n_prepared.get() + 1),
            || n_calls.set(n_calls.get() + 1),
        );
        calls.measure(2);
        let summary = calls.finish().swap_remove(0);
        assert_eq!((summary.calls_per_sample, summary.samples.ns.len()), (1, 14));
        assert_eq!((n_prepared.get(), n_calls.get()), (16, 16));
        assert_eq!(summary.cpu, None);
    }

    #[test]
    fn least_blocks_are_taken_even_when_time_is_up() {
        let options = TimingOptions {
            time_limit: Duration::ZERO,
            least_blocks: 2,
            ..long_calls(9)
        };
        assert_eq!(measure_time(&options, || ()).samples.ns.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn cpu_time_of_a_spinning_call_is_about_its_time() {
        let spin = || {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(2) {}
        };
        let summary = measure_time(&long_calls(3), spin);
        let cpu_ns = summary.cpu.expect("unix has the clock").median_ns();
        assert!(cpu_ns > 0.0 && cpu_ns.is_finite(), "{cpu_ns}");
    }
}
