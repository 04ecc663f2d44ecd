//! How like a document is to the documents of each label: cosines to their means.
//!
//! In come the rows of a matrix, of length 1 (or 0), and the group that each belongs to; every row also belongs to "all".
//! Out go unit vectors as the weights of a [`Linear`] without biases, whose scores for a row of length 1 are the
//! cosines.

use crate::learners::linear::Linear;
use crate::sparse::{CsrMatrix, FactoredMatrix};

/// The direction of the mean row of each of `n_groups` groups, and last that of all rows; and the lengths of the sums
/// that they were made of. `group_of_row` has the group of each row.
pub(super) fn centroids(
    matrix: &FactoredMatrix,
    group_of_row: &[usize],
    n_groups: usize,
) -> (Linear, GroupSizes) {
    let mut members = vec![Vec::new(); n_groups + 1];
    for (row, &group) in group_of_row.iter().enumerate() {
        members[group].push(row);
        members[n_groups].push(row);
    }
    let mut sums = vec![0.0_f32; matrix.n_cols()];
    let mut entries = Vec::new();
    let mut lengths = Vec::with_capacity(members.len());
    for (group, rows) in (0_u32..).zip(&members) {
        for &row in rows {
            matrix.for_each_entry(row, |term, value| sums[term as usize] += value);
        }
        let square: f64 = sums.iter().map(|&sum| f64::from(sum) * f64::from(sum)).sum();
        let length = square.sqrt() as f32;
        for (term, sum) in (0_u32..).zip(&mut sums) {
            let sum = std::mem::take(sum);
            if sum > 0.0 {
                entries.push((term, group, sum / length));
            }
        }
        lengths.push(length);
    }
    let directions = CsrMatrix::from_entries(matrix.n_cols(), n_groups + 1, entries)
        .and_then(|entries| Linear::new(entries, vec![0.0; n_groups + 1]))
        .expect("each group has each term once");
    (directions, GroupSizes { lengths })
}

/// The lengths of the sums that the directions were made of: they allow to take one row out again.
#[derive(Debug)]
pub(super) struct GroupSizes {
    lengths: Vec<f32>,
}

impl GroupSizes {
    /// Changes the cosines of a row that belongs to `group` into those to the means of the *other* rows: a held-out
    /// document isn't among those that it is compared with. For a sum S of length ℓ and a row x of length 1 in it,
    /// x·(S − x) = x·S − 1 and |S − x|² = ℓ² − 2 x·S + 1.
    pub(super) fn leave_out(&self, group: usize, cosines: &mut [f32]) {
        for at in [group, self.lengths.len() - 1] {
            let length = f64::from(self.lengths[at]);
            let product = f64::from(cosines[at]) * length;
            let rest = (length * length - 2.0 * product + 1.0).max(0.0).sqrt();
            cosines[at] = if rest > 1e-3 {
                ((product - 1.0) / rest) as f32
            } else {
                0.0
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> FactoredMatrix {
        let rows = CsrMatrix::from_rows(
            3,
            &[
                vec![(0, 1.0)],
                vec![(0, 0.6), (1, 0.8)],
                vec![(2, 1.0)],
                vec![(1, 0.6), (2, 0.8)],
            ],
        );
        FactoredMatrix::from(&rows)
    }

    fn cosines(directions: &Linear, matrix: &FactoredMatrix, row: usize) -> Vec<f32> {
        let mut cosines = vec![0.0; directions.n_outputs()];
        directions.scores(matrix.row(row).as_row(), &mut cosines);
        cosines
    }

    fn assert_close(found: f32, expected: f32) {
        assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
    }

    #[test]
    fn scores_are_the_cosines_to_the_means() {
        let matrix = matrix();
        let (directions, _) = centroids(&matrix, &[0, 0, 1, 1], 2);
        let cosines = cosines(&directions, &matrix, 0);
        assert_close(cosines[0], 1.6 / (1.6_f32.powi(2) + 0.8_f32.powi(2)).sqrt());
        assert_close(cosines[1], 0.0);
        let all = [1.6_f32, 1.4, 1.8];
        assert_close(cosines[2], 1.6 / all.iter().map(|x| x * x).sum::<f32>().sqrt());
    }

    #[test]
    fn a_row_left_out_is_compared_with_the_others_only() {
        let matrix = matrix();
        let (directions, sizes) = centroids(&matrix, &[0, 0, 1, 1], 2);
        let mut cosines = cosines(&directions, &matrix, 1);
        sizes.leave_out(0, &mut cosines);
        assert_close(cosines[0], 0.6);
        let others = [1.0_f32, 0.6, 1.8];
        assert_close(
            cosines[2],
            (0.6 + 0.48) / others.iter().map(|x| x * x).sum::<f32>().sqrt(),
        );
    }

    #[test]
    fn the_only_row_of_a_group_is_like_nothing_when_left_out() {
        let matrix = FactoredMatrix::from(&CsrMatrix::from_rows(2, &[vec![(0, 1.0)], vec![(1, 1.0)]]));
        let (directions, sizes) = centroids(&matrix, &[0, 1], 2);
        let mut cosines = cosines(&directions, &matrix, 0);
        sizes.leave_out(0, &mut cosines);
        assert_close(cosines[0], 0.0);
    }
}
