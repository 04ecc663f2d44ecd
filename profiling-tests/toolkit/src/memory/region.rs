//! A region: work goes in, its result and its [`MemoryProfile`] come out.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region as CountedRegion};
use thiserror::Error;

use super::allocator::{self, StackSettings};
use super::frame_pointers::frame_pointers;
use super::ledger::Ledger;
use super::profile::{MemoryProfile, Recording};
use super::stack::{MAX_DEPTH, Unwinder, frame_pointer};
use super::stack_bounds::StackBase;

/// How a region records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Innermost frames kept of each stack, 1 to [`MAX_DEPTH`]. A frame costs about a nanosecond for each
    /// allocation that is as deep.
    pub max_depth: usize,
    /// How stacks are found; `None` takes the fastest that finds every frame.
    pub unwinder: Option<Unwinder>,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self {
            max_depth: 64,
            unwinder: None,
        }
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
}

/// Runs `work` with every allocation of the process observed.
///
/// The region is closed when `work` returns and when it panics; the panic goes on to the caller. What is
/// freed after `work` returned, such as its result, is outside the region.
///
/// # Errors
/// [`MemoryError`], in each case before `work` runs.
// Its frame is where the stacks end, so it must have one of its own.
#[inline(never)]
pub fn measure_memory<T>(
    options: MemoryOptions,
    work: impl FnOnce() -> T,
) -> Result<(T, MemoryProfile), MemoryError> {
    let slot = RegionSlot::take()?;
    let stacks = options.stack_settings()?;
    if !allocator::allocator_installed() {
        return Err(MemoryError::AllocatorNotInstalled);
    }
    let base = StackBase::at(frame_pointer());
    let counted = CountedRegion::new(&INSTRUMENTED_SYSTEM);
    let observation = Observation::begin(stacks);
    let result = work();
    let ledger = observation.end();
    let counted = counted.change();
    drop(base);
    let profile = MemoryProfile::new(&Recording {
        ledger,
        counted,
        unwinder: stacks.unwinder,
    });
    drop(slot);
    Ok((result, profile))
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
    fn begin(stacks: StackSettings) -> Self {
        static REGIONS: AtomicU64 = AtomicU64::new(0);
        allocator::open(Ledger::new(REGIONS.fetch_add(1, Ordering::Relaxed)), stacks);
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
