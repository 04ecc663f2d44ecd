//! Sparse rows whose values are products, and are not stored: a quarter of the memory, and fewer multiplications.

#![expect(
    clippy::inline_always,
    reason = "what the kernels call is compiled for an instruction set only where it is inlined into them"
)]

use std::ops::Range;

use rayon::prelude::*;
use tracing::Span;

use super::{CsrMatrix, SparseRow, SparseVector};
use crate::simd::prefetch;

/// So many rows are made by one thread at a stretch, and kept together.
const ROWS_A_STRETCH: usize = 64;

/// A sparse matrix, `n_documents × n_terms`, in which each value is a weight times the factor of its column.
///
/// A row has few different weights: a count weighs the same whatever term it is of. So its entries are kept in runs of
/// the same weight, as 16 bits each: the column's place, counted from the run's first. Runs with entries that are too far
/// apart for that follow each other.
///
/// Columns have places of their own, because who goes through rows in random order asks for some numbers of each
/// column: those of columns that are often asked for shall lie together.
#[derive(Debug, Clone, PartialEq)]
pub struct FactoredMatrix {
    n_rows: usize,
    n_entries: usize,
    stretches: Vec<Stretch>,
    /// By place; above 0.
    factors: Vec<f32>,
    /// The column at each place.
    columns: Vec<u32>,
}

/// Rows that follow each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stretch {
    places: Vec<u16>,
    runs: Vec<PackedRun>,
    /// Of each row.
    ends: Vec<RowEnd>,
}

/// Where a row ends.
// PERF: both in one place, and short. Looked up in the runs, the places' end was waited for at every visit, in vain
// asked for ahead: a fifth of a training.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct RowEnd {
    runs: u32,
    places: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct PackedRun {
    /// Where in the places it ends.
    end: usize,
    first: u32,
    weight: f32,
}

/// Entries of a row that have the same weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The place that those of the entries are counted from.
    pub(crate) first: u32,
    /// Ascending.
    pub(crate) places: &'a [u16],
    pub(crate) weight: f32,
}

/// The entries of a row, run by run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactoredRow<'a> {
    /// Of the rows of the stretch up to this one's end.
    places: &'a [u16],
    start: usize,
    runs: &'a [PackedRun],
}

impl<'a> FactoredRow<'a> {
    // PERF: an iterator, not a function that is given a closure, which wouldn't be compiled for the wider vectors.
    #[inline(always)]
    pub(crate) fn runs(self) -> Runs<'a> {
        Runs { rest: self }
    }

    /// Asks for it to be brought near.
    #[inline(always)]
    pub(crate) fn prefetch(self) {
        prefetch(self.runs);
        prefetch(&self.places[self.start..]);
    }
}

/// The runs of a row.
#[derive(Debug)]
pub(crate) struct Runs<'a> {
    rest: FactoredRow<'a>,
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Run<'a>> {
        let rest = &mut self.rest;
        let (run, runs) = rest.runs.split_first()?;
        let start = std::mem::replace(&mut rest.start, run.end);
        rest.runs = runs;
        Some(Run {
            first: run.first,
            places: &rest.places[start..run.end],
            weight: run.weight,
        })
    }
}

impl Stretch {
    /// Appends a run to the row in the making; its places ascend.
    pub(crate) fn push_run(&mut self, weight: f32, places: impl Iterator<Item = u32>) {
        let mut first = None;
        for place in places {
            let near = first.and_then(|first| u16::try_from(place - first).ok());
            if near.is_none() {
                self.end_run(first, weight);
                first = Some(place);
            }
            self.places.push(near.unwrap_or(0));
        }
        self.end_run(first, weight);
    }

    fn end_run(&mut self, first: Option<u32>, weight: f32) {
        if let Some(first) = first {
            self.runs.push(PackedRun {
                end: self.places.len(),
                first,
                weight,
            });
        }
    }

    pub(crate) fn end_row(&mut self) {
        let short = |n: usize| u32::try_from(n).expect("a stretch has fewer than 2³² entries");
        self.ends.push(RowEnd {
            runs: short(self.runs.len()),
            places: short(self.places.len()),
        });
    }

    #[inline(always)]
    fn row(&self, i: usize) -> FactoredRow<'_> {
        let start = if i == 0 {
            RowEnd::default()
        } else {
            self.ends[i - 1]
        };
        let end = self.ends[i];
        FactoredRow {
            places: &self.places[..end.places as usize],
            start: start.places as usize,
            runs: &self.runs[start.runs as usize..end.runs as usize],
        }
    }
}

impl FactoredMatrix {
    /// The matrix whose rows `append` appends, those of a range at a time; with the column at each place, and that
    /// column's factor, above 0.
    pub(crate) fn new(
        n_rows: usize,
        columns: Vec<u32>,
        factors: Vec<f32>,
        append: impl Fn(Range<usize>, &mut Stretch) + Sync,
    ) -> Self {
        let span = Span::current();
        let stretches = (0..n_rows.div_ceil(ROWS_A_STRETCH)).into_par_iter();
        let stretches: Vec<Stretch> = stretches
            .map(|stretch| {
                let _entered = span.enter();
                let start = stretch * ROWS_A_STRETCH;
                let mut stretch = Stretch::default();
                append(start..n_rows.min(start + ROWS_A_STRETCH), &mut stretch);
                stretch.places.shrink_to_fit();
                stretch.runs.shrink_to_fit();
                stretch
            })
            .collect();
        Self {
            n_rows,
            n_entries: stretches.iter().map(|stretch| stretch.places.len()).sum(),
            stretches,
            factors,
            columns,
        }
    }

    /// How many rows (documents) there are.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// How many columns (terms) there are.
    pub fn n_cols(&self) -> usize {
        self.factors.len()
    }

    /// How many entries are stored.
    pub fn nnz(&self) -> usize {
        self.n_entries
    }

    /// What the weights of the column at each place are multiplied by.
    pub(crate) fn factors(&self) -> &[f32] {
        &self.factors
    }

    /// The column at each place.
    pub(crate) fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// One row, by place, without the factors.
    #[inline(always)]
    pub(crate) fn factored_row(&self, i: usize) -> FactoredRow<'_> {
        self.stretches[i / ROWS_A_STRETCH].row(i % ROWS_A_STRETCH)
    }

    /// Calls `each` with the entries of a row, (column, value), in any order.
    pub(crate) fn for_each_entry(&self, i: usize, mut each: impl FnMut(u32, f32)) {
        for run in self.factored_row(i).runs() {
            for &place in run.places {
                let place = (run.first + u32::from(place)) as usize;
                each(self.columns[place], run.weight * self.factors[place]);
            }
        }
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no row `i`, like the indexing of a slice.
    pub fn row(&self, i: usize) -> SparseVector {
        let mut entries = Vec::new();
        self.for_each_entry(i, |column, value| entries.push((column, value)));
        entries.sort_unstable_by_key(|&(column, _)| column);
        let (indices, values) = entries.into_iter().unzip();
        SparseVector::new(self.n_cols(), indices, values).expect("a row has each column once")
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = SparseVector> {
        (0..self.n_rows).map(|i| self.row(i))
    }
}

/// Of any values: a run for each that differs from the others of its row, factors of 1, and each column in its own place.
impl From<&CsrMatrix> for FactoredMatrix {
    fn from(matrix: &CsrMatrix) -> Self {
        let append = |rows: Range<usize>, stretch: &mut Stretch| {
            for row in rows.map(|row| matrix.row(row)) {
                push_by_value(row, stretch);
                stretch.end_row();
            }
        };
        let columns = (0..matrix.n_cols() as u32).collect();
        Self::new(matrix.n_rows(), columns, vec![1.0; matrix.n_cols()], append)
    }
}

fn push_by_value(row: SparseRow<'_>, stretch: &mut Stretch) {
    let mut entries: Vec<(u32, u32)> = row
        .values
        .iter()
        .map(|value| value.to_bits())
        .zip(row.indices.iter().copied())
        .collect();
    entries.sort_unstable();
    for run in entries.chunk_by(|a, b| a.0 == b.0) {
        stretch.push_run(f32::from_bits(run[0].0), run.iter().map(|&(_, column)| column));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let rows = [
            vec![
                (0, 1.0),
                (1, 0.5),
                (2, 1.0),
                (65_536, 1.0),
                (65_537, 1.0),
                (200_000, 0.5),
            ],
            vec![],
            vec![(299_999, 2.0)],
        ];
        let rows: Vec<_> = rows.into_iter().cycle().take(200).collect();
        let matrix = CsrMatrix::from_rows(300_000, &rows);
        let factored = FactoredMatrix::from(&matrix);
        assert_eq!(factored.nnz(), matrix.nnz());
        assert_eq!(factored.rows().len(), matrix.n_rows());
        for (row, expected) in factored.rows().zip(matrix.rows()) {
            assert_eq!(row.as_row(), expected);
        }
    }

    #[test]
    fn value_is_weight_times_factor() {
        let matrix = FactoredMatrix::new(1, vec![0, 1, 2], vec![2.0, 3.0, 5.0], |_, stretch| {
            stretch.push_run(0.5, [0, 2].into_iter());
            stretch.push_run(0.25, [1].into_iter());
            stretch.end_row();
        });
        assert_eq!(matrix.row(0).as_row().values, [1.0, 0.75, 2.5]);
    }

    #[test]
    fn columns_may_have_other_places() {
        let matrix = FactoredMatrix::new(1, vec![2, 0, 1], vec![2.0, 3.0, 5.0], |_, stretch| {
            stretch.push_run(0.5, [0, 1].into_iter());
            stretch.end_row();
        });
        let row = matrix.row(0);
        assert_eq!(row.as_row().indices, [0, 2]);
        assert_eq!(row.as_row().values, [1.5, 1.0]);
    }
}
