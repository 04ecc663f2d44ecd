//! The optimiser: Adam (Kingma & Ba 2015, algorithm 1 with the bias correction folded into the step size).

use std::array::from_fn;

use super::kernels::{LANES, Units, sum_across};
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
        *first = self.mean(*first, gradient);
        *second = self.mean_square(*second, gradient);
        *value += self.way(*first, *second);
    }

    /// Moves one row of parameters against its gradient, (`gradient` + `l2` × value) × `share`. Returns the sum of the
    /// squares of what the parameters were: lane by lane, and then across.
    // PERF: all that is done with a row in one loop. The divider is busy half of the time, and the rest beside it.
    #[inline(always)]
    pub(crate) fn apply_row(
        &self,
        values: &mut Units<T>,
        moments: &mut Moments<Units<T>>,
        gradient: &Units<T>,
        l2: T,
        share: T,
    ) -> T {
        let mut squares = [T::zero(); LANES];
        let moments = moments.first.vectors_mut().zip(moments.second.vectors_mut());
        let gradients = gradient.as_chunks::<LANES>().0;
        for ((values, (first, second)), gradient) in values.vectors_mut().zip(moments).zip(gradients) {
            // PERF: on copies. What is changed where it stands might overlap, as far as the compiler knows, and is then
            // done number by number.
            let (old, mean, square) = (*values, *first, *second);
            for lane in 0..LANES {
                squares[lane] += old[lane] * old[lane];
            }
            let gradient: [T; LANES] = from_fn(|lane| (gradient[lane] + l2 * old[lane]) * share);
            let mean: [T; LANES] = from_fn(|lane| self.mean(mean[lane], gradient[lane]));
            let square: [T; LANES] = from_fn(|lane| self.mean_square(square[lane], gradient[lane]));
            *first = mean;
            *second = square;
            *values = from_fn(|lane| old[lane] + self.way(mean[lane], square[lane]));
        }
        sum_across(squares)
    }

    #[inline(always)]
    fn mean(&self, before: T, gradient: T) -> T {
        self.beta1 * before + self.rest1 * gradient
    }

    #[inline(always)]
    fn mean_square(&self, before: T, gradient: T) -> T {
        self.beta2 * before + self.rest2 * (gradient * gradient)
    }

    /// How far a parameter is moved.
    #[inline(always)]
    fn way(&self, mean: T, mean_square: T) -> T {
        -self.rate * mean / (mean_square.sqrt() + self.epsilon)
    }
}
