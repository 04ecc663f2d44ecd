//! What sampling may cost: where it would take more, the rate gives way.
//!
//! As Linux holds its own sampling back (`perf_cpu_time_max_percent`). Every few looks, what the samples took since the
//! last time is held against the work that was done meanwhile, and the intervals are stretched or drawn together until
//! both agree with the limit. The sampler's own thread costs the others something only where no processor is free for it.

use std::thread;

use super::clock::{current_thread_cpu_ns, process_cpu_ns};
use super::roster;

/// Looks at the threads between two looks at the cost.
const WINDOW: u32 = 16;

/// Less work than this since the last look at the cost says nothing of it.
const LEAST_WORK_NS: u64 = 2_000_000;

/// Of what sampling costs, the part that the clocks see: not caches that are cold afterwards. Where four threads kept four
/// processors busy, 2.0 % were seen and 2.1 to 2.4 % were lost.
const SEEN: f64 = 0.8;

/// The longest intervals, in periods.
const MOST_STRETCH: f64 = 8.0;

/// How far the intervals are stretched, and what is known of the cost so far.
#[derive(Debug)]
pub(super) struct Throttle {
    /// Share of the work.
    limit: f64,
    delivery_ns: u64,
    n_processors: usize,
    before: Spent,
    n_looks: u32,
    n_signals: u64,
    stretch: f64,
    stretches: f64,
    n_stretches: u64,
}

/// CPU nanoseconds so far.
#[derive(Debug, Clone, Copy)]
struct Spent {
    process: u64,
    sampler: u64,
    handlers: u64,
}

impl Spent {
    /// For the sampler's thread.
    fn now() -> Self {
        Self {
            process: process_cpu_ns(),
            sampler: current_thread_cpu_ns(),
            handlers: roster::handler_ns(),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            process: self.process.saturating_sub(before.process),
            sampler: self.sampler.saturating_sub(before.sampler),
            handlers: self.handlers.saturating_sub(before.handlers),
        }
    }
}

impl Throttle {
    /// For the sampler's thread. A signal costs `delivery_ns` beside its handler.
    pub(super) fn new(most_cost_percent: u32, delivery_ns: u64) -> Self {
        Self {
            limit: SEEN * f64::from(most_cost_percent) / 100.0,
            delivery_ns,
            n_processors: thread::available_parallelism().map_or(1, usize::from),
            before: Spent::now(),
            n_looks: 0,
            n_signals: 0,
            stretch: 1.0,
            stretches: 0.0,
            n_stretches: 0,
        }
    }

    /// Periods until the next look at the threads, after one at which `n_signalled` of them had worked.
    pub(super) fn stretch_after(&mut self, n_signalled: usize) -> f64 {
        self.n_looks += 1;
        self.n_signals += n_signalled as u64;
        if self.n_looks >= WINDOW {
            self.adapt();
        }
        self.stretches += self.stretch;
        self.n_stretches += 1;
        self.stretch
    }

    /// Periods between two looks, on average.
    pub(super) fn mean_stretch(&self) -> f64 {
        match self.n_stretches {
            0 => 1.0,
            n => self.stretches / n as f64,
        }
    }

    fn adapt(&mut self) {
        let now = Spent::now();
        let spent = now.since(self.before);
        let delivery_ns = self.n_signals * self.delivery_ns;
        let instruments_ns = spent.sampler + spent.handlers + delivery_ns;
        let work_ns = spent.process.saturating_sub(instruments_ns);
        if work_ns < LEAST_WORK_NS {
            return;
        }
        let n_busy = self.n_signals as f64 / f64::from(self.n_looks);
        // The clock that wakes the sampler interrupts whoever has the processor, as a signal does.
        let sampler_ns = spent.sampler + u64::from(self.n_looks) * self.delivery_ns;
        let sampler_ns = sampler_ns as f64 * lacking_processor(n_busy, self.n_processors);
        let cost_ns = (spent.handlers + delivery_ns) as f64 + sampler_ns;
        self.stretch = adapted(self.stretch, cost_ns / work_ns as f64, self.limit);
        self.before = now;
        self.n_looks = 0;
        self.n_signals = 0;
    }
}

/// The part of a processor that the sampler's thread takes from the work, where so many threads are busy.
fn lacking_processor(n_busy: f64, n_processors: usize) -> f64 {
    (n_busy + 1.0 - n_processors as f64).clamp(0.0, 1.0)
}

/// The cost is in inverse proportion to the intervals. Half the way at a time: what was measured was of a moment.
fn adapted(stretch: f64, cost_share: f64, limit: f64) -> f64 {
    let wanted = stretch * cost_share / limit;
    f64::midpoint(stretch, wanted).clamp(1.0, MOST_STRETCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adapts to a cost per look, given as a share of the work at the asked rate.
    fn settled(cost_share: f64) -> f64 {
        (0..30).fold(1.0, |stretch, _| adapted(stretch, cost_share / stretch, 0.02))
    }

    #[test]
    fn what_costs_less_is_sampled_as_asked() {
        for cost_share in [0.0, 0.005, 0.02] {
            assert!((settled(cost_share) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn what_costs_more_is_sampled_until_it_costs_the_limit() {
        for cost_share in [0.03, 0.05, 0.15] {
            assert!((settled(cost_share) - cost_share / 0.02).abs() < 1e-6);
        }
    }

    #[test]
    fn a_moment_of_high_cost_passes() {
        let high = adapted(1.0, 10.0, 0.02);
        assert!((high - MOST_STRETCH).abs() < 1e-9);
        let after = (0..30).fold(high, |stretch, _| adapted(stretch, 0.01 / stretch, 0.02));
        assert!((after - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_samplers_thread_costs_where_no_processor_is_free() {
        let lacking = [0.0, 1.0, 3.0, 3.5, 4.0, 9.0].map(|n_busy| lacking_processor(n_busy, 4));
        assert_eq!(lacking.map(|part| (part * 10.0) as u32), [0, 0, 0, 5, 10, 10]);
    }
}
