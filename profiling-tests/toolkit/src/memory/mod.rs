//! Memory of a piece of work: exact totals, exact peak, exact allocation sites.
//!
//! A binary installs [`ProfilingAllocator`]; [`measure_memory`] opens a region around some work and answers
//! with a [`MemoryProfile`]. Nothing is sampled: inside a region every operation walks its stack and is
//! entered, as one atomic step, into the live total, the peak and the site it belongs to: a stack, in a phase, on a
//! thread. So sites, phases and threads each sum to the region's delta and, at the peak, to the peak, to the byte,
//! whatever the number of threads. Outside a region the allocator is a load and a branch away from the system's.
//!
//! [`measure_leaks`] runs the work again and again in one region and tells what grows every time from what fills up
//! once. [`observe_resident`] says what the process held of the machine's memory meanwhile.
//!
//! # Definitions
//! - *Bytes* are those the program asked for. What the system allocator adds for alignment and bookkeeping,
//!   and what C libraries take from `malloc` themselves, isn't seen; resident memory has both.
//! - *Bytes allocated* counts a reallocation as its growth, not as a new block; one that shrinks counts as
//!   bytes deallocated. Hence live delta = bytes allocated − bytes deallocated.
//! - A reallocated block belongs to the stack that reallocated it last, and to its thread and phase. Whoever frees
//!   a block, its bytes leave those that it belongs to.
//! - A *phase* is what [`Phase::current`](crate::phase::Phase::current) says in the middle of the request, a
//!   *thread* is all threads of one name.
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
mod leaks;
mod ledger;
mod origin;
mod profile;
mod region;
mod resident;
mod resolve;
mod sites;
mod sizes;
mod stack;
mod stack_bounds;
mod trim;
mod usage;

pub use allocator::{ProfilingAllocator, allocator_installed};
pub use cost::{DEEP, TrackerCost, measure_tracker_cost};
pub use frame_pointers::{FramePointers, frame_pointers};
pub use leaks::{Growth, LeakOptions, LeakReport, SiteGrowth, measure_leaks};
pub use profile::{AllocationChain, AllocationSite, AllocationStack, MemoryProfile};
pub use region::{MemoryError, MemoryOptions, measure_memory};
pub use resident::{ResidentMemory, observe_resident};
pub use resolve::{FREED_BEFORE, NO_PHASE, NOT_RECORDED};
pub use sizes::SizeClass;
pub use stack::{MAX_DEPTH, Unwinder};
pub use usage::{MemoryView, NamedUsage, Usage};
