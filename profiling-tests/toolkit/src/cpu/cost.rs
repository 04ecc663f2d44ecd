//! What sampling costs and how well it works here: tried on a known load before anything is measured.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{CpuError, CpuOptions, measure_cpu};

/// What the sampler did with one thread that was busy for a fifth of a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SamplerCost {
    /// Samples per second and thread that were asked for: the default of [`CpuOptions`].
    pub rate_asked_hz: u32,
    /// Samples per second of CPU time that were taken.
    pub rate_reached_hz: f64,
    /// CPU time of one sample, its signal included, nanoseconds.
    pub sample_ns: f64,
    /// Part of a busy thread's CPU time that its samples take at that rate.
    pub share: f64,
    /// Samples taken.
    pub samples: u64,
    /// Samples lost.
    pub dropped: u64,
    /// Samples whose stacks were cut off.
    pub truncated: u64,
    /// CPU time that the samples stand for, over that measured by the system.
    pub weight_ratio: f64,
}

/// Two hundred samples: enough for their cost, short beside any training.
const PROBE: Duration = Duration::from_millis(200);

/// Measures on this machine, in about a fifth of a second.
///
/// # Errors
/// Those of [`measure_cpu`].
pub fn measure_sampler_cost() -> Result<SamplerCost, CpuError> {
    let ((), profile) = measure_cpu(&CpuOptions::default(), busy)?;
    let sampling = &profile.sampling;
    // Both sums are over these, whatever became of the signal.
    let signals = sampling.samples + sampling.skipped + sampling.dropped + sampling.asleep;
    let sample_ns = (sampling.handler_ns + sampling.delivery_ns) as f64 / signals.max(1) as f64;
    Ok(SamplerCost {
        rate_asked_hz: sampling.rate_asked_hz,
        rate_reached_hz: sampling.rate_reached_hz,
        sample_ns,
        share: sample_ns * f64::from(sampling.rate_asked_hz) / 1e9,
        samples: sampling.samples,
        dropped: sampling.dropped,
        truncated: sampling.truncated,
        weight_ratio: profile.weight_ratio(),
    })
}

fn busy() {
    let start = Instant::now();
    let mut state = 1_u64;
    while start.elapsed() < PROBE {
        for _ in 0..1_000 {
            state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).rotate_left(9));
        }
    }
}
