//! From counts of terms to a row of tf-idf values.

use super::column_counter::ColumnCounter;
use crate::sparse::{SparseVector, Stretch};

/// Most counts are below this; their term-frequency factors are kept.
const USUAL_COUNTS: usize = 64;

/// Kinds of terms: words and character n-grams.
const KINDS: usize = 2;

/// Weighs counts: (1 + ln tf) × (ln((1 + n) / (1 + df)) + 1), each kind of term brought to a length of its own, the
/// whole row to unit length.
///
/// Sublinear term frequency and smooth inverse document frequency as in scikit-learn. The lengths are summed in `f64` in
/// the order of the columns: a row depends on its counts alone.
#[derive(Debug, PartialEq)]
pub(super) struct Weighting {
    /// Of each column.
    inverse_document_frequencies: Vec<f32>,
    /// The first column of each kind.
    starts: [u32; KINDS],
    /// The length of each kind's part of a row, before the whole row is brought to unit length.
    lengths: [f64; KINDS],
    /// 1 + ln tf.
    term_frequencies: [f32; USUAL_COUNTS],
}

/// The counts of a row, about to be weighed.
#[derive(Debug, Default)]
pub(super) struct CountedRow {
    /// (column, count), ascending; in the end (place, count), likewise.
    entries: Vec<(u32, u32)>,
    n_words: usize,
    /// What the weights of each kind are multiplied by.
    factors: [f32; KINDS],
}

impl CountedRow {
    /// Puts places in the place of columns: those of words are below those of n-grams, too. `counter` has no counts, and
    /// is left without.
    pub(super) fn order_by_place(&mut self, places: &[u32], counter: &mut ColumnCounter) {
        for &(column, count) in &self.entries {
            counter.add(places[column as usize], count);
        }
        self.entries.clear();
        counter.take(|place, count| self.entries.push((place, count)));
    }

    /// The entries of each kind.
    fn kinds(&self) -> [&[(u32, u32)]; KINDS] {
        let (words, grams) = self.entries.split_at(self.n_words);
        [words, grams]
    }
}

impl Weighting {
    /// A weighting of terms in `n_documents` documents: for each kind its weight and its terms' document frequencies.
    pub(super) fn new(n_documents: u32, kinds: [(f64, &[u32]); KINDS]) -> Self {
        let of_one = |&frequency: &u32| {
            (libm::log((1.0 + f64::from(n_documents)) / (1.0 + f64::from(frequency))) + 1.0) as f32
        };
        let frequencies = kinds.iter().flat_map(|(_, frequencies)| *frequencies);
        Self {
            inverse_document_frequencies: frequencies.map(of_one).collect(),
            starts: [0, kinds[0].1.len() as u32],
            lengths: kinds.map(|(length, _)| length),
            term_frequencies: std::array::from_fn(|count| term_frequency(count as u32)),
        }
    }

    pub(super) fn n_columns(&self) -> usize {
        self.inverse_document_frequencies.len()
    }

    /// Of each column.
    pub(super) fn inverse_document_frequencies(&self) -> &[f32] {
        &self.inverse_document_frequencies
    }

    /// The row of what `counter` counted, which is forgotten.
    pub(super) fn row(&self, counter: &mut ColumnCounter) -> SparseVector {
        let mut row = CountedRow {
            entries: std::mem::take(&mut counter.room),
            ..CountedRow::default()
        };
        self.take_row(counter, &mut row);
        let mut values = Vec::with_capacity(row.entries.len());
        for (entries, factor) in row.kinds().into_iter().zip(row.factors) {
            values.extend(entries.iter().map(|&(column, count)| {
                self.weight(count, factor) * self.inverse_document_frequencies[column as usize]
            }));
        }
        let columns = row.entries.iter().map(|&(column, _)| column).collect();
        counter.room = row.entries;
        SparseVector::new(self.n_columns(), columns, values).expect("the counter gives columns that ascend")
    }

    /// Sets `row` to what `counter` counted, which is forgotten.
    pub(super) fn take_row(&self, counter: &mut ColumnCounter, row: &mut CountedRow) {
        row.entries.clear();
        counter.take(|column, count| row.entries.push((column, count)));
        row.n_words = row
            .entries
            .partition_point(|&(column, _)| column < self.starts[1]);
        let lengths = row.kinds().map(|entries| self.length_of(entries));
        let squares = (0..KINDS).map(|kind| match lengths[kind] {
            length if length > 0.0 => self.lengths[kind] * self.lengths[kind],
            _ => 0.0,
        });
        let length_of_row = squares.sum::<f64>().sqrt();
        row.factors = std::array::from_fn(|kind| match lengths[kind] * length_of_row {
            length if length > 0.0 => (self.lengths[kind] / length) as f32,
            _ => 0.0,
        });
    }

    /// The length of entries before anything is brought to another.
    fn length_of(&self, entries: &[(u32, u32)]) -> f64 {
        let square = |&(column, count): &(u32, u32)| {
            let value = self.weight(count, 1.0) * self.inverse_document_frequencies[column as usize];
            f64::from(value) * f64::from(value)
        };
        entries.iter().map(square).sum::<f64>().sqrt()
    }

    /// Appends a row in the order of places, one run for each count of either kind.
    pub(super) fn append_row(&self, row: &CountedRow, rows: &mut Stretch) {
        for (entries, factor) in row.kinds().into_iter().zip(row.factors) {
            for count in counts(entries) {
                let run = entries.iter().filter(|entry| entry.1 == count);
                rows.push_run(self.weight(count, factor), run.map(|&(place, _)| place));
            }
        }
        rows.end_row();
    }

    /// What a column's inverse document frequency is multiplied by.
    fn weight(&self, count: u32, factor: f32) -> f32 {
        let usual = self.term_frequencies.get(count as usize);
        usual.copied().unwrap_or_else(|| term_frequency(count)) * factor
    }
}

/// The different counts, ascending.
fn counts(entries: &[(u32, u32)]) -> impl Iterator<Item = u32> {
    let mut usual = 0_u64;
    let mut unusual = Vec::new();
    for &(_, count) in entries {
        if (count as usize) < USUAL_COUNTS {
            usual |= 1 << count;
        } else {
            unusual.push(count);
        }
    }
    unusual.sort_unstable();
    unusual.dedup();
    (0..USUAL_COUNTS as u32)
        .filter(move |count| usual & (1 << count) != 0)
        .chain(unusual)
}

/// 1 + ln tf; of no occurrence, which no counter gives, nothing.
fn term_frequency(count: u32) -> f32 {
    match count {
        0 => 0.0,
        count => (1.0 + libm::log(f64::from(count))) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kinds: [(f64, &[u32]); KINDS], counts: &[(u32, u32)]) -> Vec<(u32, f32)> {
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
            &row([(1.0, &[9, 1, 1]), (1.0, &[])], &[(0, 100), (2, 1)]),
            &[(0, often / length), (2, rare / length)],
        );
    }

    #[test]
    fn kinds_have_their_share_of_the_unit_length() {
        let length = (1.0_f64 + 0.49).sqrt();
        let half = 0.7 / length / 2.0_f64.sqrt();
        assert_close(
            &row([(1.0, &[3]), (0.7, &[3, 3])], &[(0, 1), (1, 1), (2, 1)]),
            &[(0, 1.0 / length), (1, half), (2, half)],
        );
    }

    #[test]
    fn row_of_one_kind_has_unit_length_by_itself() {
        let kinds: [(f64, &[u32]); 2] = [(1.0, &[3]), (0.7, &[3])];
        assert_close(&row(kinds, &[(1, 5)]), &[(1, 1.0)]);
        assert_close(&row(kinds, &[(0, 5)]), &[(0, 1.0)]);
        assert_close(&row(kinds, &[]), &[]);
    }

    #[test]
    fn weight_too_small_to_be_squared_makes_nothing_infinite() {
        assert_close(&row([(1.0, &[3]), (1e-200, &[3])], &[(1, 5)]), &[(1, 0.0)]);
    }

    #[test]
    fn different_counts_ascend_each_once() {
        let entries = [(0, 100), (1, 64), (2, 1), (3, 63), (4, 64), (5, 1), (6, 70)];
        assert_eq!(counts(&entries).collect::<Vec<_>>(), [1, 63, 64, 70, 100]);
    }
}
