//! The natural logarithm of many numbers at once.

/// The natural logarithm of a normal number above 0, within 2 units of its last place or 10⁻⁷; plain arithmetic, so that
/// a loop of it is compiled to vectors and every CPU gives the same bits.
///
/// x = m × 2ᵉ with m from √½ to √2, and ln x = e ln 2 + 2 artanh((m − 1) / (m + 1)), by its series.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    /// Of √½.
    const BITS_OF_LEAST: u32 = 0x3f35_04f3;
    let above = x.to_bits().wrapping_sub(BITS_OF_LEAST);
    // Arithmetic: numbers below √½ have negative exponents.
    let exponent = (above as i32) >> 23;
    let mantissa = f32::from_bits((above & 0x007f_ffff) + BITS_OF_LEAST);
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let series = square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square * (1.0 / 9.0))));
    exponent as f32 * std::f32::consts::LN_2 + (2.0 * ratio + 2.0 * ratio * series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_is_that_of_the_library() {
        // Every 997th number from the smallest normal one to the largest.
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits()).step_by(997) {
            let x = f32::from_bits(bits);
            let expected = libm::log(f64::from(x));
            let error = (f64::from(ln(x)) - expected).abs();
            assert!(error <= 2.4e-7 * expected.abs().max(0.5), "{x}: {error}");
        }
        assert_eq!(ln(1.0).to_bits(), 0.0_f32.to_bits());
    }
}
