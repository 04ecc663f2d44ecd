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
        finite(self.unpack_any(n_numbers)?)
    }

    /// So many numbers of this precision, each of them finite.
    pub(super) fn unpack_as(
        &self,
        precision: WeightPrecision,
        n_numbers: usize,
    ) -> Result<Vec<f32>, &'static str> {
        match precision {
            WeightPrecision::Single => self.unpack(n_numbers),
            WeightPrecision::Half => {
                self.check_length(n_numbers * size_of::<f16>())?;
                finite(numbers_of(&self.0))
            }
        }
    }

    /// So many numbers in single precision, infinite ones among them.
    pub(super) fn unpack_any(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        self.check_length(n_numbers * size_of::<f32>())?;
        let (packed, _) = self.0.as_chunks();
        Ok(packed.iter().map(|&number| f32::from_le_bytes(number)).collect())
    }

    fn check_length(&self, n_bytes: usize) -> Result<(), &'static str> {
        if self.0.len() == n_bytes {
            return Ok(());
        }
        Err("it has another number of weights than its vocabulary and classes need")
    }
}

fn finite(numbers: Vec<f32>) -> Result<Vec<f32>, &'static str> {
    // PERF: a block at a time, as vectors: to stop at the first would be to look at one after the other.
    let all_finite = |block: &[f32]| block.iter().fold(true, |all, number| all & number.is_finite());
    if !numbers.chunks(1_024).all(all_finite) {
        return Err("a weight is not a number");
    }
    Ok(numbers)
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

fn numbers_of(packed: &[u8]) -> Vec<f32> {
    let mut halves = [f16::ZERO; HALVES_AT_ONCE];
    let (packed, _) = packed.as_chunks();
    let mut numbers = vec![0.0; packed.len()];
    let blocks = packed.chunks(HALVES_AT_ONCE);
    for (block, numbers) in blocks.zip(numbers.chunks_mut(HALVES_AT_ONCE)) {
        let halves = &mut halves[..numbers.len()];
        for (half, &bytes) in halves.iter_mut().zip(block) {
            *half = f16::from_le_bytes(bytes);
        }
        halves.convert_to_f32_slice(numbers);
    }
    numbers
}
