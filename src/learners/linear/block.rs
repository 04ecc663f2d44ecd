//! The outputs that are trained together, from their start to weights that are few enough to keep.

use std::array::from_fn;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::examples::{Examples, OnBits, Task};
use super::kept::{Keeper, Span};
use super::lanes::{LANES, Lanes, TermLanes, VECTOR, add_to_lane, all, each_lane, of_lane};
use super::pass::{Extremes, RunPass, Softness, State};
use super::room::{Room, fill};
use super::scaling::{MakeScales, Scales};
use super::{Dual, Pass};
use crate::error::{Error, Result};

/// A row stays as it is if its gradients are off by less than this share of the tolerance.
const SMALL: f32 = 0.25;

/// A block in training.
pub(super) struct Block<'a> {
    examples: &'a Examples<'a>,
    task: &'a Task<'a>,
    first_output: usize,
    on: Vec<OnBits>,
    softness: Softness,
    scales: Scales<'a>,
    state: State<'a>,
    order: Order<'a>,
    progress: [Progress; LANES],
}

/// How far a lane is.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Progress {
    stage: Stage,
    pub(super) n_passes: usize,
    pub(super) violation: f32,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// There is nothing to be learned: the bias, 1 or −1, says it all; 0 where the lane belongs to no output.
    Constant(f32),
    /// Being trained.
    Live,
    /// Optimal.
    Done,
}

/// The rows that a pass goes through.
struct Order<'a> {
    /// Their positions.
    rows: &'a mut Vec<u32>,
    /// Those that the pass moved.
    moved: &'a mut Vec<u32>,
}

impl Order<'_> {
    /// All rows.
    fn take_all(&mut self, n_rows: usize) {
        self.rows.clear();
        self.rows.extend(0..n_rows as u32);
    }

    /// Those that the last pass moved.
    fn take_moved(&mut self) {
        std::mem::swap(self.rows, self.moved);
    }
}

/// A trained block.
pub(super) struct Solved<'a> {
    pub(super) first_output: usize,
    /// Per term, times the factor of its column.
    pub(super) weights: &'a mut [TermLanes],
    pub(super) bias: Lanes,
    /// Of each position.
    rows: &'a [u32],
    /// Per position.
    alphas: &'a [Lanes],
    /// For the lanes that belong to an output.
    pub(super) progress: Vec<Progress>,
}

impl<'a> Block<'a> {
    pub(super) fn new(
        examples: &'a Examples<'a>,
        block: usize,
        task: &'a Task<'a>,
        room: &'a mut Room,
    ) -> Self {
        let first_output = block * LANES;
        let on = examples.on(first_output);
        let n_rows = on.len();
        let n_on: [usize; LANES] = from_fn(|lane| on.iter().filter(|&&on| on & (1 << lane) != 0).count());
        let stage = |lane: usize| match n_on[lane] {
            _ if first_output + lane >= examples.n_outputs() => Stage::Constant(0.0),
            0 => Stage::Constant(-1.0),
            n if n == n_rows => Stage::Constant(1.0),
            _ => Stage::Live,
        };
        let softness = |lane: usize| {
            let ratio = (n_rows - n_on[lane]) as f64 / n_on[lane] as f64;
            let cost = task.params.c * libm::pow(ratio, task.params.positive_weight_exponent);
            // Where an output has no rows of one kind nothing is learned, with whatever softness.
            if cost.is_normal() { 0.5 / cost } else { 1.0 }
        };
        let Room {
            weights,
            own_scales,
            shared_scales,
            squared_lengths,
            alphas,
            rows,
            moved,
        } = room;
        let scales = task.instructions.run(MakeScales {
            examples,
            on: &on,
            params: &task.params,
            making: weights,
            own: own_scales,
            shared: shared_scales,
        });
        fill(weights, examples.n_terms(), TermLanes(all(0.0)));
        fill(alphas, n_rows, all(0.0));
        fill(squared_lengths, n_rows, all(-1.0));
        Self {
            scales,
            examples,
            task,
            first_output,
            softness: Softness {
                on: each_lane(|lane| softness(lane) as f32),
                off: all((0.5 / task.params.c) as f32),
            },
            state: State {
                weights,
                bias: all(0.0),
                alphas,
                squared_lengths,
            },
            order: Order { rows, moved },
            on,
            progress: from_fn(|lane| Progress {
                stage: stage(lane),
                n_passes: 0,
                violation: 0.0,
            }),
        }
    }

    /// Runs passes until every lane is done, or they are used up.
    pub(super) fn solve(mut self) -> Result<Solved<'a>> {
        self.take_start();
        let Task { params, seed, .. } = *self.task;
        let mut rng = ChaCha8Rng::seed_from_u64(seed.seed);
        rng.set_stream(seed.stream);
        let n_rows = self.on.len();
        self.order.take_all(n_rows);
        let mut number = 0;
        while self.n_live() > 0 && number < params.max_passes {
            number += 1;
            self.order.rows.shuffle(&mut rng);
            let extremes = self.pass();
            let n_visited = self.order.rows.len();
            self.note(number, &extremes, n_visited == n_rows);
            let pass = Pass {
                first_output: self.first_output,
                number,
                n_rows: n_visited,
                n_outputs_left: self.n_live(),
            };
            if (self.task.on_pass)(pass).is_break() {
                return Err(Error::Cancelled);
            }
            if n_visited == n_rows && self.order.moved.len() < n_rows {
                self.order.take_moved();
            } else {
                self.order.take_all(n_rows);
            }
        }
        Ok(self.finish())
    }

    fn pass(&mut self) -> Extremes {
        let live = |lane: usize| self.progress[lane].stage == Stage::Live;
        let live = from_fn(|vector| from_fn(|lane| if live(vector * VECTOR + lane) { u32::MAX } else { 0 }));
        self.order.moved.clear();
        self.task.instructions.run(RunPass {
            examples: self.examples,
            on: &self.on,
            softness: &self.softness,
            scales: self.scales,
            state: &mut self.state,
            order: self.order.rows,
            live,
            small: SMALL * self.task.params.tolerance as f32,
            moved: self.order.moved,
        })
    }

    /// Notes how far each lane is; one is done if a pass went through all rows and found it optimal.
    fn note(&mut self, number: usize, extremes: &Extremes, all_rows: bool) {
        for (lane, progress) in self.progress.iter_mut().enumerate() {
            if progress.stage == Stage::Live {
                progress.n_passes = number;
                progress.violation = of_lane(&extremes.highest, lane) - of_lane(&extremes.lowest, lane);
                if all_rows && f64::from(progress.violation) <= self.task.params.tolerance {
                    progress.stage = Stage::Done;
                }
            }
        }
    }

    /// Takes over the dual variables to start from, and the weights that follow from them.
    fn take_start(&mut self) {
        let Some(start) = self.examples.start else { return };
        for lane in 0..LANES {
            if self.progress[lane].stage != Stage::Live {
                continue;
            }
            let mut positions = (0..).zip(&self.examples.rows).peekable();
            for (row, alpha) in start.of_output(self.first_output + lane) {
                while positions.next_if(|&(_, &before)| before < row).is_some() {}
                let Some((position, _)) = positions.next_if(|&(_, &same)| same == row) else {
                    continue;
                };
                self.state.alphas[position][lane / VECTOR][lane % VECTOR] = alpha;
            }
        }
        // PERF: most rows hold up one output or two: their lanes one by one, and the scales in the end.
        for (position, alphas) in self.state.alphas.iter().enumerate() {
            let on = self.on[position];
            for (lane, &alpha) in alphas.as_flattened().iter().enumerate() {
                if alpha > 0.0 {
                    let step = if on & (1 << lane) == 0 { -alpha } else { alpha };
                    self.state.bias[lane / VECTOR][lane % VECTOR] += self.scales.bias_square * step;
                    add_to_lane(self.state.weights, lane, step, self.examples.row(position));
                }
            }
        }
        self.scales.apply(self.state.weights);
    }

    fn n_live(&self) -> usize {
        let is_live = |progress: &&Progress| progress.stage == Stage::Live;
        self.progress.iter().filter(is_live).count()
    }

    fn finish(self) -> Solved<'a> {
        let n_lanes = LANES.min(self.examples.n_outputs() - self.first_output);
        Solved {
            first_output: self.first_output,
            weights: self.state.weights,
            bias: each_lane(|lane| match self.progress[lane].stage {
                Stage::Constant(bias) => bias,
                _ => of_lane(&self.state.bias, lane),
            }),
            rows: &self.examples.rows,
            alphas: self.state.alphas,
            progress: self.progress[..n_lanes].to_vec(),
        }
    }
}

impl Solved<'_> {
    /// Sets weights that are closer to zero to zero, given the factor of each term's column.
    pub(super) fn prune(&mut self, below: f64, factors: &[f32]) {
        for (of_term, &factor) in self.weights.iter_mut().zip(factors) {
            let below = (below * f64::from(factor)) as f32;
            for weight in of_term.0.as_flattened_mut() {
                // PERF: stored in any case, which several at a time can be.
                *weight = if weight.abs() < below { 0.0 } else { *weight };
            }
        }
    }

    /// The bias of each output.
    pub(super) fn biases(&self) -> Vec<f32> {
        let n_lanes = self.progress.len();
        self.bias.as_flattened()[..n_lanes].to_vec()
    }

    /// Everything but zeros; which weights there are goes to `stored`, for each term a bit for each lane.
    pub(super) fn keep(self, keeper: &Keeper<'_>, stored: &mut [OnBits]) -> KeptBlock {
        KeptBlock {
            weights: keeper.keep(self.weights, self.progress.len(), stored),
            bias: self.biases(),
            dual: self.dual(),
            progress: self.progress,
        }
    }

    fn dual(&self) -> Dual {
        let n_lanes = self.progress.len();
        let alphas = self.alphas.iter();
        let alphas = alphas.flat_map(|alphas| &alphas.as_flattened()[..n_lanes]);
        let mut dual = Dual::with_capacity(alphas.filter(|&&alpha| alpha > 0.0).count());
        for lane in 0..n_lanes {
            for (&row, alphas) in self.rows.iter().zip(self.alphas) {
                match of_lane(alphas, lane) {
                    alpha if alpha > 0.0 => dual.push(row, alpha),
                    _ => {}
                }
            }
            dual.end_output();
        }
        dual
    }
}

/// What is kept of a trained block: the next one needs the room of its dense weights.
pub(super) struct KeptBlock {
    pub(super) weights: Span,
    /// Of each output.
    pub(super) bias: Vec<f32>,
    pub(super) dual: Dual,
    /// Of each output.
    pub(super) progress: Vec<Progress>,
}
