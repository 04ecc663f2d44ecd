//! The optimiser: Adam (Kingma & Ba 2015, algorithm 1 with the bias correction folded into the step size).

use super::kernels::{PADDED, Units};
use crate::learners::Real;

/// Decay of the running mean of gradients.
const BETA1: f64 = 0.9;
/// Decay of the running mean of squared gradients.
const BETA2: f64 = 0.999;
/// Keeps the step finite where a gradient was always zero.
const EPSILON: f64 = 1e-8;

/// Running means of one group of parameters.
#[derive(Debug, Clone)]
pub(crate) struct Moments<P> {
    /// Of the gradients.
    pub(crate) first: P,
    /// Of their squares.
    pub(crate) second: P,
}

/// The constants of one step, the same for every parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<T> {
    rate: T,
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    epsilon: T,
}

impl<T: Real> Step<T> {
    /// The `number`-th step, counted from 1.
    pub(crate) fn new(learning_rate: f64, number: i32) -> Self {
        let correction = (1.0 - BETA2.powi(number)).sqrt() / (1.0 - BETA1.powi(number));
        Self {
            rate: T::from_f64(learning_rate * correction),
            beta1: T::from_f64(BETA1),
            rest1: T::from_f64(1.0 - BETA1),
            beta2: T::from_f64(BETA2),
            rest2: T::from_f64(1.0 - BETA2),
            epsilon: T::from_f64(EPSILON),
        }
    }

    /// Moves one parameter against its gradient.
    #[inline(always)]
    pub(crate) fn apply(&self, value: &mut T, moments: &mut Moments<T>, gradient: T) {
        let Moments { first, second } = moments;
        self.move_one(value, first, second, gradient);
    }

    /// Moves one row of parameters.
    #[inline(always)]
    pub(crate) fn apply_row(
        &self,
        values: &mut Units<T>,
        moments: &mut Moments<Units<T>>,
        gradient: &Units<T>,
    ) {
        let Moments { first, second } = moments;
        for unit in 0..PADDED {
            self.move_one(
                &mut values[unit],
                &mut first[unit],
                &mut second[unit],
                gradient[unit],
            );
        }
    }

    #[inline(always)]
    fn move_one(&self, value: &mut T, first: &mut T, second: &mut T, gradient: T) {
        *first = self.beta1 * *first + self.rest1 * gradient;
        *second = self.beta2 * *second + self.rest2 * (gradient * gradient);
        *value += -self.rate * *first / (second.sqrt() + self.epsilon);
    }
}
