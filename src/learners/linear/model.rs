//! The classifiers: few weights, kept by term, because a document is answered term by term.

use super::kept::{ByTerm, Kept};
use crate::error::{Error, Result};
use crate::sparse::{CsrMatrix, SparseRow};

/// A linear classifier for each output: plain data, ready to answer.
///
/// An output's score for a document is its bias plus the products of its weights with the document's values; above 0
/// means on, and ±1 is the margin that training aimed at.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    weights: CsrMatrix,
    bias: Vec<f32>,
}

impl Linear {
    /// Classifiers of these weights, `n_terms × n_outputs`, and a bias for each output.
    ///
    /// # Errors
    /// [`Error::InvalidMatrix`] if there isn't a bias for each output.
    pub fn new(weights: CsrMatrix, bias: Vec<f32>) -> Result<Self> {
        if weights.n_cols() != bias.len() {
            let problem = format!(
                "weights of {} outputs, but {} biases",
                weights.n_cols(),
                bias.len()
            );
            return Err(Error::InvalidMatrix { problem });
        }
        Ok(Self { weights, bias })
    }

    /// Number of terms that it knows.
    pub fn n_terms(&self) -> usize {
        self.weights.n_rows()
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.bias.len()
    }

    /// The weights, `n_terms × n_outputs`: a row is what a term means to the outputs that it has a weight for.
    pub fn weights(&self) -> &CsrMatrix {
        &self.weights
    }

    /// The bias of each output.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Whether all weights and biases are finite numbers: those of a training that diverged aren't.
    pub fn is_finite(&self) -> bool {
        let numbers = self.weights.values().iter().chain(&self.bias);
        numbers.into_iter().all(|number| number.is_finite())
    }

    /// The weight of a term for an output; 0 if none is stored.
    ///
    /// # Panics
    /// If there is no such term.
    pub fn weight(&self, term: usize, output: usize) -> f32 {
        let of_term = self.weights.row(term);
        match of_term.indices.binary_search(&(output as u32)) {
            Ok(at) => of_term.values[at],
            Err(_) => 0.0,
        }
    }

    /// Sets `scores` to each output's score for one document.
    ///
    /// # Panics
    /// If `scores` isn't [`n_outputs`](Self::n_outputs) long, or a term index is not below [`n_terms`](Self::n_terms).
    pub fn scores(&self, row: SparseRow<'_>, scores: &mut [f32]) {
        scores.copy_from_slice(&self.bias);
        for (&term, &value) in row.indices.iter().zip(row.values) {
            let of_term = self.weights.row(term as usize);
            for (&output, &weight) in of_term.indices.iter().zip(of_term.values) {
                scores[output as usize] += value * weight;
            }
        }
    }

    /// What speaks for an output (above 0) and against it, by ascending term: each term of the document that has a
    /// weight, and value × weight. Together with the bias they sum to the output's score, but for rounding.
    ///
    /// # Panics
    /// If there is no such output, or the document has a term that is unknown here.
    pub fn contributions(&self, output: usize, row: SparseRow<'_>) -> impl Iterator<Item = (u32, f32)> {
        assert!(
            output < self.n_outputs(),
            "output {output} of {}",
            self.n_outputs()
        );
        let entries = row.indices.iter().zip(row.values);
        let products = entries.map(move |(&term, &value)| (term, value * self.weight(term as usize, output)));
        products.filter(|&(_, product)| product != 0.0)
    }

    /// Of what trained blocks left, and the bias of each output.
    pub(super) fn assemble(kept: Kept, bias: Vec<f32>) -> Self {
        let ByTerm {
            bounds,
            outputs,
            weights,
        } = kept.into_order();
        let weights = CsrMatrix::new(bias.len(), bounds, outputs, weights)
            .expect("outputs ascend in a block and from block to block");
        Self { weights, bias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two outputs over three terms.
    fn model() -> Linear {
        let weights = CsrMatrix::from_rows(2, &[vec![(1, 5.0)], vec![], vec![(0, 6.0), (1, -7.0)]]);
        Linear::new(weights, vec![0.5, -1.0]).unwrap()
    }

    const DOCUMENT: SparseRow<'static> = SparseRow {
        indices: &[0, 2],
        values: &[0.5, 0.25],
    };

    #[test]
    fn score_is_the_bias_and_the_products() {
        let mut scores = [0.0; 2];
        model().scores(DOCUMENT, &mut scores);
        assert_eq!(
            scores.map(f32::to_bits),
            [0.5_f32 + 1.5, -1.0 + 2.5 - 1.75].map(f32::to_bits)
        );
    }

    #[test]
    fn contributions_and_bias_sum_to_the_score() {
        let contributions: Vec<_> = model().contributions(1, DOCUMENT).collect();
        assert_eq!(contributions, [(0, 2.5), (2, -1.75)]);
        let contributions: Vec<_> = model().contributions(0, DOCUMENT).collect();
        assert_eq!(contributions, [(2, 1.5)]);
    }

    #[test]
    fn weight_that_is_not_stored_is_zero() {
        assert_eq!(
            [model().weight(2, 1), model().weight(0, 0)].map(f32::to_bits),
            [-7.0_f32, 0.0].map(f32::to_bits)
        );
    }

    #[test]
    fn bias_for_each_output_is_demanded() {
        let weights = CsrMatrix::from_rows(2, &[]);
        assert!(
            Linear::new(weights, vec![0.0])
                .unwrap_err()
                .to_string()
                .contains("2 outputs, but 1 biases")
        );
    }
}
