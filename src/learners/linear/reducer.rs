//! What is kept of scores that were not learned from: little, however many rows and outputs there are.
//!
//! In come the scores of some rows for some outputs, in any order of rows and outputs; the result doesn't depend on it.

use std::cmp::Ordering;

use crate::learners::Targets;

/// Scores of one row, for outputs that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct RowScores<'a> {
    /// Row of the matrix.
    pub row: u32,
    /// The first of the outputs.
    pub first_output: u32,
    /// A score for each output.
    pub scores: &'a [f32],
    /// The bias in each score.
    pub bias: &'a [f32],
}

/// Takes scores in; each row once for each output.
pub trait Reducer: Send {
    /// Takes some in.
    fn take(&mut self, scores: RowScores<'_>);
}

/// An output's score for a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The output.
    pub output: u32,
    /// Its score.
    pub score: f32,
    /// The bias in it.
    pub bias: f32,
}

impl Scored {
    /// Whether it comes first: by a higher score, of equals by the lower output.
    fn beats(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| match self.score.total_cmp(&other.score) {
            Ordering::Equal => self.output < other.output,
            order => order.is_gt(),
        })
    }
}

/// Of one row: the best two scores, and that of its own output.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Top {
    /// The best.
    pub best: Option<Scored>,
    /// The next best; nothing if there is one output only.
    pub second: Option<Scored>,
    /// The output that the row has; nothing if it has none.
    pub own: Option<Scored>,
}

/// Keeps the [`Top`] of each row: what a field with at most one label a document asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct TopTwo {
    own: Vec<Option<u32>>,
    rows: Vec<Top>,
}

impl TopTwo {
    /// For rows that are filed so; the first of several outputs counts as a row's own.
    pub fn new(targets: &Targets) -> Self {
        let own = |row| {
            let mut first = None;
            targets.for_each_on(row, |output| first = first.or(Some(output as u32)));
            first
        };
        Self {
            own: (0..targets.n_rows()).map(own).collect(),
            rows: vec![Top::default(); targets.n_rows()],
        }
    }

    /// One for each row.
    pub fn rows(&self) -> &[Top] {
        &self.rows
    }
}

impl Reducer for TopTwo {
    fn take(&mut self, scores: RowScores<'_>) {
        let (own, top) = (self.own[scores.row as usize], &mut self.rows[scores.row as usize]);
        for ((output, &score), &bias) in (scores.first_output..).zip(scores.scores).zip(scores.bias) {
            let scored = Scored { output, score, bias };
            if scored.beats(top.best.as_ref()) {
                top.second = top.best.replace(scored);
            } else if scored.beats(top.second.as_ref()) {
                top.second = Some(scored);
            }
            if own == Some(output) {
                top.own = Some(scored);
            }
        }
    }
}

/// Keeps of each output the scores above a floor, and those of all its rows: what a field with any number of labels
/// asks for, where an output's threshold is somewhere among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Above<'a> {
    targets: &'a Targets,
    floor: f32,
    outputs: Vec<Vec<(u32, f32)>>,
}

impl<'a> Above<'a> {
    /// For rows that are filed so.
    pub fn new(targets: &'a Targets, floor: f32) -> Self {
        Self {
            targets,
            floor,
            outputs: vec![Vec::new(); targets.n_outputs()],
        }
    }

    /// For each output, (row, score) by ascending row.
    pub fn into_outputs(mut self) -> Vec<Vec<(u32, f32)>> {
        for rows in &mut self.outputs {
            rows.sort_unstable_by_key(|&(row, _)| row);
        }
        self.outputs
    }
}

impl Reducer for Above<'_> {
    fn take(&mut self, scores: RowScores<'_>) {
        let first = scores.first_output as usize;
        let outputs = &mut self.outputs[first..first + scores.scores.len()];
        for (rows, &score) in outputs.iter_mut().zip(scores.scores) {
            if score > self.floor {
                rows.push((scores.row, score));
            }
        }
        self.targets.for_each_on(scores.row as usize, |output| {
            let at = output.wrapping_sub(first);
            if let Some(&score) = scores.scores.get(at)
                && score <= self.floor
            {
                outputs[at].push((scores.row, score));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> Targets {
        Targets::MultiLabel {
            labels: vec![vec![2], vec![]],
            n_labels: 4,
        }
    }

    fn take_all(reducer: &mut dyn Reducer, order: [(u32, u32, [f32; 2]); 4]) {
        for (row, first_output, scores) in order {
            reducer.take(RowScores {
                row,
                first_output,
                scores: &scores,
                bias: &[-1.0, -0.5],
            });
        }
    }

    const SCORES: [(u32, u32, [f32; 2]); 4] = [
        (0, 0, [0.5, 0.25]),
        (0, 2, [-0.75, 0.5]),
        (1, 0, [-0.25, -2.0]),
        (1, 2, [-0.5, -1.0]),
    ];

    #[test]
    fn best_two_and_the_own_output_are_kept() {
        let mut top = TopTwo::new(&targets());
        take_all(&mut top, SCORES);
        let scored = |output, score, bias| Some(Scored { output, score, bias });
        let first = Top {
            best: scored(0, 0.5, -1.0),
            second: scored(3, 0.5, -0.5),
            own: scored(2, -0.75, -1.0),
        };
        let second = Top {
            best: scored(0, -0.25, -1.0),
            second: scored(2, -0.5, -1.0),
            own: None,
        };
        assert_eq!(top.rows(), [first, second]);
    }

    #[test]
    fn scores_above_the_floor_and_of_own_outputs_are_kept() {
        let targets = targets();
        let mut above = Above::new(&targets, -0.5);
        take_all(&mut above, SCORES);
        let expected = [
            vec![(0, 0.5), (1, -0.25)],
            vec![(0, 0.25)],
            vec![(0, -0.75)],
            vec![(0, 0.5)],
        ];
        assert_eq!(above.into_outputs(), expected);
    }

    #[test]
    fn order_of_arrival_has_no_effect() {
        let (targets, [a, b, c, d]) = (targets(), SCORES);
        let orders = [[d, c, b, a], [c, a, d, b], [b, a, d, c]];
        for order in orders {
            let (mut top, mut as_given) = (TopTwo::new(&targets), TopTwo::new(&targets));
            take_all(&mut top, order);
            take_all(&mut as_given, SCORES);
            assert_eq!(top, as_given);
            let (mut above, mut as_given) = (Above::new(&targets, 0.0), Above::new(&targets, 0.0));
            take_all(&mut above, order);
            take_all(&mut as_given, SCORES);
            assert_eq!(above.into_outputs(), as_given.into_outputs());
        }
    }
}
