//! Trials that always run: the instruments on work whose answer is known, in this very binary.
//!
//! The toolkit's own tests are thorough; these say whether the instruments can be believed here and now, with the
//! compiler flags, the allocator and the machine that the scenarios get. Together they take about a second.

mod hostile;
mod judged;

use std::error::Error;
use std::ffi::OsString;
use std::hint::black_box;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Failed, Trial};
use postroom::store::Location;
use profiling_toolkit::cpu::{CpuOptions, CpuProfile, measure_cpu};
use profiling_toolkit::memory::{MemoryOptions, MemoryView, allocator_installed, measure_memory};

use crate::corpus::{self, Corpus};
use crate::progress::Progress;
use crate::report::graph::Graph;
use crate::settings::{self, Settings};

type Outcome = Result<(), Box<dyn Error>>;

type Check = fn() -> Outcome;

/// All of them, to run before anything is measured.
pub(crate) fn trials() -> Vec<Trial> {
    let checks: [(&str, Check); 17] = [
        ("self_test::allocator_is_installed", allocator_is_installed),
        (
            "self_test::scripted_allocations_are_exact",
            scripted_allocations_are_exact,
        ),
        (
            "self_test::memory_sites_sum_to_the_totals",
            memory_sites_sum_to_the_totals,
        ),
        ("self_test::known_cpu_split_is_found", known_cpu_split_is_found),
        ("self_test::flame_graph_is_drawn", flame_graph_is_drawn),
        (
            "self_test::corpus_follows_from_its_seed",
            corpus_follows_from_its_seed,
        ),
        (
            "self_test::corpus_in_sqlite_is_the_corpus_in_memory",
            corpus_in_sqlite_is_the_corpus_in_memory,
        ),
        ("self_test::wrong_settings_are_named", wrong_settings_are_named),
        (
            "self_test::planted_leak_and_slowdown_are_found",
            judged::planted_leak_and_slowdown_are_found,
        ),
        (
            "self_test::ten_runs_of_the_same_find_nothing",
            judged::ten_runs_of_the_same_find_nothing,
        ),
        (
            "self_test::budget_over_its_limit_fails_with_both_numbers",
            judged::budget_over_its_limit_fails_with_both_numbers,
        ),
        (
            "self_test::budget_of_what_was_not_measured_is_refused",
            judged::budget_of_what_was_not_measured_is_refused,
        ),
        (
            "self_test::time_worse_than_a_baseline_is_over_budget",
            judged::time_worse_than_a_baseline_is_over_budget,
        ),
        (
            "self_test::damaged_baseline_is_refused_or_compared_with",
            hostile::damaged_baseline_is_refused_or_compared_with,
        ),
        (
            "self_test::baseline_of_more_samples_than_a_run_takes_is_refused",
            hostile::baseline_of_more_samples_than_a_run_takes_is_refused,
        ),
        (
            "self_test::damaged_report_spoils_no_page",
            hostile::damaged_report_spoils_no_page,
        ),
        (
            "self_test::setting_of_any_bytes_is_taken_or_named",
            hostile::setting_of_any_bytes_is_taken_or_named,
        ),
    ];
    checks
        .map(|(name, check)| Trial::test(name, move || one_at_a_time(check)))
        .into()
}

fn one_at_a_time(check: Check) -> Result<(), Failed> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(check()?)
}

fn allocator_is_installed() -> Outcome {
    if allocator_installed() {
        Ok(())
    } else {
        Err("this binary's allocator isn't the profiling one: memory can't be measured".into())
    }
}

/// Known to the byte: 1,000 kept, 3,000 for a moment, 500 that grow to 700.
fn scripted_allocations_are_exact() -> Outcome {
    let (kept, profile) = measure_memory(MemoryOptions::default(), || {
        let kept: Vec<u8> = black_box(Vec::with_capacity(1_000));
        drop(black_box(Vec::<u8>::with_capacity(3_000)));
        let mut grows: Vec<u8> = black_box(Vec::with_capacity(500));
        grows.resize(500, 1);
        grows.reserve_exact(200);
        drop(black_box(grows));
        kept
    })?;
    assert_eq!(profile.live_delta_bytes, 1_000, "what was kept");
    assert_eq!(profile.peak_bytes, 4_000, "at the peak");
    assert_eq!(
        profile.bytes_allocated,
        1_000 + 3_000 + 700,
        "in all, a reallocation by its growth"
    );
    assert_eq!(
        (profile.allocations, profile.reallocations, profile.deallocations),
        (3, 1, 2),
        "operations"
    );
    assert_eq!(profile.counters_delta_bytes, 1_000, "by the second count");
    drop(kept);
    Ok(())
}

fn memory_sites_sum_to_the_totals() -> Outcome {
    let work = || {
        (0..4)
            .map(|size| vec![1_u8; 1 << (10 + size)])
            .collect::<Vec<_>>()
    };
    let (kept, profile) = measure_memory(MemoryOptions::default(), work)?;
    let sum = |view| {
        profile
            .sites()
            .iter()
            .map(|site| site.usage.bytes(view))
            .sum::<i64>()
    };
    assert_eq!(
        sum(MemoryView::LiveAtEnd),
        profile.live_delta_bytes,
        "sites against what was kept"
    );
    assert_eq!(
        sum(MemoryView::AtPeak),
        profile.peak_bytes as i64,
        "sites against the peak"
    );
    drop(kept);
    Ok(())
}

/// A function that runs an inner loop of its own so many times. The constants differ, or the linker could make the
/// functions one.
macro_rules! known_work {
    ($name:ident, $constant:expr) => {
        #[inline(never)]
        fn $name(units: u64) -> u64 {
            let mut x = black_box($constant);
            for _ in 0..units * 60_000 {
                x = x
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add($constant)
                    .rotate_left(9);
            }
            black_box(x)
        }
    };
}
known_work!(sixty, 0x1111_u64);
known_work!(thirty, 0x2222_u64);
known_work!(ten, 0x3333_u64);

/// Some 0.4 s in rounds of 20 ms, each with all three: a slow spell of the machine meets all alike.
fn known_split() -> Result<CpuProfile, Box<dyn Error>> {
    let options = CpuOptions {
        min_samples: 200,
        // As many samples as can be had of so little work.
        most_cost_percent: 100,
        ..CpuOptions::default()
    };
    let ((), profile) = measure_cpu(&options, || {
        for _ in 0..20 {
            black_box((sixty(120), thirty(60), ten(20)));
        }
    })?;
    Ok(profile)
}

fn known_cpu_split_is_found() -> Outcome {
    let profile = known_split()?;
    let rows = profile.by_self(usize::MAX);
    for (function, expected) in [("sixty", 0.6), ("thirty", 0.3), ("ten", 0.1)] {
        let row = rows
            .iter()
            .find(|row| row.function.ends_with(&format!("self_test::{function}")));
        let row = row.ok_or_else(|| format!("{function} isn't among the functions sampled: {rows:?}"))?;
        let miss = (row.share - expected).abs();
        assert!(
            miss <= 3.0 * row.standard_error,
            "{function} took {expected} of the work and is reported at {} ± {}",
            row.share,
            row.standard_error
        );
    }
    let ratio = profile.weight_ratio();
    assert!(
        (0.97..=1.03).contains(&ratio),
        "the samples account for {ratio} of the CPU time"
    );
    Ok(())
}

fn flame_graph_is_drawn() -> Outcome {
    let (kept, profile) = measure_memory(MemoryOptions::default(), || vec![1_u8; 4_096])?;
    let graph = Graph::of_memory("A known block", &profile, MemoryView::AtPeak);
    let svg = graph.svg()?;
    assert!(
        svg.contains("A known block") && svg.contains("4,096"),
        "the picture lacks its title or its width"
    );
    assert!(graph.folded().ends_with(" 4096\n"), "{}", graph.folded());
    drop(kept);
    Ok(())
}

/// Pinned: what is measured today and next year is the same corpus. Another version of the packages that it is made
/// with may change it; then all earlier figures are of another corpus.
fn corpus_follows_from_its_seed() -> Outcome {
    const SEED_42: &str = "f41263bd9aaa92f9332e6ddd7112a8c704f811e52b9e68493493ab09284175d4";
    let digest = |seed| -> postroom::Result<String> {
        Ok(corpus::corpus_digest(&corpus::in_memory(seed, 100)?)?.sha256)
    };
    assert_eq!(digest(42)?, SEED_42, "the first 100 documents of seed 42");
    assert_ne!(digest(43)?, SEED_42, "another seed gave the same documents");
    Ok(())
}

fn corpus_in_sqlite_is_the_corpus_in_memory() -> Outcome {
    let settings = Settings {
        n_documents: 100,
        ..Settings::default()
    };
    let corpus = Corpus::prepare(&settings, Progress::Hidden)?;
    let in_memory = corpus::corpus_digest(&corpus::in_memory(settings.seed, settings.n_documents)?)?;
    assert_eq!(corpus.facts().sha256, in_memory.sha256);
    let Location::File(database) = corpus.store().location() else {
        return Err("the corpus isn't a file".into());
    };
    assert!(database.exists());
    drop(corpus);
    assert!(!database.exists(), "{} is left behind", database.display());
    Ok(())
}

fn wrong_settings_are_named() -> Outcome {
    for (variable, value) in [
        ("PROFILING_DOCS", "many"),
        ("PROFILING_DOCS", "0"),
        ("PROFILING_SEED", "-1"),
        ("PROFILING_DB", "no/such/file.sqlite3"),
        ("PROFILING_THREADS", "0"),
        ("PROFILING_SAVE_BASELINE", "../up"),
        ("PROFILING_BASELINE", "never saved"),
        ("PROFILING_BUDGETS", "maybe"),
        ("PROFILING_BRIEF", "very"),
        (settings::TURNS, "mine"),
        ("PROFILING_DIR", file!()),
    ] {
        if variable == "PROFILING_DIR" && !Path::new(value).exists() {
            continue; // The sources aren't here.
        }
        let settings = Settings::read(|asked| (asked == variable).then(|| OsString::from(value)));
        let error = settings
            .err()
            .ok_or_else(|| format!("{variable}={value} was taken"))?
            .to_string();
        assert!(error.contains(variable) && error.contains(value), "{error}");
    }
    Ok(())
}
