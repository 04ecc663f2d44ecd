//! When a region opens, when it is refused, and what the environment says of it.

use std::panic::catch_unwind;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use libtest_mimic::Trial;
use profiling_toolkit::environment::Environment;
use profiling_toolkit::memory::{
    MAX_DEPTH, MemoryError, MemoryOptions, allocator_installed, measure_memory, measure_tracker_cost,
    observe_resident,
};

use crate::block::Block;
use crate::measured::measure;
use crate::{trial, trials};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = trials![
        allocator_is_found_by_allocating,
        depth_out_of_range_is_refused,
        nested_region_is_refused,
        region_on_another_thread_is_refused,
        panic_closes_the_region,
        resident_memory_is_observed_without_allocating,
        environment_tells_that_memory_can_be_measured,
        environment_leaves_the_panic_hook_in_place,
    ];
    trials.push(trial("tracker_cost", tracker_cost).with_ignored_flag(true));
    trials
}

fn allocator_is_found_by_allocating() {
    assert!(allocator_installed());
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

fn resident_memory_is_observed_without_allocating() {
    let (((), resident), profile) = measure(|| observe_resident(|| ()));
    assert_eq!(profile.allocations, 0);
    assert_eq!(resident.before_bytes.is_some(), cfg!(target_os = "linux"));
}

fn environment_tells_that_memory_can_be_measured() {
    let environment = Environment::capture();
    assert!(environment.allocator_installed);
    assert!(environment.tracker_cost.is_some());
    assert!(
        !environment
            .warnings()
            .iter()
            .any(|warning| warning.contains("memory can't be measured"))
    );
}

fn environment_leaves_the_panic_hook_in_place() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::Relaxed);
    }));
    Environment::capture();
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    assert!(catch_unwind(|| panic!("seen by the hook")).is_err());
    std::panic::set_hook(before);
    assert_eq!(PANICS.load(Ordering::Relaxed), 1);
}

/// Prints; times aren't asserted.
fn tracker_cost() {
    const PAIRS: u32 = 100_000;
    let cost = measure_tracker_cost().unwrap();
    eprintln!("{cost:.1?}");
    eprintln!(
        "beyond the system's: {:.1} ns a pair switched off, {:.1} ns on",
        cost.switched_off_extra_ns(),
        cost.switched_on_extra_ns()
    );
    for n_threads in [1, 2, 4, 8] {
        let barrier = Barrier::new(n_threads);
        let pairs = || {
            barrier.wait();
            let start = Instant::now();
            (0..PAIRS).for_each(|_| drop(Block::new(64)));
            start.elapsed().as_nanos() as f64 / f64::from(PAIRS)
        };
        let on_all = || {
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..n_threads).map(|_| scope.spawn(pairs)).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .sum::<f64>()
                    / n_threads as f64
            })
        };
        let off = on_all();
        let (on, _) = measure(on_all);
        eprintln!("{n_threads} threads: {off:.1} ns a pair on each switched off, {on:.1} ns on");
    }
}
