//! A measured region, checked for what holds of every profile.

use profiling_toolkit::memory::{AllocationSite, MemoryOptions, MemoryProfile, measure_memory};
use profiling_toolkit::names::plain;

/// Measures, and checks what holds of every profile.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, MemoryProfile) {
    let (result, profile) = measure_memory(MemoryOptions::default(), work).unwrap();
    assert_sums(&profile);
    (result, profile)
}

pub(crate) fn assert_sums(profile: &MemoryProfile) {
    assert!(profile.complete);
    let usages = || profile.stacks.iter().map(|stack| stack.usage);
    assert_eq!(
        usages().map(|usage| usage.live_at_end_bytes).sum::<i64>(),
        profile.live_delta_bytes
    );
    assert_eq!(
        usages().map(|usage| usage.live_at_peak_bytes).sum::<i64>(),
        profile.peak_bytes as i64
    );
    assert_eq!(
        usages().map(|usage| usage.bytes_allocated).sum::<u64>(),
        profile.bytes_allocated
    );
    assert_eq!(
        usages().map(|usage| usage.allocations).sum::<u64>(),
        profile.allocations
    );
    assert_eq!(
        usages().map(|usage| usage.reallocations).sum::<u64>(),
        profile.reallocations
    );
    assert_eq!(
        profile.live_delta_bytes,
        profile.bytes_allocated as i64 - profile.bytes_deallocated as i64
    );
}

pub(crate) fn site<'profile>(sites: &'profile [AllocationSite], function: &str) -> &'profile AllocationSite {
    sites
        .iter()
        .find(|site| plain(&site.frame.function).ends_with(function))
        .unwrap_or_else(|| panic!("{sites:#?}"))
}
