//! Work of which it is known how much each function does.

use std::hint::black_box;
use std::thread;

use profiling_toolkit::cpu::{CpuProfile, FunctionRow, register_current_thread};

/// Iterations that take about 0.1 ms.
pub(crate) const UNIT: u64 = 60_000;

/// A function of its own that runs the common inner loop. The constants differ, or the linker could fold the
/// functions into one.
macro_rules! known_work {
    ($name:ident, $constant:expr) => {
        #[inline(never)]
        pub(crate) fn $name(units: u64) -> u64 {
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
pub(crate) fn rounds_of_known_work(n_rounds: u64) {
    for _ in 0..n_rounds {
        black_box((sixty(120), thirty(60), ten(20)));
    }
}

pub(crate) fn on_threads(n_threads: u64, n_rounds: u64) {
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

/// The function's share of the time, with all it called.
pub(crate) fn share(profile: &CpuProfile, function: &str) -> f64 {
    row(profile, function).map_or(0.0, |row| row.share)
}

/// The 95 % interval of that; where there are no samples, it can be anything.
pub(crate) fn interval(profile: &CpuProfile, function: &str) -> [f64; 2] {
    match row(profile, function) {
        Some(row) => row.interval_95,
        None if profile.sampling.samples == 0 => [0.0, 1.0],
        None => [0.0, 0.0],
    }
}

fn row(profile: &CpuProfile, function: &str) -> Option<FunctionRow> {
    let rows = profile.by_cumulative(usize::MAX);
    rows.into_iter().find(|row| row.function == function)
}
