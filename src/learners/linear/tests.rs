//! The classifiers held against scikit-learn, against the theory and against themselves.

mod edges;
mod folds;
mod optimum;
mod properties;
mod scikit_learn;

use super::*;
use crate::sparse::{CsrMatrix, SparseRow};

/// MINSTD, as in the fixture's script.
struct Lehmer(u64);

impl Lehmer {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0 * 48_271 % 0x7FFF_FFFF;
        self.0 % n
    }
}

const SEED: Seed = Seed { seed: 1, stream: 2 };

fn go_on(_: Pass) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn matrix_of(n_terms: usize, rows: &[Vec<(u32, f32)>]) -> FactoredMatrix {
    FactoredMatrix::from(&CsrMatrix::from_rows(n_terms, rows))
}

/// The fixture's `problem()`, of any size: output k announces itself by terms 3k to 3k + 2, mostly.
fn problem(n_rows: usize, n_terms: u64, n_outputs: u64) -> (FactoredMatrix, Targets) {
    let (mut random, mut rows, mut labels) = (Lehmer(7), Vec::new(), Vec::new());
    for _ in 0..n_rows {
        let own: Vec<u32> = (0..n_outputs)
            .filter(|k| random.below(k + 2) == 0)
            .map(|k| k as u32)
            .collect();
        let mut row = std::collections::BTreeMap::new();
        for _ in 0..6 {
            let term = random.below(n_terms) as u32;
            row.insert(term, (1 + random.below(3)) as f32 / 4.0);
        }
        for k in &own {
            row.insert(3 * k + random.below(4) as u32, 0.5);
        }
        rows.push(row.into_iter().collect());
        labels.push(own);
    }
    let n_labels = n_outputs as usize;
    (
        matrix_of(n_terms as usize, &rows),
        Targets::MultiLabel { labels, n_labels },
    )
}

fn small_problem() -> (FactoredMatrix, Targets) {
    problem(150, 60, 6)
}

/// A plain support vector machine, as LIBLINEAR's: what the theory is about.
fn plain() -> LinearParams {
    LinearParams {
        c: 1.0,
        prune_below: 0.05,
        bias_feature: 1.0,
        scaling: Scaling::None,
        ..LinearParams::default()
    }
}

/// To the optimum, as near as single precision gets, and with all of the weights.
fn exact() -> LinearParams {
    LinearParams {
        tolerance: 1e-4,
        max_passes: 10_000,
        prune_below: 0.0,
        ..plain()
    }
}

fn on_all_rows((matrix, targets): &(FactoredMatrix, Targets)) -> LinearExamples<'_> {
    LinearExamples {
        matrix,
        targets,
        rows: None,
        start: None,
    }
}

fn fitted(examples: LinearExamples<'_>, params: &LinearParams) -> LinearFit {
    fit(examples, params, SEED, &go_on).unwrap()
}

fn scores_of(model: &Linear, matrix: &FactoredMatrix) -> Vec<Vec<f32>> {
    let scores = |row: SparseRow<'_>| {
        let mut scores = vec![0.0; model.n_outputs()];
        model.scores(row, &mut scores);
        scores
    };
    matrix.rows().map(|row| scores(row.as_row())).collect()
}

fn assert_scores_within(most: f32, ours: &[Vec<f32>], theirs: &[Vec<f32>]) {
    assert_eq!(ours.len(), theirs.len());
    for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (output, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            assert!(
                (ours - theirs).abs() <= most,
                "row {row}, output {output}: {ours} instead of {theirs}"
            );
        }
    }
}
