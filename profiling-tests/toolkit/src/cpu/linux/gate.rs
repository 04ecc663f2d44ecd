//! Who may be inside the signal handler: closing waits until nobody is who saw it open.
//!
//! Each side writes first and then reads what the other wrote, with a sequentially consistent fence between: so one of
//! the two sees the other. Without, a handler could find the gate open and the closer nobody inside.

use super::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use super::atomic::{AtomicUsize, fence, yield_now};

/// Open for one measurement at a time, known by its generation.
#[derive(Debug)]
pub(super) struct Gate {
    /// Generation of the measurement under way, 0 for none.
    pub(super) active: AtomicUsize,
    pub(super) inside: AtomicUsize,
}

impl Gate {
    /// Opens it; generations aren't 0. Who enters sees what was written before.
    pub(super) fn open(&self, generation: usize) {
        self.active.store(generation, Release);
    }

    /// Closes it, and waits until nobody is inside who saw it open.
    pub(super) fn close(&self) {
        self.active.store(0, Relaxed);
        fence(SeqCst);
        while self.inside.load(Acquire) != 0 {
            yield_now();
        }
    }

    /// Goes inside; what belongs to the generation that it is open for stays until [`Gate::leave`]. 0 if it is closed.
    pub(super) fn enter(&self) -> usize {
        self.inside.fetch_add(1, Relaxed);
        fence(SeqCst);
        self.active.load(Acquire)
    }

    /// Goes outside again.
    pub(super) fn leave(&self) {
        self.inside.fetch_sub(1, Release);
    }
}
