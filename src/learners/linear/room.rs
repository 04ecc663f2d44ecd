//! What blocks work in, lent to one after another.

use std::sync::{Mutex, PoisonError};

use super::lanes::{Lanes, TermLanes};
use super::scaling::HalfLanes;

/// Room for a block in training, with whatever the block before left in it.
// PERF: megabytes a block. Made anew for each, they came from the system page by page, and what is kept of the blocks
// lay between the gaps that they left.
#[derive(Default)]
pub(super) struct Room {
    /// Per term.
    pub(super) weights: Vec<TermLanes>,
    /// Per term.
    pub(super) own_scales: Vec<HalfLanes>,
    /// Per term.
    pub(super) shared_scales: Vec<f32>,
    /// Per position.
    pub(super) squared_lengths: Vec<Lanes>,
    /// Per position.
    pub(super) alphas: Vec<Lanes>,
    /// Positions.
    pub(super) rows: Vec<u32>,
    /// Positions.
    pub(super) moved: Vec<u32>,
}

/// Rooms: one for each thread that trains a block at a time.
#[derive(Default)]
pub(super) struct Rooms {
    idle: Mutex<Vec<Room>>,
}

impl Rooms {
    /// Lends a room. One that a panic tears away isn't missed.
    pub(super) fn lend<R>(&self, work: impl FnOnce(&mut Room) -> R) -> R {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let mut room = lent.unwrap_or_default();
        let result = work(&mut room);
        idle().push(room);
        result
    }
}

/// Sets `numbers` to as many times `number`.
pub(super) fn fill<T: Copy>(numbers: &mut Vec<T>, n: usize, number: T) {
    numbers.clear();
    numbers.resize(n, number);
}
