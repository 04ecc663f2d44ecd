//! The instruments on work whose answer is known, as a program that can be built wrongly.
//!
//! `../negative_controls.rs` builds it without optimisation, without frame pointers, strips it, and reads what it
//! prints: a line `name: value` for each warning and each figure.

mod work;

use profiling_toolkit::memory::ProfilingAllocator;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

fn main() {
    work::print_findings();
}
