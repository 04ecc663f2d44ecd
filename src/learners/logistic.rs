//! How probable an outcome is, given a few numbers: what turns scores into confidences.
//!
//! L2-regularised logistic regression on standardised features, by Newton's method (iteratively reweighted least
//! squares; Bishop 2006, section 4.3.3). Everything is summed in one order, in double precision.

use serde::{Deserialize, Serialize};

/// Newton's method doubles the digits each time; data that can be separated need some more steps until the penalty
/// holds them.
const MOST_STEPS: usize = 50;
/// Steps smaller than this, in standardised units, change no confidence.
const SMALLEST_STEP: f64 = 1e-9;

/// Features come in single precision: what varies by less than this, of its size or of 1, is rounding. Standardised, it
/// got weights in the millions, which turned the rounding of the next document into certainty.
const LEAST_DEVIATION: f64 = 1e-5;

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// Log-odds where all features are 0.
    pub intercept: f64,
    /// What each feature adds to the log-odds, per unit.
    pub weights: Vec<f64>,
}

impl Logistic {
    /// Fits to `outcomes` for rows of `n_features` features each, `outcomes.len() × n_features` in all.
    ///
    /// Each outcome counts as often as its weight says. `l2` is the penalty on each standardised weight (half of it times the square), against one a row of log-loss;
    /// the intercept has none. A feature that doesn't vary gets no weight.
    ///
    /// # Panics
    /// If there are not as many features as that.
    pub fn fit(features: &[f64], n_features: usize, outcomes: &[Outcome], l2: f64) -> Self {
        assert_eq!(
            features.len(),
            outcomes.len() * n_features,
            "one row of features for each outcome"
        );
        let scaling = Standardization::of(features, n_features, outcomes);
        let n = n_features + 1;
        // The intercept stands first.
        let mut weights = vec![0.0; n];
        let mut row = vec![1.0; n];
        for _ in 0..MOST_STEPS {
            let mut gradient = vec![0.0; n];
            let mut hessian = vec![0.0; n * n];
            for (features, outcome) in features.chunks_exact(n_features).zip(outcomes) {
                scaling.apply(features, &mut row[1..]);
                let probability = sigmoid(dot(&weights, &row));
                let residual = outcome.weight * (probability - f64::from(u8::from(outcome.happened)));
                // Never quite 0: else no step could be made from where everything is certain.
                let curvature = outcome.weight * (probability * (1.0 - probability)).max(1e-10);
                for i in 0..n {
                    gradient[i] += residual * row[i];
                    for j in 0..=i {
                        hessian[i * n + j] += curvature * row[i] * row[j];
                    }
                }
            }
            for i in 1..n {
                gradient[i] += l2 * weights[i];
                hessian[i * n + i] += l2;
            }
            let step = solve(&mut hessian, gradient);
            weights
                .iter_mut()
                .zip(&step)
                .for_each(|(weight, step)| *weight -= step);
            if step.iter().all(|step| step.abs() < SMALLEST_STEP) {
                break;
            }
        }
        scaling.undo(&weights)
    }

    /// Whether intercept and weights are finite numbers.
    pub fn is_finite(&self) -> bool {
        self.intercept.is_finite() && self.weights.iter().all(|weight| weight.is_finite())
    }

    /// The probability for a row of features, 0 to 1.
    pub fn probability(&self, features: &[f64]) -> f64 {
        sigmoid(self.intercept + dot(&self.weights, features))
    }
}

/// What happened, and how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Whether it did.
    pub happened: bool,
    /// 1 for once.
    pub weight: f64,
}

impl Outcome {
    /// Once.
    pub fn once(happened: bool) -> Self {
        Self {
            happened,
            weight: 1.0,
        }
    }
}

/// Mean and standard deviation of each feature.
struct Standardization {
    means: Vec<f64>,
    /// Zero for a feature that doesn't vary but by rounding.
    inverse_deviations: Vec<f64>,
}

impl Standardization {
    fn of(features: &[f64], n_features: usize, outcomes: &[Outcome]) -> Self {
        let total = outcomes.iter().map(|outcome| outcome.weight).sum::<f64>();
        let mean = |at: usize, of: &dyn Fn(f64) -> f64| {
            let column = features.iter().skip(at).step_by(n_features);
            let weighted = column
                .zip(outcomes)
                .map(|(&value, outcome)| outcome.weight * of(value));
            if total > 0.0 {
                weighted.sum::<f64>() / total
            } else {
                0.0
            }
        };
        let means: Vec<f64> = (0..n_features).map(|at| mean(at, &|value| value)).collect();
        let inverse_deviation = |at: usize| {
            let variance = mean(at, &|value| (value - means[at]).powi(2));
            if variance > (LEAST_DEVIATION * means[at].abs().max(1.0)).powi(2) {
                1.0 / variance.sqrt()
            } else {
                0.0
            }
        };
        Self {
            inverse_deviations: (0..n_features).map(inverse_deviation).collect(),
            means,
        }
    }

    fn apply(&self, features: &[f64], scaled: &mut [f64]) {
        for (at, scaled) in scaled.iter_mut().enumerate() {
            *scaled = (features[at] - self.means[at]) * self.inverse_deviations[at];
        }
    }

    /// Weights for features as they come, from an intercept and weights for scaled ones.
    fn undo(&self, scaled: &[f64]) -> Logistic {
        let weights: Vec<f64> = scaled[1..]
            .iter()
            .zip(&self.inverse_deviations)
            .map(|(weight, scale)| weight * scale)
            .collect();
        Logistic {
            intercept: scaled[0] - dot(&weights, &self.means),
            weights,
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// Solves a symmetric, positive definite system given by its lower triangle, by Cholesky's decomposition. A direction in
/// which the data say nothing gets no step.
fn solve(matrix: &mut [f64], mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for i in 0..n {
        for j in 0..=i {
            let mut sum = matrix[i * n + j];
            for k in 0..j {
                sum -= matrix[i * n + k] * matrix[j * n + k];
            }
            matrix[i * n + j] = match i == j {
                true => sum.max(0.0).sqrt(),
                false if matrix[j * n + j] > 1e-12 => sum / matrix[j * n + j],
                false => 0.0,
            };
        }
    }
    let divided = |sum: f64, pivot: f64| if pivot > 1e-12 { sum / pivot } else { 0.0 };
    for i in 0..n {
        let sum = (0..i).fold(right[i], |sum, k| sum - matrix[i * n + k] * right[k]);
        right[i] = divided(sum, matrix[i * n + i]);
    }
    for i in (0..n).rev() {
        let sum = (i + 1..n).fold(right[i], |sum, k| sum - matrix[k * n + i] * right[k]);
        right[i] = divided(sum, matrix[i * n + i]);
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feature_that_varies_by_rounding_alone_has_no_weight() {
        let outcomes: Vec<Outcome> = (0..40).map(|at| Outcome::once(at % 2 == 0)).collect();
        let row = |outcome: &Outcome| {
            if outcome.happened {
                [1.0, f64::from(0.688_749_4_f32)]
            } else {
                [-1.0, f64::from(0.688_749_3_f32)]
            }
        };
        let features: Vec<f64> = outcomes.iter().flat_map(row).collect();
        let logistic = Logistic::fit(&features, 2, &outcomes, 1.0);
        assert!(
            logistic.weights[0] > 1.0 && logistic.weights[1].abs() < f64::EPSILON,
            "{logistic:?}"
        );
    }

    fn once<const N: usize>(happened: [bool; N]) -> [Outcome; N] {
        happened.map(Outcome::once)
    }

    /// Where the gradient of the penalised log-loss vanishes, for data whose features have mean 0 and deviation 1.
    fn gradient(fitted: &Logistic, features: &[f64], outcomes: &[Outcome], l2: f64) -> Vec<f64> {
        let n = fitted.weights.len();
        let mut gradient: Vec<f64> = fitted.weights.iter().map(|weight| l2 * weight).collect();
        for (row, outcome) in features.chunks_exact(n).zip(outcomes) {
            let residual = fitted.probability(row) - f64::from(u8::from(outcome.happened));
            gradient
                .iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += residual * value);
        }
        gradient
    }

    #[test]
    fn at_the_solution_no_direction_leads_further_down() {
        let features = [1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, -1.0];
        let outcomes = once([true, true, true, false]);
        let fitted = Logistic::fit(&features, 2, &outcomes, 0.5);
        for slope in gradient(&fitted, &features, &outcomes, 0.5) {
            assert!(slope.abs() < 1e-8, "{slope}");
        }
    }

    #[test]
    fn probabilities_are_the_frequencies_where_there_is_one_feature_value() {
        let fitted = Logistic::fit(
            &[3.0; 8],
            1,
            &once([true, true, true, true, true, true, false, false]),
            1.0,
        );
        assert!((fitted.probability(&[3.0]) - 0.75).abs() < 1e-9);
        assert_eq!(fitted.weights, [0.0]);
    }

    #[test]
    fn outcomes_that_can_be_separated_stay_finite() {
        let fitted = Logistic::fit(&[1.0, 2.0, 3.0, 4.0], 1, &once([false, false, true, true]), 1e-3);
        assert!(fitted.weights[0].is_finite() && fitted.weights[0] > 0.0);
        assert!(fitted.probability(&[4.0]) > 0.9 && fitted.probability(&[1.0]) < 0.1);
    }

    #[test]
    fn one_outcome_only_is_nearly_certain() {
        let fitted = Logistic::fit(&[0.5, 1.5, 2.5], 1, &once([true; 3]), 1.0);
        assert!(fitted.probability(&[1.0]) > 0.99);
    }

    #[test]
    fn scale_of_a_feature_does_not_matter() {
        let outcomes = once([false, true, false, true, true]);
        let plain = Logistic::fit(&[1.0, 2.0, 3.0, 4.0, 5.0], 1, &outcomes, 1.0);
        let scaled = Logistic::fit(&[1e6, 2e6, 3e6, 4e6, 5e6], 1, &outcomes, 1.0);
        assert!((plain.probability(&[2.5]) - scaled.probability(&[2.5e6])).abs() < 1e-9);
    }

    #[test]
    fn twice_the_same_feature_is_solved_all_the_same() {
        let fitted = Logistic::fit(
            &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0],
            2,
            &once([false, true, true]),
            0.0,
        );
        assert!(fitted.probability(&[3.0, 3.0]) > fitted.probability(&[1.0, 1.0]));
    }

    #[test]
    fn weight_is_how_often_it_happened() {
        let (features, outcomes) = ([1.0, 2.0, 2.0, 2.0], once([false, true, true, false]));
        let weighted = [
            Outcome::once(false),
            Outcome {
                happened: true,
                weight: 2.0,
            },
            Outcome::once(false),
        ];
        let one_by_one = Logistic::fit(&features, 1, &outcomes, 1.0);
        let at_once = Logistic::fit(&[1.0, 2.0, 2.0], 1, &weighted, 1.0);
        assert!((one_by_one.probability(&[2.0]) - at_once.probability(&[2.0])).abs() < 1e-9);
    }
}
