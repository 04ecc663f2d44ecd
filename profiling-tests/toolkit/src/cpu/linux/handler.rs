//! The signal handler, and the shared state it may touch.
//!
//! ```text
//!           open                      close
//! inactive ------> active(generation) ------> inactive, no handler inside
//! ```
//!
//! A signal carries the generation it was armed for, so one that arrives late finds another generation, or
//! none, and leaves. `close` returns once every handler that saw the measurement as active has left; the arena
//! can then be read. The handler stays installed: the signal's default action would end the process.
//!
//! The timers also run out in threads that sleep. Their CPU time is left to be counted with the next sample
//! that finds them running. Were it counted at once, work done in short bursts would be charged to the wait
//! after it.
#![expect(
    unsafe_code,
    reason = "installs and is a signal handler; reaches the arena through a pointer"
)]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};

use libc::siginfo_t;

use super::arena::{Arena, RawSample};
use super::clock::{current_thread_cpu_ns, current_thread_sleeps, system_error};
use super::slots::{N_SLOTS, SLOT_BITS, SLOTS, Slot};
use super::timers::SIGNAL;
use super::unwind::{Interrupted, Stack};
use crate::cpu::options::CpuError;

/// A sample that stands for less CPU time isn't taken: it would cost as much as it measures.
const LEAST_WEIGHT_NS: u64 = 40_000;

/// Generation of the measurement under way, 0 for none.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);
static LAST_GENERATION: AtomicUsize = AtomicUsize::new(0);
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static ARENA: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());
static DEPTH: AtomicUsize = AtomicUsize::new(0);
static RECORDED: AtomicU64 = AtomicU64::new(0);

/// Makes the handler record into `arena`, which must be given to [`close`] before it is dropped. One
/// measurement at a time: the caller holds the process-wide lock.
pub(super) fn open(arena: &Arena, max_depth: usize) -> Generation {
    let generation = LAST_GENERATION.fetch_add(1, SeqCst) + 1;
    RECORDED.store(0, SeqCst);
    DEPTH.store(max_depth, SeqCst);
    ARENA.store(ptr::from_ref(arena).cast_mut(), SeqCst);
    ACTIVE.store(generation, SeqCst);
    Generation(generation)
}

/// Turns the handler off and waits until no thread is inside it.
pub(super) fn close() {
    ACTIVE.store(0, SeqCst);
    while INSIDE.load(SeqCst) != 0 {
        std::thread::yield_now();
    }
    ARENA.store(ptr::null_mut(), SeqCst);
}

/// Samples taken since [`open`].
pub(super) fn recorded() -> u64 {
    RECORDED.load(Relaxed)
}

/// Number of a measurement within the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generation(usize);

impl Generation {
    /// What a timer hands to the handler for the thread in `slot`.
    pub(super) fn token(self, slot: usize) -> usize {
        self.0 << SLOT_BITS | slot
    }
}

/// Installs the handler, unless somebody else has the signal.
pub(super) fn install() -> Result<(), CpuError> {
    let ours = on_expiry as *const () as libc::sighandler_t;
    let found = current_action()?.sa_sigaction;
    if found == ours {
        return Ok(());
    }
    if found != libc::SIG_DFL && found != libc::SIG_IGN {
        return Err(CpuError::SignalTaken);
    }
    // SAFETY: all bytes zero are a valid `sigaction`: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = ours;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    // SAFETY: the handler only does what is allowed inside one, and both pointers are valid.
    let answer = unsafe { libc::sigaction(SIGNAL, &raw const action, ptr::null_mut()) };
    if answer == 0 {
        Ok(())
    } else {
        Err(system_error("sigaction"))
    }
}

fn current_action() -> Result<libc::sigaction, CpuError> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: a null new action asks for the present one; the pointer outlives the call.
    let answer = unsafe { libc::sigaction(SIGNAL, ptr::null(), action.as_mut_ptr()) };
    if answer != 0 {
        return Err(system_error("sigaction"));
    }
    // SAFETY: zeroed bytes are a valid `sigaction`, and the call has filled it.
    Ok(unsafe { action.assume_init() })
}

extern "C" fn on_expiry(_signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the address of the calling thread's `errno`, always valid.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the interrupted code may be about to read it, so it is put back.
    let saved = unsafe { errno.read() };
    INSIDE.fetch_add(1, SeqCst);
    // SAFETY: with SA_SIGINFO the kernel passes a valid `siginfo_t`.
    let info = unsafe { &*info };
    let generation = ACTIVE.load(SeqCst);
    if generation != 0 && info.si_code == libc::SI_TIMER {
        // SAFETY: a timer's signal carries a value; `sival_ptr` is the whole of it.
        let token = unsafe { info.si_value() }.sival_ptr as usize;
        if token >> SLOT_BITS == generation {
            // SAFETY: `context` comes from the kernel.
            let interrupted = unsafe { Interrupted::from_context(context) };
            expire(token & (N_SLOTS - 1), interrupted);
        }
    }
    INSIDE.fetch_sub(1, SeqCst);
    // SAFETY: as for reading it.
    unsafe { errno.write(saved) };
}

/// Samples the thread, unless the timer found it asleep, and sets the timer for the next time.
fn expire(slot_idx: usize, interrupted: Interrupted) {
    let slot = &SLOTS[slot_idx];
    let now_ns = current_thread_cpu_ns();
    let sleeps = current_thread_sleeps();
    let new_sleeps = sleeps.saturating_sub(slot.seen_sleeps.swap(sleeps, Relaxed));
    // A wait that ended just before the signal came leaves no other trace than that there was one.
    if interrupted.was_woken() || (new_sleeps > 0 && interrupted.is_after_system_call()) {
        pass_over(slot, now_ns, new_sleeps);
        slot.set_next();
        return;
    }
    slot.idle_in_row.store(0, Relaxed);
    sample(slot_idx, now_ns, interrupted);
    slot.set_next();
    let end_ns = current_thread_cpu_ns();
    slot.seen_cpu_ns.store(end_ns, Relaxed);
    slot.counts
        .handler_ns
        .fetch_add(end_ns.saturating_sub(now_ns), Relaxed);
}

/// Leaves a sleeping thread's CPU time for its next sample. What a thread has used that was asleep the last
/// time as well and has gone to sleep once since is the cost of our waking it, and belongs to no sample.
fn pass_over(slot: &Slot, now_ns: u64, new_sleeps: u64) {
    slot.counts.asleep.fetch_add(1, Relaxed);
    let since_seen_ns = now_ns.saturating_sub(slot.seen_cpu_ns.swap(now_ns, Relaxed));
    let idle_in_row = slot.idle_in_row.load(Relaxed);
    if idle_in_row > 0 && new_sleeps <= 1 {
        slot.counts.waking_ns.fetch_add(since_seen_ns, Relaxed);
        slot.last_cpu_ns.fetch_add(since_seen_ns, Relaxed);
        slot.idle_in_row.store(idle_in_row + 1, Relaxed);
    } else {
        slot.idle_in_row.store(1, Relaxed);
    }
}

fn sample(slot_idx: usize, now_ns: u64, interrupted: Interrupted) {
    let slot = &SLOTS[slot_idx];
    let weight_ns = now_ns.saturating_sub(slot.last_cpu_ns.load(Relaxed));
    if weight_ns < LEAST_WEIGHT_NS {
        slot.counts.skipped.fetch_add(1, Relaxed);
        return;
    }
    // SAFETY: the arena outlives the measurement, and `close` waits for this handler to leave.
    let Some(arena) = (unsafe { ARENA.load(SeqCst).as_ref() }) else {
        return;
    };
    let stack = Stack::capture(interrupted.instruction, DEPTH.load(Relaxed));
    let stored = arena.push(RawSample {
        slot: slot_idx,
        weight_ns,
        truncated: stack.truncated,
        frames: stack.addresses(),
    });
    if stored {
        slot.last_cpu_ns.store(now_ns, Relaxed);
        slot.counts.weight_ns.fetch_add(weight_ns, Relaxed);
        slot.counts.samples.fetch_add(1, Relaxed);
        RECORDED.fetch_add(1, Relaxed);
    } else {
        slot.counts.dropped.fetch_add(1, Relaxed);
    }
}
