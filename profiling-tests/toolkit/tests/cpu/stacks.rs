//! What the stacks look like: depth, recursion, inlined functions.

use std::hint::black_box;

use profiling_toolkit::cpu::{CpuOptions, measure_cpu};

use crate::known::{UNIT, share, ten};

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
    let row = rows
        .iter()
        .find(|row| row.function == "cpu::stacks::descend")
        .unwrap();
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
    assert_eq!(own.function, "cpu::stacks::holds_inlined_loop");
    assert!(share(&profile, "cpu::stacks::inlined_loop") > 0.9);
    let folded = profile.folded().to_string();
    assert!(
        folded.contains("cpu::stacks::holds_inlined_loop;cpu::stacks::inlined_loop"),
        "{folded}"
    );
}
