//! Work of which it is known how much each function does.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use profiling_toolkit::cpu::{CpuProfile, FunctionRow, register_current_thread};
use profiling_toolkit::cpu_clock::thread_cpu_ns;

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

/// CPU time of each part of the known work, by the clocks of the threads that did it. The parts are 60, 30 and 10 % of
/// the iterations; of the time they are that only on a machine that is as fast all the while.
#[derive(Default)]
pub(crate) struct Clocked([AtomicU64; 3]);

impl Clocked {
    /// Does the work that is the part with this number.
    pub(crate) fn part(&self, number: usize, work: impl FnOnce() -> u64) {
        let clock = || thread_cpu_ns().expect("Linux has the clock");
        let before = clock();
        black_box(work());
        self.0[number].fetch_add(clock() - before, Ordering::Relaxed);
    }

    /// The share of each part.
    pub(crate) fn shares(&self) -> [f64; 3] {
        let ns = self.0.each_ref().map(|ns| ns.load(Ordering::Relaxed) as f64);
        let whole: f64 = ns.iter().sum();
        ns.map(|ns| ns / whole)
    }
}

/// A round takes about 20 ms, so that every function is met several times in each round: the error left by the
/// sampling is then well below the binomial one that the profile states, and three standard errors are no
/// matter of luck.
#[inline(never)]
pub(crate) fn rounds_of_known_work(n_rounds: u64, clocked: &Clocked) {
    for _ in 0..n_rounds {
        clocked.part(0, || sixty(120));
        clocked.part(1, || thirty(60));
        clocked.part(2, || ten(20));
    }
}

pub(crate) fn on_threads(n_threads: u64, n_rounds: u64, clocked: &Clocked) {
    thread::scope(|scope| {
        for _ in 1..n_threads {
            scope.spawn(|| {
                register_current_thread();
                rounds_of_known_work(n_rounds, clocked);
            });
        }
        rounds_of_known_work(n_rounds, clocked);
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
