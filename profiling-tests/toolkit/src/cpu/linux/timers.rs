//! One timer per thread, which signals that thread and no other.
//!
//! The timers run on the monotonic clock: those on a thread's CPU clock are only looked at when the kernel
//! ticks, which caps them at 250 samples a second on a common configuration. A timer signals once; the handler
//! sets it for the next time.
#![expect(
    unsafe_code,
    reason = "POSIX timers are system calls; a notification is a union"
)]

use std::ffi::c_void;
use std::io;
use std::ptr;

use super::clock::ThreadId;

/// The signal that a timer sends.
pub(super) const SIGNAL: i32 = libc::SIGPROF;

/// A timer; dropping it deletes it.
#[derive(Debug)]
pub(super) struct ThreadTimer {
    id: TimerId,
}

/// The system's `timer_t`, which for timers that signal a thread is a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimerId(pub(super) usize);

impl ThreadTimer {
    /// A timer, not yet set, that will signal `thread` and hand `token` to the signal handler.
    ///
    /// # Errors
    /// What the system answered; `EINVAL` when the thread has ended.
    pub(super) fn create(thread: ThreadId, token: usize) -> io::Result<Self> {
        // SAFETY: all bytes zero are a valid `sigevent`.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = SIGNAL;
        event.sigev_notify_thread_id = thread.0;
        event.sigev_value = libc::sigval {
            sival_ptr: token as *mut c_void,
        };
        let mut id: libc::timer_t = ptr::null_mut();
        // SAFETY: both pointers are to values that outlive the call.
        let answer = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut id) };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            id: TimerId(id as usize),
        })
    }

    pub(super) fn id(&self) -> TimerId {
        self.id
    }
}

impl TimerId {
    /// Sets the timer to `due_ns` of the monotonic clock. Safe inside a signal handler. A timer that has been
    /// deleted in the meantime is refused by the system, which is as good as not setting it.
    pub(super) fn set(self, due_ns: u64) {
        let schedule = libc::itimerspec {
            it_interval: timespec(0),
            it_value: timespec(due_ns.max(1)),
        };
        // SAFETY: the schedule outlives the call; the kernel checks the number of the timer.
        unsafe {
            libc::timer_settime(
                self.0 as libc::timer_t,
                libc::TIMER_ABSTIME,
                &raw const schedule,
                ptr::null_mut(),
            )
        };
    }
}

impl Drop for ThreadTimer {
    fn drop(&mut self) {
        // SAFETY: the timer was created by `create` and is deleted here only.
        unsafe { libc::timer_delete(self.id.0 as libc::timer_t) };
    }
}

fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    }
}
