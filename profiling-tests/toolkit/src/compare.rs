//! Whether a figure changed between two runs, or only seems to.
//!
//! Two figures come in, a verdict goes out. Exact figures changed when they differ. Times of two programs that were
//! measured in turn are judged by [`compare_pairs`]; where there is only what an earlier run saved, by
//! [`compare_times`], which knows the noise of both runs:
//!
//! ```text
//! change       the second median over the first, with a 95 % interval by bootstrap of blocks
//! own noise    three standard deviations of the block medians, the larger of the two runs', at least NOISE_FLOOR
//! machine      what each reference, work that never changes, took in the second run over the first
//! band         [smallest of 1 and machine / (1 + noise), largest of 1 and machine × (1 + noise)]
//! fastest      the second run's fastest block over the first's
//! verdict      changed only where the whole interval and the fastest blocks lie outside the band, on the same side
//! ```
//! That the interval must leave a threshold behind, and not just 1, is criterion's rule (`noise_threshold`, 1 % there).
//! The floor is higher here because two processes differ by more than their samples tell: other addresses, other seeds
//! of hash tables, another moment of a shared machine. The fastest blocks have a say because whatever disturbs a
//! program makes it slower (Chen & Revels 2016, "Robust benchmarking in noisy environments"): a run that was disturbed
//! in most of its blocks was as fast as ever in one.

mod pairs;

use serde::{Deserialize, Serialize};

pub use pairs::{ALL_PAIRS, FEW_PAIRS, PAIRED_FLOOR, PairedChange, compare_pairs, pair_of};

use crate::timing::Samples;
use crate::timing::statistics::{self, median, spread_between_blocks};

/// Changes up to this share are never called one.
pub const NOISE_FLOOR: f64 = 0.12;

/// Standard deviations of the block medians that count as noise.
const NOISE_DEVIATIONS: f64 = 3.0;

/// Fewer blocks say too little about the noise.
pub const LEAST_BLOCKS: usize = 5;

/// More than ten times as many as a time is the median of; the bootstrap of so many takes seconds.
pub const MOST_SAMPLES: usize = 5_000;

/// What became of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It changed for the better.
    Better,
    /// It changed for the worse.
    Worse,
    /// It changed, and neither direction is better.
    Changed,
    /// It differs by no more than it would without a change of the program.
    WithinNoise,
    /// It is exactly what it was.
    Same,
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Times, bytes, operations.
    Lower,
    /// Accuracy, speedups.
    Higher,
    /// Properties of the input or of what was learned.
    Neither,
}

/// A time against an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeChange {
    /// The later median over the earlier.
    pub ratio: f64,
    /// 95 % confidence interval of it.
    pub interval_95: [f64; 2],
    /// Ratios that no change of the program is needed for.
    pub noise_band: [f64; 2],
    /// What follows.
    pub verdict: Verdict,
}

/// Judges a time against an earlier one; not at all where either has fewer blocks than [`LEAST_BLOCKS`], or more samples
/// than [`MOST_SAMPLES`].
pub fn compare_times(before: &Samples, now: &Samples) -> Option<TimeChange> {
    if before.n_blocks().min(now.n_blocks()) < LEAST_BLOCKS
        || before.ns.len().max(now.ns.len()) > MOST_SAMPLES
    {
        return None;
    }
    let ratio = now.median_ns() / before.median_ns();
    let interval_95 = ratio_interval_95(before, now);
    let noise_band = noise_band(before, now);
    let fastest = now.fastest_block_ns() / before.fastest_block_ns();
    let verdict = if interval_95[0].min(fastest) > noise_band[1] {
        Verdict::Worse
    } else if interval_95[1].max(fastest) < noise_band[0] {
        Verdict::Better
    } else {
        Verdict::WithinNoise
    };
    Some(TimeChange {
        ratio,
        interval_95,
        noise_band,
        verdict,
    })
}

/// 95 % confidence interval of the second median over the first, by a bootstrap of blocks.
pub fn ratio_interval_95(before: &Samples, now: &Samples) -> [f64; 2] {
    statistics::ratio_interval_95((&before.ns, before.per_block), (&now.ns, now.per_block))
}

/// Judges a figure that has no noise.
pub fn compare_exact(before: f64, now: f64, better: Better) -> Verdict {
    // Counts and bytes below 2⁵³ are whole as floating-point numbers: equal means the same.
    compare_within(before, now, 0.0, better)
}

/// Judges a figure that differs from run to run by up to `tolerance`, a share of the larger one.
pub fn compare_within(before: f64, now: f64, tolerance: f64, better: Better) -> Verdict {
    if before.total_cmp(&now).is_eq() {
        return Verdict::Same;
    }
    if (now - before).abs() <= tolerance * before.abs().max(now.abs()) {
        return Verdict::WithinNoise;
    }
    match (better, now < before) {
        (Better::Neither, _) => Verdict::Changed,
        (Better::Lower, true) | (Better::Higher, false) => Verdict::Better,
        (Better::Lower, false) | (Better::Higher, true) => Verdict::Worse,
    }
}

fn noise_band(before: &Samples, now: &Samples) -> [f64; 2] {
    let spread = |samples: &Samples| NOISE_DEVIATIONS * spread_between_blocks(&samples.ns, samples.per_block);
    let noise = spread(before).max(spread(now)).max(NOISE_FLOOR);
    let machine = [
        slowness(&before.reference_ns, &now.reference_ns),
        slowness(&before.memory_reference_ns, &now.memory_reference_ns),
    ];
    let [low, high] = [
        machine.into_iter().fold(1.0, f64::min),
        machine.into_iter().fold(1.0, f64::max),
    ];
    [low / (1.0 + noise), high * (1.0 + noise)]
}

/// How many times as long a reference took; 1 where it wasn't taken.
fn slowness(before: &[f64], now: &[f64]) -> f64 {
    let ratio = median(now) / median(before);
    if ratio.is_finite() && ratio > 0.0 {
        ratio
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::statistics::SplitMix64;

    const N_BLOCKS: usize = 10;
    const PER_BLOCK: usize = 5;
    const N_COMPARISONS: usize = 100;

    /// Simulated runs of a program on a noisy machine, reproducible from their seed.
    struct Machine {
        random: SplitMix64,
        /// Standard deviation of samples within a block, of blocks within a run, and of runs, as shares.
        noise: [f64; 3],
        /// Share of samples that something else interrupts, which then take up to three times as long.
        interrupted: f64,
    }

    impl Machine {
        fn quiet(seed: u64) -> Self {
            Self {
                random: SplitMix64(seed),
                noise: [0.02, 0.01, 0.015],
                interrupted: 0.02,
            }
        }

        fn shared(seed: u64) -> Self {
            Self {
                random: SplitMix64(seed),
                noise: [0.05, 0.03, 0.03],
                interrupted: 0.10,
            }
        }

        /// Samples of a call that takes so long undisturbed, on a machine so many times as slow.
        fn run(&mut self, call_ns: f64, slowness: f64) -> Samples {
            let [in_block, between_blocks, between_runs] = self.noise;
            let run = call_ns * slowness * (1.0 + between_runs * self.normal());
            let mut samples = Samples {
                per_block: PER_BLOCK,
                ..Samples::default()
            };
            for _ in 0..N_BLOCKS {
                let block = 1.0 + between_blocks * self.normal();
                samples
                    .reference_ns
                    .push(1e6 * slowness * block * (1.0 + in_block * self.normal()));
                for _ in 0..PER_BLOCK {
                    let interruption = if self.uniform() < self.interrupted {
                        1.0 + 2.0 * self.uniform()
                    } else {
                        1.0
                    };
                    samples
                        .ns
                        .push(run * block * (1.0 + in_block * self.normal()) * interruption);
                }
            }
            samples
        }

        fn uniform(&mut self) -> f64 {
            (self.random.next() >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// Sum of twelve uniform numbers: close enough to normal.
        fn normal(&mut self) -> f64 {
            (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
        }
    }

    fn verdict(before: &Samples, now: &Samples) -> Verdict {
        compare_times(before, now).expect("enough blocks").verdict
    }

    /// Of [`N_COMPARISONS`], those that say so.
    fn n_of(wanted: Verdict, mut machine: Machine, [slower, slowness]: [f64; 2]) -> usize {
        let mut compare = |_| {
            let before = machine.run(1_000.0, 1.0);
            let now = machine.run(1_000.0 * slower, slowness);
            usize::from(verdict(&before, &now) == wanted)
        };
        (0..N_COMPARISONS).map(&mut compare).sum()
    }

    #[test]
    fn the_same_program_is_within_noise() {
        for machine in [Machine::quiet(1), Machine::shared(2)] {
            let n_within = n_of(Verdict::WithinNoise, machine, [1.0, 1.0]);
            assert_eq!(n_within, N_COMPARISONS);
        }
    }

    #[test]
    fn twenty_percent_slower_is_worse_on_a_quiet_machine() {
        let n_found = n_of(Verdict::Worse, Machine::quiet(3), [1.2, 1.0]);
        assert!(n_found * 100 >= N_COMPARISONS * 95, "{n_found}");
    }

    #[test]
    fn twenty_percent_less_is_better_on_a_quiet_machine() {
        let n_found = n_of(Verdict::Better, Machine::quiet(4), [0.8, 1.0]);
        assert!(n_found * 100 >= N_COMPARISONS * 95, "{n_found}");
    }

    #[test]
    fn a_slower_machine_is_not_a_slower_program() {
        let n_within = n_of(Verdict::WithinNoise, Machine::shared(5), [1.0, 1.6]);
        assert!(n_within + 1 >= N_COMPARISONS, "{n_within}");
    }

    #[test]
    fn a_slower_machine_does_not_excuse_a_program_slower_still() {
        let n_found = n_of(Verdict::Worse, Machine::quiet(6), [2.0, 1.3]);
        assert!(n_found * 100 >= N_COMPARISONS * 95, "{n_found}");
    }

    #[test]
    fn few_blocks_are_not_judged() {
        let one = Samples {
            ns: vec![1.0],
            per_block: 1,
            ..Samples::default()
        };
        assert_eq!(compare_times(&one, &Machine::quiet(7).run(1.0, 1.0)), None);
    }

    #[test]
    fn more_samples_than_any_run_takes_are_not_judged() {
        let [before, mut now] = [7, 8].map(|seed| Machine::quiet(seed).run(1.0, 1.0));
        assert!(compare_times(&before, &now).is_some());
        now.ns.resize(MOST_SAMPLES + 1, 1.0);
        assert_eq!(compare_times(&before, &now), None);
        assert_eq!(compare_times(&now, &before), None);
    }

    #[test]
    fn without_a_reference_the_machine_counts_as_the_same() {
        let mut machine = Machine::quiet(8);
        let [mut before, mut now] = [machine.run(1e3, 1.0), machine.run(1.5e3, 1.0)];
        before.reference_ns.clear();
        now.reference_ns.clear();
        assert_eq!(verdict(&before, &now), Verdict::Worse);
    }

    #[test]
    fn any_difference_of_exact_figures_is_a_change() {
        assert_eq!(compare_exact(7.0, 7.0, Better::Lower), Verdict::Same);
        assert_eq!(compare_exact(7.0, 8.0, Better::Lower), Verdict::Worse);
        assert_eq!(compare_exact(7.0, 6.0, Better::Lower), Verdict::Better);
        assert_eq!(compare_exact(0.7, 0.6, Better::Higher), Verdict::Worse);
        assert_eq!(compare_exact(7.0, 6.0, Better::Neither), Verdict::Changed);
    }

    #[test]
    fn tolerance_is_a_share_of_the_larger() {
        assert_eq!(
            compare_within(90.0, 100.0, 0.10, Better::Lower),
            Verdict::WithinNoise
        );
        assert_eq!(compare_within(89.0, 100.0, 0.10, Better::Lower), Verdict::Worse);
    }
}
