//! The threads of a measurement: found, given a slot and a timer, and struck off when they end.
//!
//! One roster per process, behind a lock that the signal handler never takes. [`register`] works on the
//! measurement under way, from any thread.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::ThreadId;
use super::handler::Generation;
use super::slots::{N_SLOTS, SLOTS};
use super::timers::ThreadTimer;
use crate::cpu::options::CpuError;

static ROSTER: Mutex<Option<Roster>> = Mutex::new(None);

/// The threads under measurement.
#[derive(Debug)]
pub(super) struct Roster {
    generation: Generation,
    period_ns: u64,
    /// The thread that looks for new ones; it isn't measured.
    scanner: ThreadId,
    members: Vec<Member>,
    /// The first reason for which a thread couldn't be taken on.
    failure: Option<CpuError>,
}

/// A thread of the roster. Its place in the list is its slot.
#[derive(Debug)]
struct Member {
    thread: ThreadId,
    name: String,
    /// `None` once the thread has ended.
    timer: Option<ThreadTimer>,
    /// CPU time of the measurement that passed before the thread was found.
    unseen_ns: u64,
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

/// Opens the roster with all threads but the scanner.
pub(super) fn open(generation: Generation, period_ns: u64, scanner: ThreadId) -> Result<(), CpuError> {
    let mut roster = Roster {
        generation,
        period_ns,
        scanner,
        members: Vec::new(),
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

/// Deletes all timers and gives the threads, by slot.
///
/// # Errors
/// The first failure to take on a thread.
pub(super) fn close() -> Result<Vec<RecordedThread>, CpuError> {
    let Some(roster) = lock().take() else {
        return Ok(Vec::new());
    };
    let threads = roster.members.into_iter().enumerate();
    let threads = threads.map(|(slot, member)| member.finish(slot)).collect();
    roster.failure.map_or(Ok(threads), Err)
}

impl Roster {
    fn update(&mut self, threads: &[ThreadId]) {
        for member in &mut self.members {
            if threads.binary_search(&member.thread).is_err() {
                member.timer = None;
            }
        }
        for &thread in threads {
            self.add(thread, Born::DuringMeasurement);
        }
    }

    fn add(&mut self, thread: ThreadId, born: Born) {
        let known = |member: &Member| member.thread == thread && member.timer.is_some();
        if thread == self.scanner || self.members.iter().any(known) {
            return;
        }
        let slot = self.members.len();
        if slot == N_SLOTS {
            self.fail(CpuError::TooManyThreads { limit: N_SLOTS });
            return;
        }
        let Some(cpu_ns) = thread.cpu_ns() else {
            return;
        };
        match ThreadTimer::create(thread, self.generation.token(slot)) {
            Ok(timer) => {
                SLOTS[slot].begin(timer.id(), self.period_ns, cpu_ns);
                self.members.push(Member {
                    thread,
                    name: thread.name(),
                    timer: Some(timer),
                    unseen_ns: match born {
                        Born::BeforeMeasurement => 0,
                        Born::DuringMeasurement => cpu_ns,
                    },
                });
            }
            // The thread has ended since it was found.
            Err(source) if source.raw_os_error() == Some(libc::EINVAL) => {}
            Err(source) => self.fail(CpuError::System {
                call: "timer_create",
                source,
            }),
        }
    }

    fn fail(&mut self, failure: CpuError) {
        self.failure.get_or_insert(failure);
    }
}

impl Member {
    fn finish(self, slot: usize) -> RecordedThread {
        let alive = self.timer.is_some();
        let residual = |cpu_ns: u64| cpu_ns.saturating_sub(SLOTS[slot].last_cpu_ns.load(SeqCst));
        let cpu_ns = if alive { self.thread.cpu_ns() } else { None };
        // A thread may have been named only after it was found.
        let name = Some(self.thread.name()).filter(|name| alive && !name.is_empty());
        RecordedThread {
            name: name.unwrap_or(self.name),
            unsampled_ns: self.unseen_ns + cpu_ns.map_or(0, residual),
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Roster>> {
    ROSTER.lock().unwrap_or_else(PoisonError::into_inner)
}
