//! The threads of a measurement: found, given a slot, signalled when they have worked, struck off when they end.
//!
//! One roster per process, behind a lock that the signal handler never takes. [`register`] works on the
//! measurement under way, from any thread.
#![expect(unsafe_code, reason = "owns what signal handlers use through a pointer")]

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::ThreadId;
use super::handler::{self, Generation, LEAST_WEIGHT_NS};
use super::mappings::Mappings;
use super::signal;
use super::slots::{N_SLOTS, SLOTS};
use super::tables::RuleCache;
use crate::cpu::options::CpuError;

static ROSTER: Mutex<Option<Roster>> = Mutex::new(None);

/// The threads under measurement.
struct Roster {
    generation: Generation,
    /// The thread that looks at the others; it isn't measured.
    sampler: ThreadId,
    members: Vec<Member>,
    /// Places of threads that have ended, for the rules of others.
    spare_rules: Vec<Rules>,
    /// The first reason for which a thread couldn't be taken on.
    failure: Option<CpuError>,
}

/// A thread of the roster. Its place in the list is its slot.
struct Member {
    thread: ThreadId,
    /// A thread that was just begun has its parent's name until it names itself.
    name: String,
    is_new: bool,
    /// `None` once the thread has ended.
    rules: Option<Rules>,
    /// CPU time of the measurement that passed before the thread was found.
    unseen_ns: u64,
}

/// What a thread's walks remember. The thread's signal handler uses it through a pointer.
struct Rules(*mut RuleCache);

// SAFETY: an owned block of memory like any other.
unsafe impl Send for Rules {}

impl Rules {
    fn new() -> Self {
        Self(Box::into_raw(Box::new(RuleCache::new_in())))
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and is dropped once: when no handler runs any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// What a measurement knows of a thread at its end.
#[derive(Debug)]
pub(super) struct RecordedThread {
    pub(super) name: String,
    /// CPU time before the thread was found, and since its last sample. The latter isn't known of a thread that
    /// has ended.
    pub(super) unsampled_ns: u64,
}

/// When a thread came to be.
#[derive(Debug, Clone, Copy)]
enum Born {
    BeforeMeasurement,
    DuringMeasurement,
}

/// Opens the roster with all threads but the sampler.
pub(super) fn open(generation: Generation, sampler: ThreadId) -> Result<(), CpuError> {
    let mut roster = Roster {
        generation,
        sampler,
        members: Vec::new(),
        spare_rules: Vec::new(),
        failure: None,
    };
    for thread in ThreadId::all()? {
        roster.add(thread, Born::BeforeMeasurement);
    }
    if let Some(failure) = roster.failure.take() {
        return Err(failure);
    }
    *lock() = Some(roster);
    Ok(())
}

/// Has every thread that has worked since it was last looked at look at itself, and says how many these are.
pub(super) fn tick() -> usize {
    lock().as_ref().map_or(0, |roster| {
        handler::begin_tick();
        let n_signalled = roster.signal();
        roster.find_stacks();
        n_signalled
    })
}

/// CPU nanoseconds that the handler has taken on all threads so far.
pub(super) fn handler_ns() -> u64 {
    let n_members = lock().as_ref().map_or(0, |roster| roster.members.len());
    let slots = SLOTS[..n_members].iter();
    slots.map(|slot| slot.counts.handler_ns.load(Relaxed)).sum()
}

/// Takes on threads that are new and strikes off those that have ended.
pub(super) fn scan() {
    if let Some(roster) = lock().as_mut() {
        match ThreadId::all() {
            Ok(threads) => roster.update(&threads),
            Err(failure) => roster.fail(failure),
        }
    }
}

/// Takes on one thread, if a measurement is under way and doesn't have it yet.
pub(super) fn register(thread: ThreadId) {
    if let Some(roster) = lock().as_mut() {
        roster.add(thread, Born::DuringMeasurement);
    }
}

/// Gives the threads, by slot. For after the handler is closed.
///
/// # Errors
/// The first failure to take on a thread.
pub(super) fn close() -> Result<Vec<RecordedThread>, CpuError> {
    let Some(roster) = lock().take() else {
        return Ok(Vec::new());
    };
    let members = roster.members.iter().enumerate();
    let threads = members.map(|(slot, member)| member.finish(slot)).collect();
    roster.failure.map_or(Ok(threads), Err)
}

impl Roster {
    fn signal(&self) -> usize {
        let mut n_signalled = 0;
        for (slot, member) in self.members.iter().enumerate() {
            let worked_ns = |cpu_ns: u64| cpu_ns.saturating_sub(SLOTS[slot].seen_cpu_ns.load(Relaxed));
            if !member.is_alive() || member.thread.cpu_ns().map_or(0, worked_ns) < LEAST_WEIGHT_NS {
                continue;
            }
            signal::send(member.thread, self.generation.token(slot));
            n_signalled += 1;
        }
        n_signalled
    }

    /// Finds the memory in which stacks lie that a handler didn't know.
    fn find_stacks(&self) {
        let mut mappings = None;
        for slot in &SLOTS[..self.members.len()] {
            if let Some(address) = slot.take_wanted_stack()
                && let Some(mapping) = mappings.get_or_insert_with(Mappings::now).around(address)
            {
                slot.set_stack(&mapping);
            }
        }
    }

    fn update(&mut self, threads: &[ThreadId]) {
        for member in &mut self.members {
            if threads.binary_search(&member.thread).is_err() {
                self.spare_rules.extend(member.rules.take());
            } else if std::mem::take(&mut member.is_new) {
                let name = member.thread.name();
                if !name.is_empty() {
                    member.name = name;
                }
            }
        }
        for &thread in threads {
            self.add(thread, Born::DuringMeasurement);
        }
    }

    fn add(&mut self, thread: ThreadId, born: Born) {
        let known = |member: &Member| member.thread == thread && member.is_alive();
        if thread == self.sampler || self.members.iter().any(known) {
            return;
        }
        let slot = self.members.len();
        if slot == N_SLOTS {
            self.fail(CpuError::TooManyThreads { limit: N_SLOTS });
            return;
        }
        // `None` when the thread has ended since it was found.
        let Some(cpu_ns) = thread.cpu_ns() else {
            return;
        };
        let rules = self.spare_rules.pop().unwrap_or_else(Rules::new);
        SLOTS[slot].begin(cpu_ns, rules.0);
        self.members.push(Member {
            thread,
            name: thread.name(),
            is_new: true,
            rules: Some(rules),
            unseen_ns: match born {
                Born::BeforeMeasurement => 0,
                Born::DuringMeasurement => cpu_ns,
            },
        });
    }

    fn fail(&mut self, failure: CpuError) {
        self.failure.get_or_insert(failure);
    }
}

impl Member {
    fn is_alive(&self) -> bool {
        self.rules.is_some()
    }

    fn finish(&self, slot: usize) -> RecordedThread {
        let alive = self.is_alive();
        let residual = |cpu_ns: u64| cpu_ns.saturating_sub(SLOTS[slot].last_cpu_ns.load(SeqCst));
        let cpu_ns = if alive { self.thread.cpu_ns() } else { None };
        // A thread may have been named only after it was found.
        let name = Some(self.thread.name()).filter(|name| alive && !name.is_empty());
        RecordedThread {
            name: name.unwrap_or_else(|| self.name.clone()),
            unsampled_ns: self.unseen_ns + cpu_ns.map_or(0, residual),
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Roster>> {
    ROSTER.lock().unwrap_or_else(PoisonError::into_inner)
}
