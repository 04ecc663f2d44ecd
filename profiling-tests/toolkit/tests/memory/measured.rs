//! A measured region, checked for what holds of every profile.

use profiling_toolkit::memory::{
    AllocationSite, MemoryOptions, MemoryProfile, NamedUsage, SizeClass, Usage, measure_memory,
};
use profiling_toolkit::names::plain;

/// Measures, and checks what holds of every profile.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, MemoryProfile) {
    let (result, profile) = measure_memory(MemoryOptions::default(), work).unwrap();
    assert_sums(&profile);
    (result, profile)
}

pub(crate) fn assert_sums(profile: &MemoryProfile) {
    assert!(profile.complete);
    assert_sums_of_an_incomplete(profile);
}

/// A table that overflowed spoils no sum.
pub(crate) fn assert_sums_of_an_incomplete(profile: &MemoryProfile) {
    let sites = profile.sites();
    let of_names = |named: &[NamedUsage]| -> Vec<Usage> { named.iter().map(|named| named.usage).collect() };
    let of_stacks: Vec<Usage> = profile.stacks.iter().map(|stack| stack.usage).collect();
    let of_sites: Vec<Usage> = sites.iter().map(|site| site.usage).collect();
    assert_usages_sum(profile, &of_stacks);
    assert_usages_sum(profile, &of_sites);
    assert_usages_sum(profile, &of_names(&profile.threads));
    assert_usages_sum(profile, &of_names(&profile.phases));
    let sum = |figure: fn(&SizeClass) -> u64| profile.sizes.iter().map(figure).sum::<u64>();
    assert_eq!(sum(|class| class.allocations), profile.allocations);
    assert_eq!(sum(|class| class.reallocations), profile.reallocations);
    assert_eq!(sum(|class| class.bytes_allocated), profile.bytes_allocated);
    assert_eq!(
        profile.live_delta_bytes,
        profile.bytes_allocated as i64 - profile.bytes_deallocated as i64
    );
}

fn assert_usages_sum(profile: &MemoryProfile, usages: &[Usage]) {
    let signed = |figure: fn(&Usage) -> i64| usages.iter().map(figure).sum::<i64>();
    let unsigned = |figure: fn(&Usage) -> u64| usages.iter().map(figure).sum::<u64>();
    assert_eq!(signed(|usage| usage.live_at_end_bytes), profile.live_delta_bytes);
    assert_eq!(
        signed(|usage| usage.live_at_peak_bytes),
        profile.peak_bytes as i64
    );
    assert_eq!(unsigned(|usage| usage.bytes_allocated), profile.bytes_allocated);
    assert_eq!(unsigned(|usage| usage.allocations), profile.allocations);
    assert_eq!(unsigned(|usage| usage.reallocations), profile.reallocations);
}

/// What was allocated under a name; nothing if nobody bears it.
pub(crate) fn named(usages: &[NamedUsage], name: &str) -> Usage {
    let found = usages.iter().find(|named| named.name == name);
    found.map_or_else(Usage::default, |named| named.usage)
}

pub(crate) fn site<'profile>(sites: &'profile [AllocationSite], function: &str) -> &'profile AllocationSite {
    sites
        .iter()
        .find(|site| plain(&site.frame.function).ends_with(function))
        .unwrap_or_else(|| panic!("{sites:#?}"))
}
