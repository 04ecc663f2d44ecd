//! Scores of rows that were not learned from: fold by fold, training on the others.
//!
//! In come the rows, each with the fold that it is held out in; the scores go to a [`Reducer`] as they are made, so
//! that memory doesn't grow with rows × outputs.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tracing::Span;

use super::block::{Block, Solved};
use super::examples::{Examples, Task};
use super::lanes::{LANES, Lanes, score_factored};
use super::room::{Room, Rooms};
use super::{Dual, LinearParams, PassCallback, Reducer, RowScores};
use crate::error::Result;
use crate::learners::Targets;
use crate::learners::mlp::Seed;
use crate::simd::{InstructionSet, Kernel};
use crate::sparse::FactoredMatrix;

/// Rows and the folds that they are held out in.
#[derive(Debug, Clone, Copy)]
pub struct Folds<'a> {
    /// `n_documents × n_terms`.
    pub matrix: &'a FactoredMatrix,
    /// The outputs that are on in each row.
    pub targets: &'a Targets,
    /// The fold of each row, counted from 0.
    pub fold_of_row: &'a [u8],
    /// What a training on all rows ended with, where each fold may start; from nothing if there was none. A fold takes
    /// over the dual variables of its own rows only, and goes on until these are optimal without the others: what it
    /// ends with is within the tolerance of what it ends with from nothing.
    pub start: Option<&'a Dual>,
}

/// Trains on all folds but one, for each in turn, and has `reducer` take what each held-out row scores, for every output
/// once. Runs on the current rayon pool.
///
/// # Errors
/// As [`fit`](super::fit).
///
/// # Panics
/// If matrix, targets and folds differ in their number of rows.
pub fn out_of_fold(
    folds: Folds<'_>,
    params: &LinearParams,
    seed: Seed,
    reducer: &mut dyn Reducer,
    on_pass: PassCallback<'_>,
) -> Result<()> {
    let n_tasks = folds.n_folds() * folds.targets.n_outputs().div_ceil(LANES);
    let rooms = Rooms::new(n_tasks, folds.matrix, params.scaling);
    out_of_fold_in(&rooms, folds, params, seed, reducer, on_pass)
}

/// The same, in rooms that other trainings on the matrix may be in at the same time.
pub(crate) fn out_of_fold_in(
    rooms: &Rooms,
    folds: Folds<'_>,
    params: &LinearParams,
    seed: Seed,
    reducer: &mut dyn Reducer,
    on_pass: PassCallback<'_>,
) -> Result<()> {
    params.check()?;
    let task = Task {
        params: *params,
        seed,
        on_pass,
        instructions: InstructionSet::detect(),
    };
    let parts = folds.parts()?;
    let n_blocks = folds.targets.n_outputs().div_ceil(LANES);
    let (reducer, span) = (Mutex::new(reducer), Span::current());
    let solve = |block: usize, part: &Part<'_>, room: &mut Room| -> Result<()> {
        let mut solved = Block::new(&part.examples, block, &task, room).solve()?;
        solved.prune(params.prune_below, folds.matrix.factors());
        let scores = task.instructions.run(ScoreRows {
            matrix: folds.matrix,
            rows: &part.held_out,
            block: &solved,
        });
        let mut reducer = reducer.lock().unwrap_or_else(PoisonError::into_inner);
        solved.hand_over(&part.held_out, &scores, &mut **reducer);
        Ok(())
    };
    let tasks = (0..n_blocks * parts.len()).into_par_iter();
    tasks.try_for_each(|at| {
        let _entered = span.enter();
        rooms.lend(|room| solve(at / parts.len(), &parts[at % parts.len()], room))
    })
}

/// One fold: what is learned from, and what is held out.
struct Part<'a> {
    examples: Examples<'a>,
    held_out: Vec<u32>,
}

impl<'a> Folds<'a> {
    fn n_folds(&self) -> usize {
        let last = self.fold_of_row.iter().max();
        last.map_or(0, |&last| usize::from(last) + 1)
    }

    fn parts(self) -> Result<Vec<Part<'a>>> {
        assert_eq!(
            self.fold_of_row.len(),
            self.matrix.n_rows(),
            "a fold for each row"
        );
        let n_folds = self.n_folds();
        let part = |fold: usize| {
            let all = 0..self.fold_of_row.len() as u32;
            let is_held_out = |row: &u32| usize::from(self.fold_of_row[*row as usize]) == fold;
            let (held_out, rows): (Vec<_>, Vec<_>) = all.partition(is_held_out);
            let examples = Examples::of_rows(self.matrix, self.targets, rows).starting_at(self.start)?;
            Ok(Part { examples, held_out })
        };
        (0..n_folds).map(part).collect()
    }
}

/// Scores rows for the outputs of a block.
struct ScoreRows<'a> {
    matrix: &'a FactoredMatrix,
    rows: &'a [u32],
    block: &'a Solved<'a>,
}

impl Kernel for ScoreRows<'_> {
    type Output = Vec<Lanes>;

    #[inline(always)]
    fn run(self) -> Vec<Lanes> {
        let Solved { weights, bias, .. } = self.block;
        let rows = self
            .rows
            .iter()
            .map(|&row| self.matrix.factored_row(row as usize));
        rows.map(|row| score_factored(weights, bias, row)).collect()
    }
}

impl Solved<'_> {
    fn hand_over(&self, rows: &[u32], scores: &[Lanes], reducer: &mut dyn Reducer) {
        let n_lanes = self.progress.len();
        let bias = self.biases();
        for (&row, scores) in rows.iter().zip(scores) {
            reducer.take(RowScores {
                row,
                first_output: self.first_output as u32,
                scores: &scores.as_flattened()[..n_lanes],
                bias: &bias,
            });
        }
    }
}
