//! Shares, sums and intervals: of functions, threads and phases.

use std::sync::OnceLock;
use std::thread;

use profiling_toolkit::cpu::{CpuOptions, CpuProfile, measure_cpu};
use profiling_toolkit::phase::Phase;

use crate::known::{Clocked, on_threads, sixty, ten, thirty};

/// The known work on so many threads, sampled and clocked.
struct Known {
    n_threads: u64,
    profile: CpuProfile,
    /// What the parts took by the threads' clocks.
    shares: [f64; 3],
}

/// On 1, 2 and 4 threads: measured once, looked at by several tests.
fn known_profiles() -> &'static [Known] {
    static PROFILES: OnceLock<Vec<Known>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let measure = |n_threads: u64| {
            let clocked = Clocked::default();
            let work = || on_threads(n_threads, 110 / n_threads, &clocked);
            let ((), profile) =
                measure_cpu(&CpuOptions::default(), work).expect("nobody else has the signal");
            Known {
                n_threads,
                profile,
                shares: clocked.shares(),
            }
        };
        [1, 2, 4].map(measure).into()
    })
}

#[test]
fn known_split_is_reported_within_three_standard_errors() {
    for known in known_profiles() {
        let rows = known.profile.by_self(usize::MAX);
        let functions = ["cpu::known::sixty", "cpu::known::thirty", "cpu::known::ten"];
        for (function, expected) in functions.into_iter().zip(known.shares) {
            let row = rows.iter().find(|row| row.function == function).unwrap();
            assert!(
                (row.share - expected).abs() <= 3.0 * row.standard_error,
                "{} threads, {function}: {:.4} ± {:.4}, by the clock {expected:.4}",
                known.n_threads,
                row.share,
                row.standard_error
            );
        }
    }
}

#[test]
fn weights_sum_to_the_measured_cpu_time() {
    for Known {
        n_threads, profile, ..
    } in known_profiles()
    {
        let ratio = profile.weight_ratio();
        assert!((0.98..1.02).contains(&ratio), "{n_threads} threads: {ratio}");
        let sampled = profile.sampling.sampled_ns as f64 / profile.cpu_ns as f64;
        assert!(
            (0.98..1.02).contains(&sampled),
            "{n_threads} threads: {sampled} sampled"
        );
    }
}

#[test]
fn time_in_a_phase_is_told_with_its_interval() {
    let clocked = Clocked::default();
    let in_phase = |name, number, work: fn() -> u64| {
        Phase::named(name).enter();
        clocked.part(number, work);
        Phase::exit();
    };
    let work = || {
        for _ in 0..100 {
            in_phase("sixty in a phase", 0, || sixty(120));
            in_phase("thirty in a phase", 1, || thirty(60));
            clocked.part(2, || ten(20));
        }
    };
    let ((), profile) = measure_cpu(&CpuOptions::default(), work).unwrap();
    let rows = profile.by_phase();
    let phases = ["sixty in a phase", "thirty in a phase", ""];
    for (phase, expected) in phases.into_iter().zip(clocked.shares()) {
        let row = rows.iter().find(|row| row.name == phase).unwrap();
        let [low, high] = row
            .interval_95_ns
            .unwrap()
            .map(|ns| ns / profile.sampling.sampled_ns as f64);
        // Three standard errors are half as much again as what 95 % lie within.
        let tolerated = 1.5 * (high - low) / 2.0;
        assert!((row.share - expected).abs() <= tolerated, "{rows:?}");
    }
    let sixty = &profile.phases[1];
    assert_eq!(sixty.phase, "sixty in a phase");
    assert!(
        sixty
            .functions
            .iter()
            .any(|cost| cost.function == "cpu::known::sixty")
    );
    assert!(
        sixty
            .functions
            .iter()
            .all(|cost| cost.function != "cpu::known::thirty")
    );
}

#[test]
fn threads_of_a_name_are_told_together() {
    let start = |units| {
        thread::Builder::new()
            .name("known".to_owned())
            .spawn(move || ten(units))
    };
    let work = || [start(400), start(400)].map(|started| started.unwrap().join().unwrap());
    let (_, profile) = measure_cpu(&CpuOptions::default(), work).unwrap();
    let row = profile.by_thread().remove(0);
    assert_eq!((row.name.as_str(), row.n_threads), ("known", 2));
    assert!(row.share > 0.9, "{row:?}");
}

#[test]
fn self_times_and_stacks_both_sum_to_the_sampled_time() {
    for Known { profile, .. } in known_profiles() {
        let sampled_ns = profile.sampling.sampled_ns;
        assert_eq!(
            profile.functions.iter().map(|f| f.self_ns).sum::<u64>(),
            sampled_ns
        );
        assert_eq!(
            profile.stacks.iter().map(|s| s.weight_ns).sum::<u64>(),
            sampled_ns
        );
        let samples = profile.sampling.samples;
        assert_eq!(profile.stacks.iter().map(|s| s.samples).sum::<u64>(), samples);
        assert_eq!(profile.threads.iter().map(|t| t.samples).sum::<u64>(), samples);
    }
}

#[test]
fn stacks_start_with_the_work_and_do_not_show_the_sampler() {
    for Known { profile, .. } in known_profiles() {
        for function in &profile.functions {
            let name = &function.function;
            let is_ours = name.starts_with("profiling_toolkit::cpu::") || name.contains("restore_rt");
            let is_runtime = name.starts_with("std::rt") || name.contains("thread_start") || name == "clone3";
            assert!(!is_ours && !is_runtime, "{name}");
        }
    }
}

#[test]
fn function_location_is_its_hottest_line() {
    let Known { profile, .. } = &known_profiles()[0];
    let row = profile.by_self(1).remove(0);
    let location = row.location.unwrap();
    assert!(
        location.starts_with("profiling-tests/toolkit/tests/cpu/known.rs:"),
        "{location}"
    );
}
