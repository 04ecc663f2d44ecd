//! What the CPU sampler promises, on workloads whose answer is known.
//!
//! Shares are known by units of work, never by a clock: the functions run the same inner loop, a known number
//! of times each. One measurement runs at a time, so the tests may run side by side.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use profiling_toolkit::cpu::{
    CpuError, CpuOptions, CpuProfile, measure_cpu, measure_cpu_repeated, register_current_thread,
};

/// Iterations that take about 0.1 ms.
const UNIT: u64 = 60_000;

/// A function of its own that runs the common inner loop. The constants differ, or the linker could fold the
/// functions into one.
macro_rules! known_work {
    ($name:ident, $constant:expr) => {
        #[inline(never)]
        fn $name(units: u64) -> u64 {
            let mut x = black_box($constant);
            for _ in 0..units * UNIT {
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

/// A round takes about 20 ms, so that every function is met several times in each round: the error left by the
/// sampling is then well below the binomial one that the profile states, and three standard errors are no
/// matter of luck. A slow spell of the machine meets all three alike.
#[inline(never)]
fn rounds_of_known_work(n_rounds: u64) {
    for _ in 0..n_rounds {
        black_box((sixty(120), thirty(60), ten(20)));
    }
}

fn on_threads(n_threads: u64, n_rounds: u64) {
    thread::scope(|scope| {
        for _ in 1..n_threads {
            scope.spawn(|| {
                register_current_thread();
                rounds_of_known_work(n_rounds);
            });
        }
        rounds_of_known_work(n_rounds);
    });
}

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

fn share(profile: &CpuProfile, function: &str) -> f64 {
    let rows = profile.by_cumulative(usize::MAX);
    rows.iter()
        .find(|row| row.function == function)
        .map_or(0.0, |row| row.share)
}

#[test]
fn known_split_is_reported_within_three_standard_errors() {
    for (n_threads, profile) in known_profiles() {
        let rows = profile.by_self(usize::MAX);
        for (function, expected) in [("cpu::sixty", 0.6), ("cpu::thirty", 0.3), ("cpu::ten", 0.1)] {
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
        location.starts_with("profiling-tests/toolkit/tests/cpu.rs:"),
        "{location}"
    );
}

#[test]
fn sleeping_thread_contributes_nothing() {
    let work = || {
        thread::scope(|scope| {
            let sleeper = scope.spawn(|| thread::park_timeout(Duration::MAX));
            rounds_of_known_work(20);
            sleeper.thread().unpark();
        });
    };
    let ((), profile) = measure_cpu(&CpuOptions::default(), work).unwrap();
    let working = share(&profile, "cpu::rounds_of_known_work");
    assert!(working > 0.98, "{working}");
    // Nobody wakes it to look.
    assert!(profile.sampling.asleep < 10, "{:?}", profile.sampling);
}

#[test]
fn work_in_short_bursts_is_not_charged_to_the_wait_after_it() {
    let bursts = || {
        for _ in 0..300 {
            ten(3);
            thread::sleep(Duration::from_millis(2));
        }
    };
    let ((), profile) = measure_cpu(&CpuOptions::default(), bursts).unwrap();
    // Charged to whatever the signal finds, the wait would have most of it: 0.3 ms of work, 2 ms asleep.
    let working = share(&profile, "cpu::ten");
    assert!(working > 0.8, "{working}");
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 {
        ten(1_000)
    } else {
        black_box(descend(depth - 1) + 1)
    }
}

#[test]
fn deep_recursion_is_truncated_and_counted() {
    let options = CpuOptions {
        max_depth: 64,
        ..CpuOptions::default()
    };
    let (_, profile) = measure_cpu(&options, || descend(1_000)).unwrap();
    let sampling = &profile.sampling;
    assert!(sampling.samples > 0 && sampling.truncated * 10 >= sampling.samples * 9);
    assert!(
        profile
            .folded()
            .iter()
            .any(|(stack, _)| stack.starts_with("[truncated];"))
    );
}

#[test]
fn recursion_counts_once_in_cumulative_time() {
    let (_, profile) = measure_cpu(&CpuOptions::default(), || descend(20)).unwrap();
    let rows = profile.by_cumulative(usize::MAX);
    let row = rows.iter().find(|row| row.function == "cpu::descend").unwrap();
    assert!(row.samples <= profile.sampling.samples && row.ns <= profile.sampling.sampled_ns);
}

#[expect(clippy::inline_always, reason = "the test is about inlining")]
#[inline(always)]
fn inlined_loop(units: u64) -> u64 {
    let mut x = black_box(1_u64);
    for _ in 0..units * UNIT {
        x = x.wrapping_mul(6_364_136_223_846_793_005) ^ (x >> 7);
    }
    black_box(x)
}

#[inline(never)]
fn holds_inlined_loop(units: u64) -> u64 {
    black_box(inlined_loop(units) | 1)
}

#[test]
fn inlined_function_is_on_the_stack_and_its_time_is_the_holders_own() {
    let (_, profile) = measure_cpu(&CpuOptions::default(), || holds_inlined_loop(2_000)).unwrap();
    let own = profile.by_self(1).remove(0);
    assert_eq!(own.function, "cpu::holds_inlined_loop");
    assert!(share(&profile, "cpu::inlined_loop") > 0.9);
    let folded = profile.folded().to_string();
    assert!(
        folded.contains("cpu::holds_inlined_loop;cpu::inlined_loop"),
        "{folded}"
    );
}

#[test]
fn short_work_is_repeated_until_there_are_enough_samples() {
    let options = CpuOptions {
        min_samples: 200,
        ..CpuOptions::default()
    };
    let (result, profile) = measure_cpu_repeated(&options, || ten(1)).unwrap();
    assert_eq!(result, ten(1));
    assert!(profile.has_enough_samples() && profile.iterations > 200);
    assert!(share(&profile, "cpu::ten") > 0.98);
}

#[test]
fn time_limit_ends_the_repeating() {
    let options = CpuOptions {
        min_samples: u64::MAX,
        time_limit: Duration::from_millis(1),
        ..CpuOptions::default()
    };
    let (_, profile) = measure_cpu_repeated(&options, || ten(1)).unwrap();
    assert!(!profile.has_enough_samples());
}

#[test]
fn registered_threads_are_sampled_without_being_looked_for() {
    let options = CpuOptions {
        scan_every: Duration::MAX,
        ..CpuOptions::default()
    };
    let registered = || {
        register_current_thread();
        ten(2_000)
    };
    let work = || {
        thread::Builder::new()
            .name("registered".to_owned())
            .spawn(registered)
            .unwrap()
            .join()
    };
    let (_, profile) = measure_cpu(&options, work).unwrap();
    let thread = profile
        .threads
        .iter()
        .find(|thread| thread.name == "registered")
        .unwrap();
    assert!(thread.samples > 0, "{:?}", profile.threads);
}

#[test]
fn new_thread_is_found() {
    let work = || thread::spawn(|| ten(3_000)).join();
    let (_, profile) = measure_cpu(&CpuOptions::default(), work).unwrap();
    assert!(share(&profile, "cpu::ten") > 0.9);
}

#[test]
fn full_arena_is_counted_and_the_weights_still_sum() {
    let options = CpuOptions {
        arena_bytes: 64 << 10,
        rate_hz: 4_999,
        ..CpuOptions::default()
    };
    let ((), profile) = measure_cpu(&options, || rounds_of_known_work(60)).unwrap();
    assert!(profile.sampling.dropped > 0);
    let ratio = profile.weight_ratio();
    assert!((0.97..1.03).contains(&ratio), "{ratio}");
}

#[test]
fn measurement_inside_a_measurement_is_refused() {
    let options = CpuOptions::default();
    let (inner, _) = measure_cpu(&options, || measure_cpu(&options, || ())).unwrap();
    assert!(matches!(inner, Err(CpuError::Nested)));
}

#[test]
fn panic_in_the_work_ends_the_measurement() {
    let options = CpuOptions::default();
    let panicked = thread::spawn(move || measure_cpu(&options, || panic!("as asked")).map(|((), _)| ()));
    assert!(panicked.join().is_err());
    let (_, profile) = measure_cpu(&CpuOptions::default(), || ten(500)).unwrap();
    assert!(share(&profile, "cpu::ten") > 0.9);
}

#[test]
fn blocking_read_is_restarted() {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    let read_one_byte = || {
        thread::scope(|scope| {
            scope.spawn(|| {
                ten(1_000);
                far.write_all(&[7]).unwrap();
            });
            let mut byte = [0];
            near.read(&mut byte).map(|_| byte[0])
        })
    };
    let (read, _) = measure_cpu(&CpuOptions::default(), read_one_byte).unwrap();
    assert_eq!(read.unwrap(), 7);
}

#[test]
fn measurements_start_and_stop_while_threads_are_sampled() {
    let options = CpuOptions {
        rate_hz: 10_000,
        ..CpuOptions::default()
    };
    for _ in 0..50 {
        let ((), profile) = measure_cpu(&options, || on_units(3, 20)).unwrap();
        let stacks = profile.stacks.iter().map(|stack| stack.samples).sum::<u64>();
        assert_eq!(stacks, profile.sampling.samples);
    }
}

fn on_units(n_threads: u64, units: u64) {
    thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(move || {
                register_current_thread();
                ten(units);
            });
        }
    });
}
