//! Memory of a piece of work: exact totals, exact peak, exact allocation sites.
//!
//! A binary installs [`ProfilingAllocator`]; [`measure_memory`] opens a region around some work and answers
//! with a [`MemoryProfile`]. Nothing is sampled: inside a region every operation walks its stack and is
//! entered, as one atomic step, into the live total, the peak and the site it belongs to. So the sites sum to
//! the region's delta and, at the peak, to the peak, to the byte, whatever the number of threads. Outside a
//! region the allocator is a load and a branch away from the system's.
//!
//! # Definitions
//! - *Bytes* are those the program asked for. What the system allocator adds for alignment and bookkeeping,
//!   and what C libraries take from `malloc` themselves, isn't seen.
//! - *Bytes allocated* counts a reallocation as its growth, not as a new block; one that shrinks counts as
//!   bytes deallocated. Hence live delta = bytes allocated − bytes deallocated.
//! - A reallocated block belongs to the stack that reallocated it last.
//! - *Peak* is the highest live total above the level at entry. A reallocation moves from the old size to the
//!   new in one step; that the system may hold both for a moment isn't counted.
//! - Blocks from before the region that are freed or reallocated in it are charged, negative, to a site of
//!   their own, [`FREED_BEFORE`].
//! - An operation of another thread that is under way when the region opens or closes may fall on either side.
//!
//! ```
//! use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};
//!
//! #[global_allocator]
//! static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();
//!
//! let (kept, profile) = measure_memory(MemoryOptions::default(), || {
//!     drop(vec![1_u8; 3000]);
//!     vec![1_u8; 1000]
//! })?;
//! assert_eq!(kept.len(), 1000);
//! assert_eq!(profile.live_delta_bytes, 1000);
//! assert_eq!(profile.peak_bytes, 3000);
//! # Ok::<(), profiling_toolkit::memory::MemoryError>(())
//! ```

mod allocator;
mod blocks;
mod cost;
mod frame_pointers;
mod ledger;
mod profile;
mod region;
mod sites;
mod stack;
mod stack_bounds;
mod trim;

pub use allocator::{ProfilingAllocator, allocator_installed};
pub use cost::{DEEP, TrackerCost, measure_tracker_cost};
pub use frame_pointers::{FramePointers, frame_pointers};
pub use profile::{
    AllocationSite, AllocationStack, FREED_BEFORE, MemoryProfile, MemoryView, NOT_RECORDED, Usage,
};
pub use region::{MemoryError, MemoryOptions, measure_memory};
pub use stack::{MAX_DEPTH, Unwinder};
