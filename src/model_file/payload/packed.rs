//! Numbers as they lie in memory.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Numbers as little-endian `f32`. On a machine of that order, packing copies nothing.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PackedNumbers<'a>(#[serde(borrow, with = "serde_bytes")] pub(super) Cow<'a, [u8]>);

impl<'a> PackedNumbers<'a> {
    pub(super) fn pack(numbers: &'a [f32]) -> Self {
        if cfg!(target_endian = "little") {
            return Self(Cow::Borrowed(bytemuck::cast_slice(numbers)));
        }
        Self(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    pub(super) fn n_numbers(&self) -> usize {
        self.0.len() / size_of::<f32>()
    }

    /// So many numbers, each of them finite.
    pub(super) fn unpack(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        let numbers = self.unpack_any(n_numbers)?;
        // PERF: a block at a time, as vectors: to stop at the first would be to look at one after the other.
        let all_finite = |block: &[f32]| block.iter().fold(true, |all, number| all & number.is_finite());
        if !numbers.chunks(1_024).all(all_finite) {
            return Err("a weight is not a number");
        }
        Ok(numbers)
    }

    /// So many numbers, infinite ones among them.
    pub(super) fn unpack_any(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        if self.0.len() != n_numbers * size_of::<f32>() {
            return Err("it has another number of weights than its vocabulary and classes need");
        }
        let (packed, _) = self.0.as_chunks();
        Ok(packed.iter().map(|&number| f32::from_le_bytes(number)).collect())
    }
}
