//! The arithmetic of the network, as loops over one row of hidden units at a time.
//!
//! Every weight matrix is kept as rows of [`PADDED`] hidden units: first-layer weights one row per term,
//! output weights one row per output. All products of a training step are then the same operation, a sum of
//! rows times scalars ([`weighted_sum`]), but for the logits, which read a transposed copy ([`LogitWeights`]). Each sum
//! runs over its terms in one fixed order, and lanes never mix: neither the vector width nor the number of
//! threads can change a bit of the result.

use std::array::from_fn;
use std::ops::{Deref, DerefMut};

use crate::learners::Real;

/// Units in the hidden layer.
pub(crate) const HIDDEN: usize = 100;

/// Hidden units with padding to whole vectors; the padding's weights are zero and stay zero.
pub(crate) const PADDED: usize = VECTORS * LANES;

/// Numbers that are worked on together: one 256-bit vector in single precision.
pub(crate) const LANES: usize = 8;

/// Thirteen vectors: they fit the sixteen registers of AVX2 as accumulators.
const VECTORS: usize = 13;

/// One value per hidden unit.
// PERF: as the allocator aligns them, to 16 bytes, every second vector of a row lay in two cache lines.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(crate) struct Units<T>([T; PADDED]);

impl<T: Real> Units<T> {
    #[inline(always)]
    pub(crate) fn zero() -> Self {
        Self([T::zero(); PADDED])
    }

    #[inline(always)]
    pub(crate) fn from_fn(value: impl FnMut(usize) -> T) -> Self {
        Self(from_fn(value))
    }

    #[inline(always)]
    pub(crate) fn vectors_mut(&mut self) -> impl Iterator<Item = &mut [T; LANES]> {
        self.0.as_chunks_mut().0.iter_mut()
    }

    #[inline(always)]
    pub(crate) fn changed(self, change: impl FnMut(T) -> T) -> Self {
        Self(self.0.map(change))
    }
}

impl<T> Deref for Units<T> {
    type Target = [T; PADDED];

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> DerefMut for Units<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// `start + Σ factor × row`, in the order of `terms`.
#[inline(always)]
pub(crate) fn weighted_sum<'a, T: Real>(
    start: &Units<T>,
    terms: impl Iterator<Item = (T, &'a Units<T>)>,
) -> Units<T> {
    // PERF: an array of vectors is kept in registers, a flat array in memory (340 instead of 410 ns for 62 rows).
    let mut sum = [[T::zero(); LANES]; VECTORS];
    for vector in 0..VECTORS {
        for lane in 0..LANES {
            sum[vector][lane] = start[vector * LANES + lane];
        }
    }
    for (factor, row) in terms {
        for vector in 0..VECTORS {
            for lane in 0..LANES {
                sum[vector][lane] += factor * row[vector * LANES + lane];
            }
        }
    }
    let mut flat = Units::zero();
    for vector in 0..VECTORS {
        for lane in 0..LANES {
            flat[vector * LANES + lane] = sum[vector][lane];
        }
    }
    flat
}

/// Outputs whose logits are summed together: four vectors, enough to hide the latency of an addition.
pub(crate) const OUTPUTS_AT_ONCE: usize = 4 * LANES;

/// The output weights once more, as the logits read them: for some outputs at a time, one row per hidden unit. A
/// logit is then a sum that runs over the hidden units in order, like every other sum here, and not an inner product
/// whose lanes would have to be added up across for each output, which took a tenth of a training longer.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogitWeights<T> {
    by_unit: Vec<[[T; OUTPUTS_AT_ONCE]; HIDDEN]>,
}

impl<T: Real> LogitWeights<T> {
    /// Copies the weights, given one row per output.
    pub(crate) fn fill(&mut self, output_weights: &[Units<T>]) {
        let n_blocks = output_weights.len().div_ceil(OUTPUTS_AT_ONCE);
        self.by_unit
            .resize(n_blocks, [[T::zero(); OUTPUTS_AT_ONCE]; HIDDEN]);
        for (block, rows) in self
            .by_unit
            .iter_mut()
            .zip(output_weights.chunks(OUTPUTS_AT_ONCE))
        {
            for (output, row) in rows.iter().enumerate() {
                for unit in 0..HIDDEN {
                    block[unit][output] = row[unit];
                }
            }
        }
    }

    /// Sets `logits` to bias + Σ activation × weight.
    #[inline(always)]
    pub(crate) fn logits(&self, biases: &[T], activations: &Units<T>, logits: &mut [T]) {
        self.logits_of_rows(biases, &[activations], |row| row, logits);
    }

    /// The same for several rows, each with its activations; the logits of a row follow on those of the one before.
    // PERF: block by block, each for all rows: the weights of thousands of outputs don't stay near from row to row.
    #[inline(always)]
    pub(crate) fn logits_of_rows<R>(
        &self,
        biases: &[T],
        rows: &[R],
        activations: impl Fn(&R) -> &Units<T>,
        logits: &mut [T],
    ) {
        let n_outputs = biases.len();
        let blocks = self.by_unit.iter().zip(biases.chunks(OUTPUTS_AT_ONCE));
        for (block, (by_unit, biases)) in blocks.enumerate() {
            let block = LogitBlock {
                by_unit,
                biases,
                first: block * OUTPUTS_AT_ONCE,
                n_outputs,
            };
            // PERF: eight vectors of sums at a time where there are rows enough, of two rows or of four.
            let mut row = 0;
            if biases.len() > OUTPUTS_AT_ONCE / 2 {
                while let Some([a, b]) = rows[row..].first_chunk() {
                    let pair = [activations(a), activations(b)];
                    block.logits::<2, 4, 8>(pair, &mut logits[row * n_outputs..]);
                    row += pair.len();
                }
            } else {
                while let Some([a, b, c, d]) = rows[row..].first_chunk() {
                    let four = [activations(a), activations(b), activations(c), activations(d)];
                    block.logits::<4, 2, 8>(four, &mut logits[row * n_outputs..]);
                    row += four.len();
                }
            }
            while let Some(one) = rows.get(row) {
                block.logits::<1, 4, 4>([activations(one)], &mut logits[row * n_outputs..]);
                row += 1;
            }
        }
    }
}

/// The outputs whose logits are summed together.
struct LogitBlock<'a, T> {
    by_unit: &'a [[T; OUTPUTS_AT_ONCE]; HIDDEN],
    /// As many as the block has outputs.
    biases: &'a [T],
    /// The first of its outputs.
    first: usize,
    /// Of all blocks.
    n_outputs: usize,
}

impl<T: Real> LogitBlock<'_, T> {
    /// Logits of `ROWS` rows, in the `WIDTH` first vectors of the block: `PLACES` vectors in all.
    #[inline(always)]
    fn logits<const ROWS: usize, const WIDTH: usize, const PLACES: usize>(
        &self,
        activations: [&Units<T>; ROWS],
        logits: &mut [T],
    ) {
        let mut sums = [[T::zero(); LANES]; PLACES];
        for (unit, weights) in self.by_unit.iter().enumerate() {
            let factors: [T; ROWS] = from_fn(|row| activations[row][unit]);
            let weights = &weights.as_chunks::<LANES>().0[..WIDTH];
            for place in 0..PLACES {
                for lane in 0..LANES {
                    sums[place][lane] += factors[place / WIDTH] * weights[place % WIDTH][lane];
                }
            }
        }
        // PERF: kept from the compiler's eyes, which else takes the sums apart into single numbers.
        let sums = std::hint::black_box(sums);
        let rows = sums.chunks_exact(WIDTH).zip(logits.chunks_mut(self.n_outputs));
        for (sums, logits) in rows {
            let logits = logits[self.first..].iter_mut().zip(self.biases);
            for ((logit, &bias), &sum) in logits.zip(sums.as_flattened()) {
                *logit = sum + bias;
            }
        }
    }
}

/// Rows of sums that are taken together, and vectors of each.
// PERF: with three vectors of each the compiler had one register too few, and one sum waited for memory at every term.
pub(crate) const SUMS_AT_ONCE: usize = 4;
const VECTORS_AT_ONCE: usize = 2;

/// For some places k from `first` on, adds `Σ factors[k] × row`, in the order of `terms`, to the sum as it stands: what
/// [`weighted_sum`] gives for each.
// PERF: a few vectors of several sums at a time. Every number of a row is then read once for all sums, not for each.
#[inline(always)]
pub(crate) fn add_weighted_sums<'a, T: Real>(
    first: usize,
    terms: impl Iterator<Item = (&'a [T], &'a Units<T>)> + Clone,
    sums: &mut [Units<T>; SUMS_AT_ONCE],
) {
    for vector in (0..VECTORS - 1).step_by(VECTORS_AT_ONCE) {
        add_part_of_weighted_sums::<T, VECTORS_AT_ONCE, { VECTORS_AT_ONCE * SUMS_AT_ONCE }>(
            first,
            terms.clone(),
            vector,
            sums,
        );
    }
    add_part_of_weighted_sums::<T, 1, SUMS_AT_ONCE>(first, terms, VECTORS - 1, sums);
}

const _: () = assert!(
    (VECTORS - 1).is_multiple_of(VECTORS_AT_ONCE),
    "one vector is left over"
);

/// `WIDTH` vectors from `from` on: with those of all sums `PLACES`.
#[inline(always)]
fn add_part_of_weighted_sums<'a, T: Real, const WIDTH: usize, const PLACES: usize>(
    first: usize,
    terms: impl Iterator<Item = (&'a [T], &'a Units<T>)>,
    from: usize,
    flat: &mut [Units<T>; SUMS_AT_ONCE],
) {
    let mut sums: [[T; LANES]; PLACES] =
        from_fn(|place| flat[place / WIDTH].as_chunks().0[from + place % WIDTH]);
    for (factors, row) in terms {
        let factors = &factors[first..first + SUMS_AT_ONCE];
        let row = &row.as_chunks::<LANES>().0[from..from + WIDTH];
        for place in 0..PLACES {
            for lane in 0..LANES {
                sums[place][lane] += factors[place / WIDTH] * row[place % WIDTH][lane];
            }
        }
    }
    for place in 0..PLACES {
        for lane in 0..LANES {
            flat[place / WIDTH][(from + place % WIDTH) * LANES + lane] = sums[place][lane];
        }
    }
}

/// Sum of the lanes in a fixed tree.
#[inline(always)]
pub(crate) fn sum_across<T: Real>(lanes: [T; LANES]) -> T {
    // PERF: kept from the compiler's eyes, which else makes half vectors of the loop before to suit the tree.
    let lanes = std::hint::black_box(lanes);
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sums depend on their order.
    fn units(row: usize) -> Units<f32> {
        Units::from_fn(|unit| ((row * 31 + unit * 17) % 101) as f32 / 7.0 - 5.0)
    }

    #[test]
    fn sums_taken_together_are_those_taken_alone() {
        const N_OUTPUTS: usize = 6;
        let rows: Vec<Units<f32>> = (0..9).map(units).collect();
        let factors: Vec<f32> = (0..9 * N_OUTPUTS)
            .map(|place| (place * 13 % 29) as f32 / 3.0 - 4.0)
            .collect();
        let terms = factors.chunks_exact(N_OUTPUTS).zip(&rows);
        let mut together = [Units::zero(); SUMS_AT_ONCE];
        let (before, after) = (terms.clone().take(5), terms.clone().skip(5));
        add_weighted_sums(2, before, &mut together);
        add_weighted_sums(2, after, &mut together);
        for (sum, together) in together.iter().enumerate() {
            let alone = terms.clone().map(|(factors, row)| (factors[2 + sum], row));
            let alone = weighted_sum(&Units::zero(), alone);
            assert_eq!(together.map(f32::to_bits), alone.map(f32::to_bits));
        }
    }

    #[test]
    fn logits_of_rows_are_those_of_each_row() {
        const N_OUTPUTS: usize = OUTPUTS_AT_ONCE + 3;
        let output_weights: Vec<Units<f32>> = (0..N_OUTPUTS).map(|output| units(output + 50)).collect();
        let biases: Vec<f32> = (0..N_OUTPUTS).map(|output| output as f32 / 3.0).collect();
        let rows: Vec<Units<f32>> = (0..7).map(units).collect();
        let mut weights = LogitWeights::default();
        weights.fill(&output_weights);
        let mut together = vec![0.0; 7 * N_OUTPUTS];
        weights.logits_of_rows(&biases, &rows, |row| row, &mut together);
        for (activations, together) in rows.iter().zip(together.chunks_exact(N_OUTPUTS)) {
            let mut alone = [0.0; N_OUTPUTS];
            weights.logits(&biases, activations, &mut alone);
            assert_eq!(together, alone);
            let last = output_weights[N_OUTPUTS - 1].iter().zip(activations.iter());
            let last: f32 = last
                .take(HIDDEN)
                .map(|(weight, activation)| weight * activation)
                .sum();
            assert!((alone[N_OUTPUTS - 1] - biases[N_OUTPUTS - 1] - last).abs() < 1e-2);
        }
    }
}
