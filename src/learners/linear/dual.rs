//! The dual variables of a training: what a later one starts from.

use super::unusable;
use crate::error::Result;

/// For each output the rows that hold its weights up (the support vectors), and how strongly.
///
/// The weights of an output are `Σ ±α × row` over its rows, the bias `Σ ±α`, with + where the output is on. All else
/// is 0 and not stored. Entries of output `k` are `ends[k - 1]..ends[k]` of `rows` and `alphas`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dual {
    ends: Vec<usize>,
    rows: Vec<u32>,
    alphas: Vec<f32>,
}

impl Dual {
    /// Of (row, α) for each output.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if an α is not a finite number above 0, or the rows of an output
    /// don't ascend.
    pub fn new<O>(outputs: impl IntoIterator<Item = O>) -> Result<Self>
    where
        O: IntoIterator<Item = (u32, f32)>,
    {
        let mut dual = Self::default();
        for output in outputs {
            let first = dual.rows.len();
            for (row, alpha) in output {
                if !(alpha.is_finite() && alpha > 0.0) {
                    return Err(unusable("alpha", &alpha, "a finite number above 0"));
                }
                if dual.rows[first..].last().is_some_and(|&last| last >= row) {
                    return Err(unusable("start", &row, "rows that ascend"));
                }
                dual.push(row, alpha);
            }
            dual.end_output();
        }
        Ok(dual)
    }

    /// Number of outputs.
    pub fn n_outputs(&self) -> usize {
        self.ends.len()
    }

    /// Number of support vectors, over all outputs.
    pub fn n_stored(&self) -> usize {
        self.rows.len()
    }

    /// Row and α, which is above 0, by ascending row.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn of_output(&self, output: usize) -> impl ExactSizeIterator<Item = (u32, f32)> {
        let first = output.checked_sub(1).map_or(0, |before| self.ends[before]);
        let entries = first..self.ends[output];
        let rows = self.rows[entries.clone()].iter().copied();
        rows.zip(self.alphas[entries].iter().copied())
    }

    /// The largest row that is mentioned.
    pub(super) fn last_row(&self) -> Option<u32> {
        self.rows.iter().copied().max()
    }

    pub(super) fn push(&mut self, row: u32, alpha: f32) {
        self.rows.push(row);
        self.alphas.push(alpha);
    }

    pub(super) fn end_output(&mut self) {
        self.ends.push(self.rows.len());
    }

    /// With room for so many support vectors.
    pub(super) fn with_capacity(n_stored: usize) -> Self {
        Self {
            ends: Vec::new(),
            rows: Vec::with_capacity(n_stored),
            alphas: Vec::with_capacity(n_stored),
        }
    }

    /// The outputs of all parts, one after another. Each part is let go of as soon as it was taken over: with thousands
    /// of outputs they are most of the memory of a training.
    pub(super) fn concat(parts: Vec<Self>) -> Self {
        let mut whole = Self::with_capacity(parts.iter().map(Self::n_stored).sum());
        for part in parts {
            let before = whole.rows.len();
            whole.ends.extend(part.ends.iter().map(|end| before + end));
            whole.rows.extend(&part.rows);
            whole.alphas.extend(&part.alphas);
        }
        whole
    }
}
