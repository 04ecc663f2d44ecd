//! With how many bits the weights of a fitted network are kept.

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

use super::Mlp;

/// What weights and biases of a fitted network are rounded to. Training is in single precision either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightPrecision {
    /// 32 bits, IEEE 754 binary32: as they were trained.
    #[default]
    Single,
    /// 16 bits, IEEE 754 binary16: about three decimal digits, up to 65,504. Half the model file.
    Half,
}

impl WeightPrecision {
    /// Bytes that a number takes in a model file.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Single => size_of::<f32>(),
            Self::Half => size_of::<f16>(),
        }
    }

    /// The name as it stands in settings and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Half => "half",
        }
    }
}

impl Mlp {
    /// Rounds all weights and biases to the nearest numbers of this precision, ties to even.
    ///
    /// # Errors
    /// A finite number that the precision has no finite one for.
    pub(crate) fn round_to(&mut self, precision: WeightPrecision) -> Result<(), f32> {
        let arrays = [
            self.hidden_weights.as_slice_mut(),
            self.hidden_bias.as_slice_mut(),
            self.output_weights.as_slice_mut(),
            self.output_bias.as_slice_mut(),
        ];
        match precision {
            WeightPrecision::Single => Ok(()),
            WeightPrecision::Half => arrays
                .into_iter()
                .try_for_each(|array| round_to_half(array.expect("fitted arrays lie in memory row by row"))),
        }
    }
}

/// Numbers that are converted together; on the stack.
pub(crate) const HALVES_AT_ONCE: usize = 256;

fn round_to_half(numbers: &mut [f32]) -> Result<(), f32> {
    let mut halves = [f16::ZERO; HALVES_AT_ONCE];
    for numbers in numbers.chunks_mut(HALVES_AT_ONCE) {
        let halves = &mut halves[..numbers.len()];
        halves.convert_from_f32_slice(numbers);
        let mut pairs = numbers.iter().zip(&*halves);
        if let Some((&number, _)) = pairs.find(|(number, half)| number.is_finite() && !half.is_finite()) {
            return Err(number);
        }
        halves.convert_to_f32_slice(numbers);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(mut numbers: Vec<f32>) -> Result<Vec<f32>, f32> {
        round_to_half(&mut numbers).map(|()| numbers)
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest_and_ties_to_even() {
        // Between 1 and 2 the halves are 2⁻¹⁰ apart, below 2⁻¹⁴ there are 2⁻²⁴ between any two.
        let step = 1.0 / 1024.0;
        let least = 1.0 / 16_777_216.0;
        let numbers = vec![0.1, 1.0 + 0.5 * step, 1.0 + 1.5 * step, -0.4 * least, 0.6 * least];
        let expected = [0.099_975_586, 1.0, 1.0 + 2.0 * step, -0.0, least];
        assert_eq!(
            rounded(numbers)
                .unwrap()
                .iter()
                .map(|number| number.to_bits())
                .collect::<Vec<_>>(),
            expected.map(f32::to_bits)
        );
    }

    /// The blocks are those of vector instructions where there are such; one number alone is converted by a portable path.
    #[test]
    fn many_numbers_are_rounded_as_each_alone_and_twice_as_once() {
        let numbers: Vec<f32> = (0..3 * HALVES_AT_ONCE as u32 + 5)
            .map(|at| f32::from_bits(at.wrapping_mul(2_654_435_761) & 0x8f7f_ffff | 0x3000_0000))
            .collect();
        let together = rounded(numbers.clone()).unwrap();
        let alone: Vec<f32> = numbers
            .iter()
            .map(|&number| f16::from_f32_const(number).to_f32_const())
            .collect();
        let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&together), bits(&alone));
        assert_eq!(bits(&rounded(together.clone()).unwrap()), bits(&together));
    }

    #[test]
    fn what_half_precision_does_not_hold_is_refused() {
        assert_eq!(rounded(vec![65_519.0, -65_504.0]).unwrap(), [65_504.0, -65_504.0]);
        for beyond in [65_520.0, -65_520.0, f32::MAX] {
            assert_eq!(rounded(vec![1.0, beyond]), Err(beyond));
        }
        // A training that diverged is called so by whoever looks for it.
        assert!(rounded(vec![f32::INFINITY]).unwrap()[0].is_infinite());
        assert!(rounded(vec![f32::NAN]).unwrap()[0].is_nan());
    }
}
