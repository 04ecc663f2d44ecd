//! Held-out scores: those of a training that has never seen the row.

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
) -> (Vec<Vec<f32>>, OutOfFold) {
    let fold_of_row = fold_of_row(matrix.n_rows());
    let folds = Folds {
        matrix,
        targets,
        fold_of_row: &fold_of_row,
    };
    let mut all = All(vec![vec![f32::NAN; targets.n_outputs()]; matrix.n_rows()]);
    let out = out_of_fold(folds, params, SEED, &mut all, &go_on).unwrap();
    (all.0, out)
}

#[test]
fn held_out_score_is_that_of_a_training_on_the_other_folds() {
    let problem = problem(150, 200, 40);
    let (scores, out) = held_out(&problem, &plain());
    for fold in 0..3_u8 {
        let is_in = |row: &u32| fold_of_row(150)[*row as usize] == fold;
        let rows: Vec<u32> = (0..150).filter(|row| !is_in(row)).collect();
        let examples = LinearExamples {
            rows: Some(&rows),
            ..on_all_rows(&problem)
        };
        let fit = fitted(examples, &plain());
        assert_eq!(fit.report, out.reports[fold as usize]);
        let expected = scores_of(&fit.model, &problem.0);
        for row in (0..150).filter(is_in).map(|row| row as usize) {
            // Not to the bit: a model sums a row's products in another order than a block.
            assert_scores_within(1e-5, &scores[row..=row], &expected[row..=row]);
        }
    }
}

#[test]
fn training_on_all_rows_goes_on_where_the_folds_ended() {
    let problem = problem(600, 200, 20);
    let params = plain();
    let (_, out) = held_out(&problem, &params);
    let warm = LinearExamples {
        start: Some(&out.start),
        ..on_all_rows(&problem)
    };
    let (warm, cold) = (
        fitted(warm, &params).report,
        fitted(on_all_rows(&problem), &params).report,
    );
    assert!(
        warm.mean_passes < 0.8 * cold.mean_passes,
        "{warm:?}, from nothing {cold:?}"
    );
}

#[test]
fn rows_of_a_single_fold_are_scored_by_what_saw_none() {
    let problem = small_problem();
    let folds = Folds {
        matrix: &problem.0,
        targets: &problem.1,
        fold_of_row: &[0; 150],
    };
    let mut all = All(vec![vec![f32::NAN; problem.1.n_outputs()]; 150]);
    out_of_fold(folds, &exact(), SEED, &mut all, &go_on).unwrap();
    let is_off = |score: &f32| score.to_bits() == (-1.0_f32).to_bits();
    assert!(all.0.iter().flatten().all(is_off));
}

#[test]
fn held_out_scores_are_the_same_for_every_number_of_threads() {
    let problem = problem(150, 200, 40);
    let with_threads = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| held_out(&problem, &plain()))
    };
    let one = with_threads(1);
    for n_threads in [2, 4, 8] {
        assert!(with_threads(n_threads) == one, "{n_threads} threads");
    }
}
