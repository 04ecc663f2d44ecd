//! What a region says of the whole process: delta, peak, counts, bytes.

#![expect(unsafe_code, reason = "allocates by layout, to script what is asked for")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;

use libtest_mimic::Trial;
use profiling_toolkit::memory::{FREED_BEFORE, MemoryView};

use crate::block::Block;
use crate::measured::{measure, site};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        empty_region_is_zero,
        vec_pushes_have_known_numbers,
        sawtooth_peaks_at_its_highest_tooth,
        shrinking_reallocation_frees_the_difference,
        zeroed_block_is_zero_and_counted,
        failed_requests_change_nothing,
        old_block_freed_is_charged_to_its_own_site,
        old_block_grown_keeps_the_sums,
        over_aligned_block_counts_its_size,
    ]
}

fn empty_region_is_zero() {
    let ((), profile) = measure(|| ());
    assert_eq!(
        (profile.live_delta_bytes, profile.peak_bytes, profile.allocations),
        (0, 0, 0)
    );
    assert_eq!(profile.counters_delta_bytes, 0);
    assert!(profile.stacks.is_empty());
}

fn vec_pushes_have_known_numbers() {
    // Capacities 4, 8, 16, …, 1024 elements of 8 bytes: one block, eight times resized.
    let (kept, profile) = measure(|| {
        let mut numbers = Vec::new();
        for number in 0..1000_u64 {
            numbers.push(black_box(number));
        }
        numbers
    });
    assert_eq!(kept.capacity(), 1024);
    assert_eq!(
        (profile.allocations, profile.reallocations, profile.deallocations),
        (1, 8, 0)
    );
    assert_eq!(profile.bytes_allocated, 8192);
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (8192, 8192));
    assert_eq!(profile.largest_block_bytes, 8192);
    assert_eq!(profile.counters_delta_bytes, 8192);
}

fn sawtooth_peaks_at_its_highest_tooth() {
    let ((), profile) = measure(|| {
        for size in [1000, 5000, 3000, 4999] {
            let _low = Block::new(100);
            drop(Block::new(size));
        }
    });
    assert_eq!((profile.peak_bytes, profile.live_delta_bytes), (5100, 0));
    assert_eq!((profile.allocations, profile.deallocations), (8, 8));
}

fn shrinking_reallocation_frees_the_difference() {
    let (_block, profile) = measure(|| {
        let mut block = Block::new(10_000);
        block.resize(400);
        block.resize(700);
        block
    });
    assert_eq!(
        (profile.bytes_allocated, profile.bytes_deallocated),
        (10_300, 9600)
    );
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (700, 10_000));
    assert_eq!(profile.counters_delta_bytes, 700);
}

fn zeroed_block_is_zero_and_counted() {
    let layout = Layout::new::<[u64; 500]>();
    let (block, profile) = measure(|| {
        // SAFETY: the size isn't zero.
        black_box(unsafe { alloc_zeroed(layout) })
    });
    // SAFETY: 4000 bytes were allocated, and zeroed.
    let bytes = unsafe { std::slice::from_raw_parts(block, 4000) };
    assert!(bytes.iter().all(|&byte| byte == 0));
    assert_eq!((profile.allocations, profile.live_delta_bytes), (1, 4000));
    // SAFETY: allocated above, with this layout.
    unsafe { dealloc(block, layout) };
}

fn failed_requests_change_nothing() {
    let huge = isize::MAX as usize - 4096;
    let ((), profile) = measure(|| {
        let block = Block::new(300);
        // SAFETY: the size isn't zero and doesn't overflow when rounded up.
        let refused = black_box(unsafe { alloc(Layout::from_size_align(huge, 8).unwrap()) });
        assert!(refused.is_null());
        // SAFETY: the block is of this layout; the new size doesn't overflow when rounded up.
        let refused = black_box(unsafe { realloc(block.start, block.layout, huge) });
        assert!(refused.is_null());
    });
    assert_eq!(
        (profile.allocations, profile.reallocations, profile.deallocations),
        (1, 0, 1)
    );
    assert_eq!(
        (
            profile.bytes_allocated,
            profile.peak_bytes,
            profile.live_delta_bytes
        ),
        (300, 300, 0)
    );
    assert_eq!(profile.largest_block_bytes, 300);
    assert!(
        profile
            .sites()
            .iter()
            .all(|site| site.frame.function != FREED_BEFORE)
    );
}

fn old_block_freed_is_charged_to_its_own_site() {
    let old = Block::new(5000);
    let (_new, profile) = measure(|| {
        drop(old);
        Block::new(1200)
    });
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (-3800, 0));
    assert_eq!(profile.counters_delta_bytes, -3800);
    assert_eq!(
        site(&profile.sites(), FREED_BEFORE).usage.live_at_end_bytes,
        -5000
    );
    assert_eq!(
        profile
            .top_sites(MemoryView::LiveAtEnd, 9)
            .last()
            .unwrap()
            .frame
            .function,
        FREED_BEFORE
    );
}

fn old_block_grown_keeps_the_sums() {
    let mut old = Block::new(5000);
    let (_old, profile) = measure(|| {
        old.resize(8000);
        old
    });
    assert_eq!(
        (
            profile.live_delta_bytes,
            profile.peak_bytes,
            profile.bytes_allocated
        ),
        (3000, 3000, 3000)
    );
    assert_eq!(
        site(&profile.sites(), FREED_BEFORE).usage.live_at_peak_bytes,
        -5000
    );
    assert_eq!(site(&profile.sites(), "::resize").usage.live_at_peak_bytes, 8000);
}

fn over_aligned_block_counts_its_size() {
    let layout = Layout::from_size_align(100, 4096).unwrap();
    let (block, profile) = measure(|| {
        // SAFETY: the size isn't zero.
        black_box(unsafe { alloc(layout) })
    });
    assert_eq!(profile.live_delta_bytes, 100);
    // SAFETY: allocated above, with this layout.
    unsafe { dealloc(block, layout) };
}
