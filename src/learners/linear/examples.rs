//! What the blocks of one training share: the rows, how each is filed, where to start.

use std::sync::OnceLock;

use super::lanes::LANES;
use super::scaling::TermSums;
use super::{Dual, LinearExamples, LinearParams, PassCallback, unusable};
use crate::error::Result;
use crate::learners::Targets;
use crate::learners::mlp::Seed;
use crate::simd::InstructionSet;
use crate::sparse::{FactoredMatrix, FactoredRow};

/// How to train.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) params: LinearParams,
    pub(super) seed: Seed,
    pub(super) on_pass: PassCallback<'a>,
    pub(super) instructions: InstructionSet,
}

/// What to train on.
pub(super) struct Examples<'a> {
    pub(super) matrix: &'a FactoredMatrix,
    targets: &'a Targets,
    pub(super) start: Option<&'a Dual>,
    /// Row of the matrix at each position.
    pub(super) rows: Vec<u32>,
    term_sums: OnceLock<TermSums>,
}

/// The outputs of a block that are on, one bit each.
pub(super) type OnBits = u16;
const _: () = assert!(LANES <= OnBits::BITS as usize);

impl<'a> Examples<'a> {
    pub(super) fn new(given: LinearExamples<'a>) -> Result<Self> {
        let n_rows = given.matrix.n_rows();
        let rows = match given.rows {
            Some(rows) => rows.to_vec(),
            None => (0..n_rows as u32).collect(),
        };
        Self::of_rows(given.matrix, given.targets, rows).starting_at(given.start)
    }

    /// The same, with a start, in which rows that aren't learned from have no part.
    pub(super) fn starting_at(mut self, start: Option<&'a Dual>) -> Result<Self> {
        if let Some(start) = start {
            assert_eq!(start.n_outputs(), self.n_outputs(), "a start for each output");
            if let Some(row) = start
                .last_row()
                .filter(|&row| row as usize >= self.matrix.n_rows())
            {
                return Err(unusable("start", &row, "rows of the matrix only"));
            }
        }
        self.start = start;
        Ok(self)
    }

    /// Some of the rows, ascending, to be learned from without a start.
    pub(super) fn of_rows(matrix: &'a FactoredMatrix, targets: &'a Targets, rows: Vec<u32>) -> Self {
        assert_eq!(matrix.n_rows(), targets.n_rows(), "one target per row");
        assert!(rows.is_sorted_by(|a, b| a < b), "rows ascend");
        Self {
            matrix,
            targets,
            start: None,
            rows,
            term_sums: OnceLock::new(),
        }
    }

    pub(super) fn n_terms(&self) -> usize {
        self.matrix.n_cols()
    }

    pub(super) fn n_outputs(&self) -> usize {
        self.targets.n_outputs()
    }

    /// The term at each place of a row.
    pub(super) fn terms(&self) -> &'a [u32] {
        self.matrix.columns()
    }

    /// By place, without the factors of the columns.
    #[inline(always)]
    pub(super) fn row(&self, position: usize) -> FactoredRow<'a> {
        self.matrix.factored_row(self.rows[position] as usize)
    }

    /// What the entries of the column at each place are multiplied by.
    pub(super) fn factors(&self) -> &'a [f32] {
        self.matrix.factors()
    }

    /// What the scales of all outputs share.
    pub(super) fn term_sums(&self) -> &TermSums {
        self.term_sums.get_or_init(|| TermSums::new(self))
    }

    /// Per position, which of a block's outputs are on.
    pub(super) fn on(&self, first_output: usize) -> Vec<OnBits> {
        let on = |&row: &u32| {
            let mut bits = 0;
            self.targets.for_each_on(row as usize, |output| {
                if (first_output..first_output + LANES).contains(&output) {
                    bits |= 1 << (output - first_output);
                }
            });
            bits
        };
        self.rows.iter().map(on).collect()
    }
}
