//! Fitted networks side by side, in the layout that answers fastest.
//!
//! In come networks over the same terms and one document's term counts; out go the probabilities of their outputs. A
//! document has a few dozen terms out of thousands, and what costs is fetching their first-layer weights, so those of
//! all networks lie together:
//! ```text
//! term 0   network 0  network 1  …   hidden units of each, padded
//! term 1   network 0  network 1  …
//! ```

use ndarray::ArrayView1;

use super::kernels::{LogitWeights, Units, weighted_sum};
use super::{Mlp, OutputActivation};
use crate::simd::{InstructionSet, Kernel, prefetch};
use crate::sparse::SparseRow;

/// Networks that answer together: one a field.
pub const MOST_NETWORKS: usize = 4;

/// Terms whose weights for one network are added up before the next network's: for all networks they fit the first
/// cache, beside those of the next so many, which are fetched meanwhile.
const TERMS_AT_ONCE: usize = 8;

/// Up to [`MOST_NETWORKS`] fitted networks over the same terms.
#[derive(Debug, Clone)]
pub struct PreparedMlps {
    /// First layers: `n_terms × n_networks`.
    hidden: Vec<Units<f32>>,
    networks: Vec<Network>,
    instructions: InstructionSet,
}

/// All of a network but its first layer's weights.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) hidden_bias: Units<f32>,
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
        for mlp in mlps {
            assert_eq!(
                mlp.hidden_weights.nrows(),
                n_terms,
                "networks over the same terms"
            );
        }
        let mut hidden = Vec::with_capacity(n_terms * mlps.len());
        for term in 0..n_terms {
            hidden.extend(mlps.iter().map(|mlp| padded(&mlp.hidden_weights.row(term))));
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
        self.answer(Some(network), self.n_outputs(network), row, probabilities);
    }

    /// The same for all networks, in their order, from one pass through the weights.
    ///
    /// # Panics
    /// As [`Self::probabilities`]; there is a place for each output of each network.
    pub fn all_probabilities(&self, row: SparseRow<'_>, probabilities: &mut [f32]) {
        let n_outputs = self.networks.iter().map(|network| network.output.len()).sum();
        self.answer(None, n_outputs, row, probabilities);
    }

    fn answer(
        &self,
        network: Option<usize>,
        n_outputs: usize,
        row: SparseRow<'_>,
        probabilities: &mut [f32],
    ) {
        assert_eq!(probabilities.len(), n_outputs, "one place for each output");
        self.instructions.run(Answer {
            prepared: self,
            network,
            row,
            probabilities,
        });
    }

    /// All of a network but its first layer's weights.
    pub(super) fn network(&self, network: usize) -> &Network {
        &self.networks[network]
    }

    /// The weights of a term to a network's hidden units.
    #[inline(always)]
    pub(super) fn weights(&self, network: usize, term: u32) -> &Units<f32> {
        &self.hidden[term as usize * self.networks.len() + network]
    }

    /// Activations of a network's hidden units for one row: `max(0, b + x W)`.
    #[inline(always)]
    pub(super) fn activations(&self, network: usize, row: SparseRow<'_>) -> Units<f32> {
        let sums = self.add(
            network,
            &self.networks[network].hidden_bias,
            row,
            row.indices.len(),
        );
        sums.changed(|sum| sum.max(0.0))
    }

    /// The same of `N` networks. Each sum runs over the terms in their order, as it does for the network alone.
    #[inline(always)]
    fn activations_of_all<const N: usize>(&self, row: SparseRow<'_>) -> [Units<f32>; N] {
        let mut sums: [Units<f32>; N] = std::array::from_fn(|network| self.networks[network].hidden_bias);
        for &term in row.indices.iter().take(TERMS_AT_ONCE) {
            for network in 0..N {
                prefetch(self.weights(network, term));
            }
        }
        let mut rest = row;
        while !rest.indices.is_empty() {
            let n_terms = rest.indices.len().min(TERMS_AT_ONCE);
            for (network, sum) in sums.iter_mut().enumerate() {
                *sum = self.add(network, sum, rest, n_terms);
            }
            rest = SparseRow {
                indices: &rest.indices[n_terms..],
                values: &rest.values[n_terms..],
            };
        }
        sums.map(|sums| sums.changed(|sum| sum.max(0.0)))
    }

    /// `start` and the weights of the first terms of a row, times their counts; those further on are asked for.
    #[inline(always)]
    fn add(&self, network: usize, start: &Units<f32>, row: SparseRow<'_>, n_terms: usize) -> Units<f32> {
        let terms = row.indices.iter().zip(row.values).take(n_terms).enumerate();
        let terms = terms.map(|(entry, (&term, &count))| {
            if let Some(&ahead) = row.indices.get(entry + TERMS_AT_ONCE) {
                prefetch(self.weights(network, ahead));
            }
            (count, self.weights(network, term))
        });
        weighted_sum(start, terms)
    }

    /// The outputs of all networks, of which there are `N`.
    #[inline(always)]
    fn outputs_of_all<const N: usize>(&self, row: SparseRow<'_>, mut probabilities: &mut [f32]) {
        let activations = self.activations_of_all::<N>(row);
        for (network, activations) in self.networks.iter().zip(&activations) {
            let (outputs, others) = probabilities.split_at_mut(network.output.len());
            network.outputs(activations, outputs);
            probabilities = others;
        }
    }
}

impl Network {
    fn of(mlp: &Mlp) -> Self {
        let output: Vec<_> = mlp
            .output_weights
            .rows()
            .into_iter()
            .map(|row| padded(&row))
            .collect();
        let mut logit_weights = LogitWeights::default();
        logit_weights.fill(&output);
        Self {
            hidden_bias: padded(&mlp.hidden_bias.view()),
            output,
            output_bias: mlp.output_bias.to_vec(),
            logit_weights,
            activation: mlp.activation,
        }
    }

    /// Probabilities of the outputs for given activations.
    #[inline(always)]
    fn outputs(&self, activations: &Units<f32>, outputs: &mut [f32]) {
        self.logit_weights.logits(&self.output_bias, activations, outputs);
        self.activation.apply(outputs);
    }
}

fn padded(row: &ArrayView1<'_, f32>) -> Units<f32> {
    let mut units = Units::zero();
    match row.as_slice() {
        // PERF: copied as it lies, which number by number takes ten times as long.
        Some(row) => units[..row.len()].copy_from_slice(row),
        None => units
            .iter_mut()
            .zip(row)
            .for_each(|(unit, &weight)| *unit = weight),
    }
    units
}

struct Answer<'a> {
    prepared: &'a PreparedMlps,
    /// One network, or all.
    network: Option<usize>,
    row: SparseRow<'a>,
    probabilities: &'a mut [f32],
}

impl Kernel for Answer<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            prepared,
            network,
            row,
            probabilities,
        } = self;
        if let Some(network) = network {
            let activations = prepared.activations(network, row);
            return prepared.networks[network].outputs(&activations, probabilities);
        }
        // PERF: how many there are is known where the loops are compiled.
        match prepared.networks.len() {
            0 => {}
            1 => prepared.outputs_of_all::<1>(row, probabilities),
            2 => prepared.outputs_of_all::<2>(row, probabilities),
            3 => prepared.outputs_of_all::<3>(row, probabilities),
            MOST_NETWORKS.. => prepared.outputs_of_all::<MOST_NETWORKS>(row, probabilities),
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
