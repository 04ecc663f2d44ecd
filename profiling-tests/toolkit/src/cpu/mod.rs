//! Where CPU time goes: sampled stacks of all threads, weighted by the CPU time between them.
//!
//! ```text
//! measure_cpu(options, work) -> sampler -> raw stacks -> names, trimmed -> CpuProfile
//!                                                                  tables, folded stacks
//! ```
//!
//! A thread of the sampler's own looks at the CPU clocks of the others at random times, and signals those that have
//! worked. Each then unwinds its own stack by call frame information, and weights it by the CPU time it has used since
//! its last sample. The weights therefore sum to the CPU time that the system measured, which every profile states
//! ([`CpuProfile::weight_ratio`]). Threads that sleep aren't woken and cost nothing in the profile: work done in short
//! bursts isn't charged to the wait after it.
//!
//! What this costs is measured and stated: the time that threads lose to their samples ([`CpuProfile::overhead_share`])
//! and the CPU time of the sampler's own thread ([`CpuProfile::sampler_share`]), which slows nobody down while a
//! processor is free. At 997 Hz, on a virtual machine with four processors where an interrupt takes 9 µs at its idlest,
//! one busy thread is 1.6 % slower (CPU time with and without, alternated) and the sampler's thread takes 3 to 5 % of
//! another processor. Where threads keep all four busy, that would be paid by them, 4.5 % of all CPU time: the rate gives way
//! until it is [`CpuOptions::most_cost_percent`]. `cargo bench -p profiling-toolkit` measures what it is here.
//!
//! Nothing else may handle `SIGPROF`, and no library may be unloaded meanwhile. Blocking calls that the signal
//! interrupts are restarted, except those that Linux never restarts (`poll`, `epoll_wait`, `nanosleep`), which answer
//! "interrupted".

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "linux/mod.rs"]
mod system;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "unsupported.rs"]
mod system;

mod cost;
mod counters;
mod options;
mod profile;
mod rows;

pub use cost::{SamplerCost, measure_sampler_cost};
pub use counters::{CountersUnavailable, InstructionCounts, measure_instructions};
pub use options::{CpuError, CpuOptions, MAX_DEPTH, MAX_RATE_HZ, RootTrim};
pub use profile::{
    CpuProfile, FunctionCost, PhaseCost, PhaseFunction, SamplingQuality, StackCost, ThreadCost, UNSAMPLED,
};
pub use rows::{FunctionRow, PartRow};

use std::cell::Cell;
use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use system::Session;

/// Start of the names of the frames below which the measured work stands.
pub const MEASURED_REGION: &str = "profiling_toolkit::cpu::measured_region";

/// A batch of repeated calls is at least this long, so that counting samples and looking at the clock between
/// batches disappears beside the work.
const LEAST_BATCH: Duration = Duration::from_millis(1);

/// Samples all threads of the process while `work` runs once on the calling thread.
///
/// Only one measurement runs at a time; another thread that asks for one waits.
///
/// # Errors
/// When sampling isn't available here, an option is out of bounds, a measurement is under way on the same
/// thread, or a thread could not be sampled.
pub fn measure_cpu<R>(options: &CpuOptions, work: impl FnOnce() -> R) -> Result<(R, CpuProfile), CpuError> {
    let turn = Turn::wait(options)?;
    let session = Session::start(options)?;
    let result = measured_region_once(work);
    let profile = session.finish(1)?;
    drop(turn);
    Ok((result, profile))
}

/// Samples all threads of the process while `work` is repeated on the calling thread, until
/// [`CpuOptions::min_samples`] are there or [`CpuOptions::time_limit`] has passed. Gives the last result; the
/// profile tells the number of calls, and its times are the sums over them.
///
/// # Errors
/// As [`measure_cpu`].
pub fn measure_cpu_repeated<R>(
    options: &CpuOptions,
    mut work: impl FnMut() -> R,
) -> Result<(R, CpuProfile), CpuError> {
    let turn = Turn::wait(options)?;
    let session = Session::start(options)?;
    let start = Instant::now();
    let mut result = measured_region_repeated(&mut work, 1);
    let (mut n_calls, mut batch) = (1, 1);
    while Session::samples() < options.min_samples && start.elapsed() < options.time_limit {
        let batch_start = Instant::now();
        result = measured_region_repeated(&mut work, batch);
        n_calls += batch;
        if batch_start.elapsed() < LEAST_BATCH {
            batch *= 2;
        }
    }
    let profile = session.finish(n_calls)?;
    drop(turn);
    Ok((result, profile))
}

/// Has the calling thread sampled from its first instruction on, if a measurement is under way: for the start
/// handler of a thread pool. Without it a new thread is sampled from when it is first seen.
pub fn register_current_thread() {
    system::register_current_thread();
}

/// The frame below which the work of [`measure_cpu`] stands.
#[inline(never)]
fn measured_region_once<R>(work: impl FnOnce() -> R) -> R {
    // Done with the result after the call: a call in tail position would take this frame off the stack.
    black_box(work())
}

/// The frame below which the work of [`measure_cpu_repeated`] stands.
#[inline(never)]
fn measured_region_repeated<R>(work: &mut impl FnMut() -> R, n_calls: u64) -> R {
    for _ in 1..n_calls {
        black_box(work());
    }
    black_box(work())
}

thread_local! {
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// The right to measure, held from before the first timer until the samples have their names.
#[derive(Debug)]
struct Turn {
    _lock: MutexGuard<'static, ()>,
}

impl Turn {
    fn wait(options: &CpuOptions) -> Result<Self, CpuError> {
        static TURN: Mutex<()> = Mutex::new(());
        options.check()?;
        if HAS_TURN.replace(true) {
            return Err(CpuError::Nested);
        }
        Ok(Self {
            _lock: TURN.lock().unwrap_or_else(PoisonError::into_inner),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        HAS_TURN.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_out_of_bounds_is_refused() {
        for rate_hz in [0, MAX_RATE_HZ + 1] {
            let options = CpuOptions {
                rate_hz,
                ..CpuOptions::default()
            };
            let refused = measure_cpu(&options, || ()).unwrap_err();
            assert!(matches!(
                refused,
                CpuError::Option {
                    option: "rate_hz",
                    ..
                }
            ));
        }
    }
}
