//! What a timer's signal costs before and after the handler: the interrupt, the signal frame, the return.
//!
//! Found by looking at the clock over and over while a signal arrives that the handler ignores: the gap between
//! two readings is the whole interruption. It isn't small: 16 µs on a virtual machine, as much as taking a
//! sample of 15 frames. What the interruption costs the program afterwards, in cold caches, isn't in it.

use std::sync::OnceLock;

use super::clock::{ThreadId, monotonic_ns};
use super::handler;
use super::timers::ThreadTimer;

/// Interruptions looked at; the median leaves out those in which another process got the processor.
const N_SIGNALS: usize = 41;
/// Time from setting the timer to the signal.
const DUE_IN_NS: u64 = 50_000;
/// How long to wait for a signal that may be blocked.
const PATIENCE_NS: u64 = 20_000_000;

/// Nanoseconds per signal on this machine, measured once per process in about 5 ms; 0 where the calling thread
/// gets no signal. For while no measurement is under way.
pub(super) fn delivery_ns() -> u64 {
    static PER_SIGNAL: OnceLock<u64> = OnceLock::new();
    *PER_SIGNAL.get_or_init(|| {
        let Ok(timer) = ThreadTimer::create(ThreadId::current(), handler::IGNORED_TOKEN) else {
            return 0;
        };
        let gaps: Option<Vec<u64>> = (0..N_SIGNALS).map(|_| interruption_ns(&timer)).collect();
        gaps.map_or(0, |mut gaps| {
            gaps.sort_unstable();
            gaps[N_SIGNALS / 2]
        })
    })
}

/// The gap that one signal leaves between two looks at the clock.
fn interruption_ns(timer: &ThreadTimer) -> Option<u64> {
    let seen = handler::ignored();
    let start = monotonic_ns();
    timer.id().set(start + DUE_IN_NS);
    let mut before = start;
    while before < start + PATIENCE_NS {
        let now = monotonic_ns();
        if handler::ignored() != seen {
            // Read once more: the signal may have come after `now` was read.
            return Some(monotonic_ns() - before);
        }
        before = now;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_takes_time() {
        handler::install().unwrap();
        assert!(delivery_ns() > 0);
    }
}
