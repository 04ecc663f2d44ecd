//! Numbers as they lie in memory, or as halves.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

use crate::learners::mlp::{HALVES_AT_ONCE, WeightPrecision};

/// Numbers as little-endian `f32` or binary16. On a machine of that order, packing in single precision copies nothing.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PackedNumbers<'a>(#[serde(borrow, with = "serde_bytes")] pub(super) Cow<'a, [u8]>);

impl<'a> PackedNumbers<'a> {
    /// Numbers in single precision.
    pub(super) fn pack(numbers: &'a [f32]) -> Self {
        if cfg!(target_endian = "little") {
            return Self(Cow::Borrowed(bytemuck::cast_slice(numbers)));
        }
        Self(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    /// Numbers of this precision, which they were rounded to.
    pub(super) fn pack_as(precision: WeightPrecision, numbers: &'a [f32]) -> Self {
        match precision {
            WeightPrecision::Single => Self::pack(numbers),
            WeightPrecision::Half => Self(Cow::Owned(halves_of(numbers))),
        }
    }

    /// How many there are in single precision.
    pub(super) fn n_numbers(&self) -> usize {
        self.0.len() / size_of::<f32>()
    }

    /// So many numbers in single precision, each of them finite.
    pub(super) fn unpack(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        self.unpack_as(WeightPrecision::Single, n_numbers)
    }

    /// So many numbers of this precision, each of them finite.
    pub(super) fn unpack_as(
        &self,
        precision: WeightPrecision,
        n_numbers: usize,
    ) -> Result<Vec<f32>, &'static str> {
        self.check_length(n_numbers * precision.bytes())?;
        match precision {
            WeightPrecision::Single => finite(n_numbers, self.0.as_chunks().0, extend_with_singles),
            WeightPrecision::Half => finite(n_numbers, self.0.as_chunks().0, extend_with_halves),
        }
    }

    /// So many numbers in single precision, infinite ones among them.
    pub(super) fn unpack_any(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        self.check_length(n_numbers * size_of::<f32>())?;
        let mut numbers = Vec::with_capacity(n_numbers);
        extend_with_singles(&mut numbers, self.0.as_chunks().0);
        Ok(numbers)
    }

    fn check_length(&self, n_bytes: usize) -> Result<(), &'static str> {
        if self.0.len() == n_bytes {
            return Ok(());
        }
        Err("it has another number of weights than its vocabulary and classes need")
    }
}

/// The numbers, if all are finite; `extend` unpacks so many that they fit the first cache.
fn finite<const N: usize>(
    n_numbers: usize,
    packed: &[[u8; N]],
    extend: impl Fn(&mut Vec<f32>, &[[u8; N]]),
) -> Result<Vec<f32>, &'static str> {
    let mut numbers = Vec::with_capacity(n_numbers);
    for block in packed.chunks(HALVES_AT_ONCE) {
        let begin = numbers.len();
        extend(&mut numbers, block);
        // PERF: as vectors: to stop at the first would be to look at one after the other.
        let all_finite = numbers[begin..]
            .iter()
            .fold(true, |all, number| all & number.is_finite());
        if !all_finite {
            return Err("a weight is not a number");
        }
    }
    Ok(numbers)
}

fn extend_with_singles(numbers: &mut Vec<f32>, packed: &[[u8; 4]]) {
    numbers.extend(packed.iter().map(|&number| f32::from_le_bytes(number)));
}

/// Of no more than [`HALVES_AT_ONCE`].
fn extend_with_halves(numbers: &mut Vec<f32>, packed: &[[u8; 2]]) {
    let (mut halves, mut block) = ([f16::ZERO; HALVES_AT_ONCE], [0.0; HALVES_AT_ONCE]);
    let (halves, block) = (&mut halves[..packed.len()], &mut block[..packed.len()]);
    for (half, &bytes) in halves.iter_mut().zip(packed) {
        *half = f16::from_le_bytes(bytes);
    }
    halves.convert_to_f32_slice(block);
    numbers.extend_from_slice(block);
}

fn halves_of(numbers: &[f32]) -> Vec<u8> {
    let mut halves = [f16::ZERO; HALVES_AT_ONCE];
    let mut packed = vec![0; size_of_val(numbers) / 2];
    let blocks = packed.as_chunks_mut().0.chunks_mut(HALVES_AT_ONCE);
    for (block, numbers) in blocks.zip(numbers.chunks(HALVES_AT_ONCE)) {
        let halves = &mut halves[..numbers.len()];
        halves.convert_from_f32_slice(numbers);
        for (place, half) in block.iter_mut().zip(&*halves) {
            *place = half.to_le_bytes();
        }
    }
    packed
}
