//! One mini-batch seen column by column, which is how the first layer's gradient reads it.

use crate::learners::Real;
use crate::simd::prefetch;
use crate::sparse::CsrMatrix;

/// The stored values of a batch of rows, by term: a counting sort of the batch's part of the matrix.
///
/// ```text
/// term              0        1    2
/// starts        [   0,       2,   2,   3 ]
/// row in batch  [   0,   1,       1      ]
/// value         [ 1.0, 3.0,     2.0      ]
/// ```
#[derive(Debug, Default)]
pub(crate) struct BatchColumns<T> {
    starts: Vec<u32>,
    entries: Vec<(u32, T)>,
}

/// Rows that are asked for ahead: a batch is rows from anywhere in the matrix.
const AHEAD: usize = 4;

impl<T: Real> BatchColumns<T> {
    /// Replaces the content by that of `rows`, keeping the memory.
    pub(crate) fn fill(&mut self, matrix: &CsrMatrix, rows: &[u32]) {
        // Counted two places up and filled one place up, so that the starts stand where they belong at the end.
        self.starts.clear();
        self.starts.resize(matrix.n_cols() + 2, 0);
        // PERF: as slices, whose places in memory don't change under what is stored, for all that the compiler knows.
        let starts = self.starts.as_mut_slice();
        let ahead = |place: usize| rows.get(place + AHEAD).map(|&row| matrix.row(row as usize));
        for (place, &row) in rows.iter().enumerate() {
            if let Some(row) = ahead(place) {
                prefetch(row.indices);
            }
            for &term in matrix.row(row as usize).indices {
                starts[term as usize + 2] += 1;
            }
        }
        for term in 2..starts.len() {
            starts[term] += starts[term - 1];
        }
        let n_entries = starts[starts.len() - 1] as usize;
        self.entries.resize(n_entries, (0, T::zero()));
        let entries = self.entries.as_mut_slice();
        for (in_batch, &row) in rows.iter().enumerate() {
            if let Some(row) = ahead(in_batch) {
                prefetch(row.values);
            }
            let row = matrix.row(row as usize);
            for (&term, &value) in row.indices.iter().zip(row.values) {
                let next = &mut starts[term as usize + 1];
                entries[*next as usize] = (in_batch as u32, T::from_f32(value));
                *next += 1;
            }
        }
    }

    /// Rows of the batch that have `term`, ascending, with its value in each.
    #[inline(always)]
    pub(crate) fn of_term(&self, term: usize) -> &[(u32, T)] {
        &self.entries[self.starts[term] as usize..self.starts[term + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_what_the_rows_hold() {
        let rows = [vec![(0, 1.0)], vec![], vec![(0, 3.0), (2, 2.0)]];
        let matrix = CsrMatrix::from_rows(4, &rows);
        let mut columns = BatchColumns::<f64>::default();
        columns.fill(&matrix, &[1, 0]);
        columns.fill(&matrix, &[0, 2]);
        assert_eq!(columns.of_term(0), [(0, 1.0), (1, 3.0)]);
        assert_eq!(columns.of_term(1), []);
        assert_eq!(columns.of_term(2), [(1, 2.0)]);
        assert_eq!(columns.of_term(3), []);
    }
}
