//! The second half of a training step: gradients of parameters, and at once the optimiser's move against them.

use rayon::prelude::*;
use tracing::Span;

use super::adam::{Moments, Step};
use super::batch::BatchColumns;
use super::kernels::{SUMS_AT_ONCE, Units, add_weighted_sums, weighted_sum};
use super::training::RowState;
use crate::learners::Real;
use crate::simd::{InstructionSet, Kernel};

/// Rows of output weights that one task updates: some 8 µs of work, by the profile.
pub(super) const OUTPUTS_PER_TASK: usize = 16;
/// Rows of the batch whose activations are read for all outputs of a task: 13 KB in single precision.
const ROWS_AT_ONCE: usize = 32;

/// What the updates of one step have in common.
#[derive(Clone, Copy)]
pub(super) struct Update<T> {
    pub(super) step: Step<T>,
    pub(super) l2: T,
    /// 1 / rows in the batch.
    pub(super) share: T,
    pub(super) instructions: InstructionSet,
}

/// Rows of one layer's weights, and what goes with each.
pub(super) struct ParameterRows<'a, T> {
    pub(super) weights: &'a mut [Units<T>],
    pub(super) moments: &'a mut [Moments<Units<T>>],
    /// Receives the sum of the squares of each row before its update, for the L2 penalty.
    pub(super) squares: &'a mut [f64],
}

/// The biases of both layers.
pub(super) struct Biases<'a, T> {
    pub(super) hidden: (&'a mut Units<T>, &'a mut Moments<Units<T>>),
    pub(super) output: (&'a mut [T], &'a mut [Moments<T>]),
}

/// Gradient of the batch's summed loss, row by row of a layer's weights.
pub(super) trait Gradient<T>: Sync {
    /// Holds the gradients of rows that are taken together.
    type Room: AsMut<[Units<T>]>;

    /// Zeros.
    fn room() -> Self::Room;

    /// Of row `first` and those that follow it: as many as there is room for.
    fn of_rows(&self, first: usize, gradients: &mut [Units<T>]);
}

/// First layer: row = term; the batch's values of the term times the hidden deltas.
pub(super) struct HiddenGradient<'a, T> {
    pub(super) columns: &'a BatchColumns<T>,
    pub(super) rows: &'a [RowState<T>],
}

/// Second layer: row = output; the output's deltas times the activations.
pub(super) struct OutputGradient<'a, T> {
    /// `batch × n_outputs`.
    pub(super) output_deltas: &'a [T],
    pub(super) n_outputs: usize,
    pub(super) rows: &'a [RowState<T>],
}

impl<T: Real> Gradient<T> for HiddenGradient<'_, T> {
    // PERF: the row after goes through the adders while the divider is still busy with this one.
    type Room = [Units<T>; 1];

    #[inline(always)]
    fn room() -> Self::Room {
        [Units::zero(); 1]
    }

    #[inline(always)]
    fn of_rows(&self, first: usize, gradients: &mut [Units<T>]) {
        for (row, gradient) in gradients.iter_mut().enumerate() {
            let entries = self.columns.of_term(first + row).iter();
            let terms = entries.map(|&(in_batch, value)| (value, &self.rows[in_batch as usize].deltas));
            *gradient = weighted_sum(&Units::zero(), terms);
        }
    }
}

impl<T: Real> Gradient<T> for OutputGradient<'_, T> {
    type Room = [Units<T>; OUTPUTS_PER_TASK];

    #[inline(always)]
    fn room() -> Self::Room {
        [Units::zero(); OUTPUTS_PER_TASK]
    }

    #[inline(always)]
    fn of_rows(&self, first: usize, gradients: &mut [Units<T>]) {
        gradients.fill(Units::zero());
        // PERF: some rows of the batch at a time, which stay in the first cache for all outputs.
        let deltas = self.output_deltas.chunks(ROWS_AT_ONCE * self.n_outputs);
        for (rows, deltas) in self.rows.chunks(ROWS_AT_ONCE).zip(deltas) {
            let deltas = deltas.chunks_exact(self.n_outputs).map(|deltas| &deltas[first..]);
            let rows = deltas.zip(rows.iter().map(|row| &row.activations));
            let (groups, rest) = gradients.as_chunks_mut::<SUMS_AT_ONCE>();
            for (group, gradients) in groups.iter_mut().enumerate() {
                add_weighted_sums(group * SUMS_AT_ONCE, rows.clone(), gradients);
            }
            let in_groups = groups.len() * SUMS_AT_ONCE;
            for (row, gradient) in rest.iter_mut().enumerate() {
                let terms = rows.clone();
                let terms = terms.map(|(deltas, activations)| (deltas[in_groups + row], activations));
                *gradient = weighted_sum(gradient, terms);
            }
        }
    }
}

impl<T: Real> Update<T> {
    /// Updates all rows of a layer, so many in a task.
    pub(super) fn rows(
        self,
        layer: &mut ParameterRows<'_, T>,
        rows_per_task: usize,
        gradient: &impl Gradient<T>,
    ) {
        let span = Span::current();
        let tasks = layer.weights.par_chunks_mut(rows_per_task);
        let tasks = tasks.zip(layer.moments.par_chunks_mut(rows_per_task));
        let tasks = tasks.zip(layer.squares.par_chunks_mut(rows_per_task)).enumerate();
        tasks.for_each(|(task, ((weights, moments), squares))| {
            let _entered = span.enter();
            let part = ParameterRows {
                weights,
                moments,
                squares,
            };
            self.instructions.run(UpdateRows {
                update: self,
                part,
                first: task * rows_per_task,
                gradient,
            });
        });
    }

    /// Updates the biases, which have no L2 term.
    pub(super) fn biases(self, biases: Biases<'_, T>, output_deltas: &[T], rows: &[RowState<T>]) {
        self.instructions.run(UpdateBiases {
            update: self,
            biases,
            output_deltas,
            rows,
        });
    }
}

/// Some rows of a layer.
struct UpdateRows<'a, T, G> {
    update: Update<T>,
    part: ParameterRows<'a, T>,
    /// Index in the layer of the first row in `part`.
    first: usize,
    gradient: &'a G,
}

impl<T: Real, G: Gradient<T>> Kernel for UpdateRows<'_, T, G> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Update { step, l2, share, .. } = self.update;
        let ParameterRows {
            weights,
            moments,
            squares,
        } = self.part;
        let mut room = G::room();
        let room = room.as_mut();
        let at_once = room.len();
        let groups = weights.chunks_mut(at_once).zip(moments.chunks_mut(at_once));
        for (group, ((weights, moments), squares)) in groups.zip(squares.chunks_mut(at_once)).enumerate() {
            let first = self.first + group * at_once;
            let gradients = &mut room[..weights.len()];
            self.gradient.of_rows(first, gradients);
            let rows = weights.iter_mut().zip(moments).zip(squares).zip(gradients);
            for (((weights, moments), square), gradient) in rows {
                *square = step.apply_row(weights, moments, gradient, l2, share).to_f64();
            }
        }
    }
}

/// Outputs whose deltas are summed together: a cache line of each row of the batch.
const BIASES_AT_ONCE: usize = 16;

struct UpdateBiases<'a, T> {
    update: Update<T>,
    biases: Biases<'a, T>,
    output_deltas: &'a [T],
    rows: &'a [RowState<T>],
}

impl<T: Real> Kernel for UpdateBiases<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Update { step, share, .. } = self.update;
        let rows = self.rows.iter().map(|row| (T::one(), &row.deltas));
        let gradient = weighted_sum(&Units::zero(), rows);
        let (hidden, hidden_moments) = self.biases.hidden;
        // Without a penalty, whose sum of squares is of no use.
        step.apply_row(hidden, hidden_moments, &gradient, T::zero(), share);
        let (biases, moments) = self.biases.output;
        let n_outputs = biases.len();
        let blocks = biases
            .chunks_mut(BIASES_AT_ONCE)
            .zip(moments.chunks_mut(BIASES_AT_ONCE));
        for (block, (biases, moments)) in blocks.enumerate() {
            let mut sums = [T::zero(); BIASES_AT_ONCE];
            for deltas in self.output_deltas.chunks_exact(n_outputs) {
                let deltas = &deltas[block * BIASES_AT_ONCE..];
                sums.iter_mut()
                    .zip(deltas)
                    .for_each(|(sum, &delta)| *sum += delta);
            }
            for ((bias, moments), sum) in biases.iter_mut().zip(moments).zip(sums) {
                step.apply(bias, moments, sum * share);
            }
        }
    }
}
