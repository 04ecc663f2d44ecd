//! Shares, sums and intervals: of functions, threads and phases.

use std::hint::black_box;
use std::sync::OnceLock;
use std::thread;

use profiling_toolkit::cpu::{CpuOptions, CpuProfile, measure_cpu};
use profiling_toolkit::phase::Phase;

use crate::known::{on_threads, sixty, ten, thirty};

/// Profiles of the known work on 1, 2 and 4 threads: measured once, looked at by several tests.
fn known_profiles() -> &'static [(u64, CpuProfile)] {
    static PROFILES: OnceLock<Vec<(u64, CpuProfile)>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let measure = |n_threads: u64| {
            let work = || on_threads(n_threads, 110 / n_threads);
            (
                n_threads,
                measure_cpu(&CpuOptions::default(), work)
                    .expect("nobody else has the signal")
                    .1,
            )
        };
        [1, 2, 4].map(measure).into()
    })
}

#[test]
fn known_split_is_reported_within_three_standard_errors() {
    for (n_threads, profile) in known_profiles() {
        let rows = profile.by_self(usize::MAX);
        for (function, expected) in [
            ("cpu::known::sixty", 0.6),
            ("cpu::known::thirty", 0.3),
            ("cpu::known::ten", 0.1),
        ] {
            let row = rows.iter().find(|row| row.function == function).unwrap();
            assert!(
                (row.share - expected).abs() <= 3.0 * row.standard_error,
                "{n_threads} threads, {function}: {:.4} ± {:.4}",
                row.share,
                row.standard_error
            );
        }
    }
}

#[test]
fn weights_sum_to_the_measured_cpu_time() {
    for (n_threads, profile) in known_profiles() {
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
    let in_phase = |name, work: &dyn Fn() -> u64| {
        Phase::named(name).enter();
        black_box(work());
        Phase::exit();
    };
    let work = || {
        for _ in 0..100 {
            in_phase("sixty in a phase", &|| sixty(120));
            in_phase("thirty in a phase", &|| thirty(60));
            black_box(ten(20));
        }
    };
    let ((), profile) = measure_cpu(&CpuOptions::default(), work).unwrap();
    let rows = profile.by_phase();
    for (phase, expected) in [("sixty in a phase", 0.6), ("thirty in a phase", 0.3), ("", 0.1)] {
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
    for (_, profile) in known_profiles() {
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
    for (_, profile) in known_profiles() {
        for function in &profile.functions {
            let name = &function.function;
            let is_ours = name.starts_with("profiling_toolkit") || name.contains("restore_rt");
            let is_runtime = name.starts_with("std::rt") || name.contains("thread_start") || name == "clone3";
            assert!(!is_ours && !is_runtime, "{name}");
        }
    }
}

#[test]
fn function_location_is_its_hottest_line() {
    let (_, profile) = &known_profiles()[0];
    let row = profile.by_self(1).remove(0);
    let location = row.location.unwrap();
    assert!(
        location.starts_with("profiling-tests/toolkit/tests/cpu/known.rs:"),
        "{location}"
    );
}
