//! The classifiers in the layout that answers fastest.

use super::Linear;
use super::lanes::{LANES, Lanes, TermLanes, all, score};
use crate::simd::{InstructionSet, Kernel};
use crate::sparse::SparseRow;

/// Where at least one weight in so many is stored, answering with all of them, zeros as well, is faster than picking
/// them one by one.
const DENSE_FROM: usize = 32;

/// A [`Linear`] prepared to answer; both give the same scores, but for rounding.
#[derive(Debug, Clone)]
pub struct PreparedLinear {
    layout: Layout,
    n_outputs: usize,
    instructions: InstructionSet,
}

#[derive(Debug, Clone)]
enum Layout {
    /// All weights, some outputs at a time.
    Dense(Vec<Block>),
    /// The stored ones: where there are many outputs, nearly all weights are zero.
    Sparse(Linear),
}

/// Outputs that are answered together.
#[derive(Debug, Clone)]
struct Block {
    /// Per term.
    weights: Vec<TermLanes>,
    bias: Lanes,
}

impl PreparedLinear {
    /// Copies `linear` into that layout.
    pub fn new(linear: &Linear) -> Self {
        let n_all = linear.n_terms() * linear.n_outputs().next_multiple_of(LANES);
        let layout = if linear.weights().nnz() * DENSE_FROM < n_all {
            Layout::Sparse(linear.clone())
        } else {
            Layout::Dense(dense(linear))
        };
        Self {
            layout,
            n_outputs: linear.n_outputs(),
            instructions: InstructionSet::detect(),
        }
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    /// Sets `scores` to each output's score for one document.
    ///
    /// # Panics
    /// If `scores` isn't [`n_outputs`](Self::n_outputs) long, or a term index is not below the number of terms.
    pub fn scores(&self, row: SparseRow<'_>, scores: &mut [f32]) {
        assert_eq!(scores.len(), self.n_outputs, "one place for each output");
        match &self.layout {
            Layout::Dense(blocks) => self.instructions.run(Answer { blocks, row, scores }),
            Layout::Sparse(linear) => linear.scores(row, scores),
        }
    }
}

fn dense(linear: &Linear) -> Vec<Block> {
    let block = |bias: &[f32]| Block {
        weights: vec![TermLanes(all(0.0)); linear.n_terms()],
        bias: padded(bias),
    };
    let mut blocks: Vec<Block> = linear.bias().chunks(LANES).map(block).collect();
    for (term, of_term) in linear.weights().rows().enumerate() {
        for (&output, &weight) in of_term.indices.iter().zip(of_term.values) {
            let (block, lane) = (output as usize / LANES, output as usize % LANES);
            blocks[block].weights[term].0.as_flattened_mut()[lane] = weight;
        }
    }
    blocks
}

/// With zeros for the lanes that belong to no output.
fn padded(numbers: &[f32]) -> Lanes {
    let mut lanes = all(0.0);
    lanes.as_flattened_mut()[..numbers.len()].copy_from_slice(numbers);
    lanes
}

struct Answer<'a> {
    blocks: &'a [Block],
    row: SparseRow<'a>,
    scores: &'a mut [f32],
}

impl Kernel for Answer<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (block, scores) in self.blocks.iter().zip(self.scores.chunks_mut(LANES)) {
            let answer = score(&block.weights, &block.bias, self.row);
            scores.copy_from_slice(&answer.as_flattened()[..scores.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::CsrMatrix;

    /// Every `every`-th weight of 50 terms × 20 outputs.
    fn linear(every: u32) -> Linear {
        let weight = |term: u32, output: u32| (term * 7 + output * 3) as f32 / 64.0 - 2.0;
        let of_term = |term: u32| -> Vec<(u32, f32)> {
            let outputs = (0..20).filter(|output| (term * 20 + output).is_multiple_of(every));
            outputs.map(|output| (output, weight(term, output))).collect()
        };
        let weights = CsrMatrix::from_rows(20, &(0..50).map(of_term).collect::<Vec<_>>());
        Linear::new(weights, (0..20).map(|output| output as f32 / 8.0 - 1.0).collect()).unwrap()
    }

    fn same_scores(every: u32) {
        let (linear, indices) = (linear(every), [0, 3, 4, 17, 30, 31, 49]);
        let row = SparseRow {
            indices: &indices,
            values: &[0.5, 0.25, 1.0, 0.75, 0.5, 0.5, 2.0],
        };
        let (mut expected, mut scores) = ([0.0; 20], [0.0; 20]);
        linear.scores(row, &mut expected);
        PreparedLinear::new(&linear).scores(row, &mut scores);
        // All numbers are multiples of 2^-8: no sum is rounded.
        assert_eq!(scores.map(f32::to_bits), expected.map(f32::to_bits));
    }

    #[test]
    fn dense_layout_scores_as_the_model_does() {
        assert!(matches!(PreparedLinear::new(&linear(2)).layout, Layout::Dense(_)));
        same_scores(2);
    }

    #[test]
    fn sparse_layout_scores_as_the_model_does() {
        assert!(matches!(
            PreparedLinear::new(&linear(40)).layout,
            Layout::Sparse(_)
        ));
        same_scores(40);
    }
}
