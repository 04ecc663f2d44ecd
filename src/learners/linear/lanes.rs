//! One number for each output of a block, and the loops over the entries of a row that all of them share.

use std::array::from_fn;

use crate::sparse::SparseRow;

/// Numbers that are worked on together: one 256-bit vector in single precision.
pub(super) const VECTOR: usize = 8;
/// Vectors in a block.
pub(super) const VECTORS: usize = 2;
/// Outputs that are trained together: every entry of a row is read once for all of them.
pub(super) const LANES: usize = VECTOR * VECTORS;
/// Sums that a row's entries are dealt out to in turn: as many as hide the latency of an addition.
const SUMS: usize = 4;

/// One number for each output of a block.
pub(super) type Lanes = [[f32; VECTOR]; VECTORS];

/// A number of a term for each output: a cache line, and at the start of one, so that they are never in two.
// PERF: kept in memory only. What is worked on are plain arrays; aligned like this, they were not kept in registers,
// and a training took half as long again.
#[repr(align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TermLanes(pub(super) Lanes);

/// The same number for each.
pub(super) const fn all(number: f32) -> Lanes {
    [[number; VECTOR]; VECTORS]
}

/// A number for each lane.
pub(super) fn each_lane(number: impl Fn(usize) -> f32) -> Lanes {
    from_fn(|vector| from_fn(|lane| number(vector * VECTOR + lane)))
}

/// The number of one lane.
pub(super) fn of_lane(lanes: &Lanes, lane: usize) -> f32 {
    lanes[lane / VECTOR][lane % VECTOR]
}

/// `bias + Σ value × weights`, summed in an order that the row's length alone decides.
#[inline(always)]
pub(super) fn score(weights: &[TermLanes], bias: &Lanes, row: SparseRow<'_>) -> Lanes {
    let mut sums = [all(0.0); SUMS];
    let (indices, last_indices) = row.indices.as_chunks::<SUMS>();
    let (values, last_values) = row.values.as_chunks::<SUMS>();
    for (indices, values) in indices.iter().zip(values) {
        for sum in 0..SUMS {
            add_scaled(&mut sums[sum], values[sum], &weights[indices[sum] as usize].0);
        }
    }
    for (sum, (&index, &value)) in sums.iter_mut().zip(last_indices.iter().zip(last_values)) {
        add_scaled(sum, value, &weights[index as usize].0);
    }
    let mut total = *bias;
    for vector in 0..VECTORS {
        for lane in 0..VECTOR {
            total[vector][lane] += (sums[0][vector][lane] + sums[1][vector][lane])
                + (sums[2][vector][lane] + sums[3][vector][lane]);
        }
    }
    total
}

/// Adds `step × value × scale` to the weights of the row's terms.
#[inline(always)]
pub(super) fn move_weights(
    weights: &mut [TermLanes],
    scales: &[TermLanes],
    step: &Lanes,
    row: SparseRow<'_>,
) {
    for (&index, &value) in row.indices.iter().zip(row.values) {
        let (weights, scales) = (&mut weights[index as usize].0, &scales[index as usize].0);
        for vector in 0..VECTORS {
            for lane in 0..VECTOR {
                weights[vector][lane] += value * scales[vector][lane] * step[vector][lane];
            }
        }
    }
}

/// The square of the row's length as each output sees it, with the constant feature.
#[inline(always)]
pub(super) fn squared_length(scales: &[TermLanes], bias_square: f32, row: SparseRow<'_>) -> Lanes {
    let mut sum = all(bias_square);
    for (&index, &value) in row.indices.iter().zip(row.values) {
        add_scaled(&mut sum, value * value, &scales[index as usize].0);
    }
    sum
}

/// Adds `factor × lanes`.
#[inline(always)]
pub(super) fn add_scaled(sum: &mut Lanes, factor: f32, lanes: &Lanes) {
    for vector in 0..VECTORS {
        for lane in 0..VECTOR {
            sum[vector][lane] += factor * lanes[vector][lane];
        }
    }
}
