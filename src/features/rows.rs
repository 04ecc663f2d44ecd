//! Matrices from documents: rows are made on every core and put together in order.

use std::ops::Range;

use rayon::prelude::*;
use tracing::Span;

use crate::error::Result;
use crate::sparse::CsrMatrix;

/// So many documents are made into rows before these are moved into the matrix: more only cost memory.
const DOCUMENTS_A_ROUND: usize = 512;
/// So many documents are made into rows by one thread at a stretch.
const DOCUMENTS_A_STRETCH: usize = 16;

/// The rows of some consecutive documents.
#[derive(Debug, Default)]
pub(super) struct Rows {
    ends: Vec<usize>,
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<f32>,
}

impl Rows {
    /// Ends a row: what was appended to `indices` and `values` since the last one is its entries, ascending.
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.indices.len());
    }
}

/// What a matrix will have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) n_documents: usize,
    pub(super) n_terms: usize,
    /// Room for entries that is made at once: exact where it can be known, for a matrix that grows moves.
    pub(super) room: usize,
}

/// The matrix of `shape` whose rows `append` appends, those of a range of documents at a time.
///
/// While the rows of a round are made, those of the round before are put together.
pub(super) fn matrix_of(shape: Shape, append: impl Fn(Range<usize>, &mut Rows) + Sync) -> Result<CsrMatrix> {
    let mut matrix = MatrixParts {
        indptr: Vec::with_capacity(shape.n_documents + 1),
        indices: Vec::with_capacity(shape.room),
        values: Vec::with_capacity(shape.room),
    };
    matrix.indptr.push(0);
    let span = Span::current();
    let mut made = Vec::new();
    for start in (0..shape.n_documents).step_by(DOCUMENTS_A_ROUND) {
        let round = start..shape.n_documents.min(start + DOCUMENTS_A_ROUND);
        let make = || make_round(round, &append, &span);
        (made, ()) = rayon::join(make, || span.in_scope(|| matrix.extend(&made)));
    }
    matrix.extend(&made);
    let MatrixParts {
        indptr,
        indices,
        values,
    } = matrix;
    CsrMatrix::new(shape.n_terms, indptr, indices, values)
}

fn make_round(
    round: Range<usize>,
    append: &(impl Fn(Range<usize>, &mut Rows) + Sync),
    span: &Span,
) -> Vec<Rows> {
    let n_stretches = round.len().div_ceil(DOCUMENTS_A_STRETCH);
    let stretches = (0..n_stretches).into_par_iter().map(|stretch| {
        let _entered = span.enter();
        let start = round.start + stretch * DOCUMENTS_A_STRETCH;
        let mut rows = Rows::default();
        append(start..round.end.min(start + DOCUMENTS_A_STRETCH), &mut rows);
        rows
    });
    stretches.collect()
}

/// A matrix in the making, see [`CsrMatrix`].
struct MatrixParts {
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
}

impl MatrixParts {
    fn extend(&mut self, made: &[Rows]) {
        for rows in made {
            let start = self.indices.len();
            self.indptr.extend(rows.ends.iter().map(|end| start + end));
            self.indices.extend_from_slice(&rows.indices);
            self.values.extend_from_slice(&rows.values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_many_rounds_stand_in_order() {
        let n_documents = 2 * DOCUMENTS_A_ROUND + DOCUMENTS_A_STRETCH + 1;
        let shape = Shape {
            n_documents,
            n_terms: n_documents,
            room: 0,
        };
        let matrix = matrix_of(shape, |documents, rows| {
            for document in documents {
                if document % 3 != 0 {
                    rows.indices.push(document as u32);
                    rows.values.push(1.0);
                }
                rows.end_row();
            }
        })
        .unwrap();
        assert_eq!(matrix.n_rows(), n_documents);
        for (document, row) in matrix.rows().enumerate() {
            let expected: &[u32] = if document % 3 == 0 {
                &[]
            } else {
                &[document as u32]
            };
            assert_eq!(row.indices, expected);
        }
    }
}
