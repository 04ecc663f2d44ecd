//! Held-out scores: those of a training that has never seen the row.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Keeps every score.
struct All(Vec<Vec<f32>>);

impl Reducer for All {
    fn take(&mut self, scores: RowScores<'_>) {
        let first = scores.first_output as usize;
        for (at, &score) in scores.scores.iter().enumerate() {
            let place = &mut self.0[scores.row as usize][first + at];
            assert!(place.is_nan(), "each row once for each output");
            *place = score;
        }
    }
}

fn fold_of_row(n_rows: usize) -> Vec<u8> {
    (0..n_rows).map(|row| (row * 5 % 7 % 3) as u8).collect()
}

fn held_out(
    (matrix, targets): &(FactoredMatrix, Targets),
    params: &LinearParams,
    start: Option<&Dual>,
) -> Vec<Vec<f32>> {
    let fold_of_row = fold_of_row(matrix.n_rows());
    let folds = Folds {
        matrix,
        targets,
        fold_of_row: &fold_of_row,
        start,
    };
    let mut all = All(vec![vec![f32::NAN; targets.n_outputs()]; matrix.n_rows()]);
    out_of_fold(folds, params, SEED, &mut all, &go_on).unwrap();
    all.0
}

#[test]
fn held_out_score_is_that_of_a_training_on_the_other_folds() {
    let problem = problem(150, 200, 40);
    let scores = held_out(&problem, &plain(), None);
    for fold in 0..3_u8 {
        let is_in = |row: &u32| fold_of_row(150)[*row as usize] == fold;
        let rows: Vec<u32> = (0..150).filter(|row| !is_in(row)).collect();
        let examples = LinearExamples {
            rows: Some(&rows),
            ..on_all_rows(&problem)
        };
        let fit = fitted(examples, &plain());
        let expected = scores_of(&fit.model, &problem.0);
        for row in (0..150).filter(is_in).map(|row| row as usize) {
            // Not to the bit: a model sums a row's products in another order than a block.
            assert_scores_within(1e-5, &scores[row..=row], &expected[row..=row]);
        }
    }
}

#[test]
fn folds_that_start_from_a_training_on_all_rows_forget_what_is_held_out() {
    let (problem, params) = (problem(150, 200, 40), exact());
    let start = fitted(on_all_rows(&problem), &params).dual;
    let warm = held_out(&problem, &params, Some(&start));
    assert_scores_within(2e-3, &warm, &held_out(&problem, &params, None));
}

#[test]
fn folds_that_start_from_a_training_on_all_rows_take_fewer_passes() {
    let problem = problem(600, 200, 20);
    let n_passes = |start: Option<&Dual>| {
        let n_passes = AtomicUsize::new(0);
        let count = |_: Pass| {
            n_passes.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let fold_of_row = fold_of_row(600);
        let folds = Folds {
            matrix: &problem.0,
            targets: &problem.1,
            fold_of_row: &fold_of_row,
            start,
        };
        let mut all = All(vec![vec![f32::NAN; problem.1.n_outputs()]; 600]);
        out_of_fold(folds, &plain(), SEED, &mut all, &count).unwrap();
        n_passes.into_inner()
    };
    let start = fitted(on_all_rows(&problem), &plain()).dual;
    let (warm, cold) = (n_passes(Some(&start)), n_passes(None));
    assert!(warm < cold, "{warm}, from nothing {cold}");
}

#[test]
fn rows_of_a_single_fold_are_scored_by_what_saw_none() {
    let problem = small_problem();
    let folds = Folds {
        matrix: &problem.0,
        targets: &problem.1,
        fold_of_row: &[0; 150],
        start: None,
    };
    let mut all = All(vec![vec![f32::NAN; problem.1.n_outputs()]; 150]);
    out_of_fold(folds, &exact(), SEED, &mut all, &go_on).unwrap();
    let is_off = |score: &f32| score.to_bits() == (-1.0_f32).to_bits();
    assert!(all.0.iter().flatten().all(is_off));
}

#[test]
fn held_out_scores_are_the_same_for_every_number_of_threads() {
    let problem = problem(150, 200, 40);
    let start = fitted(on_all_rows(&problem), &plain()).dual;
    let with_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| held_out(&problem, &plain(), Some(&start)))
    };
    let one = with_threads(1);
    for n_threads in [2, 4, 8] {
        assert!(with_threads(n_threads) == one, "{n_threads} threads");
    }
}
