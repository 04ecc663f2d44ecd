//! What holds at the optimum, and only there; and that a warm start gets to the same one.

use super::*;

/// Per row, whether an output is on; and 1 / 2C.
fn of_output(targets: &Targets, output: usize, params: &LinearParams) -> (Vec<bool>, impl Fn(bool) -> f64) {
    let mut on = vec![false; targets.n_rows()];
    for (row, on) in on.iter_mut().enumerate() {
        targets.for_each_on(row, |other| *on |= other == output);
    }
    let n_on = on.iter().filter(|on| **on).count() as f64;
    let weight = ((on.len() as f64 - n_on) / n_on).powf(params.positive_weight_exponent);
    let c = params.c;
    (on, move |on| 0.5 / if on { c * weight } else { c })
}

fn alphas(dual: &Dual, output: usize, n_rows: usize) -> Vec<f64> {
    let mut alphas = vec![0.0; n_rows];
    for (row, alpha) in dual.of_output(output) {
        alphas[row as usize] = f64::from(alpha);
    }
    alphas
}

fn y(on: bool) -> f64 {
    if on { 1.0 } else { -1.0 }
}

/// For each output, the score of each row.
fn scores_by_output(model: &Linear, matrix: &FactoredMatrix) -> Vec<Vec<f32>> {
    let by_row = scores_of(model, matrix);
    let of_output = |output: usize| by_row.iter().map(|scores| scores[output]).collect();
    (0..model.n_outputs()).map(of_output).collect()
}

#[test]
fn no_row_can_be_moved_to_advantage() {
    let (problem, params) = (small_problem(), exact());
    let fit = fitted(on_all_rows(&problem), &params);
    let scores = scores_by_output(&fit.model, &problem.0);
    for (output, scores) in scores.iter().enumerate() {
        let (on, softness) = of_output(&problem.1, output, &params);
        let alphas = alphas(&fit.dual, output, on.len());
        for (row, &alpha) in alphas.iter().enumerate() {
            let gradient = y(on[row]) * f64::from(scores[row]) - 1.0 + softness(on[row]) * alpha;
            let violation = if alpha > 0.0 { gradient.abs() } else { -gradient };
            assert!(violation < 1e-3, "row {row}, output {output}: off by {violation}");
        }
    }
}

#[test]
fn weights_are_the_sum_of_the_support_vectors() {
    let problem = small_problem();
    let fit = fitted(on_all_rows(&problem), &exact());
    for output in 0..6 {
        let (on, _) = of_output(&problem.1, output, &exact());
        let (mut weights, mut bias) = (vec![0.0; 60], 0.0);
        for (row, alpha) in fit.dual.of_output(output) {
            let step = y(on[row as usize]) * f64::from(alpha);
            bias += step;
            let row = problem.0.row(row as usize);
            for (&term, &value) in row.as_row().indices.iter().zip(row.as_row().values) {
                weights[term as usize] += step * f64::from(value);
            }
        }
        assert!((bias - f64::from(fit.model.bias()[output])).abs() < 1e-4);
        for (term, weight) in weights.iter().enumerate() {
            let stored = f64::from(fit.model.weight(term, output));
            assert!(
                (weight - stored).abs() < 1e-4,
                "term {term}: {stored} instead of {weight}"
            );
        }
    }
}

#[test]
fn gap_between_primal_and_dual_closes() {
    let problem = small_problem();
    let gap = |tolerance| {
        let params = LinearParams { tolerance, ..exact() };
        let fit = fitted(on_all_rows(&problem), &params);
        let scores = scores_by_output(&fit.model, &problem.0);
        let mut gap = 0.0;
        for (output, scores) in scores.iter().enumerate() {
            let (on, softness) = of_output(&problem.1, output, &params);
            let alphas = alphas(&fit.dual, output, on.len());
            let weights = (0..60).map(|term| fit.model.weight(term, output));
            let squares: f64 = weights
                .chain([fit.model.bias()[output]])
                .map(|w| f64::from(w).powi(2))
                .sum();
            let (mut primal, mut dual) = (0.5 * squares, -0.5 * squares);
            for (row, &on) in on.iter().enumerate() {
                let loss = (1.0 - y(on) * f64::from(scores[row])).max(0.0);
                primal += 0.5 / softness(on) * loss * loss;
                dual += alphas[row] - 0.5 * softness(on) * alphas[row] * alphas[row];
            }
            gap += (primal - dual) / primal;
        }
        gap / 6.0
    };
    let gaps = [gap(0.5), gap(0.05), gap(1e-3)];
    assert!(
        gaps[0] < 0.1 && gaps[1] < gaps[0] / 10.0 && gaps[2].abs() < 1e-5,
        "{gaps:?}"
    );
}

/// The dual of the first 140 rows, as an earlier training on fewer documents leaves it.
fn dual_of_fewer_rows(problem: &(FactoredMatrix, Targets), params: &LinearParams) -> Dual {
    let rows: Vec<u32> = (0..140).collect();
    let examples = LinearExamples {
        rows: Some(&rows),
        ..on_all_rows(problem)
    };
    fitted(examples, params).dual
}

#[test]
fn warm_start_leads_to_the_same_optimum() {
    let (problem, params) = (small_problem(), exact());
    let start = dual_of_fewer_rows(&problem, &params);
    let warm = LinearExamples {
        start: Some(&start),
        ..on_all_rows(&problem)
    };
    let warm = scores_of(&fitted(warm, &params).model, &problem.0);
    let cold = scores_of(&fitted(on_all_rows(&problem), &params).model, &problem.0);
    assert_scores_within(1e-3, &warm, &cold);
}

#[test]
fn warm_start_takes_few_passes() {
    let (problem, params) = (small_problem(), plain());
    let cold = fitted(on_all_rows(&problem), &params);
    let from = |start| {
        fitted(
            LinearExamples {
                start: Some(start),
                ..on_all_rows(&problem)
            },
            &params,
        )
    };
    let unchanged = from(&cold.dual).report;
    // At most two passes over all rows, and one between them over those that the first one moved.
    assert!(
        unchanged.max_passes <= 3,
        "{unchanged:?}, from nothing {:?}",
        cold.report
    );
    let ten_new_rows = from(&dual_of_fewer_rows(&problem, &params)).report;
    assert!(
        ten_new_rows.mean_passes < 0.8 * cold.report.mean_passes,
        "{ten_new_rows:?}, from nothing {:?}",
        cold.report
    );
}

#[test]
fn start_from_labels_that_changed_leads_to_the_optimum() {
    let (matrix, targets) = small_problem();
    let Targets::MultiLabel { mut labels, n_labels } = targets.clone() else {
        unreachable!("the problem has labels")
    };
    labels.rotate_left(1);
    let changed = (matrix.clone(), Targets::MultiLabel { labels, n_labels });
    let start = fitted(on_all_rows(&changed), &exact()).dual;
    let problem = (matrix, targets);
    let warm = LinearExamples {
        start: Some(&start),
        ..on_all_rows(&problem)
    };
    let warm = scores_of(&fitted(warm, &exact()).model, &problem.0);
    let cold = scores_of(&fitted(on_all_rows(&problem), &exact()).model, &problem.0);
    assert_scores_within(1e-3, &warm, &cold);
}
