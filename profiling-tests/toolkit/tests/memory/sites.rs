//! Which function and line an allocation is charged to, and what its stack reads.

use std::hint::black_box;

use libtest_mimic::Trial;
use profiling_toolkit::memory::{MemoryOptions, MemoryView, Unwinder, measure_memory};

use crate::block::Block;
use crate::measured::{assert_sums, measure, site};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        peak_belongs_to_the_sites_live_at_it,
        many_sites_and_blocks_stay_complete,
        site_is_the_function_and_line_that_allocates,
        unwind_tables_find_the_same_sites,
        allocation_inside_the_standard_library_has_its_caller,
        folded_stacks_sum_to_the_peak,
        deep_stack_is_marked_truncated,
    ]
}

fn peak_belongs_to_the_sites_live_at_it() {
    #[inline(never)]
    fn early() -> Block {
        black_box(Block::new(600))
    }
    #[inline(never)]
    fn late() -> Block {
        black_box(Block::new(500))
    }
    let (_, profile) = measure(|| {
        let kept = early();
        drop(late());
        drop(kept);
        (late(), late())
    });
    assert_eq!((profile.peak_bytes, profile.live_delta_bytes), (1100, 1000));
    let by_caller = |name: &str| {
        let has = |frame: &u32| profile.frame(*frame).function.ends_with(name);
        let stacks = profile.stacks.iter().filter(|stack| stack.frames.iter().any(has));
        stacks.fold((0, 0), |sums, stack| {
            (
                sums.0 + stack.usage.live_at_peak_bytes,
                sums.1 + stack.usage.live_at_end_bytes,
            )
        })
    };
    assert_eq!(by_caller("::early"), (600, 0));
    assert_eq!(by_caller("::late"), (500, 1000));
}

fn many_sites_and_blocks_stay_complete() {
    /// A different stack for each number: its bits choose the callee at each level.
    #[inline(never)]
    fn allocate_by_bits(number: usize, bits: u32) -> Block {
        if bits == 0 {
            return Block::new(16);
        }
        let block = if number & 1 == 0 {
            allocate_by_bits(number >> 1, bits - 1)
        } else {
            black_box(allocate_by_bits(number >> 1, bits - 1))
        };
        black_box(block)
    }
    let (blocks, profile) = measure(|| {
        let mut blocks = Vec::with_capacity(1 << 17);
        for number in 0..1 << 17 {
            blocks.push(allocate_by_bits(number, 14));
        }
        blocks
    });
    assert_eq!(profile.allocations, (1 << 17) + 1);
    assert_eq!(
        site(&profile.sites(), "Block::new").usage.live_at_end_bytes,
        16 << 17
    );
    drop(blocks);
}

/// Allocates on the line that it returns.
#[inline(never)]
fn allocate_here() -> (u32, Vec<u8>) {
    #[rustfmt::skip]
    let kept = (line!(), black_box(vec![1_u8; black_box(777)]));
    kept
}

fn site_is_the_function_and_line_that_allocates() {
    let ((line, _kept), profile) = measure(allocate_here);
    let sites = profile.sites();
    let found = &site(&sites, "allocate_here").frame;
    assert_eq!(found.function, "memory::sites::allocate_here");
    assert_eq!(
        found.location(),
        Some(format!("profiling-tests/toolkit/tests/memory/sites.rs:{line}"))
    );
}

fn unwind_tables_find_the_same_sites() {
    let options = MemoryOptions {
        unwinder: Some(Unwinder::UnwindTables),
        ..MemoryOptions::default()
    };
    let (_, by_tables) = measure_memory(options, || black_box(allocate_here())).unwrap();
    assert_sums(&by_tables);
    assert_eq!(by_tables.unwinder, Unwinder::UnwindTables);
    let (_, default) = measure(|| black_box(allocate_here()));
    assert_eq!(by_tables.sites(), default.sites());
}

fn allocation_inside_the_standard_library_has_its_caller() {
    #[inline(never)]
    fn formats() -> String {
        black_box(format!("{:>300}", black_box(1)))
    }
    let (_, profile) = measure(formats);
    assert!(site(&profile.sites(), "formats").usage.allocations >= 1);
}

fn folded_stacks_sum_to_the_peak() {
    let (_, profile) = measure(|| {
        let kept = allocate_here();
        drop(allocate_here());
        kept
    });
    let sum = |view| -> u64 {
        let bytes = |line: &String| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
        profile.folded(view).iter().map(bytes).sum()
    };
    assert_eq!(sum(MemoryView::AtPeak), profile.peak_bytes);
    assert_eq!(sum(MemoryView::LiveAtEnd), 777);
    assert_eq!(sum(MemoryView::Total), profile.bytes_allocated);
    let lines = profile.folded(MemoryView::AtPeak);
    assert!(lines.is_sorted());
    assert!(
        lines
            .iter()
            .all(|line| line.starts_with("memory::sites::folded_stacks_sum_to_the_peak")),
        "{lines:#?}"
    );
}

fn deep_stack_is_marked_truncated() {
    #[inline(never)]
    fn allocate_below(levels: u32) -> Block {
        black_box(if levels == 0 {
            Block::new(40)
        } else {
            allocate_below(black_box(levels - 1))
        })
    }
    let options = MemoryOptions {
        max_depth: 10,
        ..MemoryOptions::default()
    };
    let (_, profile) = measure_memory(options, || allocate_below(20)).unwrap();
    assert_sums(&profile);
    assert_eq!(profile.truncated_stacks, 1);
    assert_eq!(profile.frame(profile.stacks[0].frames[0]).function, "[deeper]");
    let (_, profile) = measure(|| allocate_below(20));
    assert_eq!(profile.truncated_stacks, 0);
}
