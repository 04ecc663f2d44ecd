//! The classifiers: few weights, kept by term, because a document is answered term by term.

use super::block::PrunedBlock;
use crate::sparse::SparseRow;

/// A linear classifier for each output: plain data, ready to answer.
///
/// An output's score for a document is its bias plus the products of its weights with the document's values; above 0
/// means on, and ±1 is the margin that training aimed at. Term `t` owns the entries `ends[t - 1]..ends[t]` of `outputs`
/// and `weights`:
/// ```text
///            output 0  1  2
/// term 0            .  5  .      ends      1     1     3
/// term 1            .  .  .  →   outputs   1           0 2
/// term 2            6  .  7      weights   5           6 7
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Linear {
    ends: Vec<u32>,
    outputs: Vec<u32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// Of trained blocks, in the order of their outputs.
    pub(super) fn assemble(n_terms: usize, blocks: &[PrunedBlock]) -> Self {
        let n_stored = blocks.iter().map(|block| block.weights.len()).sum();
        let mut ends = vec![0_u32; n_terms];
        for &(term, ..) in blocks.iter().flat_map(|block| &block.weights) {
            ends[term as usize] += 1;
        }
        // From the number of each term's entries to where they start; filling them in then moves it to their end.
        let mut before = 0;
        for end in &mut ends {
            before += std::mem::replace(end, before);
        }
        let (mut outputs, mut weights) = (vec![0; n_stored], vec![0.0; n_stored]);
        for &(term, output, weight) in blocks.iter().flat_map(|block| &block.weights) {
            let next = &mut ends[term as usize];
            outputs[*next as usize] = output;
            weights[*next as usize] = weight;
            *next += 1;
        }
        Self {
            ends,
            outputs,
            weights,
            bias: blocks.iter().flat_map(|block| &block.bias).copied().collect(),
        }
    }

    /// Number of terms that it knows.
    pub fn n_terms(&self) -> usize {
        self.ends.len()
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.bias.len()
    }

    /// Number of weights that are not zero.
    pub fn n_stored(&self) -> usize {
        self.weights.len()
    }

    /// The bias of each output.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Sets `scores` to each output's score for one document.
    ///
    /// # Panics
    /// If `scores` isn't [`n_outputs`](Self::n_outputs) long, or a term index is not below [`n_terms`](Self::n_terms).
    pub fn scores(&self, row: SparseRow<'_>, scores: &mut [f32]) {
        scores.copy_from_slice(&self.bias);
        for (&term, &value) in row.indices.iter().zip(row.values) {
            let (outputs, weights) = self.entries(term as usize);
            for (&output, &weight) in outputs.iter().zip(weights) {
                scores[output as usize] += value * weight;
            }
        }
    }

    /// The weight of a term for an output; 0 if none is stored.
    ///
    /// # Panics
    /// If there is no such term.
    pub fn weight(&self, term: usize, output: usize) -> f32 {
        let (outputs, weights) = self.entries(term);
        match outputs.binary_search(&(output as u32)) {
            Ok(at) => weights[at],
            Err(_) => 0.0,
        }
    }

    /// The outputs that a term has a weight for, ascending, with the weight.
    ///
    /// # Panics
    /// If there is no such term.
    pub fn of_term(&self, term: usize) -> impl ExactSizeIterator<Item = (u32, f32)> {
        let (outputs, weights) = self.entries(term);
        outputs.iter().copied().zip(weights.iter().copied())
    }

    /// What speaks for an output (above 0) and against it, by ascending term: each term of the document that has a
    /// weight, and value × weight. Together with the bias they sum to the output's score, but for rounding.
    ///
    /// # Panics
    /// If there is no such output, or the document has a term that is unknown here.
    pub fn contributions(&self, output: usize, row: SparseRow<'_>) -> impl Iterator<Item = (u32, f32)> {
        assert!(output < self.n_outputs(), "output {output} of {}", self.n_outputs());
        let entries = row.indices.iter().zip(row.values);
        let products = entries.map(move |(&term, &value)| (term, value * self.weight(term as usize, output)));
        products.filter(|&(_, product)| product != 0.0)
    }

    #[inline(always)]
    fn entries(&self, term: usize) -> (&[u32], &[f32]) {
        let first = term.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        let entries = first..self.ends[term] as usize;
        (&self.outputs[entries.clone()], &self.weights[entries])
    }
}
