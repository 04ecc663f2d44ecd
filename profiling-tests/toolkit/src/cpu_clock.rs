//! How much CPU time this process and this thread have used so far.

#![cfg_attr(unix, expect(unsafe_code, reason = "CPU clocks are a system call"))]

/// CPU nanoseconds of the calling thread; none where the system has no such clock.
///
/// Reading it is a call of the kernel, at which a thread whose turn is up loses its processor: read often, it has threads
/// interrupted where it is read.
#[cfg(unix)]
pub fn thread_cpu_ns() -> Option<u64> {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU nanoseconds of all threads, ended ones included; none where the system has no such clock.
#[cfg(unix)]
pub fn process_cpu_ns() -> Option<u64> {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

#[cfg(unix)]
fn read(clock: libc::clockid_t) -> Option<u64> {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a `timespec` that outlives the call.
    let answer = unsafe { libc::clock_gettime(clock, &raw mut time) };
    (answer == 0).then(|| time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// CPU nanoseconds of the calling thread; none where the system has no such clock.
#[cfg(not(unix))]
pub fn thread_cpu_ns() -> Option<u64> {
    None
}

/// CPU nanoseconds of all threads, ended ones included; none where the system has no such clock.
#[cfg(not(unix))]
pub fn process_cpu_ns() -> Option<u64> {
    None
}
