//! The tracker against valgrind's DHAT, which counts what reaches `malloc`: the same script, on the system's own
//! allocator there and on the profiling one here, has the same peak to the byte.
//!
//! Around `main` the language's runtime allocates, and only DHAT sees that: a run of the same program with a single
//! block in place of the script is subtracted. (With nothing instead, its peak is of a moment before `main` and
//! 1,188 bytes above what is live later.) On one thread and nothing beside it, so without libtest.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "these are tests, though without libtest"
)]

#[expect(dead_code, reason = "the single block is the watched program's")]
mod script;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("peak_is_that_of_dhat", peak_is_that_of_dhat),
        trial(
            "blocks_and_bytes_are_those_of_dhat",
            blocks_and_bytes_are_those_of_dhat,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, fact: fn()) -> Trial {
    Trial::test(name, move || {
        fact();
        Ok::<(), Failed>(())
    })
}

fn peak_is_that_of_dhat() {
    let Some(dhat) = by_dhat() else { return };
    let ((), profile) = measure_memory(MemoryOptions::default(), script::run).unwrap();
    eprintln!(
        "peak: {} bytes by DHAT, {} here",
        dhat.peak_bytes, profile.peak_bytes
    );
    assert!(profile.complete);
    assert_eq!(profile.peak_bytes, dhat.peak_bytes);
}

/// DHAT counts a reallocation as a new block of its whole size; that count isn't kept here, the blocks are.
fn blocks_and_bytes_are_those_of_dhat() {
    let Some(dhat) = by_dhat() else { return };
    let ((), profile) = measure_memory(MemoryOptions::default(), script::run).unwrap();
    let requests = profile.allocations + profile.reallocations;
    eprintln!("requests: {} by DHAT, {requests} here", dhat.requests);
    assert_eq!(requests, dhat.requests);
    assert_eq!(profile.live_delta_bytes, 0);
}

/// What DHAT counted of the script.
#[derive(Debug)]
struct Counts {
    peak_bytes: u64,
    requests: u64,
}

fn by_dhat() -> Option<Counts> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("not present: valgrind");
        return None;
    }
    let [script, one_block] = ["script", "one block"].map(watched);
    Some(Counts {
        peak_bytes: script.peak_bytes - (one_block.peak_bytes - script::ONE_BLOCK as u64),
        requests: script.requests - (one_block.requests - 1),
    })
}

fn watched(what: &str) -> Counts {
    let program = Path::new(env!("CARGO_BIN_EXE_watched-by-dhat"));
    let output = Command::new("valgrind")
        .args(["--tool=dhat", "--dhat-out-file=/dev/null"])
        .args([program.to_owned(), PathBuf::from(what)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Counts {
        peak_bytes: figure(&said, "At t-gmax:", 0),
        requests: figure(&said, "Total:", 3),
    }
}

/// A figure of a line such as `==12== At t-gmax: 1,024 bytes in 3 blocks`, by its word after the name.
fn figure(said: &str, name: &str, word: usize) -> u64 {
    let line = said.lines().find_map(|line| line.split_once(name));
    let figures = line.unwrap_or_else(|| panic!("no line {name:?}: {said}")).1;
    let figure = figures.split_whitespace().nth(word).unwrap();
    figure.replace(',', "").parse().unwrap()
}
