//! What blocks work in, lent to one after another.

use std::sync::{Mutex, PoisonError};

use super::lanes::{Lanes, TermLanes};
use super::scaling::{HalfLanes, Scaling};
use crate::sparse::FactoredMatrix;

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

impl Room {
    fn new(matrix: &FactoredMatrix, scaling: Scaling) -> Self {
        let (n_terms, n_rows) = (matrix.n_cols(), matrix.n_rows());
        let n_scales = |kind: Scaling| if scaling == kind { n_terms } else { 0 };
        Self {
            weights: Vec::with_capacity(n_terms),
            own_scales: Vec::with_capacity(n_scales(Scaling::NaiveBayes)),
            shared_scales: Vec::with_capacity(n_scales(Scaling::None)),
            squared_lengths: Vec::with_capacity(n_rows),
            alphas: Vec::with_capacity(n_rows),
            rows: Vec::with_capacity(n_rows),
            moved: Vec::with_capacity(n_rows),
        }
    }
}

/// Rooms: one for each thread that trains a block at a time. All are there from the beginning, so that what a training
/// allocates isn't up to the scheduler.
pub(crate) struct Rooms {
    idle: Mutex<Vec<Room>>,
}

impl Rooms {
    /// For the threads of the current rayon pool, `n_tasks` at most, to learn from rows of `matrix`; whatever other scaling
    /// is asked for, they grow to hold.
    pub(crate) fn new(n_tasks: usize, matrix: &FactoredMatrix, scaling: Scaling) -> Self {
        let n_rooms = rayon::current_num_threads().min(n_tasks);
        let rooms = (0..n_rooms).map(|_| Room::new(matrix, scaling));
        Self {
            idle: Mutex::new(rooms.collect()),
        }
    }

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
