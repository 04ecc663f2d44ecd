//! The two precisions that the kernels are compiled for.

use std::iter::Sum;

use ndarray::NdFloat;

/// A floating-point type that the kernels run in.
///
/// Models are trained in `f32`; `f64` exists so that the same code can be held against a numerical gradient
/// and against another implementation's arithmetic to the last digits.
pub trait Real: NdFloat + Default + Sum {
    /// Distance of 1 to the next larger number: probabilities are kept this far from 0 and 1 in a logarithm.
    const ROUNDING: Self;

    /// Nearest representable number.
    fn from_f64(value: f64) -> Self;

    /// The same number, which both precisions can represent.
    fn from_f32(value: f32) -> Self;

    /// The same number in double precision.
    fn to_f64(self) -> f64;

    /// `e^self`.
    #[must_use]
    fn exponential(self) -> Self;
}

impl Real for f32 {
    const ROUNDING: Self = Self::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// Within 2 units in the last place, without branches or calls, so that a loop over it vectorises; and
    /// the same bits on every CPU, which the system's `expf` doesn't promise (it is compiled with and without
    /// fused multiply-add). Range reduction and polynomial: Cephes `expf` (S. L. Moshier, 1984–1992).
    #[inline(always)]
    fn exponential(self) -> Self {
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        // 1.5 × 2^23: adding and subtracting it rounds to the nearest integer.
        const ROUND: f32 = 12_582_912.0;
        // Beyond these the result is 0 or infinite in single precision anyway.
        let x = self.clamp(-87.0, 88.0);
        let rounded = x * std::f32::consts::LOG2_E + ROUND;
        let power = rounded - ROUND;
        let rest = x - power * LN2_HIGH - power * LN2_LOW;
        let mut poly = 1.987_569_1e-4_f32;
        for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
            poly = poly * rest + coefficient;
        }
        let mantissa = poly * rest * rest + rest + 1.0;
        // The integer stands in the last bits of what was rounded; those above it are shifted out.
        let exponent = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
        mantissa * exponent
    }
}

impl Real for f64 {
    const ROUNDING: Self = Self::EPSILON;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        Self::from(value)
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exponential(self) -> Self {
        self.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_exponential_is_within_two_units_in_the_last_place() {
        for step in -870_000..=880_000_i32 {
            let x = step as f32 / 10_000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(x.exponential()) - exact).abs() / exact;
            assert!(
                error < 2.0 * f64::from(f32::EPSILON),
                "exp({x}): relative error {error:e}"
            );
        }
    }

    #[test]
    fn exponential_saturates_instead_of_overflowing() {
        assert!((-1e30_f32).exponential() < 1e-37);
        assert!(1e30_f32.exponential().is_finite());
    }
}
