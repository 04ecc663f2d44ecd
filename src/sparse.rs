//! Sparse rows of features: what the vectorizers make and the learners read.
//!
//! In come columns and values by row; out go borrowed rows. Within a row the columns ascend and occur
//! once, so that sums over a row are made in one order everywhere.

mod factored;

use crate::error::{Error, Result};

pub use factored::FactoredMatrix;
pub(crate) use factored::{FactoredRow, Stretch};

/// A sparse matrix by rows (compressed sparse rows), `n_documents × n_terms`.
///
/// Row `i` owns the entries `indptr[i]..indptr[i + 1]` of `indices` and `values`:
/// ```text
/// 0 2 0      indptr   0     1     1     3
/// 0 0 0  →   indices  1           0 2
/// 1 0 3      values   2           1 3
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix {
    n_cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl CsrMatrix {
    /// A matrix of the parts described at the type.
    ///
    /// # Errors
    /// [`Error::InvalidMatrix`] if the lengths don't fit together, `indptr` descends, or the columns of a
    /// row don't ascend strictly below `n_cols`.
    pub fn new(n_cols: usize, indptr: Vec<usize>, indices: Vec<u32>, values: Vec<f32>) -> Result<Self> {
        if indices.len() != values.len() {
            return invalid(format!("{} columns, but {} values", indices.len(), values.len()));
        }
        if indptr.first() != Some(&0) || indptr.last() != Some(&indices.len()) {
            return invalid(format!(
                "row bounds have to run from 0 to the {} entries",
                indices.len()
            ));
        }
        if let Some(row) = indptr.windows(2).position(|bounds| bounds[0] > bounds[1]) {
            return invalid(format!("row {row} ends before it starts"));
        }
        for (row, bounds) in indptr.windows(2).enumerate() {
            let columns = &indices[bounds[0]..bounds[1]];
            check_columns(columns, n_cols).or_else(|problem| invalid(format!("row {row}: {problem}")))?;
        }
        Ok(Self {
            n_cols,
            indptr,
            indices,
            values,
        })
    }

    /// A matrix of rows of (column, value), for tests.
    #[cfg(test)]
    pub(crate) fn from_rows(n_cols: usize, rows: &[Vec<(u32, f32)>]) -> Self {
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        });
        let indptr = std::iter::once(0).chain(ends).collect();
        let (indices, values) = rows.iter().flatten().copied().unzip();
        Self::new(n_cols, indptr, indices, values).expect("tests give rows that ascend")
    }

    /// A matrix of (row, column, value) entries in any order, no place twice.
    pub(crate) fn from_entries(
        n_rows: usize,
        n_cols: usize,
        mut entries: Vec<(u32, u32, f32)>,
    ) -> Result<Self> {
        entries.sort_unstable_by_key(|&(row, column, _)| (row, column));
        let mut indptr = vec![0; n_rows + 1];
        for &(row, ..) in &entries {
            indptr[row as usize + 1] += 1;
        }
        for row in 0..n_rows {
            indptr[row + 1] += indptr[row];
        }
        let indices = entries.iter().map(|&(_, column, _)| column).collect();
        let values = entries.iter().map(|&(.., value)| value).collect();
        Self::new(n_cols, indptr, indices, values)
    }

    /// How many rows (documents) there are.
    pub fn n_rows(&self) -> usize {
        self.indptr.len() - 1
    }

    /// How many columns (terms) there are.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// How many entries are stored.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// The stored values, row by row.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no row `i`, like the indexing of a slice.
    pub fn row(&self, i: usize) -> SparseRow<'_> {
        let entries = self.indptr[i]..self.indptr[i + 1];
        SparseRow {
            indices: &self.indices[entries.clone()],
            values: &self.values[entries],
        }
    }

    /// The rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = SparseRow<'_>> {
        (0..self.n_rows()).map(|i| self.row(i))
    }
}

/// One row, borrowed: strictly ascending columns, and a value for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SparseRow<'a> {
    /// The columns that have a value.
    pub indices: &'a [u32],
    /// The values, in the order of `indices`.
    pub values: &'a [f32],
}

/// One row, owned: the features of a single document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseVector {
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl SparseVector {
    /// A vector of `n_cols` dimensions.
    ///
    /// # Errors
    /// [`Error::InvalidMatrix`] if there isn't a value for each column, or the columns don't ascend strictly
    /// below `n_cols`.
    pub fn new(n_cols: usize, indices: Vec<u32>, values: Vec<f32>) -> Result<Self> {
        if indices.len() != values.len() {
            return invalid(format!("{} columns, but {} values", indices.len(), values.len()));
        }
        check_columns(&indices, n_cols).or_else(invalid)?;
        Ok(Self { indices, values })
    }

    /// How often each of `occurrences` occurs; brings them into order.
    pub(crate) fn count(occurrences: &mut [u32]) -> Self {
        occurrences.sort_unstable();
        let n_repeated = occurrences.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let n_different = occurrences.len() - n_repeated;
        let mut counted = Self {
            indices: Vec::with_capacity(n_different),
            values: Vec::with_capacity(n_different),
        };
        append_counts(occurrences, &mut counted.indices, &mut counted.values);
        counted
    }

    /// How many entries are stored.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// The vector as a row.
    pub fn as_row(&self) -> SparseRow<'_> {
        SparseRow {
            indices: &self.indices,
            values: &self.values,
        }
    }
}

/// Appends to `indices` and `values` how often each of `occurrences` occurs, ascending.
pub(crate) fn count_into(occurrences: &mut [u32], indices: &mut Vec<u32>, values: &mut Vec<f32>) {
    occurrences.sort_unstable();
    append_counts(occurrences, indices, values);
}

/// The same for occurrences in order.
fn append_counts(occurrences: &[u32], indices: &mut Vec<u32>, values: &mut Vec<f32>) {
    for run in occurrences.chunk_by(|a, b| a == b) {
        indices.push(run[0]);
        values.push(run.len() as f32);
    }
}

fn check_columns(columns: &[u32], n_cols: usize) -> Result<(), String> {
    if let Some(at) = columns.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(format!(
            "column {} follows column {}",
            columns[at + 1],
            columns[at]
        ));
    }
    match columns.last() {
        Some(&last) if last as usize >= n_cols => {
            Err(format!("column {last} in a matrix of {n_cols} columns"))
        }
        _ => Ok(()),
    }
}

fn invalid<T>(problem: String) -> Result<T> {
    Err(Error::InvalidMatrix { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(result: Result<CsrMatrix>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn rows_are_the_slices_between_their_bounds() {
        let matrix = CsrMatrix::new(3, vec![0, 1, 1, 3], vec![1, 0, 2], vec![2.0, 1.0, 3.0]).unwrap();
        assert_eq!((matrix.n_rows(), matrix.n_cols(), matrix.nnz()), (3, 3, 3));
        assert_eq!(
            matrix.row(0),
            SparseRow {
                indices: &[1],
                values: &[2.0]
            }
        );
        assert_eq!(
            matrix.row(1),
            SparseRow {
                indices: &[],
                values: &[]
            }
        );
        assert_eq!(
            matrix.row(2),
            SparseRow {
                indices: &[0, 2],
                values: &[1.0, 3.0]
            }
        );
    }

    #[test]
    fn matrix_of_no_rows_has_one_bound() {
        assert_eq!(CsrMatrix::new(5, vec![0], vec![], vec![]).unwrap().n_rows(), 0);
        assert!(CsrMatrix::new(5, vec![], vec![], vec![]).is_err());
    }

    #[test]
    fn entries_may_come_in_any_order() {
        let entries = vec![(2, 2, 3.0), (0, 1, 2.0), (2, 0, 1.0)];
        let expected = CsrMatrix::new(3, vec![0, 1, 1, 3], vec![1, 0, 2], vec![2.0, 1.0, 3.0]).unwrap();
        assert_eq!(CsrMatrix::from_entries(3, 3, entries).unwrap(), expected);
    }

    #[test]
    fn missing_value_is_refused() {
        assert!(
            problem_of(CsrMatrix::new(2, vec![0, 1], vec![0], vec![])).contains("1 columns, but 0 values")
        );
    }

    #[test]
    fn bounds_that_miss_entries_are_refused() {
        assert!(
            problem_of(CsrMatrix::new(2, vec![0, 1], vec![0, 1], vec![1.0; 2]))
                .contains("0 to the 2 entries")
        );
    }

    #[test]
    fn descending_bounds_are_refused() {
        let found = CsrMatrix::new(9, vec![0, 2, 1, 2], vec![0, 1], vec![1.0; 2]);
        assert!(problem_of(found).contains("row 1 ends before it starts"));
    }

    #[test]
    fn repeated_column_is_refused() {
        assert!(
            problem_of(CsrMatrix::new(2, vec![0, 2], vec![1, 1], vec![1.0; 2]))
                .contains("row 0: column 1 follows column 1")
        );
    }

    #[test]
    fn column_beyond_the_matrix_is_refused() {
        assert!(
            problem_of(CsrMatrix::new(2, vec![0, 1], vec![2], vec![1.0]))
                .contains("column 2 in a matrix of 2 columns")
        );
    }

    #[test]
    fn vector_counts_occurrences_in_column_order() {
        let counted = SparseVector::count(&mut [7, 2, 7, 7]);
        assert_eq!(
            counted.as_row(),
            SparseRow {
                indices: &[2, 7],
                values: &[1.0, 3.0]
            }
        );
    }
}
