//! The signal that has a thread look at itself.
#![expect(unsafe_code, reason = "sends a signal with a value to one thread")]

use std::ffi::c_void;

use libc::siginfo_t;

use super::clock::ThreadId;

/// It is sent by the sampler and by nobody else.
pub(super) const SIGNAL: i32 = libc::SIGPROF;

/// What the kernel wants of a signal that carries a value (`siginfo_t`; `libc` has no public fields for it).
#[repr(C)]
struct Queued {
    signal: i32,
    error: i32,
    code: i32,
    _padding: i32,
    sender: i32,
    user: u32,
    value: *mut c_void,
    _rest: [u64; 12],
}

const _: () = assert!(size_of::<Queued>() == size_of::<siginfo_t>());

/// Signals `thread`, and hands `token` to the signal handler. A thread that has ended isn't signalled; one that
/// hasn't looked at an earlier signal yet gets no second one.
pub(super) fn send(thread: ThreadId, token: usize) {
    // SAFETY: neither takes anything nor can they fail.
    let process = unsafe { libc::getpid() };
    let message = Queued {
        signal: SIGNAL,
        error: 0,
        code: libc::SI_QUEUE,
        _padding: 0,
        sender: process,
        user: 0,
        value: token as *mut c_void,
        _rest: [0; 12],
    };
    // SAFETY: the message outlives the call; the kernel checks the numbers.
    unsafe {
        libc::syscall(
            libc::SYS_rt_tgsigqueueinfo,
            process,
            thread.0,
            SIGNAL,
            &raw const message,
        )
    };
}

/// The token of a signal that [`send`] has sent.
pub(super) fn token(info: &siginfo_t) -> Option<usize> {
    if info.si_code != libc::SI_QUEUE {
        return None;
    }
    // SAFETY: a queued signal carries a value; `sival_ptr` is the whole of it.
    Some(unsafe { info.si_value() }.sival_ptr as usize)
}
