//! What the signal handler knows of each thread.
//!
//! The slots stay for the life of the process, since a late signal may still look at one. While a thread is
//! sampled only its own handler writes to its slot (but for the bounds of the stack, which the sampler finds), so
//! plain loads and stores are enough.

use std::ops::Range;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use super::stack_bounds::StackBounds;
use super::tables::RuleCache;

/// Threads that one measurement can hold.
pub(super) const N_SLOTS: usize = 1 << SLOT_BITS;
/// Bits of a slot's number.
pub(super) const SLOT_BITS: u32 = 12;

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
    /// What the thread's walks remember; the roster owns it.
    pub(super) rules: AtomicPtr<RuleCache>,
    stack: StackBounds,
    /// An address in the stack whose bounds nobody has found yet; 0 for none.
    wanted_stack: AtomicUsize,
    pub(super) counts: Counts,
}

/// What a measurement adds up for one thread.
#[derive(Debug)]
pub(super) struct Counts {
    /// CPU time that the samples stand for.
    pub(super) weight_ns: AtomicU64,
    /// CPU time spent taking samples.
    pub(super) handler_ns: AtomicU64,
    pub(super) samples: AtomicU64,
    /// Signals that found the thread asleep.
    pub(super) asleep: AtomicU64,
    /// Signals too soon after a sample.
    pub(super) skipped: AtomicU64,
    /// Samples for which the arena had no room.
    pub(super) dropped: AtomicU64,
    /// Samples that were unwound by the system's unwinder.
    pub(super) slowly_unwound: AtomicU64,
}

/// All slots.
pub(super) static SLOTS: [Slot; N_SLOTS] = [const { Slot::new() }; N_SLOTS];

impl Slot {
    const fn new() -> Self {
        Self {
            last_cpu_ns: AtomicU64::new(0),
            seen_cpu_ns: AtomicU64::new(0),
            seen_sleeps: AtomicU64::new(0),
            rules: AtomicPtr::new(ptr::null_mut()),
            stack: StackBounds {
                version: AtomicUsize::new(0),
                start: AtomicUsize::new(0),
                end: AtomicUsize::new(0),
            },
            wanted_stack: AtomicUsize::new(0),
            counts: Counts {
                weight_ns: AtomicU64::new(0),
                handler_ns: AtomicU64::new(0),
                samples: AtomicU64::new(0),
                asleep: AtomicU64::new(0),
                skipped: AtomicU64::new(0),
                dropped: AtomicU64::new(0),
                slowly_unwound: AtomicU64::new(0),
            },
        }
    }

    /// Readies the slot for a thread whose CPU time counts from `cpu_ns` of its clock. The signal that the thread
    /// is sent after that has it see what is stored here.
    pub(super) fn begin(&self, cpu_ns: u64, rules: *mut RuleCache) {
        self.last_cpu_ns.store(cpu_ns, Relaxed);
        self.seen_cpu_ns.store(cpu_ns, Relaxed);
        self.rules.store(rules, Relaxed);
        let counts = &self.counts;
        for zero in [
            &self.seen_sleeps,
            &counts.weight_ns,
            &counts.handler_ns,
            &counts.samples,
            &counts.asleep,
            &counts.skipped,
            &counts.dropped,
            &counts.slowly_unwound,
        ] {
            zero.store(0, Relaxed);
        }
        self.wanted_stack.store(0, Relaxed);
        self.stack.set(&(0..0));
    }

    /// What may be read of the stack that ends at `stack_pointer`. The first time that isn't known, and the sampler
    /// will find it out.
    pub(super) fn readable_stack(&self, stack_pointer: usize) -> Option<Range<usize>> {
        let known = self.stack.get().filter(|stack| stack.contains(&stack_pointer));
        if known.is_none() {
            self.wanted_stack.store(stack_pointer, Relaxed);
        }
        known.map(|stack| stack_pointer..stack.end)
    }

    /// The address of which somebody has to find out in which mapping it lies, since the last time of asking.
    pub(super) fn take_wanted_stack(&self) -> Option<usize> {
        // A load first: a store takes the line away from the thread.
        (self.wanted_stack.load(Relaxed) != 0)
            .then(|| self.wanted_stack.swap(0, Relaxed))
            .filter(|&wanted| wanted != 0)
    }

    /// Makes `mapping` what may be read.
    pub(super) fn set_stack(&self, mapping: &Range<usize>) {
        self.stack.set(mapping);
    }
}
