//! From what was recorded to a profile.
//!
//! ```text
//! arena -> samples by stack -> named frames, trimmed -> functions, stacks and phases, sorted by name
//! ```
//! Where addresses lie changes from run to run; everything that goes out is ordered by name.

use std::sync::atomic::Ordering::Relaxed;

use super::Recording;
use super::costs::Costs;
use super::naming::Naming;
use super::samples::Samples;
use super::slots::SLOTS;
use crate::cpu::options::CpuOptions;
use crate::cpu::profile::{CpuProfile, SamplingQuality, ThreadCost};

/// Gives names to what was recorded.
pub(super) fn resolve(recording: &Recording<'_>, options: &CpuOptions) -> CpuProfile {
    let (start, end) = (recording.start, recording.end);
    let sampler_ns = end.sampler_ns.saturating_sub(start.sampler_ns);
    let samples = Samples::collect(&recording.shared.arena);
    let mut naming = Naming::new(&recording.shared.tables, &options.trim);
    let costs = Costs::of(&samples, &mut naming);
    let sampling = SamplingQuality {
        rate_asked_hz: options.rate_hz,
        rate_allowed_hz: f64::from(options.rate_hz) / recording.mean_stretch,
        min_samples: options.min_samples,
        effective_samples: samples.whole().effective_ticks(),
        truncated: costs.truncated,
        rooted: costs.rooted,
        unsymbolised: costs.unsymbolised,
        sampler_ns,
        ..counters(recording)
    };
    CpuProfile {
        wall_ns: end.wall.duration_since(start.wall).as_nanos() as u64,
        cpu_ns: end
            .process_ns
            .saturating_sub(start.process_ns)
            .saturating_sub(sampler_ns),
        user_ns: end.usage.user_ns.saturating_sub(start.usage.user_ns),
        system_ns: end.usage.system_ns.saturating_sub(start.usage.system_ns),
        iterations: recording.iterations,
        sampling,
        threads: thread_costs(recording),
        phases: costs.phases,
        functions: costs.functions,
        stacks: costs.stacks,
    }
}

fn counters(recording: &Recording<'_>) -> SamplingQuality {
    let mut quality = SamplingQuality {
        delivery: super::DELIVERY.to_owned(),
        ..SamplingQuality::default()
    };
    for (slot, thread) in SLOTS.iter().zip(&recording.threads) {
        let counts = &slot.counts;
        quality.samples += counts.samples.load(Relaxed);
        quality.asleep += counts.asleep.load(Relaxed);
        quality.skipped += counts.skipped.load(Relaxed);
        quality.dropped += counts.dropped.load(Relaxed);
        quality.slowly_unwound += counts.slowly_unwound.load(Relaxed);
        quality.sampled_ns += counts.weight_ns.load(Relaxed);
        quality.handler_ns += counts.handler_ns.load(Relaxed);
        quality.unsampled_ns += thread.unsampled_ns;
    }
    let signals = quality.samples + quality.skipped + quality.dropped + quality.asleep;
    quality.delivery_ns = recording.delivery_ns * signals;
    let sampled_seconds = quality.sampled_ns as f64 / 1e9;
    if sampled_seconds > 0.0 {
        quality.rate_reached_hz = quality.samples as f64 / sampled_seconds;
    }
    quality
}

fn thread_costs(recording: &Recording<'_>) -> Vec<ThreadCost> {
    let threads = SLOTS.iter().zip(&recording.threads);
    threads
        .map(|(slot, thread)| ThreadCost {
            name: thread.name.clone(),
            cpu_ns: slot.counts.weight_ns.load(Relaxed) + thread.unsampled_ns,
            samples: slot.counts.samples.load(Relaxed),
        })
        .collect()
}
