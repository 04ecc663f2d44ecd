//! Output activations, their losses and the gradient of these: the two combinations that have the simple
//! gradient "probability minus target" with respect to the logits.

use std::array::from_fn;

use crate::learners::{Real, Targets};

/// What the outputs mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum OutputActivation {
    /// Probabilities of classes of which exactly one is right.
    Softmax,
    /// Each output is a probability of its own.
    Logistic,
}

impl OutputActivation {
    /// The activation that fits what is to be learned.
    pub(crate) fn for_targets(targets: &Targets) -> Self {
        match targets {
            Targets::Classes { .. } => Self::Softmax,
            Targets::Binary(_) | Targets::MultiLabel { .. } => Self::Logistic,
        }
    }

    /// Turns logits into probabilities.
    #[inline(always)]
    pub(crate) fn apply<T: Real>(self, logits: &mut [T]) {
        match self {
            Self::Softmax => {
                let highest = highest(logits);
                // PERF: summed in a loop of its own, for a sum in order is no work for vectors, and the exponentials are.
                change_each(logits, |logit| (logit - highest).exponential());
                let sum: T = logits.iter().copied().sum();
                change_each(logits, |value| value / sum);
            }
            Self::Logistic => change_each(logits, |logit| T::one() / (T::one() + (-logit).exponential())),
        }
    }
}

/// Numbers that are worked on side by side.
const LANES: usize = 8;

/// The highest number, whatever the order that they are compared in; minus infinity if there are none.
#[inline(always)]
fn highest<T: Real>(values: &[T]) -> T {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut highest = [T::neg_infinity(); LANES];
    for block in blocks {
        for (highest, &value) in highest.iter_mut().zip(block) {
            *highest = highest.max(value);
        }
    }
    highest
        .iter()
        .chain(rest)
        .copied()
        .fold(T::neg_infinity(), T::max)
}

/// Replaces each value by what `change` makes of it.
// PERF: what is left over as a vector, too. There are a dozen or two outputs often: left to the compiler, which takes
// several vectors at once where there are many, most of them were changed one by one.
#[inline(always)]
fn change_each<T: Real>(values: &mut [T], change: impl Fn(T) -> T) {
    let (blocks, rest) = values.as_chunks_mut::<LANES>();
    for block in blocks {
        *block = from_fn(|lane| change(block[lane]));
    }
    let mut block = [T::zero(); LANES];
    block[..rest.len()].copy_from_slice(rest);
    let block: [T; LANES] = from_fn(|lane| change(block[lane]));
    rest.copy_from_slice(&block[..rest.len()]);
}

/// Loss of one row, and in `outputs` the gradient of it: takes probabilities, leaves probability − target.
///
/// Cross-entropy for softmax; for logistic outputs the sum of their binary cross-entropies.
#[inline(always)]
pub(crate) fn cross_entropy<T: Real>(outputs: &mut [T], targets: &Targets, row: usize) -> f64 {
    let loss = match targets {
        Targets::Classes { class, .. } => -libm::log(clipped(outputs[class[row] as usize])),
        Targets::Binary(_) | Targets::MultiLabel { .. } => {
            // PERF: all outputs at once as if none were on, which is put right for the few that are.
            let mut likelihood = Likelihood::none_of(outputs);
            targets.for_each_on(row, |on| {
                likelihood.multiply(clipped(outputs[on]) / clipped(T::one() - outputs[on]));
            });
            likelihood.negative_log()
        }
    };
    targets.for_each_on(row, |on| outputs[on] -= T::one());
    loss
}

/// A probability, kept one rounding away from 0 and 1, where the logarithm would end.
#[inline(always)]
fn clipped<T: Real>(probability: T) -> f64 {
    probability.max(T::ROUNDING).min(T::one() - T::ROUNDING).to_f64()
}

/// A product of probabilities, in some lanes, whose logarithm is taken once, at the end.
struct Likelihood {
    products: [f64; LANES],
    /// Powers of two that were taken out of the products.
    exponents: [i64; LANES],
}

/// Factors of a lane between two times that its power of two is taken out. They are at least 2.2e-16, and the product
/// that they start with is at least 1: it stays within the range of `f64`.
const FACTORS_AT_ONCE: usize = 16;

impl Likelihood {
    /// The probability that none of some outputs is on.
    #[inline(always)]
    fn none_of<T: Real>(outputs: &[T]) -> Self {
        let mut likelihood = Self {
            products: [1.0; LANES],
            exponents: [0; LANES],
        };
        let (blocks, rest) = outputs.as_chunks::<LANES>();
        for blocks in blocks.chunks(FACTORS_AT_ONCE) {
            for block in blocks {
                likelihood.multiply_by_none_of(block);
            }
            likelihood.take_out_powers();
        }
        likelihood.multiply_by_none_of(rest);
        likelihood.take_out_powers();
        likelihood
    }

    /// Multiplies by the probability that none of [`LANES`] outputs is on, or fewer.
    #[inline(always)]
    fn multiply_by_none_of<T: Real>(&mut self, outputs: &[T]) {
        for (product, &output) in self.products.iter_mut().zip(outputs) {
            *product *= clipped(T::one() - output);
        }
    }

    /// Multiplies by a probability, or by what puts one in another's place.
    #[inline(always)]
    fn multiply(&mut self, probability: f64) {
        self.products[0] *= probability;
        self.take_out_power(0);
    }

    /// Brings each product between 1 and 2.
    #[inline(always)]
    fn take_out_powers(&mut self) {
        (0..LANES).for_each(|lane| self.take_out_power(lane));
    }

    #[inline(always)]
    fn take_out_power(&mut self, lane: usize) {
        const MANTISSA: u64 = (1 << 52) - 1;
        let bits = self.products[lane].to_bits();
        self.exponents[lane] += (bits >> 52) as i64 - 1023;
        self.products[lane] = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    }

    fn negative_log(self) -> f64 {
        let exponent: i64 = self.exponents.iter().sum();
        let product: f64 = self.products.iter().product();
        -(libm::log(product) + exponent as f64 * std::f64::consts::LN_2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_sums_to_one_even_for_large_logits() {
        let mut logits = [1000.0_f64, 1001.0, 999.0];
        OutputActivation::Softmax.apply(&mut logits);
        assert!((logits.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(logits[1] > logits[0] && logits[0] > logits[2]);
    }

    #[test]
    fn outputs_that_fill_no_whole_vector_are_changed_like_the_others() {
        for n_outputs in 0..=3 * LANES {
            let logits: Vec<f64> = (0..n_outputs)
                .map(|output| (output * 7 % 5) as f64 - 2.0)
                .collect();
            let sum: f64 = logits.iter().copied().map(f64::exp).sum();
            let mut probabilities = logits.clone();
            OutputActivation::Softmax.apply(&mut probabilities);
            for (logit, probability) in logits.iter().zip(probabilities) {
                assert!((probability - logit.exp() / sum).abs() < 1e-15);
            }
            let mut probabilities = logits.clone();
            OutputActivation::Logistic.apply(&mut probabilities);
            for (logit, probability) in logits.iter().zip(probabilities) {
                assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn logistic_of_zero_is_one_half() {
        let mut logits = [0.0_f32];
        OutputActivation::Logistic.apply(&mut logits);
        assert!((logits[0] - 0.5).abs() < f32::EPSILON);
    }

    #[test]
    fn loss_of_a_certain_and_right_answer_is_almost_zero() {
        let targets = Targets::Classes {
            class: vec![1],
            n_classes: 3,
        };
        let loss = cross_entropy(&mut [0.0_f64, 1.0, 0.0], &targets, 0);
        assert!(loss < 1e-15);
    }

    #[test]
    fn binary_losses_of_many_outputs_are_summed() {
        let n_labels = 50;
        let targets = Targets::MultiLabel {
            labels: vec![vec![3, 40]],
            n_labels,
        };
        let mut outputs = vec![0.25_f64; n_labels];
        let loss = cross_entropy(&mut outputs, &targets, 0);
        let expected = -(2.0 * 0.25_f64.ln() + 48.0 * 0.75_f64.ln());
        assert!((loss - expected).abs() < 1e-12, "{loss} instead of {expected}");
        assert_eq!((outputs[3], outputs[0]), (-0.75, 0.25));
    }
}
