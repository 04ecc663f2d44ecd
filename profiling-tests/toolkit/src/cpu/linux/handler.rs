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
//! A thread that has worked may sleep by the time the signal arrives, and wakes up for it. Its CPU time is left to be
//! counted with the next sample that finds it running. Were it counted at once, work done in short bursts would be
//! charged to the wait after it.
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
use super::gate::Gate;
use super::signal::{self, SIGNAL};
use super::slots::{N_SLOTS, SLOT_BITS, SLOTS, Slot};
use super::tables::Tables;
use super::unwind::{Interrupted, Stack};
use crate::cpu::options::CpuError;
use crate::phase::Phase;

/// A sample that stands for less CPU time isn't taken: it would cost as much as it measures.
pub(super) const LEAST_WEIGHT_NS: u64 = 40_000;

static GATE: Gate = Gate {
    active: AtomicUsize::new(0),
    inside: AtomicUsize::new(0),
};
static LAST_GENERATION: AtomicUsize = AtomicUsize::new(0);
static SHARED: AtomicPtr<Shared> = AtomicPtr::new(ptr::null_mut());
/// Number of the last look at all threads.
static TICK: AtomicU64 = AtomicU64::new(0);
/// Signals that belonged to no measurement.
static IGNORED: AtomicU64 = AtomicU64::new(0);
static RECORDED: AtomicU64 = AtomicU64::new(0);

/// What all handlers of a measurement use.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) arena: Arena,
    pub(super) tables: Tables,
    pub(super) max_depth: usize,
}

/// Makes the handler use `shared`, which must outlive the call of [`close`]. One measurement at a time: the caller
/// holds the process-wide lock.
pub(super) fn open(shared: &Shared) -> Generation {
    let generation = LAST_GENERATION.fetch_add(1, SeqCst) + 1;
    RECORDED.store(0, SeqCst);
    SHARED.store(ptr::from_ref(shared).cast_mut(), SeqCst);
    GATE.open(generation);
    Generation(generation)
}

/// Turns the handler off and waits until no thread is inside it.
pub(super) fn close() {
    GATE.close();
    SHARED.store(ptr::null_mut(), SeqCst);
}

/// Begins another look at all threads: samples that come of it bear its number.
pub(super) fn begin_tick() {
    TICK.fetch_add(1, Relaxed);
}

/// A token that belongs to no measurement: generations count from 1.
pub(super) const IGNORED_TOKEN: usize = 0;

/// Signals so far that belonged to no measurement.
pub(super) fn ignored() -> u64 {
    IGNORED.load(Relaxed)
}

/// Samples taken since [`open`].
pub(super) fn recorded() -> u64 {
    RECORDED.load(Relaxed)
}

/// Number of a measurement within the process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generation(usize);

impl Generation {
    /// What a signal hands to the handler for the thread in `slot`.
    pub(super) fn token(self, slot: usize) -> usize {
        self.0 << SLOT_BITS | slot
    }
}

/// Installs the handler, unless somebody else has the signal.
pub(super) fn install() -> Result<(), CpuError> {
    let ours = on_signal as *const () as libc::sighandler_t;
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

extern "C" fn on_signal(_signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the address of the calling thread's `errno`, always valid.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the interrupted code may be about to read it, so it is put back.
    let saved = unsafe { errno.read() };
    let generation = GATE.enter();
    // SAFETY: with SA_SIGINFO the kernel passes a valid `siginfo_t`.
    match token_slot(generation, unsafe { &*info }) {
        Some(slot_idx) => {
            // SAFETY: `context` comes from the kernel.
            let interrupted = unsafe { Interrupted::from_context(context) };
            look(slot_idx, &interrupted);
        }
        None => {
            IGNORED.fetch_add(1, Relaxed);
        }
    }
    GATE.leave();
    // SAFETY: as for reading it.
    unsafe { errno.write(saved) };
}

/// The slot that a signal is for, if it was sent for the measurement of this generation, 0 for none.
fn token_slot(generation: usize, info: &siginfo_t) -> Option<usize> {
    if generation == 0 {
        return None;
    }
    let token = signal::token(info)?;
    (token >> SLOT_BITS == generation).then_some(token & (N_SLOTS - 1))
}

/// Samples the thread, unless the signal found it asleep.
fn look(slot_idx: usize, interrupted: &Interrupted) {
    let slot = &SLOTS[slot_idx];
    let now_ns = current_thread_cpu_ns();
    let sleeps = current_thread_sleeps();
    let new_sleeps = sleeps.saturating_sub(slot.seen_sleeps.swap(sleeps, Relaxed));
    // A wait that ended just before the signal came leaves no other trace than that there was one.
    if interrupted.was_woken() || (new_sleeps > 0 && interrupted.is_after_system_call()) {
        slot.counts.asleep.fetch_add(1, Relaxed);
        slot.seen_cpu_ns.store(now_ns, Relaxed);
        return;
    }
    sample(slot_idx, now_ns, interrupted);
    let end_ns = current_thread_cpu_ns();
    slot.seen_cpu_ns.store(end_ns, Relaxed);
    slot.counts
        .handler_ns
        .fetch_add(end_ns.saturating_sub(now_ns), Relaxed);
}

fn sample(slot_idx: usize, now_ns: u64, interrupted: &Interrupted) {
    let slot = &SLOTS[slot_idx];
    let weight_ns = now_ns.saturating_sub(slot.last_cpu_ns.load(Relaxed));
    if weight_ns < LEAST_WEIGHT_NS {
        slot.counts.skipped.fetch_add(1, Relaxed);
        return;
    }
    // SAFETY: what is shared outlives the measurement, and `close` waits for this handler to leave.
    let Some(shared) = (unsafe { SHARED.load(SeqCst).as_ref() }) else {
        return;
    };
    let mut stack = Stack::new(shared.max_depth);
    if !capture_fast(&mut stack, slot, interrupted, &shared.tables) {
        stack.capture_by_system(interrupted.instruction);
        slot.counts.slowly_unwound.fetch_add(1, Relaxed);
    }
    let stored = shared.arena.push(RawSample {
        slot: slot_idx,
        phase: Phase::current(),
        tick: TICK.load(Relaxed),
        weight_ns,
        truncated: stack.truncated,
        complete: stack.complete,
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

/// By the tables, if it is known which memory the stack lies in.
fn capture_fast(stack: &mut Stack, slot: &Slot, interrupted: &Interrupted, tables: &Tables) -> bool {
    let Some(readable) = slot.readable_stack(interrupted.stack_pointer) else {
        return false;
    };
    // SAFETY: the roster keeps the rules of a thread until it has ended or the handler is closed, and nobody but
    // this thread's handler, which doesn't interrupt itself, uses them.
    let Some(rules) = (unsafe { slot.rules.load(Relaxed).as_mut() }) else {
        return false;
    };
    stack.capture_by_tables(interrupted, &readable, tables, rules)
}
