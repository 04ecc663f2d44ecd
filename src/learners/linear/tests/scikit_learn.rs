//! Scores held against those of scikit-learn's `LinearSVC`.

use serde_json::Value;

use super::*;

/// `tests/fixtures/make_linear_fixture.py` made it with scikit-learn.
const FIXTURE: &str = include_str!("../../../../tests/fixtures/linear.json");

fn fixture() -> Value {
    serde_json::from_str(FIXTURE).expect("the fixture is JSON")
}

#[test]
fn problem_is_that_of_the_fixture() {
    let (fixture, (matrix, targets)) = (fixture(), small_problem());
    assert_eq!(fixture["stored"], matrix.nnz());
    for output in 0..targets.n_outputs() {
        let mut n_on = 0;
        for row in 0..targets.n_rows() {
            targets.for_each_on(row, |on| n_on += usize::from(on == output));
        }
        assert_eq!(fixture["n_on"][output], n_on);
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    let problem = small_problem();
    for case in fixture()["cases"].as_array().unwrap() {
        let params = LinearParams {
            c: case["c"].as_f64().unwrap(),
            positive_weight_exponent: case["positive_weight_exponent"].as_f64().unwrap(),
            ..exact()
        };
        let fit = fitted(on_all_rows(&problem), &params);
        let theirs = |row: usize, output: usize| case["scores"][output][row].as_f64().unwrap() as f32;
        let theirs: Vec<Vec<f32>> = (0..problem.0.n_rows())
            .map(|row| (0..6).map(|output| theirs(row, output)).collect())
            .collect();
        assert_scores_within(1e-3, &scores_of(&fit.model, &problem.0), &theirs);
    }
}
