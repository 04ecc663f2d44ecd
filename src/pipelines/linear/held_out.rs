//! The scores of documents by classifiers that hadn't seen them: what confidences and thresholds are learned from.
//!
//! [`Reducer`]s keep little of each row, so that memory doesn't grow with documents × labels. Scores come in any order of
//! rows and outputs; what is kept doesn't depend on it.

use crate::learners::linear::{Reducer, RowScores};

/// An output's score for a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    pub(super) output: usize,
    pub(super) score: f32,
    /// The bias in it.
    pub(super) bias: f32,
}

impl Scored {
    /// Whether it comes first: by a higher score, of equals by the lower output.
    fn beats(&self, other: Option<Self>) -> bool {
        other.is_none_or(|other| {
            let by_score = self.score.total_cmp(&other.score);
            by_score.then(other.output.cmp(&self.output)).is_gt()
        })
    }
}

/// What is kept of a row where at most one label is right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct BestTwo {
    pub(super) best: Option<Scored>,
    pub(super) second: Option<Scored>,
    /// The score of there being no label, where that was learned.
    pub(super) none: Option<f32>,
}

/// Keeps the [`BestTwo`] of each row.
#[derive(Debug)]
pub(super) struct BestTwoOfRows {
    rows: Vec<BestTwo>,
    /// Outputs from here on aren't labels.
    n_labels: usize,
}

impl BestTwoOfRows {
    pub(super) fn new(n_rows: usize, n_labels: usize) -> Self {
        Self {
            rows: vec![BestTwo::default(); n_rows],
            n_labels,
        }
    }

    pub(super) fn into_rows(self) -> Vec<BestTwo> {
        self.rows
    }
}

impl Reducer for BestTwoOfRows {
    fn take(&mut self, scores: RowScores<'_>) {
        let kept = &mut self.rows[scores.row as usize];
        let outputs = scores.first_output as usize..;
        for ((output, &score), &bias) in outputs.zip(scores.scores).zip(scores.bias) {
            let scored = Scored { output, score, bias };
            if output >= self.n_labels {
                kept.none = Some(score);
            } else if scored.beats(kept.best) {
                kept.second = kept.best.replace(scored);
            } else if scored.beats(kept.second) {
                kept.second = Some(scored);
            }
        }
    }
}

/// The scores of one output.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ScoresOfOutput {
    /// (row, score), by ascending row.
    pub(super) above: Vec<(u32, f32)>,
    /// Rows that scored less.
    pub(super) n_below: usize,
}

/// Keeps of each output the scores above a floor: where any number of labels is right, a label's threshold is somewhere
/// among them.
#[derive(Debug)]
pub(super) struct ScoresAbove {
    floor: f32,
    outputs: Vec<ScoresOfOutput>,
}

impl ScoresAbove {
    pub(super) fn new(floor: f32, n_outputs: usize) -> Self {
        Self {
            floor,
            outputs: vec![ScoresOfOutput::default(); n_outputs],
        }
    }

    /// One for each output.
    pub(super) fn into_outputs(mut self) -> Vec<ScoresOfOutput> {
        for output in &mut self.outputs {
            output.above.sort_unstable_by_key(|&(row, _)| row);
        }
        self.outputs
    }
}

impl Reducer for ScoresAbove {
    fn take(&mut self, scores: RowScores<'_>) {
        let outputs = &mut self.outputs[scores.first_output as usize..];
        for (output, &score) in outputs.iter_mut().zip(scores.scores) {
            if score > self.floor {
                output.above.push((scores.row, score));
            } else {
                output.n_below += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [(u32, u32, [f32; 2]); 4] = [
        (0, 0, [0.5, 0.25]),
        (0, 2, [0.5, 2.0]),
        (1, 0, [-0.25, -2.0]),
        (1, 2, [-0.5, -1.0]),
    ];

    fn take_all(reducer: &mut dyn Reducer, order: [usize; 4]) {
        for (row, first_output, scores) in order.map(|at| SCORES[at]) {
            reducer.take(RowScores {
                row,
                first_output,
                scores: &scores,
                bias: &[-1.0, -0.5],
            });
        }
    }

    fn scored(output: usize, score: f32, bias: f32) -> Scored {
        Scored { output, score, bias }
    }

    #[test]
    fn the_best_two_labels_are_kept_and_the_score_of_none() {
        let mut rows = BestTwoOfRows::new(2, 3);
        take_all(&mut rows, [0, 1, 2, 3]);
        let expected = [
            BestTwo {
                best: Some(scored(0, 0.5, -1.0)),
                second: Some(scored(2, 0.5, -1.0)),
                none: Some(2.0),
            },
            BestTwo {
                best: Some(scored(0, -0.25, -1.0)),
                second: Some(scored(2, -0.5, -1.0)),
                none: Some(-1.0),
            },
        ];
        assert_eq!(rows.into_rows(), expected);
    }

    #[test]
    fn scores_above_the_floor_are_kept() {
        let mut above = ScoresAbove::new(-0.5, 4);
        take_all(&mut above, [0, 1, 2, 3]);
        let output = |above: &[(u32, f32)], n_below| ScoresOfOutput {
            above: above.to_vec(),
            n_below,
        };
        let expected = [
            output(&[(0, 0.5), (1, -0.25)], 0),
            output(&[(0, 0.25)], 1),
            output(&[(0, 0.5)], 1),
            output(&[(0, 2.0)], 1),
        ];
        assert_eq!(above.into_outputs(), expected);
    }

    #[test]
    fn the_order_of_arrival_has_no_effect() {
        for order in [[3, 2, 1, 0], [2, 0, 3, 1], [1, 0, 3, 2]] {
            let (mut rows, mut as_given) = (BestTwoOfRows::new(2, 3), BestTwoOfRows::new(2, 3));
            take_all(&mut rows, order);
            take_all(&mut as_given, [0, 1, 2, 3]);
            assert_eq!(rows.into_rows(), as_given.into_rows());
            let (mut above, mut as_given) = (ScoresAbove::new(0.0, 4), ScoresAbove::new(0.0, 4));
            take_all(&mut above, order);
            take_all(&mut as_given, [0, 1, 2, 3]);
            assert_eq!(above.into_outputs(), as_given.into_outputs());
        }
    }
}
