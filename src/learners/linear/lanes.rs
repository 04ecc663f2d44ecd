//! One number for each output of a block, and the loops over the entries of a row that all of them share.

use std::array::from_fn;

use crate::sparse::{FactoredRow, SparseRow};

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

/// `bias + Σ weight × weights`, without the factors of the columns, summed in an order that the row's runs alone decide.
#[inline(always)]
pub(super) fn score_factored(weights: &[TermLanes], bias: &Lanes, row: FactoredRow<'_>) -> Lanes {
    let mut total = *bias;
    for run in row.runs() {
        let sum = sum_of_run(&weights[run.first as usize..], run.places);
        add_scaled(&mut total, run.weight, &sum);
    }
    total
}

/// The sum of the lanes at these places.
#[inline(always)]
fn sum_of_run(lanes: &[TermLanes], places: &[u16]) -> Lanes {
    let mut sums = [all(0.0); SUMS];
    let (chunks, last) = places.as_chunks::<SUMS>();
    for &place in last {
        add(&mut sums[0], &lanes[usize::from(place)].0);
    }
    if chunks.is_empty() {
        return sums[0];
    }
    for places in chunks {
        for sum in 0..SUMS {
            add(&mut sums[sum], &lanes[usize::from(places[sum])].0);
        }
    }
    let [mut total, second, third, fourth] = sums;
    add(&mut total, &second);
    add(&mut total, &third);
    add(&mut total, &fourth);
    total
}

/// Adds `factor × weight` to one lane of the numbers of the row's terms.
#[inline(always)]
pub(super) fn add_to_lane(numbers: &mut [TermLanes], lane: usize, factor: f32, row: FactoredRow<'_>) {
    let (vector, lane) = (lane / VECTOR, lane % VECTOR);
    for run in row.runs() {
        let step = factor * run.weight;
        let numbers = &mut numbers[run.first as usize..];
        for &place in run.places {
            numbers[usize::from(place)].0[vector][lane] += step;
        }
    }
}

/// Multiplies lanes by others.
#[inline(always)]
pub(super) fn scale(lanes: &mut Lanes, by: &Lanes) {
    for vector in 0..VECTORS {
        for lane in 0..VECTOR {
            lanes[vector][lane] *= by[vector][lane];
        }
    }
}

/// `factor × lanes`.
#[inline(always)]
pub(super) fn scaled(factor: f32, lanes: &Lanes) -> Lanes {
    let mut scaled = all(0.0);
    add_scaled(&mut scaled, factor, lanes);
    scaled
}

/// Adds `lanes`.
#[inline(always)]
pub(super) fn add(sum: &mut Lanes, lanes: &Lanes) {
    for vector in 0..VECTORS {
        for lane in 0..VECTOR {
            sum[vector][lane] += lanes[vector][lane];
        }
    }
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
