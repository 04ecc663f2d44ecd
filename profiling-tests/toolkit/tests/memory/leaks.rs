//! What is a leak: a planted one is found to the byte, and what fills up or doubles isn't taken for one.

use std::hint::black_box;

use libtest_mimic::Trial;
use profiling_toolkit::memory::{
    Growth, LeakOptions, LeakReport, MemoryError, MemoryOptions, measure_leaks, measure_memory,
};
use profiling_toolkit::names::plain;

use crate::block::Block;
use crate::trials;

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        planted_leak_is_found_with_its_site_and_size,
        leak_on_threads_that_come_and_go_is_one_site,
        cache_that_fills_once_is_no_leak,
        vector_that_doubles_is_no_leak,
        block_that_replaces_the_last_one_is_no_growth,
        batch_that_is_let_go_of_is_no_leak,
        clean_work_has_no_growth,
        growth_of_the_process_is_that_of_its_sites,
        too_few_iterations_are_refused,
        leaks_are_not_measured_within_a_region,
    ]
}

fn leaks_of(work: impl FnMut()) -> LeakReport {
    let report = measure_leaks(&LeakOptions::default(), work).unwrap();
    assert!(report.complete);
    assert_eq!(report.growth_bytes.len(), 20);
    report
}

#[inline(never)]
fn leaks_a_kibibyte() {
    std::mem::forget(black_box(Vec::<u8>::with_capacity(1024)));
}

fn planted_leak_is_found_with_its_site_and_size() {
    let report = leaks_of(|| {
        drop(Block::new(50_000));
        leaks_a_kibibyte();
    });
    assert_eq!(report.sites.len(), 1, "{report:#?}");
    let leak = report.leaks().next().unwrap();
    assert_eq!(leak.frame.function, "memory::leaks::leaks_a_kibibyte");
    assert_eq!(
        leak.frame.file.as_deref(),
        Some("profiling-tests/toolkit/tests/memory/leaks.rs")
    );
    assert_eq!(leak.growth_bytes, [1024; 20]);
    assert_eq!(
        (leak.bytes_per_iteration(), leak.total_bytes()),
        (1024, 20 * 1024)
    );
    let root = plain(&leak.stack[0].function);
    assert!(
        root.ends_with("planted_leak_is_found_with_its_site_and_size::{closure#0}"),
        "{root}"
    );
}

fn leak_on_threads_that_come_and_go_is_one_site() {
    let mut number = 0;
    let report = leaks_of(|| {
        number += 1;
        let builder = std::thread::Builder::new().name(format!("leaks-{}", number % 3));
        builder.spawn(leaks_a_kibibyte).unwrap().join().unwrap();
    });
    let found = report
        .leaks()
        .find(|leak| leak.frame.function.ends_with("leaks_a_kibibyte"));
    assert_eq!(found.unwrap().growth_bytes, [1024; 20]);
}

fn cache_that_fills_once_is_no_leak() {
    for filled_in in [0, 1, 2, 3, 11, 21] {
        let mut cache = None;
        let mut iteration = 0;
        let report = leaks_of(|| {
            if iteration == filled_in {
                cache = Some(Block::new(4096));
            }
            iteration += 1;
        });
        assert_eq!(report.leaks().count(), 0, "{report:#?}");
        let total: i64 = report.growth_bytes.iter().sum();
        assert_eq!(total, if filled_in < 2 { 0 } else { 4096 });
        drop(cache);
    }
}

fn vector_that_doubles_is_no_leak() {
    for pushed_each_time in [1, 7, 100] {
        let mut numbers = Vec::new();
        let report = leaks_of(|| numbers.extend(black_box(vec![1_u64; pushed_each_time])));
        assert_eq!(report.leaks().count(), 0, "{report:#?}");
        assert_eq!(report.sites.len(), 1, "{report:#?}");
        assert_eq!(report.sites[0].growth, Growth::InSteps);
    }
}

fn block_that_replaces_the_last_one_is_no_growth() {
    let mut last = Block::new(700);
    let report = leaks_of(|| last = Block::new(700));
    assert!(report.sites.is_empty(), "{report:#?}");
    assert_eq!(report.growth_bytes, [0; 20]);
    drop(last);
}

fn batch_that_is_let_go_of_is_no_leak() {
    let mut batch = Vec::with_capacity(10);
    let report = leaks_of(|| {
        if batch.len() == 10 {
            batch.clear();
        }
        batch.push(Block::new(300));
    });
    assert_eq!(report.leaks().count(), 0, "{report:#?}");
}

fn clean_work_has_no_growth() {
    let report = leaks_of(|| drop(black_box(vec![vec![1_u8; 300]; 30])));
    assert_eq!((report.sites.len(), report.growth_bytes), (0, vec![0; 20]));
}

fn growth_of_the_process_is_that_of_its_sites() {
    let mut kept = Vec::with_capacity(22);
    let report = leaks_of(|| {
        leaks_a_kibibyte();
        kept.push(Block::new(40 + kept.len()));
    });
    for (iteration, &growth) in report.growth_bytes.iter().enumerate() {
        let of_sites: i64 = report.sites.iter().map(|site| site.growth_bytes[iteration]).sum();
        assert_eq!(growth, of_sites);
    }
    assert_eq!(report.leaks().count(), 2);
}

fn too_few_iterations_are_refused() {
    let options = LeakOptions {
        iterations: 7,
        ..LeakOptions::default()
    };
    let mut ran = false;
    let refused = measure_leaks(&options, || ran = true).unwrap_err();
    assert_eq!(
        refused,
        MemoryError::TooFewIterations {
            found: 7,
            expected: 8
        }
    );
    assert!(!ran);
}

fn leaks_are_not_measured_within_a_region() {
    let inner = || measure_leaks(&LeakOptions::default(), || ()).map(|_| ());
    let (refused, _) = measure_memory(MemoryOptions::default(), inner).unwrap();
    assert_eq!(
        refused,
        Err(MemoryError::RegionAlreadyOpen { in_this_thread: true })
    );
}
