//! A network with one hidden layer: what the reference trains for each field.
//!
//! [`fit`] takes a matrix and targets and returns an [`Mlp`], plain data; [`PreparedMlps`] is the form that answers.
//! Layers, initialisation, loss, optimiser and stopping rule are those of scikit-learn's `MLPClassifier`.

mod adam;
mod attribution;
mod batch;
mod kernels;
mod loss;
mod network;
mod precision;
mod prepared;
mod training;
mod update;

use std::ops::ControlFlow;

use ndarray::{Array1, Array2};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{Real, Targets, finite_and_not_negative};
use crate::error::{Error, Result};
use crate::simd::InstructionSet;
use crate::sparse::CsrMatrix;
use network::Network;
use training::{Examples, Training};

pub use attribution::LogitAttribution;
pub use loss::OutputActivation;
pub(crate) use precision::HALVES_AT_ONCE;
pub use precision::WeightPrecision;
pub use prepared::{MOST_NETWORKS, PreparedMlps};

/// Units in the hidden layer.
pub const N_HIDDEN: usize = kernels::HIDDEN;

/// How a network is trained. The defaults are the reference's.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MlpParams {
    /// Adam's step size (0.001).
    pub learning_rate: f64,
    /// Weight of the L2 penalty on weights, not biases (0.0001).
    pub l2: f64,
    /// Rows in a mini-batch, fewer if there are not so many (200).
    pub batch_size: usize,
    /// Most epochs (200).
    pub max_epochs: usize,
    /// An epoch counts as progress if its loss is below the best so far by at least this much (0.01).
    pub tolerance: f64,
    /// Training ends after more than this many epochs in a row without progress (10).
    pub patience: usize,
}

impl Default for MlpParams {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            l2: 1e-4,
            batch_size: 200,
            max_epochs: 200,
            tolerance: 0.01,
            patience: 10,
        }
    }
}

impl MlpParams {
    /// A batch without rows would never end, and a step or a penalty that is no number makes weights that are none.
    pub(crate) fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(unusable(
                "batch_size",
                &self.batch_size,
                "a number of rows, 1 or more",
            ));
        }
        let numbers = [
            ("learning_rate", self.learning_rate),
            ("l2", self.l2),
            ("tolerance", self.tolerance),
        ];
        numbers
            .into_iter()
            .try_for_each(|(name, number)| finite_and_not_negative(LEARNER, name, number))
    }
}

/// What errors call it.
const LEARNER: &str = "network";

fn unusable(name: &'static str, found: &dyn ToString, expected: &'static str) -> Error {
    super::unusable(LEARNER, name, found, expected)
}

/// A fitted network.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// `n_terms × N_HIDDEN`.
    pub hidden_weights: Array2<f32>,
    /// `N_HIDDEN`.
    pub hidden_bias: Array1<f32>,
    /// `n_outputs × N_HIDDEN`.
    pub output_weights: Array2<f32>,
    /// `n_outputs`.
    pub output_bias: Array1<f32>,
    /// What the outputs mean.
    pub activation: OutputActivation,
}

impl Mlp {
    /// Whether all weights and biases are finite numbers: those of a training that diverged aren't.
    pub fn is_finite(&self) -> bool {
        let weights = self.hidden_weights.iter().chain(&self.output_weights);
        let biases = self.hidden_bias.iter().chain(&self.output_bias);
        weights.chain(biases).all(|number| number.is_finite())
    }
}

/// How the training of one network went.
#[derive(Debug, Clone, PartialEq)]
pub struct FitReport {
    /// Mean loss of each epoch: cross-entropy plus the L2 penalty.
    pub loss_curve: Vec<f64>,
}

impl FitReport {
    /// Epochs trained.
    pub fn n_epochs(&self) -> usize {
        self.loss_curve.len()
    }

    /// Loss of the last epoch.
    pub fn final_loss(&self) -> f64 {
        self.loss_curve.last().copied().unwrap_or(f64::NAN)
    }
}

/// One finished epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub number: usize,
    /// Its mean loss.
    pub loss: f64,
}

/// Where a network's randomness comes from: one generator per seed, one independent stream per network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// Chosen by the user.
    pub seed: u64,
    /// Tells the networks of one model apart.
    pub stream: u64,
}

/// Number of inputs and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) n_terms: usize,
    pub(crate) n_outputs: usize,
}

/// Trains a network to reproduce `targets` from the rows of `matrix`, on the current rayon pool.
///
/// `on_epoch` is called after each epoch and may stop the training. The result depends on the arguments only,
/// not on the number of threads or the CPU.
///
/// # Errors
/// [`Error::Parameter`] if one is out of its range; [`Error::Cancelled`] if `on_epoch` asked to stop.
///
/// # Panics
/// If `matrix` and `targets` differ in their number of rows, or there are none.
pub fn fit(
    matrix: &CsrMatrix,
    targets: &Targets,
    params: &MlpParams,
    seed: Seed,
    on_epoch: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<(Mlp, FitReport)> {
    params.check()?;
    assert_eq!(matrix.n_rows(), targets.n_rows(), "one target per row");
    assert!(matrix.n_rows() > 0, "nothing to learn from");
    let examples = Examples { matrix, targets };
    let (network, report) = train::<f32>(examples, *params, seed, InstructionSet::detect(), on_epoch)?;
    Ok((network.into(), report))
}

/// The training loop, in either precision.
fn train<T: Real>(
    examples: Examples<'_>,
    params: MlpParams,
    seed: Seed,
    instructions: InstructionSet,
    on_epoch: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<(Network<T>, FitReport)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.seed);
    rng.set_stream(seed.stream);
    let shape = Shape {
        n_terms: examples.matrix.n_cols(),
        n_outputs: examples.targets.n_outputs(),
    };
    let activation = OutputActivation::for_targets(examples.targets);
    let network = Network::random(shape, activation, &mut rng);
    let mut training = Training::new(network, examples, params, instructions);
    let mut order: Vec<u32> = (0..examples.matrix.n_rows() as u32).collect();
    let mut stopping = Stopping::new(params);
    let mut loss_curve = Vec::new();
    while loss_curve.len() < params.max_epochs {
        order.shuffle(&mut rng);
        let loss = training.epoch(&order);
        loss_curve.push(loss);
        if on_epoch(Epoch {
            number: loss_curve.len(),
            loss,
        })
        .is_break()
        {
            return Err(Error::Cancelled);
        }
        if stopping.is_due(loss) {
            break;
        }
    }
    Ok((training.network, FitReport { loss_curve }))
}

/// Counts epochs without progress.
struct Stopping {
    params: MlpParams,
    best: f64,
    n_without_progress: usize,
}

impl Stopping {
    fn new(params: MlpParams) -> Self {
        Self {
            params,
            best: f64::INFINITY,
            n_without_progress: 0,
        }
    }

    fn is_due(&mut self, loss: f64) -> bool {
        let progress = loss <= self.best - self.params.tolerance;
        self.n_without_progress = if progress { 0 } else { self.n_without_progress + 1 };
        self.best = self.best.min(loss);
        self.n_without_progress > self.params.patience
    }
}

#[cfg(test)]
mod tests;
