//! CPU clocks of threads and of the process, and its threads, as Linux tells them.
#![expect(
    unsafe_code,
    reason = "clocks of other threads and resource usage are system calls"
)]

use std::fs;
use std::io;
use std::mem::MaybeUninit;

use libc::{clockid_t, pid_t};

use crate::cpu::options::CpuError;

/// A thread as the kernel numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ThreadId(pub(super) pid_t);

impl ThreadId {
    pub(super) fn current() -> Self {
        // SAFETY: takes no arguments and can't fail.
        Self(unsafe { libc::gettid() })
    }

    /// All threads of this process, ascending.
    pub(super) fn all() -> Result<Vec<Self>, CpuError> {
        let entries = fs::read_dir("/proc/self/task").map_err(|source| CpuError::System {
            call: "reading /proc/self/task",
            source,
        })?;
        let mut threads: Vec<Self> = entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok().map(Self))
            .collect();
        threads.sort_unstable();
        Ok(threads)
    }

    /// The thread's name, empty once it has ended.
    pub(super) fn name(self) -> String {
        fs::read_to_string(format!("/proc/self/task/{}/comm", self.0))
            .map(|name| name.trim_end().to_owned())
            .unwrap_or_default()
    }

    /// CPU nanoseconds the thread has used; `None` once it has ended.
    pub(super) fn cpu_ns(self) -> Option<u64> {
        // The kernel's encoding of a thread's CPU clock (`MAKE_THREAD_CPUCLOCK` in posix-timers.h), which
        // `pthread_getcpuclockid` uses but offers for a `pthread_t` only.
        const PER_THREAD_SCHEDULER_CLOCK: clockid_t = 4 | 2;
        read_clock((!self.0 << 3) | PER_THREAD_SCHEDULER_CLOCK)
    }
}

/// CPU nanoseconds the calling thread has used. Safe inside a signal handler.
pub(super) fn current_thread_cpu_ns() -> u64 {
    read_clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or(0)
}

/// How often the calling thread has given up its processor to wait for something. Safe inside a signal handler.
pub(super) fn current_thread_sleeps() -> u64 {
    resource_usage(libc::RUSAGE_THREAD).map_or(0, |usage| usage.ru_nvcsw as u64)
}

/// How often the calling thread has given up its processor, or has been made to.
pub(super) fn current_thread_switches() -> u64 {
    resource_usage(libc::RUSAGE_THREAD).map_or(0, |usage| (usage.ru_nvcsw + usage.ru_nivcsw) as u64)
}

/// The clock that never jumps. Safe inside a signal handler.
pub(super) fn monotonic_ns() -> u64 {
    read_clock(libc::CLOCK_MONOTONIC).unwrap_or(0)
}

/// CPU nanoseconds that all threads of the process have used, ended ones included.
pub(super) fn process_cpu_ns() -> u64 {
    read_clock(libc::CLOCK_PROCESS_CPUTIME_ID).unwrap_or(0)
}

/// CPU time of the process in the program and in the kernel, as the kernel splits it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) user_ns: u64,
    pub(super) system_ns: u64,
}

impl Usage {
    pub(super) fn now() -> Result<Self, CpuError> {
        let usage = resource_usage(libc::RUSAGE_SELF).ok_or_else(|| system_error("getrusage"))?;
        Ok(Self {
            user_ns: timeval_ns(usage.ru_utime),
            system_ns: timeval_ns(usage.ru_stime),
        })
    }
}

/// What the last failed call of this thread left in `errno`.
pub(super) fn system_error(call: &'static str) -> CpuError {
    CpuError::System {
        call,
        source: io::Error::last_os_error(),
    }
}

fn read_clock(clock: clockid_t) -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a `timespec` that outlives the call.
    let answer = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (answer == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

fn resource_usage(whose: libc::c_int) -> Option<libc::rusage> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a `rusage` that outlives the call.
    let answer = unsafe { libc::getrusage(whose, usage.as_mut_ptr()) };
    // SAFETY: zeroed bytes are a valid `rusage`, and the call has filled it.
    (answer == 0).then(|| unsafe { usage.assume_init() })
}

fn timeval_ns(time: libc::timeval) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_clock_reads_the_same_by_thread_id() {
        let own = current_thread_cpu_ns();
        let by_id = ThreadId::current().cpu_ns().unwrap();
        assert!(by_id >= own && process_cpu_ns() >= by_id);
    }

    #[test]
    fn ended_thread_has_no_clock() {
        let ended = std::thread::spawn(ThreadId::current).join().unwrap();
        // The kernel may take a moment to take the thread down after `join` has seen it leave.
        while ThreadId::all().unwrap().contains(&ended) {
            std::thread::yield_now();
        }
        assert_eq!(ended.cpu_ns(), None);
    }

    #[test]
    fn current_thread_is_among_all() {
        assert!(ThreadId::all().unwrap().contains(&ThreadId::current()));
    }
}
