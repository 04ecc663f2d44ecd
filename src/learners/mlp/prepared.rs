//! Fitted networks side by side, in the layout that answers fastest.
//!
//! In come networks over the same terms and one document's term counts; out go the probabilities of their outputs. A
//! document has a few dozen terms out of thousands, and what costs is fetching their first-layer weights, so those of
//! all networks lie together:
//! ```text
//! term 0   network 0  network 1  …   13 vectors of 8 units each
//! term 1   network 0  network 1  …
//! ```

use std::ops::Range;

use ndarray::ArrayView1;

use super::kernels::{LANES, LogitWeights, PADDED, Units, VECTORS};
use super::{Mlp, OutputActivation};
use crate::learners::simd::{InstructionSet, Kernel, prefetch};
use crate::sparse::SparseRow;

/// Networks that answer together: one a field.
pub const MOST_NETWORKS: usize = 4;

/// Terms whose weights for one network are added up before the next network's: for all networks they fit the first
/// cache, beside those of the next so many, which are fetched meanwhile.
const TERMS_AT_ONCE: usize = 8;

/// Numbers that are worked on together.
// PERF: aligned, so that no load spans two lines of the cache.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
struct Vector([f32; LANES]);

/// One value per hidden unit.
type Hidden = [Vector; VECTORS];

/// Up to [`MOST_NETWORKS`] fitted networks over the same terms.
#[derive(Debug, Clone)]
pub struct PreparedMlps {
    /// First layers: `n_terms × n_networks`.
    hidden: Vec<Hidden>,
    networks: Vec<Network>,
    instructions: InstructionSet,
}

/// All of a network but its first layer's weights.
#[derive(Debug, Clone)]
pub(super) struct Network {
    hidden_bias: Hidden,
    /// One row per output.
    pub(super) output: Vec<Units<f32>>,
    pub(super) output_bias: Vec<f32>,
    logit_weights: LogitWeights<f32>,
    activation: OutputActivation,
}

impl PreparedMlps {
    /// Copies networks into that layout.
    ///
    /// # Panics
    /// If there are more than [`MOST_NETWORKS`], or they differ in their number of terms.
    pub fn new(mlps: &[&Mlp]) -> Self {
        assert!(mlps.len() <= MOST_NETWORKS, "one network a field");
        let n_terms = mlps.first().map_or(0, |mlp| mlp.hidden_weights.nrows());
        let mut hidden = vec![Hidden::default(); n_terms * mlps.len()];
        for (network, mlp) in mlps.iter().enumerate() {
            assert_eq!(
                mlp.hidden_weights.nrows(),
                n_terms,
                "networks over the same terms"
            );
            let weights = mlp.hidden_weights.rows();
            for (row, to) in weights.into_iter().zip(hidden.chunks_exact_mut(mlps.len())) {
                to[network] = vectors(&padded(row));
            }
        }
        Self {
            hidden,
            networks: mlps.iter().map(|mlp| Network::of(mlp)).collect(),
            instructions: InstructionSet::detect(),
        }
    }

    /// Number of outputs of a network.
    pub fn n_outputs(&self, network: usize) -> usize {
        self.networks[network].output_bias.len()
    }

    /// The probability of each output of a network for one document's term counts.
    ///
    /// # Panics
    /// If there is no such network, `probabilities` isn't [`n_outputs`](Self::n_outputs) long, or a term index is not
    /// below the number of terms.
    pub fn probabilities(&self, network: usize, row: SparseRow<'_>, probabilities: &mut [f32]) {
        self.answer(network..network + 1, row, probabilities);
    }

    /// The same for all networks, in their order, from one pass through the weights.
    ///
    /// # Panics
    /// As [`Self::probabilities`]; there is a place for each output of each network.
    pub fn all_probabilities(&self, row: SparseRow<'_>, probabilities: &mut [f32]) {
        self.answer(0..self.networks.len(), row, probabilities);
    }

    fn answer(&self, networks: Range<usize>, row: SparseRow<'_>, probabilities: &mut [f32]) {
        let n_outputs: usize = networks.clone().map(|network| self.n_outputs(network)).sum();
        assert_eq!(probabilities.len(), n_outputs, "one place for each output");
        self.instructions.run(Answer {
            prepared: self,
            networks,
            row,
            probabilities,
        });
    }

    /// All of a network but its first layer's weights.
    pub(super) fn network(&self, network: usize) -> &Network {
        &self.networks[network]
    }

    /// The biases of a network's hidden units.
    pub(super) fn hidden_bias(&self, network: usize) -> Units<f32> {
        units(&self.networks[network].hidden_bias)
    }

    /// The weights of a term to a network's hidden units.
    pub(super) fn hidden_weights(&self, network: usize, term: u32) -> Units<f32> {
        units(self.weights(network, term))
    }

    /// Activations of a network's hidden units.
    pub(super) fn activations_of(&self, network: usize, row: SparseRow<'_>) -> Units<f32> {
        units(&self.activations(network..network + 1, row)[0])
    }

    /// The first layer's weights of a network for a term.
    #[inline(always)]
    fn weights(&self, network: usize, term: u32) -> &Hidden {
        &self.hidden[term as usize * self.networks.len() + network]
    }

    /// Activations of the hidden units of some networks for one row: `max(0, b + x W)`.
    ///
    /// Each sum runs over the terms in their order, whichever networks are asked for.
    #[inline(always)]
    fn activations(&self, networks: Range<usize>, row: SparseRow<'_>) -> [Hidden; MOST_NETWORKS] {
        let mut sums = [Hidden::default(); MOST_NETWORKS];
        for (sum, network) in sums.iter_mut().zip(networks.clone()) {
            *sum = self.networks[network].hidden_bias;
        }
        for &term in row.indices.iter().take(TERMS_AT_ONCE) {
            for network in networks.clone() {
                prefetch(self.weights(network, term));
            }
        }
        let mut next = row.indices.chunks(TERMS_AT_ONCE).skip(1);
        let terms = row.indices.chunks(TERMS_AT_ONCE);
        for (terms, counts) in terms.zip(row.values.chunks(TERMS_AT_ONCE)) {
            let next = next.next().unwrap_or_default();
            for (sum, network) in sums.iter_mut().zip(networks.clone()) {
                self.add(network, terms, counts, next, sum);
            }
        }
        for Vector(units) in sums.as_flattened_mut() {
            *units = units.map(|unit| unit.max(0.0));
        }
        sums
    }

    /// Adds the weights of some terms, times their counts; those of the `next` ones are asked for.
    #[inline(always)]
    fn add(&self, network: usize, terms: &[u32], counts: &[f32], next: &[u32], flat: &mut Hidden) {
        // PERF: an array of arrays is kept in registers.
        let mut sum = flat.map(|vector| vector.0);
        for (place, (&term, &count)) in terms.iter().zip(counts).enumerate() {
            if let Some(&next) = next.get(place) {
                prefetch(self.weights(network, next));
            }
            let weights = self.weights(network, term);
            for vector in 0..VECTORS {
                for lane in 0..LANES {
                    sum[vector][lane] += count * weights[vector].0[lane];
                }
            }
        }
        *flat = sum.map(Vector);
    }
}

impl Network {
    fn of(mlp: &Mlp) -> Self {
        let output: Vec<_> = mlp.output_weights.rows().into_iter().map(padded).collect();
        let mut logit_weights = LogitWeights::default();
        logit_weights.fill(&output);
        Self {
            hidden_bias: vectors(&padded(mlp.hidden_bias.view())),
            output,
            output_bias: mlp.output_bias.to_vec(),
            logit_weights,
            activation: mlp.activation,
        }
    }
}

fn padded(row: ArrayView1<'_, f32>) -> Units<f32> {
    let mut units = [0.0; PADDED];
    units
        .iter_mut()
        .zip(row)
        .for_each(|(unit, &weight)| *unit = weight);
    units
}

fn vectors(units: &Units<f32>) -> Hidden {
    let (vectors, _) = units.as_chunks();
    std::array::from_fn(|at| Vector(vectors[at]))
}

fn units(vectors: &Hidden) -> Units<f32> {
    let mut units = [0.0; PADDED];
    let (chunks, _) = units.as_chunks_mut();
    chunks
        .iter_mut()
        .zip(vectors)
        .for_each(|(chunk, vector)| *chunk = vector.0);
    units
}

struct Answer<'a> {
    prepared: &'a PreparedMlps,
    networks: Range<usize>,
    row: SparseRow<'a>,
    probabilities: &'a mut [f32],
}

impl Kernel for Answer<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let activations = self.prepared.activations(self.networks.clone(), self.row);
        let mut rest = self.probabilities;
        for (activations, network) in activations.iter().zip(&self.prepared.networks[self.networks]) {
            let (outputs, others) = rest.split_at_mut(network.output.len());
            network
                .logit_weights
                .logits(&network.output_bias, &units(activations), outputs);
            network.activation.apply(outputs);
            rest = others;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::*;
    use crate::learners::mlp::N_HIDDEN;

    const N_TERMS: usize = 60;

    /// Numbers whose sums depend on their order.
    fn number(row: usize, column: usize) -> f32 {
        ((row * 31 + column * 17) % 101) as f32 / 700.0 - 0.07
    }

    fn mlp(n_outputs: usize) -> Mlp {
        Mlp {
            hidden_weights: Array2::from_shape_fn((N_TERMS, N_HIDDEN), |(term, unit)| {
                number(term + n_outputs, unit)
            }),
            hidden_bias: Array1::from_shape_fn(N_HIDDEN, |unit| number(n_outputs, unit)),
            output_weights: Array2::from_shape_fn((n_outputs, N_HIDDEN), |(output, unit)| {
                number(output + 50, unit)
            }),
            output_bias: Array1::from_shape_fn(n_outputs, |output| number(output, 3)),
            activation: OutputActivation::Logistic,
        }
    }

    /// Terms that end within, at and beyond a block of those that are added up together.
    fn rows() -> impl Iterator<Item = (Vec<u32>, Vec<f32>)> {
        [0, 1, TERMS_AT_ONCE, 3 * TERMS_AT_ONCE + 5]
            .map(|n_terms| {
                let terms: Vec<u32> = (0..n_terms as u32).map(|at| at * 2 + at % 2).collect();
                let counts = terms.iter().map(|&term| (term % 3 + 1) as f32).collect();
                (terms, counts)
            })
            .into_iter()
    }

    #[test]
    fn networks_asked_together_answer_as_asked_alone_on_every_cpu() {
        let mlps = [3, 40, 1].map(mlp);
        let prepared = PreparedMlps::new(&mlps.each_ref());
        let baseline = PreparedMlps {
            instructions: InstructionSet::Baseline,
            ..prepared.clone()
        };
        for (indices, values) in &rows().collect::<Vec<_>>() {
            let row = SparseRow { indices, values };
            let (mut together, mut alone) = ([0.0; 44], [0.0; 44]);
            prepared.all_probabilities(row, &mut together);
            baseline.probabilities(0, row, &mut alone[..3]);
            baseline.probabilities(1, row, &mut alone[3..43]);
            PreparedMlps::new(&[&mlps[2]]).probabilities(0, row, &mut alone[43..]);
            assert_eq!(together.map(f32::to_bits), alone.map(f32::to_bits));
        }
    }

    #[test]
    fn probabilities_are_those_of_the_definition() {
        let mlp = mlp(5);
        let prepared = PreparedMlps::new(&[&mlp]);
        for (indices, values) in rows() {
            let mut document = Array1::zeros(N_TERMS);
            for (&term, &count) in indices.iter().zip(&values) {
                document[term as usize] = count;
            }
            let row = SparseRow {
                indices: &indices,
                values: &values,
            };
            let hidden = (document.dot(&mlp.hidden_weights) + &mlp.hidden_bias).mapv(|sum| sum.max(0.0));
            let logits = mlp.output_weights.dot(&hidden) + &mlp.output_bias;
            let mut probabilities = [0.0; 5];
            prepared.probabilities(0, row, &mut probabilities);
            for (found, logit) in probabilities.iter().zip(&logits) {
                let expected = 1.0 / (1.0 + (-logit).exp());
                assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
            }
        }
    }

    #[test]
    fn no_network_answers_nothing() {
        PreparedMlps::new(&[]).all_probabilities(
            SparseRow {
                indices: &[],
                values: &[],
            },
            &mut [],
        );
    }
}
