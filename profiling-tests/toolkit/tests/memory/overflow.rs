//! A table that is full is said out loud, and spoils no total.

use libtest_mimic::Trial;
use profiling_toolkit::memory::{MemoryOptions, MemoryProfile, NOT_RECORDED, measure_memory};

use crate::block::Block;
use crate::measured::{assert_sums_of_an_incomplete, measure, named};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        full_table_makes_the_profile_incomplete_and_warns,
        sums_hold_when_the_table_is_full,
        whole_profile_has_no_warnings,
        deep_stacks_are_warned_of,
    ]
}

/// Four call sites, each with a block of its own.
fn four_blocks() -> [Block; 4] {
    [Block::new(100), Block::new(200), Block::new(400), Block::new(800)]
}

fn with_room_for(max_sites: usize) -> MemoryProfile {
    let options = MemoryOptions {
        max_sites,
        ..MemoryOptions::default()
    };
    let (_blocks, profile) = measure_memory(options, four_blocks).unwrap();
    profile
}

fn full_table_makes_the_profile_incomplete_and_warns() {
    let profile = with_room_for(2);
    assert!(!profile.complete);
    let warnings = profile.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("1200 of 1500 bytes"), "{warnings:?}");
    assert!(with_room_for(4).complete);
}

fn sums_hold_when_the_table_is_full() {
    let profile = with_room_for(2);
    assert_sums_of_an_incomplete(&profile);
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (1500, 1500));
    for usages in [&profile.threads, &profile.phases] {
        assert_eq!(named(usages, NOT_RECORDED).live_at_end_bytes, 1200);
    }
}

fn whole_profile_has_no_warnings() {
    let (_blocks, profile) = measure(four_blocks);
    assert_eq!(profile.warnings(), [""; 0]);
}

fn deep_stacks_are_warned_of() {
    let options = MemoryOptions {
        max_depth: 1,
        ..MemoryOptions::default()
    };
    let (_blocks, profile) = measure_memory(options, four_blocks).unwrap();
    assert!(
        profile.warnings()[0].contains("max_depth"),
        "{:?}",
        profile.warnings()
    );
}
