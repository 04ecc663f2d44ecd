//! Stochastic training of the network: mini-batches, back-propagation fused with the optimiser's step.
//!
//! A step has two halves with a barrier between them. The first goes through the batch row by row (activations,
//! outputs, loss, both layers' deltas), the second through the parameters row by row (gradient, then at once
//! Adam's update: no gradient matrix is ever stored). Within a half every row is independent of the others and is
//! computed in a fixed order, so the work can be cut among threads anywhere without changing a bit.

use rayon::prelude::*;
use tracing::Span;

use super::adam::{Moments, Step};
use super::batch::BatchColumns;
use super::kernels::{LogitWeights, OUTPUTS_AT_ONCE, Units, weighted_sum};
use super::loss::cross_entropy;
use super::network::Network;
use super::update::{Biases, HiddenGradient, OUTPUTS_PER_TASK, OutputGradient, ParameterRows, Update};
use super::{MlpParams, Shape};
use crate::learners::{Real, Targets};
use crate::simd::{InstructionSet, Kernel, prefetch};
use crate::sparse::CsrMatrix;

/// Rows of a batch that one task goes through: some 20 µs of work at 60 terms a row, by the profile.
const ROWS_PER_TASK: usize = 25;
/// Rows of first-layer weights that one task updates: some 15 µs.
const TERMS_PER_TASK: usize = 128;

/// What training reads.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a> {
    pub(crate) matrix: &'a CsrMatrix,
    pub(crate) targets: &'a Targets,
}

/// A network being trained: parameters, the optimiser's state and the scratch memory of one batch.
pub(crate) struct Training<'a, T> {
    examples: Examples<'a>,
    params: MlpParams,
    instructions: InstructionSet,
    pub(crate) network: Network<T>,
    logit_weights: LogitWeights<T>,
    pub(crate) moments: NetworkMoments<T>,
    n_steps: i32,
    columns: BatchColumns<T>,
    rows: Vec<RowState<T>>,
    /// `batch × n_outputs`: probability − target.
    output_deltas: Vec<T>,
    /// Per row of weights, both layers: the sum of their squares.
    squares: Vec<f64>,
}

/// Adam's running means for every parameter.
pub(crate) struct NetworkMoments<T> {
    pub(crate) hidden: Vec<Moments<Units<T>>>,
    pub(crate) hidden_bias: Moments<Units<T>>,
    pub(crate) output: Vec<Moments<Units<T>>>,
    pub(crate) output_bias: Vec<Moments<T>>,
}

impl<T: Real> NetworkMoments<T> {
    fn zero(shape: Shape) -> Self {
        let units = Moments {
            first: Units::zero(),
            second: Units::zero(),
        };
        Self {
            hidden: vec![units.clone(); shape.n_terms],
            hidden_bias: units.clone(),
            output: vec![units; shape.n_outputs],
            output_bias: vec![
                Moments {
                    first: T::zero(),
                    second: T::zero()
                };
                shape.n_outputs
            ],
        }
    }
}

/// What the first half of a step leaves for the second, for one row of the batch.
#[derive(Clone)]
pub(super) struct RowState<T> {
    pub(super) activations: Units<T>,
    /// Gradient of the loss with respect to the hidden units' inputs.
    pub(super) deltas: Units<T>,
    loss: f64,
}

impl<'a, T: Real> Training<'a, T> {
    pub(crate) fn new(
        network: Network<T>,
        examples: Examples<'a>,
        params: MlpParams,
        instructions: InstructionSet,
    ) -> Self {
        let shape = network.shape();
        let batch = params.batch_size.min(examples.matrix.n_rows());
        let row = RowState {
            activations: Units::zero(),
            deltas: Units::zero(),
            loss: 0.0,
        };
        Self {
            examples,
            params,
            instructions,
            network,
            logit_weights: LogitWeights::default(),
            moments: NetworkMoments::zero(shape),
            n_steps: 0,
            columns: BatchColumns::default(),
            rows: vec![row; batch],
            output_deltas: vec![T::zero(); batch * shape.n_outputs],
            squares: vec![0.0; shape.n_terms + shape.n_outputs],
        }
    }

    /// Goes through all rows in the given order, batch by batch. Returns the mean loss: each batch's loss before
    /// its step, weighted by its size.
    pub(crate) fn epoch(&mut self, order: &[u32]) -> f64 {
        let total: f64 = order
            .chunks(self.params.batch_size)
            .map(|batch| self.step(batch))
            .sum();
        total / order.len() as f64
    }

    /// One step of the optimiser on one batch. Returns the batch's loss before the step, times its size.
    fn step(&mut self, batch: &[u32]) -> f64 {
        let examples = self.examples;
        let mut columns = std::mem::take(&mut self.columns);
        let span = Span::current();
        rayon::join(
            || span.in_scope(|| columns.fill(examples.matrix, batch)),
            || span.in_scope(|| self.forward_and_deltas(batch)),
        );
        self.n_steps += 1;
        let update = Update {
            step: Step::new(self.params.learning_rate, self.n_steps),
            l2: T::from_f64(self.params.l2),
            share: T::from_f64(1.0 / batch.len() as f64),
            instructions: self.instructions,
        };
        let n_outputs = self.network.output.len();
        let rows = &self.rows[..batch.len()];
        let output_deltas = &self.output_deltas[..batch.len() * n_outputs];
        let (hidden_squares, output_squares) = self.squares.split_at_mut(self.network.hidden.len());
        let (network, moments) = (&mut self.network, &mut self.moments);
        let mut hidden = ParameterRows {
            weights: &mut network.hidden,
            moments: &mut moments.hidden,
            squares: hidden_squares,
        };
        let mut output = ParameterRows {
            weights: &mut network.output,
            moments: &mut moments.output,
            squares: output_squares,
        };
        let biases = Biases {
            hidden: (&mut network.hidden_bias, &mut moments.hidden_bias),
            output: (&mut network.output_bias, &mut moments.output_bias),
        };
        let hidden_gradient = HiddenGradient {
            columns: &columns,
            rows,
        };
        let output_gradient = OutputGradient {
            output_deltas,
            n_outputs,
            rows,
        };
        rayon::join(
            || span.in_scope(|| update.rows(&mut hidden, TERMS_PER_TASK, &hidden_gradient)),
            || {
                span.in_scope(|| {
                    update.rows(&mut output, OUTPUTS_PER_TASK, &output_gradient);
                    update.biases(biases, output_deltas, rows);
                });
            },
        );
        self.columns = columns;
        let data_loss: f64 = rows.iter().map(|row| row.loss).sum();
        data_loss + 0.5 * self.params.l2 * self.squares.iter().sum::<f64>()
    }

    /// The first half of a step.
    fn forward_and_deltas(&mut self, batch: &[u32]) {
        let span = Span::current();
        self.logit_weights.fill(&self.network.output);
        let n_outputs = self.network.output.len();
        let logit_weights = &self.logit_weights;
        let (network, examples, instructions) = (&self.network, self.examples, self.instructions);
        let states = self.rows[..batch.len()].par_chunks_mut(ROWS_PER_TASK);
        let deltas = self.output_deltas[..batch.len() * n_outputs].par_chunks_mut(ROWS_PER_TASK * n_outputs);
        batch.par_chunks(ROWS_PER_TASK).zip(states).zip(deltas).for_each(
            |((rows, states), output_deltas)| {
                let _entered = span.enter();
                instructions.run(ForwardRows {
                    network,
                    logit_weights,
                    examples,
                    rows,
                    states,
                    output_deltas,
                });
            },
        );
    }
}

/// First half: some rows of the batch.
struct ForwardRows<'a, T> {
    network: &'a Network<T>,
    logit_weights: &'a LogitWeights<T>,
    examples: Examples<'a>,
    rows: &'a [u32],
    states: &'a mut [RowState<T>],
    output_deltas: &'a mut [T],
}

impl<T: Real> Kernel for ForwardRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            network,
            examples,
            rows,
            states,
            output_deltas,
            ..
        } = self;
        let n_outputs = network.output.len();
        for (position, (&row, state)) in rows.iter().zip(states.iter_mut()).enumerate() {
            if let Some(&next) = rows.get(position + 1) {
                let next = examples.matrix.row(next as usize);
                prefetch(next.indices);
                prefetch(next.values);
                examples.targets.prefetch(rows[position + 1] as usize);
            }
            examples.targets.prefetch_labels(row as usize);
            state.activations = network.activations(examples.matrix.row(row as usize));
        }
        self.logit_weights.logits_of_rows(
            &network.output_bias,
            states,
            |state| &state.activations,
            output_deltas,
        );
        let outputs = output_deltas.chunks_exact_mut(n_outputs);
        for ((&row, state), outputs) in rows.iter().zip(states.iter_mut()).zip(outputs) {
            network.activation.apply(outputs);
            state.loss = cross_entropy(outputs, examples.targets, row as usize);
            state.deltas = Units::zero();
        }
        // Some outputs at a time, whose weights stay near for all rows.
        for (block, weights) in network.output.chunks(OUTPUTS_AT_ONCE).enumerate() {
            let first = block * OUTPUTS_AT_ONCE;
            let outputs = output_deltas.chunks_exact(n_outputs);
            for (state, outputs) in states.iter_mut().zip(outputs) {
                let back = outputs[first..].iter().copied().zip(weights);
                state.deltas = weighted_sum(&state.deltas, back);
            }
        }
        for state in states {
            // PERF: selected into a new array. Overwritten where they are, the deltas were stored through a mask, and a
            // training on one AMD core took a seventh longer.
            state.deltas = Units::from_fn(|unit| {
                if state.activations[unit] > T::zero() {
                    state.deltas[unit]
                } else {
                    T::zero()
                }
            });
        }
    }
}
