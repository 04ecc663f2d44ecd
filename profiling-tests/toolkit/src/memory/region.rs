//! A region: work goes in, its result and its [`MemoryProfile`] come out.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stats_alloc::{INSTRUMENTED_SYSTEM, Stats};
use thiserror::Error;

use super::allocator::{self, StackSettings};
use super::frame_pointers::frame_pointers;
use super::ledger::Ledger;
use super::profile::MemoryProfile;
use super::stack::{MAX_DEPTH, Unwinder, frame_pointer};
use super::stack_bounds::StackBase;

/// How a region records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Innermost frames kept of each stack, 1 to [`MAX_DEPTH`]. A frame costs about a nanosecond for each
    /// allocation that is as deep.
    pub max_depth: usize,
    /// Sites that are told apart: distinct stacks in one phase on one thread. What doesn't fit is charged to a site of
    /// its own, and the profile isn't [`MemoryProfile::complete`]. A site takes some 100 bytes and 8 for each frame.
    pub max_sites: usize,
    /// How stacks are found; `None` takes the fastest that finds every frame.
    pub unwinder: Option<Unwinder>,
}

impl MemoryOptions {
    /// The default, where a constant is asked for.
    pub const DEFAULT: Self = Self {
        max_depth: 64,
        max_sites: 1 << 22,
        unwinder: None,
    };
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why memory couldn't be measured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// Measured regardless, everything would read zero.
    #[error(
        "the global allocator of this binary isn't a ProfilingAllocator (an allocation made to find out \
         didn't reach it), so no memory can be measured; add to the binary: \
         #[global_allocator] static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();"
    )]
    AllocatorNotInstalled,
    /// Allocations belong to the process: a second region, nested or on another thread, would have its
    /// allocations counted in both.
    #[error(
        "a memory region is open already (in this thread: {in_this_thread}); measure one after the other"
    )]
    RegionAlreadyOpen {
        /// The open region is further out on the calling thread's own stack.
        in_this_thread: bool,
    },
    /// The depth asked for holds no frame or more than a stack has room for.
    #[error("max_depth is {found}, expected 1 to {MAX_DEPTH}")]
    Depth {
        /// What was asked for.
        found: usize,
    },
    /// From so few repetitions growth can't be told from chance.
    #[error(
        "{found} iterations, expected {expected} or more: fewer don't tell a leak from what fills up once"
    )]
    TooFewIterations {
        /// What was asked for.
        found: usize,
        /// The fewest that tell.
        expected: usize,
    },
}

/// What a closed region leaves behind.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) ledger: Ledger,
    pub(super) counters_delta: i64,
    pub(super) unwinder: Unwinder,
}

/// Runs `work` with every allocation of the process observed.
///
/// The region is closed when `work` returns and when it panics; the panic goes on to the caller. What is
/// freed after `work` returned, such as its result, is outside the region.
///
/// # Errors
/// [`MemoryError`], in each case before `work` runs.
pub fn measure_memory<T>(
    options: MemoryOptions,
    work: impl FnOnce() -> T,
) -> Result<(T, MemoryProfile), MemoryError> {
    let (result, recording) = record(options, work)?;
    Ok((result, MemoryProfile::new(&recording)))
}

/// Runs `work` in a region.
// Its frame is where the stacks end, so it must have one of its own.
#[inline(never)]
pub(super) fn record<T>(
    options: MemoryOptions,
    work: impl FnOnce() -> T,
) -> Result<(T, Recording), MemoryError> {
    // Before the slot, or of two threads that ask at once one would be told to wait for the other.
    if !allocator::allocator_installed() {
        return Err(MemoryError::AllocatorNotInstalled);
    }
    let slot = RegionSlot::take()?;
    let stacks = options.stack_settings()?;
    let own_frame = 0_u8;
    let base = StackBase::at(match stacks.unwinder {
        Unwinder::FramePointers => frame_pointer(),
        Unwinder::UnwindTables => std::ptr::from_ref(&own_frame) as usize,
    });
    let before = INSTRUMENTED_SYSTEM.stats();
    let observation = Observation::begin(stacks, options.max_sites);
    let result = work();
    let ledger = observation.end();
    let after = INSTRUMENTED_SYSTEM.stats();
    drop(base);
    drop(slot);
    let recording = Recording {
        ledger,
        counters_delta: counters_delta(&before, &after),
        unwinder: stacks.unwinder,
    };
    Ok((result, recording))
}

/// Live bytes by the counters. They wrap, and a request that fails is counted too, so one for more than there
/// is wraps them; `stats_alloc`'s own subtraction would panic on that.
fn counters_delta(before: &Stats, after: &Stats) -> i64 {
    let allocated = after.bytes_allocated.wrapping_sub(before.bytes_allocated);
    let deallocated = after.bytes_deallocated.wrapping_sub(before.bytes_deallocated);
    allocated.wrapping_sub(deallocated) as i64
}

impl MemoryOptions {
    fn stack_settings(self) -> Result<StackSettings, MemoryError> {
        if !(1..=MAX_DEPTH).contains(&self.max_depth) {
            return Err(MemoryError::Depth {
                found: self.max_depth,
            });
        }
        let unwinder = self.unwinder.unwrap_or_else(|| frame_pointers().unwinder());
        Ok(StackSettings {
            unwinder,
            max_depth: self.max_depth,
        })
    }
}

static SLOT_TAKEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SLOT_TAKEN_HERE: Cell<bool> = const { Cell::new(false) };
}

/// The right to have a region open; there is one in the process.
struct RegionSlot;

impl RegionSlot {
    // A second region is refused rather than made to wait: the work it would wait behind runs in parallel
    // with its own set-up and would count that, and a worker thread of that work would wait for ever.
    fn take() -> Result<Self, MemoryError> {
        if SLOT_TAKEN.swap(true, Ordering::Acquire) {
            return Err(MemoryError::RegionAlreadyOpen {
                in_this_thread: SLOT_TAKEN_HERE.get(),
            });
        }
        SLOT_TAKEN_HERE.set(true);
        Ok(Self)
    }
}

impl Drop for RegionSlot {
    fn drop(&mut self) {
        SLOT_TAKEN_HERE.set(false);
        SLOT_TAKEN.store(false, Ordering::Release);
    }
}

/// Allocations are observed while it lives.
struct Observation;

impl Observation {
    fn begin(stacks: StackSettings, max_sites: usize) -> Self {
        static REGIONS: AtomicU64 = AtomicU64::new(0);
        let region = REGIONS.fetch_add(1, Ordering::Relaxed);
        allocator::open(Ledger::new(region, max_sites), stacks);
        Self
    }

    fn end(self) -> Ledger {
        let ledger = allocator::close();
        std::mem::forget(self);
        ledger.expect("only this guard closes the region it opened")
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        drop(allocator::close());
    }
}
