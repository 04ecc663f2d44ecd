//! What the machine can do at most: arithmetic in single precision, and bytes from the caches and from memory.

#![expect(
    clippy::inline_always,
    reason = "work is compiled for the features of the function that it is inlined into"
)]

use std::hint::black_box;
use std::time::Instant;

/// One of the limits.
pub(crate) struct Limit {
    pub(crate) what: &'static str,
    /// On one core, and on all at once.
    pub(crate) one_core: f64,
    pub(crate) all_cores: f64,
    pub(crate) unit: &'static str,
}

/// Numbers in one vector.
const LANES: usize = 8;
/// Independent sums: enough to hide the latency of an addition.
const SUMS: usize = 12;

/// Measures all limits.
pub(crate) fn limits() -> Vec<Limit> {
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut limits = vec![Limit {
        what: "multiply and add, not fused, 32 bits",
        one_core: flops(1) / 1e9,
        all_cores: flops(n_cores) / 1e9,
        unit: "GFLOP/s",
    }];
    let sizes = [
        ("read, 256 KiB a core", 256 << 10),
        ("read, 4 MiB a core", 4 << 20),
        ("read, 256 MiB a core", 256 << 20),
    ];
    limits.extend(sizes.map(|(what, bytes)| Limit {
        what,
        one_core: bandwidth(1, bytes) / 1e9,
        all_cores: bandwidth(n_cores, bytes) / 1e9,
        unit: "GB/s",
    }));
    limits
}

/// The best of some runs, each of so many units of work done by every one of `n_threads`, as units a second.
fn best(n_threads: usize, units: f64, work: impl Fn() + Sync) -> f64 {
    let run = || {
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..n_threads {
                scope.spawn(&work);
            }
        });
        n_threads as f64 * units / began.elapsed().as_secs_f64()
    };
    (0..7).map(|_| run()).fold(0.0, f64::max)
}

fn flops(n_threads: usize) -> f64 {
    const STEPS: usize = 20_000_000;
    let units = (STEPS * SUMS * LANES * 2) as f64;
    best(n_threads, units, || {
        black_box(run_widest(Multiplying {
            steps: black_box(STEPS),
        }));
    })
}

fn bandwidth(n_threads: usize, bytes: usize) -> f64 {
    let passes = (1 << 30) / bytes;
    best(n_threads, (passes * bytes) as f64, || {
        let numbers = vec![1.0_f32; bytes / size_of::<f32>()];
        for _ in 0..passes {
            black_box(run_widest(Reading {
                numbers: black_box(&numbers),
            }));
        }
    })
}

trait Work {
    fn run(self) -> f32;
}

struct Multiplying {
    steps: usize,
}

impl Work for Multiplying {
    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [[1.0_f32; LANES]; SUMS];
        let (factor, term) = (black_box(0.999_f32), black_box(0.001_f32));
        for _ in 0..self.steps {
            for sum in &mut sums {
                for lane in sum {
                    *lane = *lane * factor + term;
                }
            }
        }
        sums.as_flattened().iter().sum()
    }
}

struct Reading<'a> {
    numbers: &'a [f32],
}

impl Work for Reading<'_> {
    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [[0.0_f32; LANES]; SUMS];
        let factor = black_box(0.5_f32);
        for block in self.numbers.as_chunks::<{ LANES * SUMS }>().0 {
            for vector in 0..SUMS {
                for lane in 0..LANES {
                    sums[vector][lane] += factor * block[vector * LANES + lane];
                }
            }
        }
        sums.as_flattened().iter().sum()
    }
}

/// With 256-bit vectors where the CPU has them, as the kernels of the library run.
fn run_widest(work: impl Work) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl Work) -> f32 {
            work.run()
        }
        #[expect(
            unsafe_code,
            reason = "calling a function compiled for a CPU feature that was just detected"
        )]
        // SAFETY: AVX2 is the only feature that the function is compiled for, and the CPU has it.
        return unsafe { with_avx2(work) };
    }
    work.run()
}
