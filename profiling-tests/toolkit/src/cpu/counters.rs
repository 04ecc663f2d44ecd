//! Instructions and cycles, as the processor counts them itself: exact, undisturbed, and nearly the same in every run.
//!
//! In comes work, out come [`InstructionCounts`] of all threads of the process, those included that the work starts.
//! Only what the program does itself is counted, not what the kernel does for it. Many virtual machines have no such
//! counters, and containers often may not use them: that is an error that says so, found before the work runs.

use serde::{Deserialize, Serialize};
use thiserror::Error;

#[cfg(not(target_os = "linux"))]
use self::unsupported as system;

/// What the processor counted while the work ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InstructionCounts {
    /// Instructions that the program completed, on all threads.
    pub instructions: u64,
    /// Clock cycles that its threads took for them.
    pub cycles: u64,
    /// Share of the time in which counting was possible, 0 to 1. Below 1 when others use the counters as well; the
    /// counts are then extrapolated.
    pub counted_share: f64,
}

impl InstructionCounts {
    /// Instructions completed in a clock cycle.
    pub fn instructions_per_cycle(&self) -> f64 {
        self.instructions as f64 / self.cycles.max(1) as f64
    }
}

/// The processor's counters can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("instructions can't be counted here: {reason}")]
pub struct CountersUnavailable {
    /// What is missing.
    pub reason: String,
}

/// Counts instructions and cycles of all threads while `work` runs once on the calling thread. Costs the work nothing
/// but the few microseconds before and after it.
///
/// # Errors
/// When there are no counters or the process may not use them; `work` isn't run then.
pub fn measure_instructions<R>(
    work: impl FnOnce() -> R,
) -> Result<(R, InstructionCounts), CountersUnavailable> {
    let counters = system::Counters::open()?;
    let result = work();
    Ok((result, counters.finish()?))
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::io;

    use perf_event::events::{Event, Hardware};
    use perf_event::{Builder, Counter};

    use super::{CountersUnavailable, InstructionCounts};

    /// What the administrator allows: 3 nothing, 2 the own program, less more.
    const PERMISSION: &str = "/proc/sys/kernel/perf_event_paranoid";

    /// Counters of every thread there is; threads that these start are counted with them.
    pub(super) struct Counters {
        instructions: Vec<Counter>,
        cycles: Vec<Counter>,
    }

    impl Counters {
        pub(super) fn open() -> Result<Self, CountersUnavailable> {
            let unavailable = |error: io::Error| CountersUnavailable {
                reason: reason(&error),
            };
            let mut counters = Self {
                instructions: of_all_threads(&Hardware::INSTRUCTIONS).map_err(unavailable)?,
                cycles: of_all_threads(&Hardware::CPU_CYCLES).map_err(unavailable)?,
            };
            let mut all = counters.instructions.iter_mut().chain(&mut counters.cycles);
            all.try_for_each(Counter::enable).map_err(unavailable)?;
            Ok(counters)
        }

        pub(super) fn finish(mut self) -> Result<InstructionCounts, CountersUnavailable> {
            let read = |counters: &mut [Counter]| {
                sum(counters).map_err(|error| CountersUnavailable {
                    reason: reason(&error),
                })
            };
            let (instructions, counted_share) = read(&mut self.instructions)?;
            let (cycles, _) = read(&mut self.cycles)?;
            if instructions == 0 {
                return Err(CountersUnavailable {
                    reason: "the counter of instructions stands still".to_owned(),
                });
            }
            Ok(InstructionCounts {
                instructions,
                cycles,
                counted_share,
            })
        }
    }

    /// A counter for each thread, not yet running.
    fn of_all_threads(event: &(impl Event + Clone)) -> io::Result<Vec<Counter>> {
        let mut counters = Vec::new();
        for entry in fs::read_dir("/proc/self/task")? {
            let Some(thread) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            match Builder::new(event.clone())
                .observe_pid(thread)
                .inherit(true)
                .build()
            {
                Ok(counter) => counters.push(counter),
                // It has ended since it was listed.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(counters)
    }

    /// The sum, and the share of the time in which it was counted.
    fn sum(counters: &mut [Counter]) -> io::Result<(u64, f64)> {
        let (mut count, mut enabled_ns, mut running_ns) = (0.0, 0.0, 0.0);
        for counter in counters {
            let found = counter.read_count_and_time()?;
            if found.time_running > 0 {
                count += found.count as f64 * found.time_enabled as f64 / found.time_running as f64;
            }
            enabled_ns += found.time_enabled as f64;
            running_ns += found.time_running as f64;
        }
        let counted_share = if enabled_ns > 0.0 {
            running_ns / enabled_ns
        } else {
            0.0
        };
        Ok((count as u64, counted_share))
    }

    fn reason(error: &io::Error) -> String {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP) => {
                "this machine's processor has no counters, or a virtual machine hides them".to_owned()
            }
            Some(libc::EACCES | libc::EPERM) => {
                let level = fs::read_to_string(PERMISSION).unwrap_or_default();
                format!(
                    "not permitted (kernel.perf_event_paranoid is {}; 2 would do, or a container forbids \
                     perf_event_open)",
                    level.trim()
                )
            }
            Some(libc::ENOSYS) => "this kernel or container has no perf_event_open".to_owned(),
            _ => format!("perf_event_open: {error}"),
        }
    }

    #[cfg(test)]
    mod tests {
        use std::hint::black_box;
        use std::thread;

        use perf_event::events::Software;

        use super::*;
        use crate::cpu_clock::thread_cpu_ns;

        #[test]
        fn missing_counters_are_told_from_forbidden_ones() {
            let of = |code| reason(&io::Error::from_raw_os_error(code));
            assert!(of(libc::ENOENT).contains("no counters"));
            assert!(of(libc::EACCES).contains("not permitted"));
        }

        /// With a clock in the place of the instructions, since every machine has it.
        #[test]
        fn threads_started_later_are_counted_with_those_that_start_them() {
            let mut counters = match of_all_threads(&Software::TASK_CLOCK) {
                Ok(counters) => counters,
                Err(error) => {
                    eprintln!("not present: perf_event_open ({error})");
                    return;
                }
            };
            counters.iter_mut().try_for_each(Counter::enable).unwrap();
            let work = || {
                let before = thread_cpu_ns().unwrap();
                black_box((0..50_000_000_u64).fold(1, |a, b| black_box(a ^ b)));
                thread_cpu_ns().unwrap() - before
            };
            let worked_ns = work() + thread::spawn(work).join().unwrap();
            let (counted_ns, share) = sum(&mut counters).unwrap();
            assert!(counted_ns >= worked_ns / 10 * 9, "{counted_ns} {worked_ns}");
            assert!((share - 1.0).abs() < 1e-9);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use super::{CountersUnavailable, InstructionCounts};

    pub(super) enum Counters {}

    impl Counters {
        pub(super) fn open() -> Result<Self, CountersUnavailable> {
            Err(CountersUnavailable {
                reason: format!("it needs perf_event_open, which {} lacks", std::env::consts::OS),
            })
        }

        pub(super) fn finish(self) -> Result<InstructionCounts, CountersUnavailable> {
            match self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn counts_are_of_the_work_or_the_reason_is_told() {
        let work = || black_box((0..1_000_000_u64).fold(1, |a, b| black_box(a ^ b)));
        match measure_instructions(work) {
            Ok((_, counts)) => assert!(counts.instructions > 1_000_000, "{counts:?}"),
            Err(unavailable) => {
                eprintln!("not present: {unavailable}");
                assert!(!unavailable.reason.is_empty());
            }
        }
    }
}
