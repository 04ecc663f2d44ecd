//! Work whose answer is known, and what the instruments say of it.

#![expect(clippy::print_stdout, reason = "a test reads it")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use profiling_toolkit::cpu::{CpuOptions, measure_cpu};
use profiling_toolkit::environment::Environment;
use profiling_toolkit::memory::{MemoryOptions, MemoryView, measure_memory};

/// Prints warnings and figures.
pub(crate) fn print_findings() {
    for warning in Environment::capture().warnings() {
        println!("warning: {warning}");
    }
    print_memory();
    print_cpu();
}

fn print_memory() {
    match measure_memory(MemoryOptions::default(), known_block) {
        Err(refusal) => println!("memory_refused: {refusal}"),
        Ok((block, profile)) => {
            drop(block);
            println!("peak_bytes: {}", profile.peak_bytes);
            let sites = profile.top_sites(MemoryView::AtPeak, 1);
            let site = sites.first().map_or("none", |site| &site.frame.function);
            println!("site: {site}");
        }
    }
}

fn print_cpu() {
    match measure_cpu(&CpuOptions::default(), known_work) {
        Err(refusal) => println!("cpu_refused: {refusal}"),
        Ok(((), profile)) => {
            println!("cpu_samples: {}", profile.sampling.samples);
            let rows = profile.by_self(1);
            let function = rows.first().map_or("none", |row| &row.function);
            println!("function: {function}");
        }
    }
}

#[inline(never)]
fn known_block() -> Vec<u8> {
    black_box(vec![1_u8; 1_000_000])
}

/// A tenth of a second, with all of the arithmetic in this function even where nothing is inlined.
#[inline(never)]
fn known_work() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        let mut state = black_box(1_u64);
        let mut n_rounds = 0;
        while n_rounds < 100_000 {
            state ^= state << 7 | n_rounds;
            n_rounds += 1;
        }
        black_box(state);
    }
}
