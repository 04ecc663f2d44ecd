//! The CPU sampler on strings and hashes: stacks through glibc, checked against another instrument.
//!
//! Valgrind's callgrind counts the instructions of the same work exactly, by function with all it calls. Where time
//! goes isn't where instructions go, but on work that fits into the nearest caches the shares are close.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use profiling_toolkit::cpu::{CpuOptions, CpuProfile, measure_cpu_repeated};

/// Documents of a round.
const N_DOCUMENTS: u64 = 400;

/// What is compared, as it is called here.
const FUNCTIONS: [&str; 4] = ["write_document", "lower_words", "hash_words", "count_words"];

/// The work: documents are written, taken apart, hashed and counted.
#[inline(never)]
fn process_documents(n_documents: u64) -> u64 {
    let mut counts = HashMap::new();
    let mut hashes = 0;
    for number in 0..n_documents {
        let document = write_document(number);
        let words = lower_words(&document);
        hashes ^= hash_words(&words);
        count_words(words, &mut counts);
    }
    black_box(hashes ^ counts.values().sum::<u64>())
}

/// Formatting, growth of a string.
#[inline(never)]
fn write_document(number: u64) -> String {
    let mut document = String::new();
    for word in 0..60 {
        let term = (number * 7 + word * word) % 100;
        let written = format!("Term{term} ");
        document.push_str(&written);
    }
    document
}

/// Many small allocations and copies.
#[inline(never)]
fn lower_words(document: &str) -> Vec<String> {
    document.split_whitespace().map(str::to_lowercase).collect()
}

#[inline(never)]
fn hash_words(words: &[String]) -> u64 {
    let mut hashes = 0;
    // Several times, or it would be too little to compare.
    for seed in 0..4_u64 {
        for word in words {
            let mut hasher = DefaultHasher::new();
            (seed, word).hash(&mut hasher);
            hashes ^= hasher.finish();
        }
    }
    hashes
}

/// Look-ups, and the end of what was allocated.
#[inline(never)]
fn count_words(words: Vec<String>, counts: &mut HashMap<String, u64>) {
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
}

fn profile() -> &'static CpuProfile {
    static PROFILE: OnceLock<CpuProfile> = OnceLock::new();
    PROFILE.get_or_init(|| {
        let options = CpuOptions {
            min_samples: 8_000,
            time_limit: Duration::from_secs(30),
            ..CpuOptions::default()
        };
        let (_, profile) = measure_cpu_repeated(&options, || process_documents(N_DOCUMENTS))
            .expect("nobody else has the signal");
        profile
    })
}

#[test]
fn stacks_of_strings_and_hashes_reach_the_start_of_their_thread() {
    let sampling = &profile().sampling;
    assert!(sampling.samples >= 1_000, "{sampling:?}");
    assert!(sampling.rooted * 100 >= sampling.samples * 99, "{sampling:?}");
    assert_eq!(sampling.truncated, 0);
}

#[test]
fn stacks_are_followed_by_the_tables_found_beforehand() {
    let sampling = &profile().sampling;
    // But for the first ones, which find out where the stack lies.
    assert!(sampling.slowly_unwound * 50 <= sampling.samples, "{sampling:?}");
}

#[test]
fn c_library_is_on_the_stacks() {
    // With symbols of its own they are called `_int_malloc` and the like, without `[unknown] in libc.so.6`.
    let names = ["malloc", "_free", "memcpy", "memmove", "libc.so"];
    let is_of_c = |function: &str| names.iter().any(|name| function.contains(name));
    let rows = profile().by_self(usize::MAX);
    let share: f64 = rows
        .iter()
        .filter(|row| is_of_c(&row.function))
        .map(|row| row.share)
        .sum();
    assert!(share > 0.05, "{share}");
}

#[test]
fn split_agrees_with_the_instructions_that_callgrind_counts() {
    let Some(instructions) = instructions_by_callgrind() else {
        eprintln!("not present: valgrind, whose callgrind counts what the samples are compared to");
        return;
    };
    let rows = profile().by_cumulative(usize::MAX);
    let sampled = |name: &str| {
        let function = format!("cpu_strings::{name}");
        let row = rows.iter().find(|row| row.function == function);
        row.unwrap_or_else(|| panic!("{function} has no samples")).share
    };
    let whole = sampled("process_documents");
    for name in FUNCTIONS {
        let (sampled, counted) = (sampled(name) / whole, instructions.share(name));
        assert!(
            (sampled - counted).abs() < 0.04,
            "{name}: {sampled:.3} of the time, {counted:.3} of the instructions"
        );
    }
}

/// What callgrind runs: the same work, once.
#[test]
#[ignore = "a part of the comparison with callgrind, which runs it"]
fn work_for_callgrind() {
    assert_ne!(process_documents(N_DOCUMENTS), 0);
}

/// Instructions by function with all it calls.
struct Instructions(Vec<(String, f64)>);

impl Instructions {
    /// Share of the whole work.
    fn share(&self, name: &str) -> f64 {
        self.of(name) / self.of("process_documents")
    }

    fn of(&self, name: &str) -> f64 {
        let found = self.0.iter().find(|(function, _)| function.contains(name));
        found.unwrap_or_else(|| panic!("callgrind did not see {name}")).1
    }

    /// `1,234,567 (12.34%)  ???:mangled name [program]`
    fn parse(annotated: &str) -> Self {
        let line = |line: &str| {
            let (count, rest) = line.trim_start().split_once(' ')?;
            let count: f64 = count.replace(',', "").parse().ok()?;
            Some((rest.to_owned(), count))
        };
        Self(annotated.lines().filter_map(line).collect())
    }
}

/// `None` where valgrind isn't installed.
fn instructions_by_callgrind() -> Option<Instructions> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let counts = directory.join(format!("callgrind.{}", std::process::id()));
    let mut counts_option = std::ffi::OsString::from("--callgrind-out-file=");
    counts_option.push(&counts);
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--demangle=no"])
        .arg(counts_option)
        .arg(env::current_exe().expect("this test is a program"))
        .args(["--exact", "work_for_callgrind", "--ignored", "--test-threads=1"])
        .output()
        .ok()?;
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let annotated = Command::new("callgrind_annotate")
        .args(["--inclusive=yes", "--threshold=100", "--auto=no"])
        .arg(&counts)
        .output()
        .expect("it is a part of valgrind");
    fs::remove_file(&counts).expect("valgrind wrote it");
    Some(Instructions::parse(&String::from_utf8_lossy(&annotated.stdout)))
}
