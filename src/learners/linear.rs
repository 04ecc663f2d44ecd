//! One linear classifier for each output, trained one against the rest: the better of the two learners.
//!
//! [`fit`] takes a matrix and targets and returns a [`Linear`], plain data that answers, and the [`Dual`] that a later
//! training can start from; [`out_of_fold`] finds what rows score that were not learned from. Each output is an
//! L2-regularised squared-hinge support vector machine, trained by dual coordinate descent (Hsieh, Chang, Lin,
//! Keerthi & Sundararajan 2008: *A Dual Coordinate Descent Method for Large-scale Linear SVM*; LIBLINEAR's `-s 1 -B 1`).

mod block;
mod dual;
mod examples;
mod kept;
mod lanes;
mod ln;
mod model;
mod out_of_fold;
mod pass;
mod prepared;
mod reducer;
mod room;
mod scaling;

use std::ops::ControlFlow;

use rayon::prelude::*;
use tracing::Span;

use super::mlp::Seed;
use super::{Targets, finite_and_not_negative};
use crate::error::{Error, Result};
use crate::simd::InstructionSet;
use crate::sparse::FactoredMatrix;
use block::{Block, KeptBlock};
use examples::{Examples, OnBits, Task};
use kept::Keeper;
use lanes::LANES;
pub(crate) use room::Rooms;

pub use dual::Dual;
pub use model::Linear;
pub(crate) use out_of_fold::out_of_fold_in;
pub use out_of_fold::{Folds, out_of_fold};
pub use prepared::PreparedLinear;
pub use reducer::{Reducer, RowScores};
pub use scaling::Scaling;

/// How the classifiers are trained.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LinearParams {
    /// Cost of a row that is on the wrong side of its margin, against the size of the weights (5).
    pub c: f64,
    /// γ: an output's positive rows cost `c × (n₋ / n₊)^γ` (0.5, for fields with one label a
    /// document; 0.25 suits tags).
    pub positive_weight_exponent: f64,
    /// Training of an output ends with the pass that finds no row's gradient this much further from optimal than
    /// another's (0.2). In units of the margin: in a training from nothing every gradient is 1 off at first, and one
    /// from a [`Dual`] is held to the same measure. On archives of real text held-out accuracy is within 0.2 points of
    /// that at 0.01, in a third of the passes; at 0.5 it is up to 1.5 points lower.
    pub tolerance: f64,
    /// Most passes over the rows (30).
    pub max_passes: usize,
    /// Weights closer to zero than this are dropped (0.01).
    pub prune_below: f64,
    /// Value of the constant feature whose weight is the bias (0.5): the smaller, the costlier a bias.
    pub bias_feature: f64,
    /// How terms are scaled for each output ([`Scaling::NaiveBayes`]).
    pub scaling: Scaling,
}

impl Default for LinearParams {
    fn default() -> Self {
        Self {
            c: 5.0,
            positive_weight_exponent: 0.5,
            tolerance: 0.2,
            max_passes: 30,
            prune_below: 0.01,
            bias_feature: 0.5,
            scaling: Scaling::NaiveBayes,
        }
    }
}

impl LinearParams {
    pub(crate) fn check(&self) -> Result<()> {
        if self.max_passes == 0 {
            return Err(unusable(
                "max_passes",
                &self.max_passes,
                "a number of passes, 1 or more",
            ));
        }
        let positive = |name, number: f64| {
            if number.is_finite() && number > 0.0 {
                Ok(())
            } else {
                Err(unusable(name, &number, "a finite number above 0"))
            }
        };
        positive("c", self.c)?;
        positive("tolerance", self.tolerance)?;
        let numbers = [
            ("positive_weight_exponent", self.positive_weight_exponent),
            ("prune_below", self.prune_below),
            ("bias_feature", self.bias_feature),
        ];
        numbers
            .into_iter()
            .try_for_each(|(name, number)| finite_and_not_negative(LEARNER, name, number))
    }
}

/// What errors call it.
const LEARNER: &str = "linear classifier";

fn unusable(name: &'static str, found: &dyn ToString, expected: &'static str) -> Error {
    super::unusable(LEARNER, name, found, expected)
}

/// What [`fit`] learns from.
#[derive(Debug, Clone, Copy)]
pub struct LinearExamples<'a> {
    /// `n_documents × n_terms`.
    pub matrix: &'a FactoredMatrix,
    /// The outputs that are on in each row of the matrix; a row without any is an example against all of them.
    pub targets: &'a Targets,
    /// The rows to learn from, ascending; all of them if none are named.
    pub rows: Option<&'a [u32]>,
    /// Where to start; from nothing if there is no earlier training.
    pub start: Option<&'a Dual>,
}

/// What [`fit`] makes.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearFit {
    /// The classifiers.
    pub model: Linear,
    /// What another training can start from.
    pub dual: Dual,
    /// How the training went.
    pub report: LinearFitReport,
}

/// How the training of all outputs went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LinearFitReport {
    /// Passes of the output that needed most.
    pub max_passes: usize,
    /// Mean number of passes of an output.
    pub mean_passes: f64,
    /// Rows with a dual variable above 0, over all outputs.
    pub n_support_vectors: usize,
    /// Weights that were not dropped, over all outputs.
    pub n_stored: usize,
    /// Largest distance between the gradients of two rows in an output's last pass: above the tolerance only where
    /// the passes were used up.
    pub violation: f64,
}

impl LinearFitReport {
    fn of(blocks: &[KeptBlock]) -> Self {
        let progress = || blocks.iter().flat_map(|block| &block.progress);
        let n_passes = || progress().map(|progress| progress.n_passes);
        Self {
            max_passes: n_passes().max().unwrap_or(0),
            mean_passes: n_passes().sum::<usize>() as f64 / n_passes().count().max(1) as f64,
            n_support_vectors: blocks.iter().map(|block| block.dual.n_stored()).sum(),
            n_stored: blocks.iter().map(|block| block.weights.n_weights).sum(),
            violation: progress()
                .map(|progress| f64::from(progress.violation))
                .fold(0.0, f64::max),
        }
    }
}

/// One finished pass over the rows, for some of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// The first of the outputs.
    pub first_output: usize,
    /// Counted from 1.
    pub number: usize,
    /// Rows that it went through.
    pub n_rows: usize,
    /// Outputs that need another pass.
    pub n_outputs_left: usize,
}

/// Told of each pass, from several threads; may stop the training.
pub type PassCallback<'a> = &'a (dyn Fn(Pass) -> ControlFlow<()> + Sync);

/// Trains a classifier for each output, on the current rayon pool.
///
/// An output that is on in all of the rows or in none has no weights; its bias is the margin, 1 or −1. The result
/// depends on the arguments only, not on the number of threads or the CPU.
///
/// # Errors
/// [`Error::Parameter`] if one is out of its range, or `start` names a row that the matrix doesn't have;
/// [`Error::Cancelled`] if `on_pass` asked to stop.
///
/// # Panics
/// If matrix, targets and `start` don't fit each other, or the named rows don't ascend.
pub fn fit(
    examples: LinearExamples<'_>,
    params: &LinearParams,
    seed: Seed,
    on_pass: PassCallback<'_>,
) -> Result<LinearFit> {
    fit_with(None, examples, params, seed, on_pass, InstructionSet::detect())
}

/// The same, in rooms that other trainings on the matrix may be in at the same time.
pub(crate) fn fit_in(
    rooms: &Rooms,
    examples: LinearExamples<'_>,
    params: &LinearParams,
    seed: Seed,
    on_pass: PassCallback<'_>,
) -> Result<LinearFit> {
    let instructions = InstructionSet::detect();
    fit_with(Some(rooms), examples, params, seed, on_pass, instructions)
}

fn fit_with(
    rooms: Option<&Rooms>,
    examples: LinearExamples<'_>,
    params: &LinearParams,
    seed: Seed,
    on_pass: PassCallback<'_>,
    instructions: InstructionSet,
) -> Result<LinearFit> {
    params.check()?;
    let task = Task {
        params: *params,
        seed,
        on_pass,
        instructions,
    };
    let examples = Examples::new(examples)?;
    let span = Span::current();
    let n_blocks = examples.n_outputs().div_ceil(LANES);
    let own = match rooms {
        Some(_) => None,
        None => Some(Rooms::new(n_blocks, examples.matrix, params.scaling)),
    };
    let rooms = rooms
        .or(own.as_ref())
        .expect("there are its own if none were given");
    let keeper = Keeper::new(examples.terms(), examples.factors());
    let solve = |(block, stored): (usize, &mut [OnBits])| {
        let _entered = span.enter();
        rooms.lend(|room| {
            let mut solved = Block::new(&examples, block, &task, room).solve()?;
            solved.prune(params.prune_below, examples.factors());
            Ok(solved.keep(&keeper, stored))
        })
    };
    let n_bits = examples.n_terms().max(1);
    let mut stored = vec![0; n_blocks * n_bits];
    let blocks = stored.par_chunks_mut(n_bits).enumerate().map(solve);
    let blocks: Result<Vec<KeptBlock>> = blocks.collect();
    drop(own);
    let blocks = blocks?;
    let report = LinearFitReport::of(&blocks);
    let spans: Vec<_> = blocks.iter().map(|block| block.weights).collect();
    let bias = blocks.iter().flat_map(|block| &block.bias).copied().collect();
    let kept = keeper.finish(&spans, stored);
    // The model before the dual variables: what their parts held may stay with the allocator when they are let go of.
    let model = Linear::assemble(kept, bias);
    Ok(LinearFit {
        model,
        dual: Dual::concat(blocks.into_iter().map(|block| block.dual).collect()),
        report,
    })
}

#[cfg(test)]
mod tests;
