//! Threads that allocate side by side: figures that a script fixes are exact, sums always are.

use std::sync::Barrier;
use std::thread::Builder;

use libtest_mimic::Trial;
use profiling_toolkit::memory::{MemoryOptions, Usage, measure_memory};

use crate::block::Block;
use crate::measured::{assert_sums, measure, named, site};
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        one_thread_is_exact,
        four_threads_are_exact,
        eight_threads_are_exact,
        free_running_threads_sum_to_the_byte,
        block_freed_by_another_thread_leaves_its_site,
    ]
}

fn one_thread_is_exact() {
    threads_are_exact(1);
}

fn four_threads_are_exact() {
    threads_are_exact(4);
}

fn eight_threads_are_exact() {
    threads_are_exact(8);
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
            let builder = Builder::new().name(format!("script-{thread}"));
            builder.spawn_scoped(scope, move || script(thread)).unwrap();
        }
        barrier.wait();
        let ((), profile) = measure_memory(MemoryOptions::default(), || {
            for _ in 0..2 * ROUNDS + 2 {
                barrier.wait();
            }
        })
        .unwrap();
        barrier.wait();
        // Looked at only once no thread waits any more: a failed assertion would wait for them for ever.
        profile
    });
    assert_sums(&profile);
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
    assert_eq!(profile.threads.len(), n_threads);
    for thread in 0..n_threads as u64 {
        let usage = named(&profile.threads, &format!("script-{thread}"));
        let expected = Usage {
            allocations: 2 * ROUNDS + 1,
            reallocations: ROUNDS,
            bytes_allocated: ROUNDS * (4064 + thread) + 10 + thread,
            live_at_end_bytes: 10 + thread as i64,
            live_at_peak_bytes: 4064 + thread as i64,
        };
        assert_eq!(usage, expected);
    }
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
        let ((), profile) = measure_memory(MemoryOptions::default(), || {
            *slot.lock().unwrap() = Some(Block::new(900));
            barrier.wait();
            barrier.wait();
        })
        .unwrap();
        barrier.wait();
        // Looked at only once no thread waits any more: a failed assertion would wait for them for ever.
        profile
    });
    assert_sums(&profile);
    assert_eq!((profile.live_delta_bytes, profile.peak_bytes), (0, 900));
    assert_eq!(site(&profile.sites(), "Block::new").usage.live_at_end_bytes, 0);
}
