//! Who takes the scores of rows that were not learned from, and keeps as little of them as it needs.
//!
//! In come the scores of some rows for some outputs, in any order of rows and outputs.

/// Scores of one row, for outputs that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct RowScores<'a> {
    /// Row of the matrix.
    pub row: u32,
    /// The first of the outputs.
    pub first_output: u32,
    /// A score for each output.
    pub scores: &'a [f32],
    /// The bias in each score.
    pub bias: &'a [f32],
}

/// Takes scores in; each row once for each output.
pub trait Reducer: Send {
    /// Takes some in.
    fn take(&mut self, scores: RowScores<'_>);
}
