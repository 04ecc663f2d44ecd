//! The arithmetic of the network, as loops over one row of hidden units at a time.
//!
//! Every weight matrix is kept as rows of [`PADDED`] hidden units: first-layer weights one row per term,
//! output weights one row per output. All products of a training step are then the same operation, a sum of
//! rows times scalars ([`weighted_sum`]), but for the logits, which read a transposed copy ([`LogitWeights`]). Each sum
//! runs over its terms in one fixed order, and lanes never mix: neither the vector width nor the number of
//! threads can change a bit of the result.

use crate::learners::Real;

/// Units in the hidden layer.
pub(crate) const HIDDEN: usize = 100;

/// Hidden units with padding to whole vectors; the padding's weights are zero and stay zero.
pub(crate) const PADDED: usize = VECTORS * LANES;

/// Numbers that are worked on together: one 256-bit vector in single precision.
const LANES: usize = 8;

/// Thirteen vectors: they fit the sixteen registers of AVX2 as accumulators.
const VECTORS: usize = 13;

/// One value per hidden unit.
pub(crate) type Units<T> = [T; PADDED];

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
    let mut flat = [T::zero(); PADDED];
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
        self.logits_of_rows(biases, &std::iter::once(activations), logits);
    }

    /// The same for several rows, whose logits follow on each other.
    // PERF: block by block, each for all rows: the weights of thousands of outputs don't stay near from row to row.
    #[inline(always)]
    pub(crate) fn logits_of_rows<'a>(
        &self,
        biases: &[T],
        rows: &(impl Iterator<Item = &'a Units<T>> + Clone),
        logits: &mut [T],
    ) {
        let n_outputs = biases.len();
        let blocks = self.by_unit.iter().zip(biases.chunks(OUTPUTS_AT_ONCE));
        for (block, (by_unit, biases)) in blocks.enumerate() {
            for (activations, logits) in rows.clone().zip(logits.chunks_exact_mut(n_outputs)) {
                let mut sums = [[T::zero(); LANES]; OUTPUTS_AT_ONCE / LANES];
                for (weights, &activation) in by_unit.iter().zip(activations) {
                    for vector in 0..OUTPUTS_AT_ONCE / LANES {
                        for lane in 0..LANES {
                            sums[vector][lane] += activation * weights[vector * LANES + lane];
                        }
                    }
                }
                let logits = &mut logits[block * OUTPUTS_AT_ONCE..];
                for (output, (logit, &bias)) in logits.iter_mut().zip(biases).enumerate() {
                    *logit = sums[output / LANES][output % LANES] + bias;
                }
            }
        }
    }
}

/// Rows of sums that are taken together, and vectors of each.
pub(crate) const SUMS_AT_ONCE: usize = 4;
const VECTORS_AT_ONCE: usize = 3;

/// For some places k from `first` on, `Σ factors[k] × row`, in the order of `terms`: what [`weighted_sum`] gives for each.
// PERF: a few vectors of several sums at a time. Every number of a row is then read once for all sums, not for each.
#[inline(always)]
pub(crate) fn weighted_sums<'a, T: Real>(
    first: usize,
    terms: impl Iterator<Item = (&'a [T], &'a Units<T>)> + Clone,
    sums: &mut [Units<T>; SUMS_AT_ONCE],
) {
    for vector in (0..VECTORS - 1).step_by(VECTORS_AT_ONCE) {
        part_of_weighted_sums::<T, VECTORS_AT_ONCE, { VECTORS_AT_ONCE * SUMS_AT_ONCE }>(
            first,
            terms.clone(),
            vector,
            sums,
        );
    }
    part_of_weighted_sums::<T, 1, SUMS_AT_ONCE>(first, terms, VECTORS - 1, sums);
}

const _: () = assert!(
    (VECTORS - 1).is_multiple_of(VECTORS_AT_ONCE),
    "one vector is left over"
);

/// `WIDTH` vectors from `from` on: with those of all sums `PLACES`.
#[inline(always)]
fn part_of_weighted_sums<'a, T: Real, const WIDTH: usize, const PLACES: usize>(
    first: usize,
    terms: impl Iterator<Item = (&'a [T], &'a Units<T>)>,
    from: usize,
    flat: &mut [Units<T>; SUMS_AT_ONCE],
) {
    let mut sums = [[T::zero(); LANES]; PLACES];
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

/// Sum of squares, lane by lane and then across lanes in a fixed tree.
#[inline(always)]
pub(crate) fn sum_of_squares<T: Real>(row: &Units<T>) -> T {
    let mut lanes = [T::zero(); LANES];
    for vector in row.chunks_exact(LANES) {
        for lane in 0..LANES {
            lanes[lane] += vector[lane] * vector[lane];
        }
    }
    // PERF: kept from the compiler's eyes, which else makes half vectors of the whole loop to suit the tree below.
    let lanes = std::hint::black_box(lanes);
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sums depend on their order.
    fn units(row: usize) -> Units<f32> {
        std::array::from_fn(|unit| ((row * 31 + unit * 17) % 101) as f32 / 7.0 - 5.0)
    }

    #[test]
    fn sums_taken_together_are_those_taken_alone() {
        const N_OUTPUTS: usize = 6;
        let rows: Vec<Units<f32>> = (0..9).map(units).collect();
        let factors: Vec<f32> = (0..9 * N_OUTPUTS)
            .map(|place| (place * 13 % 29) as f32 / 3.0 - 4.0)
            .collect();
        let terms = factors.chunks_exact(N_OUTPUTS).zip(&rows);
        let mut together = [[0.0; PADDED]; SUMS_AT_ONCE];
        weighted_sums(2, terms.clone(), &mut together);
        for (sum, together) in together.iter().enumerate() {
            let alone = terms.clone().map(|(factors, row)| (factors[2 + sum], row));
            let alone = weighted_sum(&[0.0; PADDED], alone);
            assert_eq!(together.map(f32::to_bits), alone.map(f32::to_bits));
        }
    }

    #[test]
    fn logits_of_rows_are_those_of_each_row() {
        const N_OUTPUTS: usize = OUTPUTS_AT_ONCE + 3;
        let output_weights: Vec<Units<f32>> = (0..N_OUTPUTS).map(|output| units(output + 50)).collect();
        let biases: Vec<f32> = (0..N_OUTPUTS).map(|output| output as f32 / 3.0).collect();
        let rows: Vec<Units<f32>> = (0..3).map(units).collect();
        let mut weights = LogitWeights::default();
        weights.fill(&output_weights);
        let mut together = vec![0.0; 3 * N_OUTPUTS];
        weights.logits_of_rows(&biases, &rows.iter(), &mut together);
        for (activations, together) in rows.iter().zip(together.chunks_exact(N_OUTPUTS)) {
            let mut alone = [0.0; N_OUTPUTS];
            weights.logits(&biases, activations, &mut alone);
            assert_eq!(together, alone);
            let last = output_weights[N_OUTPUTS - 1].iter().zip(activations);
            let last: f32 = last
                .take(HIDDEN)
                .map(|(weight, activation)| weight * activation)
                .sum();
            assert!((alone[N_OUTPUTS - 1] - biases[N_OUTPUTS - 1] - last).abs() < 1e-2);
        }
    }
}
