//! From counts of terms to a row of tf-idf values.

use super::column_counter::ColumnCounter;
use crate::sparse::SparseVector;

/// Most counts are below this; their term-frequency factors are kept.
const USUAL_COUNTS: usize = 64;

/// Weighs counts: (1 + ln tf) × (ln((1 + n) / (1 + df)) + 1), each kind of term brought to a length of its own, the
/// whole row to unit length.
///
/// Sublinear term frequency and smooth inverse document frequency as in scikit-learn. Sums are made in `f64` in the
/// order of the columns: a row depends on its counts alone.
#[derive(Debug)]
pub(super) struct Weighting {
    /// Of each column.
    inverse_document_frequencies: Vec<f64>,
    kinds: Vec<KindWeight>,
    /// 1 + ln tf.
    term_frequencies: [f64; USUAL_COUNTS],
}

/// The columns of one kind of term, which follow those of the kind before.
#[derive(Debug)]
struct KindWeight {
    end: u32,
    /// The length of its part of a row, before the whole row is brought to unit length.
    weight: f64,
}

impl Weighting {
    /// A weighting of terms in `n_documents` documents: for each kind its weight and its terms' document frequencies.
    pub(super) fn new(n_documents: u32, kinds: &[(f64, &[u32])]) -> Self {
        let of_one =
            |&frequency: &u32| libm::log((1.0 + f64::from(n_documents)) / (1.0 + f64::from(frequency))) + 1.0;
        let mut weighting = Self {
            inverse_document_frequencies: Vec::new(),
            kinds: Vec::new(),
            term_frequencies: std::array::from_fn(|count| term_frequency(count as u32)),
        };
        let idfs = &mut weighting.inverse_document_frequencies;
        for &(weight, document_frequencies) in kinds {
            idfs.extend(document_frequencies.iter().map(of_one));
            let end = idfs.len() as u32;
            weighting.kinds.push(KindWeight { end, weight });
        }
        weighting
    }

    pub(super) fn n_columns(&self) -> usize {
        self.inverse_document_frequencies.len()
    }

    /// The row of what `counter` counted, which is forgotten.
    pub(super) fn row(&self, counter: &mut ColumnCounter) -> SparseVector {
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        self.append_row(counter, &mut indices, &mut values);
        SparseVector::new(self.n_columns(), indices, values).expect("the counter gives columns that ascend")
    }

    /// Appends the row of what `counter` counted, which is forgotten.
    pub(super) fn append_row(
        &self,
        counter: &mut ColumnCounter,
        indices: &mut Vec<u32>,
        values: &mut Vec<f32>,
    ) {
        let start = indices.len();
        counter.take(|column, count| {
            let idf = self.inverse_document_frequencies[column as usize];
            indices.push(column);
            values.push((self.term_frequency(count) * idf) as f32);
        });
        let (mut columns, mut values) = (&indices[start..], &mut values[start..]);
        let mut parts = Vec::with_capacity(self.kinds.len());
        let mut square_of_row = 0.0;
        for kind in &self.kinds {
            let n_columns = columns.partition_point(|&column| column < kind.end);
            columns = &columns[n_columns..];
            let (part, rest) = values.split_at_mut(n_columns);
            values = rest;
            if !part.is_empty() {
                square_of_row += kind.weight * kind.weight;
                parts.push((kind.weight / length_of(part), part));
            }
        }
        for (factor, part) in parts {
            let factor = factor / square_of_row.sqrt();
            for value in part {
                *value = (f64::from(*value) * factor) as f32;
            }
        }
    }

    #[inline]
    fn term_frequency(&self, count: u32) -> f64 {
        let usual = self.term_frequencies.get(count as usize);
        usual.copied().unwrap_or_else(|| term_frequency(count))
    }
}

/// 1 + ln tf; of no occurrence, which no counter gives, nothing.
fn term_frequency(count: u32) -> f64 {
    match count {
        0 => 0.0,
        count => 1.0 + libm::log(f64::from(count)),
    }
}

fn length_of(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&value| f64::from(value) * f64::from(value));
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kinds: &[(f64, &[u32])], counts: &[(u32, u32)]) -> Vec<(u32, f32)> {
        let weighting = Weighting::new(9, kinds);
        let mut counter = ColumnCounter::new(weighting.n_columns());
        for &(column, count) in counts {
            counter.add(column, count);
        }
        let row = weighting.row(&mut counter);
        let row = row.as_row();
        row.indices
            .iter()
            .copied()
            .zip(row.values.iter().copied())
            .collect()
    }

    fn assert_close(found: &[(u32, f32)], expected: &[(u32, f64)]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (&(column, value), &(expected_column, expected)) in found.iter().zip(expected) {
            assert_eq!(column, expected_column);
            assert!((f64::from(value) - expected).abs() < 1e-7, "{value} {expected}");
        }
    }

    #[test]
    fn terms_weigh_by_how_often_and_how_rare() {
        // (1 + ln 100) × 1 and 1 × (ln(10/2) + 1), to unit length.
        let (often, rare) = (1.0 + 100.0_f64.ln(), 1.0 + 5.0_f64.ln());
        let length = often.hypot(rare);
        assert_close(
            &row(&[(1.0, &[9, 1, 1])], &[(0, 100), (2, 1)]),
            &[(0, often / length), (2, rare / length)],
        );
    }

    #[test]
    fn kinds_have_their_share_of_the_unit_length() {
        let length = (1.0_f64 + 0.49).sqrt();
        let half = 0.7 / length / 2.0_f64.sqrt();
        assert_close(
            &row(&[(1.0, &[3]), (0.7, &[3, 3])], &[(0, 1), (1, 1), (2, 1)]),
            &[(0, 1.0 / length), (1, half), (2, half)],
        );
    }

    #[test]
    fn row_of_one_kind_has_unit_length_by_itself() {
        let kinds: [(f64, &[u32]); 2] = [(1.0, &[3]), (0.7, &[3])];
        assert_close(&row(&kinds, &[(1, 5)]), &[(1, 1.0)]);
        assert_close(&row(&kinds, &[(0, 5)]), &[(0, 1.0)]);
        assert_close(&row(&kinds, &[]), &[]);
    }
}
