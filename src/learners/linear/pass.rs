//! One pass of coordinate descent: each row in turn, for all outputs of a block at once.
//!
//! For an output, y is 1 in rows where it is on and −1 elsewhere. Minimised is ½‖w‖² + Σ C max(0, 1 − y w·x)², over its
//! dual: each row has a variable α ≥ 0, and w = Σ α y x. A row's step is Newton's along its α alone (Hsieh et al.
//! 2008, algorithm 1): G = y w·x − 1 + α / 2C, α ← max(0, α − G / (x·x + 1 / 2C)).
//!
//! Each output sees the terms at a scale of its own, r: what is kept is not its w, but r w, which the unscaled x is
//! multiplied by. A step then adds `α y r² x` to it. Likewise with the factor d of each term's column: x is kept as
//! x / d, the weight as d r w, and what a step adds is `α y d² r² x / d`.

use super::examples::{Examples, OnBits};
use super::lanes::{Lanes, TermLanes, VECTOR, VECTORS, add_scaled, all, score_factored};
use super::scaling::{OfTerm, Scales, TermScales};
use crate::simd::{Kernel, prefetch};

/// What the passes over a block change.
pub(super) struct State<'a> {
    /// Per term, times its scale and the factor of its column.
    pub(super) weights: &'a mut [TermLanes],
    pub(super) bias: Lanes,
    /// Per position.
    pub(super) alphas: &'a mut [Lanes],
    /// The square of each row's length at the scales, with the constant feature; per position. Below 0 where nobody
    /// asked for it yet: a row that never moves has no need of it.
    pub(super) squared_lengths: &'a mut [Lanes],
}

/// 1 / 2C of the rows that an output is on in, and of the others.
pub(super) struct Softness {
    pub(super) on: Lanes,
    pub(super) off: Lanes,
}

/// All bits where a lane is still trained, none where it isn't.
pub(super) type Mask = [[u32; VECTOR]; VECTORS];

/// A pass to be run.
pub(super) struct RunPass<'a, 'room> {
    pub(super) examples: &'a Examples<'a>,
    /// Per position.
    pub(super) on: &'a [OnBits],
    pub(super) softness: &'a Softness,
    pub(super) scales: Scales<'room>,
    pub(super) state: &'a mut State<'room>,
    /// Positions in the order to go through.
    pub(super) order: &'a [u32],
    pub(super) live: Mask,
    /// A row whose gradients are all closer to optimal stays as it is.
    pub(super) small: f32,
    /// Receives the positions of the others.
    pub(super) moved: &'a mut Vec<u32>,
}

/// The projected gradients furthest from 0 that a pass met, one for each lane.
pub(super) struct Extremes {
    /// 0 or above.
    pub(super) highest: Lanes,
    /// 0 or below.
    pub(super) lowest: Lanes,
}

impl Kernel for RunPass<'_, '_> {
    type Output = Extremes;

    #[inline(always)]
    fn run(self) -> Extremes {
        match self.scales.of_term {
            OfTerm::Shared(scales) => self.with(scales),
            OfTerm::Own(scales) => self.with(scales),
        }
    }
}

impl RunPass<'_, '_> {
    #[inline(always)]
    fn with<S: TermScales>(self, scales: S) -> Extremes {
        let Self { examples, state, .. } = self;
        let (softness_on, softness_off) = (self.softness.on, self.softness.off);
        let mut extremes = Extremes {
            highest: all(0.0),
            lowest: all(0.0),
        };
        for (visit, &position) in self.order.iter().enumerate() {
            // PERF: rows come in random order; asking for one two visits ahead saves a third of a training at 213
            // entries a row, where the matrix is larger than the cache next to the core.
            if let Some(&ahead) = self.order.get(visit + 2) {
                examples.row(ahead as usize).prefetch();
                prefetch(&state.alphas[ahead as usize]);
            }
            let at = position as usize;
            let row = examples.row(at);
            let scores = score_factored(state.weights, &state.bias, row);
            let alphas = &mut state.alphas[at];
            let on = u32::from(self.on[at]);
            let (mut gradients, mut moves) = (all(0.0), [0_u32; VECTOR]);
            for vector in 0..VECTORS {
                for lane in 0..VECTOR {
                    // PERF: selected by their bits. By a condition, LLVM picks them one lane after another.
                    let is_on = ((on >> (vector * VECTOR + lane)) & 1).wrapping_neg();
                    let sign = select(is_on, 1.0, -1.0);
                    let softness = select(is_on, softness_on[vector][lane], softness_off[vector][lane]);
                    let alpha = alphas[vector][lane];
                    let gradient = sign * scores[vector][lane] - 1.0 + softness * alpha;
                    let projected = if alpha > 0.0 || gradient < 0.0 {
                        gradient
                    } else {
                        0.0
                    };
                    let (highest, lowest) = (
                        &mut extremes.highest[vector][lane],
                        &mut extremes.lowest[vector][lane],
                    );
                    *highest = if projected > *highest { projected } else { *highest };
                    *lowest = if projected < *lowest { projected } else { *lowest };
                    gradients[vector][lane] = gradient;
                    moves[lane] |= u32::from(projected.abs() > self.small) & self.live[vector][lane];
                }
            }
            if !any(&moves) {
                continue;
            }
            self.moved.push(position);
            let squares = &mut state.squared_lengths[at];
            if squares[0][0] < 0.0 {
                *squares = scales.squared_length(self.scales.bias_square, row);
            }
            let mut step = all(0.0);
            for vector in 0..VECTORS {
                for lane in 0..VECTOR {
                    let is_on = ((on >> (vector * VECTOR + lane)) & 1).wrapping_neg();
                    let sign = select(is_on, 1.0, -1.0);
                    let softness = select(is_on, softness_on[vector][lane], softness_off[vector][lane]);
                    let alpha = alphas[vector][lane];
                    let target = alpha - gradients[vector][lane] / (squares[vector][lane] + softness);
                    let target = if target > 0.0 { target } else { 0.0 };
                    let by = f32::from_bits((target - alpha).to_bits() & self.live[vector][lane]);
                    alphas[vector][lane] = alpha + by;
                    step[vector][lane] = by * sign;
                }
            }
            add_scaled(&mut state.bias, self.scales.bias_square, &step);
            scales.move_weights(state.weights, &step, row);
        }
        extremes
    }
}

/// One of two numbers, by a mask of all bits or none.
#[inline(always)]
fn select(mask: u32, set: f32, unset: f32) -> f32 {
    f32::from_bits((set.to_bits() & mask) | (unset.to_bits() & !mask))
}

#[inline(always)]
fn any(lanes: &[u32; VECTOR]) -> bool {
    lanes.iter().fold(0, |any, lane| any | lane) != 0
}
