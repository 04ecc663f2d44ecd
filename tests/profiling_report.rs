//! How the profiling report writes numbers and names of functions.

#[path = "../profiling-tests/report/functions.rs"]
mod functions;
#[expect(dead_code, reason = "the report uses all of them")]
#[path = "../profiling-tests/report/units.rs"]
mod units;

use functions::is_plumbing;
use units::{bytes, count, duration, hex};

#[test]
fn thousands_are_set_apart() {
    assert_eq!(
        [0, 999, 1_000, 1_234_567].map(count),
        ["0", "999", "1,000", "1,234,567"]
    );
    assert_eq!(count(-1_000), "-1,000");
}

#[test]
fn bytes_are_exact_below_a_kibibyte_and_have_three_digits_above() {
    assert_eq!([0, 1_023, 1_024].map(bytes), ["0 B", "1023 B", "1.00 KiB"]);
    assert_eq!(
        [10_240, 1 << 27, -3_072].map(bytes),
        ["10.0 KiB", "128 MiB", "-3.00 KiB"]
    );
}

#[test]
fn durations_have_three_digits_and_their_unit() {
    let written = [0.5, 12.34, 999.0, 1_000.0, 56_700.0, 1.5e6, 2e9].map(duration);
    assert_eq!(
        written,
        [
            "0.50 ns", "12.3 ns", "999 ns", "1.00 µs", "56.7 µs", "1.50 ms", "2.00 s"
        ]
    );
}

#[test]
fn digests_keep_their_leading_zeros() {
    assert_eq!(hex(&[0x00, 0x0a, 0xff]), "000aff");
}

#[test]
fn thread_pool_and_standard_library_are_plumbing() {
    for function in [
        "rayon_core::join::join_context",
        "core::ops::function::FnOnce::call_once",
        "<core::iter::Map<I,F> as core::iter::Iterator>::fold",
        "<f64 as core::iter::traits::accum::Sum>::sum",
        "<[T]>::sort",
        "<F as rayon::Work>::run",
        "<&postroom::f::{closure#0} as core::ops::function::FnMut<(u8,)>>::call_mut",
        "<<rayon::Zip<B> as rayon::Pieces>::with::Callback<a::D> as rayon::Callback<a::G>>::callback",
        "<alloc::vec::Vec<a::B>>::push",
    ] {
        assert!(is_plumbing(function), "{function}");
    }
}

#[test]
fn own_functions_are_no_plumbing_even_for_traits_of_the_standard_library() {
    for function in [
        "postroom::train",
        "<postroom::Mlp as core::convert::From<T>>::from",
        "sqlite3_step",
        "main",
    ] {
        assert!(!is_plumbing(function), "{function}");
    }
}
