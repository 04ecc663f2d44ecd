//! The network in the layout that the kernels read: padded rows of hidden units.

use ndarray::{Array1, Array2};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::kernels::{HIDDEN, Units, weighted_sum};
use super::loss::OutputActivation;
use super::{Mlp, Shape};
use crate::learners::Real;
use crate::simd::prefetch;
use crate::sparse::SparseRow;

/// Weights and biases of both layers.
#[derive(Debug, Clone)]
pub(crate) struct Network<T> {
    /// First layer, one row per term.
    pub(crate) hidden: Vec<Units<T>>,
    pub(crate) hidden_bias: Units<T>,
    /// Second layer, one row per output.
    pub(crate) output: Vec<Units<T>>,
    pub(crate) output_bias: Vec<T>,
    pub(crate) activation: OutputActivation,
}

/// Terms whose weights are asked for ahead: they lie anywhere, and don't all fit the second cache.
const AHEAD: usize = 8;

impl<T: Real> Network<T> {
    /// Random weights and biases, uniform in ±√(6 / (inputs + outputs)) of each layer (Glorot & Bengio 2010,
    /// eq. 16), drawn layer by layer, weights before biases.
    pub(crate) fn random(shape: Shape, activation: OutputActivation, rng: &mut ChaCha8Rng) -> Self {
        let bound = glorot_bound(shape.n_terms, HIDDEN);
        let mut draw = || T::from_f64(rng.random_range(-bound..=bound));
        let hidden = (0..shape.n_terms).map(|_| padded(&mut draw)).collect();
        let hidden_bias = padded(&mut draw);
        let bound = glorot_bound(HIDDEN, shape.n_outputs);
        let mut draw = || T::from_f64(rng.random_range(-bound..=bound));
        let output = (0..shape.n_outputs).map(|_| padded(&mut draw)).collect();
        let output_bias = (0..shape.n_outputs).map(|_| draw()).collect();
        Self {
            hidden,
            hidden_bias,
            output,
            output_bias,
            activation,
        }
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            n_terms: self.hidden.len(),
            n_outputs: self.output.len(),
        }
    }

    /// Activations of the hidden units for one row: `max(0, b + x W)`.
    #[inline(always)]
    pub(crate) fn activations(&self, row: SparseRow<'_>) -> Units<T> {
        let terms = row.indices.iter().zip(row.values).enumerate();
        let terms = terms.map(|(entry, (&term, &value))| {
            if let Some(&ahead) = row.indices.get(entry + AHEAD) {
                prefetch(&self.hidden[ahead as usize]);
            }
            (T::from_f32(value), &self.hidden[term as usize])
        });
        weighted_sum(&self.hidden_bias, terms).changed(|sum| sum.max(T::zero()))
    }
}

fn glorot_bound(n_in: usize, n_out: usize) -> f64 {
    (6.0 / (n_in + n_out) as f64).sqrt()
}

/// One row of hidden units: drawn where there is a unit, zero in the padding.
fn padded<T: Real>(mut draw: impl FnMut() -> T) -> Units<T> {
    Units::from_fn(|unit| if unit < HIDDEN { draw() } else { T::zero() })
}

impl From<Network<f32>> for Mlp {
    fn from(network: Network<f32>) -> Self {
        let unpadded =
            |rows: &[Units<f32>]| Array2::from_shape_fn((rows.len(), HIDDEN), |(row, unit)| rows[row][unit]);
        Self {
            hidden_weights: unpadded(&network.hidden),
            hidden_bias: Array1::from_iter(network.hidden_bias[..HIDDEN].iter().copied()),
            output_weights: unpadded(&network.output),
            output_bias: Array1::from_vec(network.output_bias),
            activation: network.activation,
        }
    }
}
