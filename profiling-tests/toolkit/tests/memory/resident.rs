//! What the process holds, by the kernel's count.

use std::hint::black_box;

use libtest_mimic::Trial;
use profiling_toolkit::memory::observe_resident;

use crate::trials;

/// Large enough that freed blocks which the allocator still holds can't be used for it.
const TOUCHED: usize = 64 << 20;

/// For each core the kernel's count may be some pages late.
const LATE: u64 = 1 << 20;

/// Only Linux tells.
pub(crate) fn trials() -> Vec<Trial> {
    let trials = trials![peak_is_that_of_the_work_and_not_below_what_is_left];
    trials.into_iter().filter(|_| cfg!(target_os = "linux")).collect()
}

fn peak_is_that_of_the_work_and_not_below_what_is_left() {
    let ((), observed) = observe_resident(|| drop(black_box(vec![1_u8; TOUCHED])));
    let [before, after] = [observed.before_bytes, observed.after_bytes].map(Option::unwrap);
    let Some(peak) = observed.peak_bytes else {
        eprintln!("not present: permission to reset the peak");
        return;
    };
    assert!(peak + LATE >= before.max(after), "{observed:?}");
    assert!(peak + LATE >= before + TOUCHED as u64, "{observed:?}");
}
