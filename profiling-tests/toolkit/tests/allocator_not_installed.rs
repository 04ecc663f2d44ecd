//! A binary with another global allocator gets an error and a warning, never a measurement of zero.

use profiling_toolkit::environment::Environment;
use profiling_toolkit::memory::{
    LeakOptions, MemoryError, MemoryOptions, allocator_installed, measure_leaks, measure_memory,
};

#[test]
fn measuring_without_the_allocator_is_refused_before_the_work_runs() {
    let mut ran = false;
    let refused = measure_memory(MemoryOptions::default(), || ran = true).unwrap_err();
    assert_eq!(refused, MemoryError::AllocatorNotInstalled);
    assert!(refused.to_string().contains("#[global_allocator]"));
    assert!(!ran);
}

#[test]
fn leaks_without_the_allocator_are_refused_rather_than_none() {
    let refused = measure_leaks(&LeakOptions::default(), || ()).unwrap_err();
    assert_eq!(refused, MemoryError::AllocatorNotInstalled);
}

#[test]
fn missing_allocator_is_seen_and_warned_of() {
    assert!(!allocator_installed());
    let warnings = Environment::capture().warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("memory can't be measured")),
        "{warnings:?}"
    );
}
