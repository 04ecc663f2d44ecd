//! How long it takes to refuse a signature says nothing about it: the same instructions, wherever it is wrong.
//!
//! Counted by callgrind, on this binary again, which [`PLACE`] tells which byte to make wrong.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::process::Command;
use std::{env, fs};

use postroom::model_file::{self, ModelFileProblem, SecretKey};

/// In a child: which byte of the signature is wrong.
const PLACE: &str = "POSTROOM_TEST_WRONG_BYTE";

const SIGNATURE: std::ops::Range<usize> = 28..60;

/// A model whose signature is wrong at one place; its length makes no difference.
fn wrong_at(place: usize) -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/models/2-linear.postroom"
    );
    let mut bytes = fs::read(path).unwrap();
    bytes[SIGNATURE.start + place] ^= 1;
    bytes
}

#[inline(never)]
fn checked_by_the_library(bytes: &[u8]) -> Option<ModelFileProblem> {
    model_file::from_bytes(bytes, &SecretKey::new("the key of these tests")).err()
}

/// As it must not be done: stops at the first difference.
#[inline(never)]
fn compared_until_they_differ(one: &[u8], other: &[u8]) -> bool {
    for (one, other) in one.iter().zip(other) {
        if std::hint::black_box(one) != std::hint::black_box(other) {
            return false;
        }
    }
    true
}

fn run_if_asked() {
    let Ok(place) = env::var(PLACE) else {
        return;
    };
    let place: usize = place.parse().unwrap();
    let (wrong, right) = (wrong_at(place), wrong_at(place));
    let mut right = right[SIGNATURE].to_vec();
    right[place] ^= 1;
    let problem = checked_by_the_library(&wrong);
    assert!(matches!(problem, Some(ModelFileProblem::Corrupt(_))));
    assert!(!compared_until_they_differ(&wrong[SIGNATURE], &right));
    std::process::exit(0);
}

/// Instructions within `function`, in a child where the byte at `place` is wrong; none if there is no valgrind.
fn instructions(function: &str, place: usize) -> Option<u64> {
    Command::new("valgrind").arg("--version").output().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect=*{function}*"))
        .arg(env::current_exe().unwrap())
        .args(["--test-threads=1", "--nocapture"])
        .env(PLACE, place.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said
        .split("Collected :")
        .nth(1)
        .unwrap_or_else(|| panic!("{said}"));
    Some(collected.split_whitespace().next().unwrap().parse().unwrap())
}

#[test]
fn the_same_instructions_wherever_the_signature_is_wrong() {
    run_if_asked();
    let at = |function: &'static str| {
        let counts = [0, 31].map(|place| std::thread::spawn(move || instructions(function, place)));
        counts.map(|count| count.join().unwrap())
    };
    let ([Some(first), Some(last)], [Some(leaky_first), Some(leaky_last)]) =
        (at("checked_by_the_library"), at("compared_until_they_differ"))
    else {
        eprintln!("not present: valgrind");
        return;
    };
    assert!(
        leaky_first + 31 <= leaky_last,
        "{leaky_first} and {leaky_last} instructions: the count sees nothing"
    );
    assert!(first > 10_000, "{first} instructions: nothing was checked");
    assert_eq!(
        first, last,
        "instructions, with the first and the last byte wrong"
    );
}
