//! What observing costs: nanoseconds for an allocation and its release, with and without a region.

#![expect(unsafe_code, reason = "calls the system's allocator past the global one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::region::{MemoryError, MemoryOptions, measure_memory};

/// Nanoseconds for a block of 64 bytes, allocated and freed on one thread; the fastest of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackerCost {
    /// By the system's allocator alone.
    pub system_ns: f64,
    /// Through the profiling allocator, no region open.
    pub switched_off_ns: f64,
    /// Through the profiling allocator, in a region, close beneath it.
    pub switched_on_ns: f64,
    /// The same with [`DEEP`] frames in between.
    pub switched_on_deep_ns: f64,
}

impl TrackerCost {
    /// What the profiling allocator adds while no region is open.
    pub fn switched_off_extra_ns(&self) -> f64 {
        self.switched_off_ns - self.system_ns
    }

    /// What a region adds, close beneath it.
    pub fn switched_on_extra_ns(&self) -> f64 {
        self.switched_on_ns - self.system_ns
    }
}

/// Frames of the deep stack that [`TrackerCost`] tells of.
pub const DEEP: u32 = 32;

const N_RUNS: usize = 7;
const PAIRS_PER_RUN: u32 = 4000;

/// Measures on this machine, in some milliseconds.
///
/// # Errors
/// Those of [`measure_memory`].
pub fn measure_tracker_cost() -> Result<TrackerCost, MemoryError> {
    let in_region = || (fastest(global_pairs), below(DEEP, || fastest(global_pairs)));
    let ((switched_on_ns, switched_on_deep_ns), _) = measure_memory(MemoryOptions::default(), in_region)?;
    // In turns: a machine that changes its pace between them would change the difference.
    let (mut system_ns, mut switched_off_ns) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..N_RUNS {
        system_ns = time(system_pairs).min(system_ns);
        switched_off_ns = time(global_pairs).min(switched_off_ns);
    }
    Ok(TrackerCost {
        system_ns,
        switched_off_ns,
        switched_on_ns,
        switched_on_deep_ns,
    })
}

/// Calls `work` with so many frames above it.
#[inline(never)]
fn below(n_frames: u32, work: fn() -> f64) -> f64 {
    // Hidden, so that the compiler neither unrolls the calls nor turns them into a loop.
    black_box(if n_frames == 0 {
        work()
    } else {
        below(black_box(n_frames - 1), work)
    })
}

fn fastest(pairs: fn()) -> f64 {
    (0..N_RUNS).map(|_| time(pairs)).fold(f64::INFINITY, f64::min)
}

fn time(pairs: fn()) -> f64 {
    let start = Instant::now();
    pairs();
    start.elapsed().as_nanos() as f64 / f64::from(PAIRS_PER_RUN)
}

fn global_pairs() {
    pairs(&Global);
}

fn system_pairs() {
    pairs(&System);
}

fn pairs(allocator: &impl GlobalAlloc) {
    let layout = Layout::new::<[u64; 8]>();
    for _ in 0..PAIRS_PER_RUN {
        // Hidden from the compiler, which may leave out a pair that it sees through.
        // SAFETY: the layout's size isn't zero.
        let block = black_box(unsafe { allocator.alloc(black_box(layout)) });
        if !block.is_null() {
            // SAFETY: allocated above, with this layout.
            unsafe { allocator.dealloc(block, layout) };
        }
    }
}

/// Whatever allocator the binary has installed.
struct Global;

// SAFETY: both calls pass their arguments on to the global allocator.
unsafe impl GlobalAlloc for Global {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract.
        unsafe { std::alloc::alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { std::alloc::dealloc(block, layout) };
    }
}
