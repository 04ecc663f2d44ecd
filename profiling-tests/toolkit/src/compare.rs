//! Whether a figure changed between two runs, or only seems to.
//!
//! Two figures come in, a verdict goes out. Exact figures changed when they differ. Times are judged by
//! [`compare_times`], which knows the noise of both runs:
//!
//! ```text
//! change       the second median over the first, with a 95 % interval by bootstrap of blocks
//! own noise    three standard deviations of the block medians, the larger of the two runs', at least NOISE_FLOOR
//! machine      what the reference, work that never changes, took in the second run over the first
//! band         [min(1, machine) / (1 + noise), max(1, machine) × (1 + noise)]
//! verdict      changed only where the whole interval lies outside the band
//! ```
//! That the interval must leave a threshold behind, and not just 1, is criterion's rule (`noise_threshold`, 1 % there).
//! The floor is higher here because two processes differ by more than their samples tell: other addresses, other seeds
//! of hash tables, another moment of a shared machine.

use serde::{Deserialize, Serialize};

use crate::timing::Samples;
use crate::timing::statistics::{self, median, spread_between_blocks};

/// Changes up to this share are never called one.
pub const NOISE_FLOOR: f64 = 0.10;

/// Standard deviations of the block medians that count as noise.
const NOISE_DEVIATIONS: f64 = 3.0;

/// Fewer blocks say too little about the noise.
pub const LEAST_BLOCKS: usize = 5;

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

/// Judges a time against an earlier one; not at all where either has fewer than [`LEAST_BLOCKS`].
pub fn compare_times(before: &Samples, now: &Samples) -> Option<TimeChange> {
    if before.n_blocks().min(now.n_blocks()) < LEAST_BLOCKS {
        return None;
    }
    let ratio = now.median_ns() / before.median_ns();
    let interval_95 = ratio_interval_95(before, now);
    let noise_band = noise_band(before, now);
    let verdict = if interval_95[0] > noise_band[1] {
        Verdict::Worse
    } else if interval_95[1] < noise_band[0] {
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
    let machine = median(&now.reference_ns) / median(&before.reference_ns);
    let machine = if machine.is_finite() && machine > 0.0 {
        machine
    } else {
        1.0
    };
    [machine.min(1.0) / (1.0 + noise), machine.max(1.0) * (1.0 + noise)]
}
