//! Scores of rows that were not learned from: fold by fold, training on the others.
//!
//! In come the rows, each with the fold that it is held out in; the scores go to a [`Reducer`] as they are made, so
//! that memory doesn't grow with rows × outputs. As a by-product comes out where a training on all rows may start.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tracing::Span;

use super::block::{Block, Course, Solved};
use super::examples::{Examples, Task};
use super::lanes::{LANES, Lanes, score_factored};
use super::room::{Room, Rooms};
use super::{Dual, LinearFitReport, LinearParams, PassCallback, Reducer, RowScores};
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
}

/// What [`out_of_fold`] makes, besides the scores.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    /// Where [`fit`](super::fit) on all rows may start: the mean of each row's dual variables over the folds that
    /// learned from it. What such a fit learns from is all rows anyway: nothing leaks from here into a held-out score.
    pub start: Dual,
    /// How the trainings went, one for each fold.
    pub reports: Vec<LinearFitReport>,
}

/// Trains on all folds but one, for each in turn, always from nothing; and has `reducer` take what each held-out row
/// scores, for every output once. Runs on the current rayon pool.
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
) -> Result<OutOfFold> {
    params.check()?;
    let task = Task {
        params: *params,
        seed,
        on_pass,
        instructions: InstructionSet::detect(),
    };
    let parts = folds.parts();
    let n_blocks = folds.targets.n_outputs().div_ceil(LANES);
    let (reducer, span) = (Mutex::new(reducer), Span::current());
    let rooms = Rooms::default();
    let solve = |block: usize, part: &Part<'_>, room: &mut Room| -> Result<Course> {
        let _entered = span.enter();
        let mut solved = Block::new(&part.examples, block, &task, room).solve()?;
        solved.prune(params.prune_below, folds.matrix.factors());
        let scores = task.instructions.run(ScoreRows {
            matrix: folds.matrix,
            rows: &part.held_out,
            block: &solved,
        });
        let mut reducer = reducer.lock().unwrap_or_else(PoisonError::into_inner);
        solved.hand_over(&part.held_out, &scores, &mut **reducer);
        drop(reducer);
        // The weights of all folds would be several times those of the model.
        Ok(solved.into_course())
    };
    let blocks: Result<Vec<(Dual, Vec<Course>)>> = (0..n_blocks)
        .into_par_iter()
        .map(|block| {
            let courses: Result<Vec<Course>> = parts
                .par_iter()
                .map(|part| rooms.lend(|room| solve(block, part, room)))
                .collect();
            let mut courses = courses?;
            let duals: Vec<Dual> = courses
                .iter_mut()
                .map(|course| std::mem::take(&mut course.dual))
                .collect();
            Ok((Dual::mean_of_folds(&duals), courses))
        })
        .collect();
    let (duals, courses): (Vec<Dual>, Vec<Vec<Course>>) = blocks?.into_iter().unzip();
    let of_fold = |fold: usize| -> Vec<&Course> { courses.iter().map(|folds| &folds[fold]).collect() };
    Ok(OutOfFold {
        start: Dual::concat(duals),
        reports: (0..parts.len())
            .map(|fold| LinearFitReport::of(&of_fold(fold)))
            .collect(),
    })
}

/// One fold: what is learned from, and what is held out.
struct Part<'a> {
    examples: Examples<'a>,
    held_out: Vec<u32>,
}

impl<'a> Folds<'a> {
    fn parts(self) -> Vec<Part<'a>> {
        assert_eq!(
            self.fold_of_row.len(),
            self.matrix.n_rows(),
            "a fold for each row"
        );
        let n_folds = self
            .fold_of_row
            .iter()
            .max()
            .map_or(0, |&last| usize::from(last) + 1);
        let part = |fold: usize| {
            let all = 0..self.fold_of_row.len() as u32;
            let is_held_out = |row: &u32| usize::from(self.fold_of_row[*row as usize]) == fold;
            let (held_out, rows): (Vec<_>, Vec<_>) = all.partition(is_held_out);
            Part {
                examples: Examples::of_rows(self.matrix, self.targets, rows),
                held_out,
            }
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
