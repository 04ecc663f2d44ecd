//! The CPU time that this process has used so far.

#![cfg_attr(
    unix,
    expect(unsafe_code, reason = "the process's CPU clock is a system call")
)]

/// CPU nanoseconds of all threads, ended ones included; none where the system has no such clock.
#[cfg(unix)]
pub(crate) fn process_cpu_ns() -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a `timespec` that outlives the call.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    (answer == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// CPU nanoseconds of all threads, ended ones included; none where the system has no such clock.
#[cfg(not(unix))]
pub(crate) fn process_cpu_ns() -> Option<u64> {
    None
}
