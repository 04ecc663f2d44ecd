//! Where CPU time can't be measured, or not named, that is said: never a zero, never an empty table.
//!
//! No test here measures in this process, but those that it starts for the purpose do.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use profiling_toolkit::cpu::{CpuError, CpuOptions, measure_cpu, measure_cpu_repeated};

extern "C" fn handler_of_somebody_else(_signal: i32) {}

#[test]
#[expect(unsafe_code, reason = "installs a signal handler")]
fn measurement_is_refused_when_somebody_else_has_the_signal() {
    let handler = handler_of_somebody_else as *const () as libc::sighandler_t;
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGPROF, handler) };
    let mut ran = false;
    let refused = measure_cpu(&CpuOptions::default(), || ran = true);
    assert!(matches!(refused, Err(CpuError::SignalTaken)), "{refused:?}");
    assert!(!ran, "work that isn't measured isn't run");
}

#[inline(never)]
fn work_of_this_program() -> u64 {
    (0..3_000_000_u64).fold(1, |a, b| black_box(a).rotate_left(5) ^ b)
}

/// What the copy without symbols runs.
#[test]
#[ignore = "a part of the test of a program without symbols, which runs it"]
fn profile_is_told_to_who_started_this() {
    let options = CpuOptions {
        min_samples: 200,
        ..CpuOptions::default()
    };
    let (_, profile) = measure_cpu_repeated(&options, work_of_this_program).unwrap();
    let sampling = &profile.sampling;
    eprintln!(
        "samples {} rooted {} unsymbolised {}",
        sampling.samples, sampling.rooted, sampling.unsymbolised
    );
    eprintln!("costliest {}", profile.by_self(1)[0].function);
    eprintln!("folded {}", profile.folded());
}

/// What a program tells of its profile: this one or a copy.
fn told_by(program: &Path) -> String {
    let told = Command::new(program)
        .args([
            "--exact",
            "profile_is_told_to_who_started_this",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .expect("a program that was just built or copied");
    let told = String::from_utf8(told.stderr).expect("a Rust program writes UTF-8");
    assert!(told.contains("samples "), "{told}");
    told
}

/// Processes are started one after the other: one that was just forked off still has the file open that the other test
/// writes, which then can't be run.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number_after(told: &str, name: &str) -> f64 {
    let mut words = told.split_whitespace().skip_while(|&word| word != name).skip(1);
    let number = words.next().and_then(|word| word.parse().ok());
    number.unwrap_or_else(|| panic!("no number after {name}: {told}"))
}

#[test]
fn program_without_symbols_has_its_time_under_a_name_that_says_so() {
    let _turn = one_at_a_time();
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stripped.{}", std::process::id()));
    fs::copy(env::current_exe().unwrap(), &copy).unwrap();
    let strip = Command::new("strip").arg(&copy).status();
    let told = strip.is_ok_and(|status| status.success()).then(|| told_by(&copy));
    fs::remove_file(&copy).unwrap();
    let Some(told) = told else {
        eprintln!("not present: strip, which removes the symbols of a program");
        return;
    };
    let samples = number_after(&told, "samples");
    assert!(samples >= 200.0, "{told}");
    assert!(number_after(&told, "unsymbolised") > 0.95 * samples, "{told}");
    assert!(
        told.contains("costliest [unknown] in this program, which has no symbols"),
        "{told}"
    );
    // The unwind tables stay, and say where a stack starts.
    assert!(number_after(&told, "rooted") > 0.99 * samples, "{told}");
    assert!(!told.contains("work_of_this_program"), "{told}");
}

#[test]
fn program_with_symbols_has_no_sample_without() {
    let _turn = one_at_a_time();
    let told = told_by(&env::current_exe().unwrap());
    assert!(told.contains("work_of_this_program"), "{told}");
    assert!(
        number_after(&told, "unsymbolised") < 0.01 * number_after(&told, "samples"),
        "{told}"
    );
}
