//! What the signal handler knows of each thread, and when it is to look at it next.
//!
//! The slots stay for the life of the process, since a late signal may still look at one. While a thread is
//! sampled only its own handler writes to its slot, so plain loads and stores are enough.
//!
//! Two things decide on the next signal. The interval is random, between half and one and a half periods:
//! with a fixed one, a loop that takes about a period (or a multiple) is met at the same place again and
//! again, and a share can be off by twice its standard error without any sign of it. And a thread that is
//! found idle time after time is looked at less and less often, since waking it costs about 36 µs here.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::clock::monotonic_ns;
use super::timers::TimerId;

/// Threads that one measurement can hold.
pub(super) const N_SLOTS: usize = 1 << SLOT_BITS;
/// Bits of a slot's number.
pub(super) const SLOT_BITS: u32 = 12;

/// The interval doubles with every so many signals in a row that find the thread idle …
const IDLE_PER_DOUBLING: u64 = 8;
/// … up to 2⁵ periods: 32 ms at 997 Hz.
const MOST_DOUBLINGS: u64 = 5;

/// One thread under measurement.
#[derive(Debug)]
#[repr(align(128))] // two cache lines, which the hardware fetches in pairs
pub(super) struct Slot {
    /// The thread's CPU clock at its last sample.
    pub(super) last_cpu_ns: AtomicU64,
    /// The thread's CPU clock when the handler last looked.
    pub(super) seen_cpu_ns: AtomicU64,
    /// How often the thread had gone to sleep when the handler last looked.
    pub(super) seen_sleeps: AtomicU64,
    /// Signals in a row that found the thread asleep, with no work done since the one before.
    pub(super) idle_in_row: AtomicU64,
    timer: AtomicU64,
    period_ns: AtomicU64,
    due_ns: AtomicU64,
    random: AtomicU64,
    pub(super) counts: Counts,
}

/// What a measurement adds up for one thread.
#[derive(Debug)]
pub(super) struct Counts {
    /// CPU time that the samples stand for.
    pub(super) weight_ns: AtomicU64,
    /// CPU time spent taking samples.
    pub(super) handler_ns: AtomicU64,
    /// CPU time of a sleeping thread that did nothing but wake up for the timer.
    pub(super) waking_ns: AtomicU64,
    pub(super) samples: AtomicU64,
    /// Signals that found the thread asleep.
    pub(super) asleep: AtomicU64,
    /// Signals too soon after a sample.
    pub(super) skipped: AtomicU64,
    /// Samples for which the arena had no room.
    pub(super) dropped: AtomicU64,
}

/// All slots.
pub(super) static SLOTS: [Slot; N_SLOTS] = [const { Slot::new() }; N_SLOTS];

impl Slot {
    const fn new() -> Self {
        Self {
            last_cpu_ns: AtomicU64::new(0),
            seen_cpu_ns: AtomicU64::new(0),
            seen_sleeps: AtomicU64::new(0),
            idle_in_row: AtomicU64::new(0),
            timer: AtomicU64::new(0),
            period_ns: AtomicU64::new(0),
            due_ns: AtomicU64::new(0),
            random: AtomicU64::new(0),
            counts: Counts {
                weight_ns: AtomicU64::new(0),
                handler_ns: AtomicU64::new(0),
                waking_ns: AtomicU64::new(0),
                samples: AtomicU64::new(0),
                asleep: AtomicU64::new(0),
                skipped: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
            },
        }
    }

    /// Readies the slot for a thread whose CPU time counts from `cpu_ns` of its clock, and sets its timer.
    pub(super) fn begin(&self, timer: TimerId, period_ns: u64, cpu_ns: u64) {
        self.last_cpu_ns.store(cpu_ns, Relaxed);
        self.seen_cpu_ns.store(cpu_ns, Relaxed);
        let counts = &self.counts;
        for zero in [
            &self.seen_sleeps,
            &self.idle_in_row,
            &counts.weight_ns,
            &counts.handler_ns,
            &counts.waking_ns,
            &counts.samples,
            &counts.asleep,
            &counts.skipped,
            &counts.dropped,
        ] {
            zero.store(0, Relaxed);
        }
        self.timer.store(timer.0 as u64, Relaxed);
        self.period_ns.store(period_ns, Relaxed);
        self.due_ns.store(monotonic_ns(), Relaxed);
        self.random.store(seed(timer), Relaxed);
        // Setting the timer is a system call: the thread it signals sees what was stored before.
        self.set_next();
    }

    /// Sets the timer for the next look at the thread.
    pub(super) fn set_next(&self) {
        let doublings = (self.idle_in_row.load(Relaxed) / IDLE_PER_DOUBLING).min(MOST_DOUBLINGS);
        let interval = self.jittered_period() << doublings;
        // From the time that was planned rather than from now, so that the rate is the one asked for. A thread
        // that had to wait for a processor doesn't make up for it.
        let planned = self.due_ns.load(Relaxed) + interval;
        let now = monotonic_ns();
        let due = if planned > now { planned } else { now + interval };
        self.due_ns.store(due, Relaxed);
        TimerId(self.timer.load(Relaxed) as usize).set(due);
    }

    /// Between half and one and a half periods, each as likely.
    fn jittered_period(&self) -> u64 {
        let random = xorshift(self.random.load(Relaxed));
        self.random.store(random, Relaxed);
        let period_ns = self.period_ns.load(Relaxed);
        period_ns / 2 + (random >> 32) * period_ns / (1 << 32)
    }
}

/// Marsaglia, "Xorshift RNGs" (2003): three shifts, never zero when begun with another number.
fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    state
}

/// Threads start at different places of the sequence.
fn seed(timer: TimerId) -> u64 {
    const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
    xorshift((timer.0 as u64 + 1).wrapping_mul(GOLDEN_RATIO) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_lie_around_the_period_and_average_to_it() {
        let slot = Slot::new();
        slot.period_ns.store(1_000_000, Relaxed);
        slot.random.store(seed(TimerId(7)), Relaxed);
        let intervals: Vec<u64> = (0..10_000).map(|_| slot.jittered_period()).collect();
        assert!(intervals.iter().all(|ns| (500_000..1_500_000).contains(ns)));
        let mean = intervals.iter().sum::<u64>() / 10_000;
        // Standard error of the mean: 288,675 / √10,000 = 2,887.
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
    }
}
