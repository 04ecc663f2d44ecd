//! What a memory region promises: every figure exact, and the sites sum to the totals to the byte.
//!
//! The count is of the whole process, so these run one at a time on the main thread; libtest's own threads
//! would allocate beside them.

#![expect(unsafe_code, reason = "allocates by layout, to script sizes exactly")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are tests, though without libtest"
)]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Barrier;

use libtest_mimic::{Arguments, Failed, Trial};
use profiling_toolkit::memory::{
    AllocationSite, FREED_BEFORE, MAX_DEPTH, MemoryError, MemoryOptions, MemoryProfile, MemoryView,
    ProfilingAllocator, Unwinder, allocator_installed, measure_memory, measure_tracker_cost,
};

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials()).exit_code()
}

fn trials() -> Vec<Trial> {
    vec![
        trial(
            "allocator_is_found_by_allocating",
            allocator_is_found_by_allocating,
        ),
        trial("empty_region_is_zero", empty_region_is_zero),
        trial("vec_pushes_have_known_numbers", vec_pushes_have_known_numbers),
        trial(
            "sawtooth_peaks_at_its_highest_tooth",
            sawtooth_peaks_at_its_highest_tooth,
        ),
        trial(
            "peak_belongs_to_the_sites_live_at_it",
            peak_belongs_to_the_sites_live_at_it,
        ),
        trial(
            "shrinking_reallocation_frees_the_difference",
            shrinking_reallocation_frees_the_difference,
        ),
        trial(
            "zeroed_block_is_zero_and_counted",
            zeroed_block_is_zero_and_counted,
        ),
        trial("failed_requests_change_nothing", failed_requests_change_nothing),
        trial(
            "old_block_freed_is_charged_to_its_own_site",
            old_block_freed_is_charged_to_its_own_site,
        ),
        trial("old_block_grown_keeps_the_sums", old_block_grown_keeps_the_sums),
        trial(
            "over_aligned_block_counts_its_size",
            over_aligned_block_counts_its_size,
        ),
        trial("one_thread_is_exact", || threads_are_exact(1)),
        trial("four_threads_are_exact", || threads_are_exact(4)),
        trial("eight_threads_are_exact", || threads_are_exact(8)),
        trial(
            "free_running_threads_sum_to_the_byte",
            free_running_threads_sum_to_the_byte,
        ),
        trial(
            "block_freed_by_another_thread_leaves_its_site",
            block_freed_by_another_thread_leaves_its_site,
        ),
        trial(
            "many_sites_and_blocks_stay_complete",
            many_sites_and_blocks_stay_complete,
        ),
        trial(
            "site_is_the_function_and_line_that_allocates",
            site_is_the_function_and_line_that_allocates,
        ),
        trial(
            "unwind_tables_find_the_same_sites",
            unwind_tables_find_the_same_sites,
        ),
        trial(
            "allocation_inside_the_standard_library_has_its_caller",
            standard_library_has_its_caller,
        ),
        trial("folded_stacks_sum_to_the_peak", folded_stacks_sum_to_the_peak),
        trial("deep_stack_is_marked_truncated", deep_stack_is_marked_truncated),
        trial("depth_out_of_range_is_refused", depth_out_of_range_is_refused),
        trial("nested_region_is_refused", nested_region_is_refused),
        trial(
            "region_on_another_thread_is_refused",
            region_on_another_thread_is_refused,
        ),
        trial("panic_closes_the_region", panic_closes_the_region),
        trial("tracker_cost", tracker_cost).with_ignored_flag(true),
    ]
}

fn trial(name: &str, fact: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        fact();
        Ok::<(), Failed>(())
    })
}

/// Measures, and checks what holds of every profile.
fn measure<T>(work: impl FnOnce() -> T) -> (T, MemoryProfile) {
    let (result, profile) = measure_memory(MemoryOptions::default(), work).unwrap();
    assert_sums(&profile);
    (result, profile)
}

fn assert_sums(profile: &MemoryProfile) {
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

/// A block of bytes of which every operation is visible, unlike those of a `Vec`.
struct Block {
    start: *mut u8,
    layout: Layout,
}

// SAFETY: it owns its memory.
unsafe impl Send for Block {}

impl Block {
    #[inline(never)]
    fn new(size: usize) -> Self {
        let layout = Layout::from_size_align(size, 8).unwrap();
        // SAFETY: sizes in these tests aren't zero.
        let start = black_box(unsafe { alloc(layout) });
        assert!(!start.is_null());
        Self { start, layout }
    }

    #[inline(never)]
    fn resize(&mut self, size: usize) {
        // SAFETY: the block is of this layout, and the size isn't zero.
        let start = black_box(unsafe { realloc(self.start, self.layout, size) });
        assert!(!start.is_null());
        self.start = start;
        self.layout = Layout::from_size_align(size, 8).unwrap();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the block is of this layout.
        unsafe { dealloc(black_box(self.start), self.layout) };
    }
}

fn site<'profile>(sites: &'profile [AllocationSite], function: &str) -> &'profile AllocationSite {
    sites
        .iter()
        .find(|site| site.frame.function.ends_with(function))
        .unwrap_or_else(|| panic!("{sites:#?}"))
}

fn allocator_is_found_by_allocating() {
    assert!(allocator_installed());
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

/// Each thread allocates, grows and frees on a script; barriers make the peak the sum of all threads'.
fn threads_are_exact(n_threads: usize) {
    const ROUNDS: u64 = 200;
    let barrier = Barrier::new(n_threads + 1);
    let script = |thread: usize| {
        barrier.wait();
        barrier.wait();
        for _ in 0..ROUNDS {
            let mut first = Block::new(1000 + thread);
            let second = Block::new(64);
            first.resize(4000 + thread);
            // Here every thread holds both of its blocks.
            barrier.wait();
            drop(second);
            drop(first);
            barrier.wait();
        }
        std::mem::forget(Block::new(10 + thread));
        barrier.wait();
        // The thread's end, which frees, is outside the region.
        barrier.wait();
    };
    let script = &script;
    let profile = std::thread::scope(|scope| {
        for thread in 0..n_threads {
            scope.spawn(move || script(thread));
        }
        barrier.wait();
        let ((), profile) = measure(|| {
            for _ in 0..2 * ROUNDS + 2 {
                barrier.wait();
            }
        });
        barrier.wait();
        profile
    });
    let (n, thread_sum) = (n_threads as u64, (0..n_threads as u64).sum::<u64>());
    assert_eq!(profile.live_delta_bytes as u64, 10 * n + thread_sum);
    assert_eq!(profile.counters_delta_bytes, profile.live_delta_bytes);
    assert_eq!(profile.peak_bytes, 4064 * n + thread_sum);
    assert_eq!(profile.allocations, n * (2 * ROUNDS + 1));
    assert_eq!(profile.deallocations, n * 2 * ROUNDS);
    assert_eq!(profile.reallocations, n * ROUNDS);
    assert_eq!(
        profile.bytes_allocated,
        ROUNDS * (4064 * n + thread_sum) + 10 * n + thread_sum
    );
    assert_eq!(profile.largest_block_bytes, 4000 + n - 1);
    let sites = profile.sites();
    let new = site(&sites, "Block::new").usage;
    assert_eq!(
        (new.allocations, new.live_at_peak_bytes),
        (n * (2 * ROUNDS + 1), 64 * n as i64)
    );
    let resize = site(&sites, "Block::resize").usage;
    assert_eq!(
        (resize.bytes_allocated, resize.live_at_end_bytes),
        (n * ROUNDS * 3000, 0)
    );
}

fn free_running_threads_sum_to_the_byte() {
    let ((), profile) = measure(|| {
        std::thread::scope(|scope| {
            for thread in 1..=8_usize {
                scope.spawn(move || {
                    let mut kept: Vec<Block> = Vec::new();
                    let mut random = thread;
                    for _ in 0..20_000 {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let size = 1 + (random >> 40) % 500;
                        match random >> 61 {
                            0..4 => kept.push(Block::new(size)),
                            4..6 if !kept.is_empty() => {
                                let idx = random % kept.len();
                                kept[idx].resize(size);
                            }
                            _ => drop(kept.pop()),
                        }
                    }
                    std::mem::forget(kept.split_off(kept.len() / 2));
                });
            }
        });
    });
    assert!(profile.peak_bytes as i64 >= profile.live_delta_bytes);
    assert_eq!(profile.counters_delta_bytes, profile.live_delta_bytes);
}

fn block_freed_by_another_thread_leaves_its_site() {
    let barrier = Barrier::new(2);
    let slot = std::sync::Mutex::new(None::<Block>);
    let profile = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The thread's start and its end, which allocate and free, are outside the region.
            barrier.wait();
            barrier.wait();
            drop(slot.lock().unwrap().take());
            barrier.wait();
            barrier.wait();
        });
        barrier.wait();
        let ((), profile) = measure(|| {
            *slot.lock().unwrap() = Some(Block::new(900));
            barrier.wait();
            barrier.wait();
        });
        barrier.wait();
        profile
    });
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (0, 900));
    assert_eq!(site(&profile.sites(), "Block::new").usage.live_at_end_bytes, 0);
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
    assert_eq!(found.function, "memory_exact::allocate_here");
    assert_eq!(
        found.location(),
        Some(format!("profiling-tests/toolkit/tests/memory_exact.rs:{line}"))
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

fn standard_library_has_its_caller() {
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
            .all(|line| line.starts_with("memory_exact::folded_stacks_sum_to_the_peak")),
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

fn depth_out_of_range_is_refused() {
    for found in [0, MAX_DEPTH + 1] {
        let options = MemoryOptions {
            max_depth: found,
            ..MemoryOptions::default()
        };
        assert_eq!(
            measure_memory(options, || ()).unwrap_err(),
            MemoryError::Depth { found }
        );
    }
}

fn nested_region_is_refused() {
    let (inner, profile) = measure(|| measure_memory(MemoryOptions::default(), || ()).map(|_| ()));
    assert_eq!(
        inner,
        Err(MemoryError::RegionAlreadyOpen { in_this_thread: true })
    );
    assert_eq!(profile.allocations, 0);
    measure(|| ());
}

fn region_on_another_thread_is_refused() {
    let inner = || measure_memory(MemoryOptions::default(), || ()).map(|_| ());
    let (inner, _) = measure(|| std::thread::spawn(inner).join().unwrap());
    assert_eq!(
        inner,
        Err(MemoryError::RegionAlreadyOpen {
            in_this_thread: false
        })
    );
}

fn panic_closes_the_region() {
    let caught = catch_unwind(|| measure(|| std::panic::resume_unwind(Box::new("the work's own panic"))));
    assert_eq!(
        *caught.unwrap_err().downcast::<&str>().unwrap(),
        "the work's own panic"
    );
    let (_, profile) = measure(|| Block::new(50));
    assert_eq!(profile.live_delta_bytes, 50);
}

fn tracker_cost() {
    eprintln!("{:?}", measure_tracker_cost().unwrap());
}
