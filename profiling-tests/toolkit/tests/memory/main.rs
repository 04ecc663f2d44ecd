//! What a memory region promises: every figure exact, and the sites sum to the totals to the byte.
//!
//! The count is of the whole process, so these run one at a time on the main thread; libtest's own threads
//! would allocate beside them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are tests, though without libtest"
)]

mod block;
mod leaks;
mod measured;
mod origins;
mod overflow;
mod regions;
mod repeatable;
mod resident;
mod sites;
mod threads;
mod totals;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use profiling_toolkit::memory::ProfilingAllocator;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

fn main() -> ExitCode {
    if repeatable::is_asked_for() {
        return repeatable::show();
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = [
        totals::trials(),
        threads::trials(),
        origins::trials(),
        sites::trials(),
        overflow::trials(),
        repeatable::trials(),
        leaks::trials(),
        regions::trials(),
        resident::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// A trial for each function, by its name.
macro_rules! trials {
    ($($fact:ident),+ $(,)?) => {
        vec![$(crate::trial(stringify!($fact), $fact)),+]
    };
}
use trials;

fn trial(name: &str, fact: fn()) -> Trial {
    Trial::test(name, move || {
        fact();
        Ok::<(), Failed>(())
    })
}
