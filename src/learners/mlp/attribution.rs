//! Which terms made a network's logits what they are.
//!
//! In come a prepared network, one document's term counts and a sum of logits; out goes what each term adds to it.

use super::{N_HIDDEN, PreparedMlps};
use crate::sparse::SparseRow;

/// A sum of logits, taken apart: bias and contributions sum to the score, but for rounding.
#[derive(Debug, Clone, PartialEq)]
pub struct LogitAttribution {
    /// The sum of logits.
    pub score: f32,
    /// What the biases add to it, those of hidden units that are off left out.
    pub bias: f32,
    /// What each term of the document adds, by ascending term.
    pub contributions: Vec<(u32, f32)>,
}

impl PreparedMlps {
    /// Takes a sum of a network's logits apart, given as outputs and the factor of each.
    ///
    /// A network of rectified units is linear as long as the same units are on: a term adds count × Σ (its weight to
    /// a unit × the unit's weight to the logits) over those. That is gradient × input, which for a piecewise linear
    /// network leaves nothing but the biases over (Ancona, Ceolini, Öztireli & Gross 2018: *Towards better
    /// understanding of gradient-based attribution methods for Deep Neural Networks*).
    ///
    /// # Panics
    /// If there is no such network or output, or a term index is not below the number of terms.
    pub fn attribution(
        &self,
        network: usize,
        row: SparseRow<'_>,
        logits: &[(usize, f64)],
    ) -> LogitAttribution {
        let activations = self.activations(network, row);
        let weights = |term| self.weights(network, term);
        let network = self.network(network);
        let mut gradient = [0.0; N_HIDDEN];
        let mut output_bias = 0.0;
        for &(output, factor) in logits {
            output_bias += factor * f64::from(network.output_bias[output]);
            for (unit, gradient) in gradient.iter_mut().enumerate() {
                if activations[unit] > 0.0 {
                    *gradient += factor * f64::from(network.output[output][unit]);
                }
            }
        }
        let through_units = |units: &[f32]| -> f64 {
            let products = units.iter().zip(&gradient);
            products.map(|(&unit, gradient)| f64::from(unit) * gradient).sum()
        };
        let bias = output_bias + through_units(&network.hidden_bias[..]);
        let entries = row.indices.iter().zip(row.values);
        let contributions: Vec<(u32, f64)> = entries
            .map(|(&term, &count)| (term, f64::from(count) * through_units(&weights(term)[..])))
            .collect();
        let of_terms: f64 = contributions.iter().map(|(_, contribution)| contribution).sum();
        let rounded = |(term, contribution)| (term, contribution as f32);
        LogitAttribution {
            // Not the network's own sum, which is made in single precision: for a long document that is 7e-5 off.
            score: (bias + of_terms) as f32,
            bias: bias as f32,
            contributions: contributions.into_iter().map(rounded).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};

    use super::super::{Mlp, OutputActivation};
    use super::*;

    /// Two terms and two outputs. Unit 0 counts the first term, unit 1 is on as long as the second isn't there twice.
    fn network() -> PreparedMlps {
        let mut mlp = Mlp {
            hidden_weights: Array2::zeros((2, N_HIDDEN)),
            hidden_bias: Array1::zeros(N_HIDDEN),
            output_weights: Array2::zeros((2, N_HIDDEN)),
            output_bias: Array1::from_vec(vec![0.5, -0.25]),
            activation: OutputActivation::Logistic,
        };
        mlp.hidden_weights[(0, 0)] = 1.0;
        mlp.hidden_weights[(1, 1)] = -1.0;
        mlp.hidden_bias[1] = 1.5;
        mlp.output_weights[(0, 0)] = 2.0;
        mlp.output_weights[(0, 1)] = 4.0;
        mlp.output_weights[(1, 1)] = 1.0;
        PreparedMlps::new(&[&mlp])
    }

    fn attribution(counts: [f32; 2], logits: &[(usize, f64)]) -> LogitAttribution {
        let row = SparseRow {
            indices: &[0, 1],
            values: &counts,
        };
        network().attribution(0, row, logits)
    }

    #[test]
    fn terms_add_through_the_units_that_are_on() {
        let expected = LogitAttribution {
            score: 8.5,
            bias: 6.5,
            contributions: vec![(0, 6.0), (1, -4.0)],
        };
        assert_eq!(attribution([3.0, 1.0], &[(0, 1.0)]), expected);
    }

    #[test]
    fn unit_that_is_off_adds_nothing() {
        let expected = LogitAttribution {
            score: 6.5,
            bias: 0.5,
            contributions: vec![(0, 6.0), (1, 0.0)],
        };
        assert_eq!(attribution([3.0, 2.0], &[(0, 1.0)]), expected);
    }

    #[test]
    fn sum_of_logits_is_taken_apart_like_one() {
        let expected = LogitAttribution {
            score: 8.5 - 0.25,
            bias: 6.5 - 1.25,
            contributions: vec![(0, 6.0), (1, -3.0)],
        };
        assert_eq!(attribution([3.0, 1.0], &[(0, 1.0), (1, -1.0)]), expected);
    }
}
