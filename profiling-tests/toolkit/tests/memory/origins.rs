//! Who allocated: threads by name, phases by name; and how much at once.

use std::sync::Barrier;
use std::thread::Builder;

use libtest_mimic::Trial;
use profiling_toolkit::memory::{
    FREED_BEFORE, MemoryOptions, MemoryProfile, MemoryView, NO_PHASE, SizeClass, measure_memory,
};
use profiling_toolkit::phase::Phase;

use crate::block::Block;
use crate::measured::{assert_sums, measure, named};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        phases_have_what_was_allocated_in_them,
        block_freed_in_another_phase_leaves_the_one_it_is_of,
        reallocation_moves_a_block_to_the_phase_that_resized_it,
        blocks_from_before_are_of_no_phase_and_no_thread,
        threads_have_what_they_allocated,
        threads_of_one_name_are_one_row,
        largest_block_has_its_size_and_its_stack,
        sizes_are_counted_by_powers_of_two,
        chains_lead_from_the_site_outwards,
    ]
}

fn in_phase<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    Phase::named(name).enter();
    let result = work();
    Phase::exit();
    result
}

/// Names are made before the region: it would count them.
fn name_phases() {
    for name in ["reading", "sorting"] {
        Phase::named(name);
    }
}

fn phases_have_what_was_allocated_in_them() {
    name_phases();
    let (_kept, profile) = measure(|| {
        let read = in_phase("reading", || [Block::new(1000), Block::new(500)]);
        let sorted = in_phase("sorting", || {
            drop(Block::new(4000));
            Block::new(30)
        });
        (read, sorted, Block::new(7))
    });
    let [reading, sorting, none] = ["reading", "sorting", NO_PHASE].map(|name| named(&profile.phases, name));
    assert_eq!(profile.phases.len(), 3);
    assert_eq!(
        [
            reading.live_at_end_bytes,
            sorting.live_at_end_bytes,
            none.live_at_end_bytes
        ],
        [1500, 30, 7]
    );
    assert_eq!(profile.peak_bytes, 5500);
    assert_eq!(
        [
            reading.live_at_peak_bytes,
            sorting.live_at_peak_bytes,
            none.live_at_peak_bytes
        ],
        [1500, 4000, 0]
    );
    assert_eq!((sorting.allocations, sorting.bytes_allocated), (2, 4030));
}

fn block_freed_in_another_phase_leaves_the_one_it_is_of() {
    name_phases();
    let ((), profile) = measure(|| {
        let block = in_phase("reading", || Block::new(1000));
        in_phase("sorting", || drop(block));
    });
    let usage = named(&profile.phases, "reading");
    assert_eq!((usage.live_at_end_bytes, usage.live_at_peak_bytes), (0, 1000));
    assert_eq!(profile.phases.len(), 1);
}

fn reallocation_moves_a_block_to_the_phase_that_resized_it() {
    name_phases();
    let (_block, profile) = measure(|| {
        let mut block = in_phase("reading", || Block::new(1000));
        in_phase("sorting", || block.resize(1800));
        block
    });
    let [reading, sorting] = ["reading", "sorting"].map(|name| named(&profile.phases, name));
    assert_eq!((reading.bytes_allocated, reading.live_at_end_bytes), (1000, 0));
    assert_eq!((sorting.bytes_allocated, sorting.live_at_end_bytes), (800, 1800));
}

fn blocks_from_before_are_of_no_phase_and_no_thread() {
    name_phases();
    let old = Block::new(5000);
    let ((), profile) = measure(|| in_phase("reading", || drop(old)));
    for usages in [&profile.phases, &profile.threads] {
        assert_eq!(usages.len(), 1);
        assert_eq!(named(usages, FREED_BEFORE).live_at_end_bytes, -5000);
    }
}

/// Each thread works once the region is open and ends when it is closed: what starting and ending a thread
/// allocates is outside of it.
fn on_threads(names: &[&str], work: impl Fn(usize) + Sync) -> MemoryProfile {
    let barrier = Barrier::new(names.len() + 1);
    let (barrier, work) = (&barrier, &work);
    let profile = std::thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let run = move || {
                barrier.wait();
                barrier.wait();
                work(number);
                barrier.wait();
                barrier.wait();
            };
            let builder = Builder::new().name((*name).to_owned());
            builder.spawn_scoped(scope, run).unwrap();
        }
        barrier.wait();
        let wait = || {
            barrier.wait();
            barrier.wait();
        };
        let ((), profile) = measure_memory(MemoryOptions::default(), wait).unwrap();
        barrier.wait();
        profile
    });
    assert_sums(&profile);
    profile
}

fn threads_have_what_they_allocated() {
    let profile = on_threads(&["even", "odd"], |number| {
        let mut block = Block::new(100 + number);
        block.resize(900 + number);
        std::mem::forget(block);
    });
    for (number, name) in ["even", "odd"].into_iter().enumerate() {
        let usage = named(&profile.threads, name);
        assert_eq!((usage.allocations, usage.reallocations), (1, 1));
        assert_eq!(usage.live_at_end_bytes, 900 + number as i64);
        assert_eq!(usage.bytes_allocated, 900 + number as u64);
    }
    assert_eq!(profile.threads.len(), 2);
}

fn threads_of_one_name_are_one_row() {
    let profile = on_threads(&["worker"; 4], |_| std::mem::forget(Block::new(100)));
    assert_eq!(profile.threads.len(), 1);
    let usage = named(&profile.threads, "worker");
    assert_eq!((usage.allocations, usage.live_at_end_bytes), (4, 400));
}

fn largest_block_has_its_size_and_its_stack() {
    #[inline(never)]
    fn grows_the_most() -> Block {
        let mut block = Block::new(10);
        block.resize(70_000);
        std::hint::black_box(block)
    }
    let (_blocks, profile) = measure(|| (Block::new(69_999), grows_the_most(), Block::new(70_000)));
    assert_eq!(profile.largest_block_bytes, 70_000);
    let stack = &profile.stacks[profile.largest_block_stack.unwrap() as usize];
    assert!(profile.frame(stack.site).function.ends_with("Block>::resize"));
    let callers = stack.frames.iter().map(|&frame| &profile.frame(frame).function);
    assert!(
        callers
            .into_iter()
            .any(|function| function.ends_with("::grows_the_most"))
    );
}

fn sizes_are_counted_by_powers_of_two() {
    let (_blocks, profile) = measure(|| {
        let mut grown = Block::new(64);
        grown.resize(1000);
        let mut shrunk = Block::new(65);
        shrunk.resize(3);
        (grown, shrunk, Block::new(128))
    });
    let class = |up_to_bytes, allocations, reallocations, bytes_allocated| SizeClass {
        up_to_bytes,
        allocations,
        reallocations,
        bytes_allocated,
    };
    assert_eq!(
        profile.sizes,
        [
            class(4, 0, 1, 0),
            class(64, 1, 0, 64),
            class(128, 2, 0, 193),
            class(1024, 0, 1, 936)
        ]
    );
}

fn chains_lead_from_the_site_outwards() {
    #[inline(never)]
    fn caller() -> Vec<u8> {
        std::hint::black_box(callee(333))
    }
    #[inline(never)]
    fn callee(size: usize) -> Vec<u8> {
        std::hint::black_box(Vec::with_capacity(size))
    }
    let (_kept, profile) = measure(|| (std::hint::black_box(caller()), callee(22)));
    let chains = profile.top_chains(MemoryView::Total, 9, |_| true);
    let names = |chain: usize| -> Vec<&str> {
        let function = |&frame: &u32| profile.frame(frame).function.rsplit("::").next().unwrap();
        chains[chain].frames.iter().map(function).collect()
    };
    assert_eq!(names(0)[..2], ["callee", "caller"]);
    assert_eq!(names(1)[0], "callee");
    assert_eq!(
        [0, 1].map(|chain: usize| chains[chain].usage.bytes_allocated),
        [333, 22]
    );
    let only_sites = profile.top_chains(MemoryView::Total, 9, |_| false);
    assert!(only_sites.iter().all(|chain| chain.frames.len() == 1));
    assert_eq!(profile.top_chains(MemoryView::Total, 1, |_| true), chains[..1]);
}
