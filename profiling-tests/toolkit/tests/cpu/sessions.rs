//! Beginning and end of measurements, and threads that come, go and sleep meanwhile.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use profiling_toolkit::cpu::{
    CpuError, CpuOptions, measure_cpu, measure_cpu_repeated, register_current_thread,
};

use crate::known::{interval, rounds_of_known_work, share, ten};

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
    let working = share(&profile, "cpu::known::rounds_of_known_work");
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
    let options = CpuOptions {
        min_samples: 100,
        ..CpuOptions::default()
    };
    let ((), profile) = measure_cpu_repeated(&options, bursts).unwrap();
    // Charged to whatever the signal finds, the wait would have most of it: 0.3 ms of work, 2 ms asleep. Where three
    // programs wait for each core, the sampler gets one mostly while the bursts are over: what is left are three
    // effective samples of a hundred bursts, and shares of 0.45. Hence the interval.
    let [_, most] = interval(&profile, "cpu::known::ten");
    assert!(most > 0.8, "{most}: {:?}", profile.sampling);
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
    assert!(share(&profile, "cpu::known::ten") > 0.98);
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
    assert!(share(&profile, "cpu::known::ten") > 0.9);
}

#[test]
fn full_arena_is_counted_and_the_weights_still_sum() {
    let options = CpuOptions {
        arena_bytes: 64 << 10,
        rate_hz: 4_999,
        most_cost_percent: 100,
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
    assert!(share(&profile, "cpu::known::ten") > 0.9);
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
        most_cost_percent: 100,
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
