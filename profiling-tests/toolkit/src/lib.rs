//! Instruments for profiling tests; knows nothing of what is profiled.
//!
//! | instrument | what goes in | what comes out |
//! | --- | --- | --- |
//! | [`memory::measure_memory`] | work, once | exact totals, peak and allocation sites of the whole process |
//! | [`cpu::measure_cpu`], [`cpu::measure_cpu_repeated`] | work, once or until there are enough samples | CPU time by function and stack, of all threads |
//! | [`timing::measure_time`], [`timing::TimedCalls`] | a call, or several in turn, many times | median, spread and an interval, with no instrument running |
//!
//! Stacks of either kind are [`folded`], drawn as [`flamegraph`]s, and written for other tools as [`pprof`] and
//! [`speedscope`] read them. [`symbols`] gives addresses their names and [`names`] takes these apart. [`phase`] tells
//! them what the program is busy with. [`environment`] says on what was measured, and what spoils it; [`compare`],
//! whether a figure changed from run to run, for which programs take [`turns`]. Never measure two things in one pass: each instrument costs what the others
//! would count.
//!
//! A binary that measures memory installs the allocator:
//!
//! ```
//! use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};
//! use profiling_toolkit::timing::{TimingOptions, measure_time};
//!
//! #[global_allocator]
//! static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();
//!
//! let work = || (0..1_000_u32).map(|n| n.to_string()).collect::<Vec<_>>();
//! let (_, memory) = measure_memory(MemoryOptions::default(), work)?;
//! let time = measure_time(&TimingOptions::default(), work);
//! println!("{} blocks, {:.0} ns", memory.allocations, time.median_ns);
//! # Ok::<(), profiling_toolkit::memory::MemoryError>(())
//! ```

pub mod compare;
pub mod cpu;
pub mod cpu_clock;
pub mod environment;
pub mod flamegraph;
pub mod folded;
pub mod machine;
pub mod memory;
pub mod names;
pub mod phase;
pub mod pprof;
mod processor;
pub mod speedscope;
mod stack_table;
pub mod symbols;
pub mod timing;
pub mod turns;
