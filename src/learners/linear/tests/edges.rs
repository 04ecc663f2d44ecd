//! What is learned where there is little or nothing to learn from, and what is refused.

use super::*;

fn labelled(labels: &[&[u32]], n_labels: usize) -> Targets {
    Targets::MultiLabel {
        labels: labels.iter().map(|labels| labels.to_vec()).collect(),
        n_labels,
    }
}

/// Three rows of a term each.
fn three_rows() -> FactoredMatrix {
    matrix_of(3, &[vec![(0, 1.0)], vec![(1, 1.0)], vec![(2, 1.0)]])
}

#[test]
fn output_that_is_never_on_is_the_negative_margin() {
    let problem = (three_rows(), labelled(&[&[0], &[], &[0]], 2));
    let fit = fitted(on_all_rows(&problem), &exact());
    assert_eq!(fit.model.bias()[1].to_bits(), (-1.0_f32).to_bits());
    assert!((0..3).all(|term| fit.model.weight(term, 1) == 0.0));
    assert_eq!(fit.dual.of_output(1).len(), 0);
}

#[test]
fn output_that_is_always_on_is_the_margin() {
    let problem = (three_rows(), labelled(&[&[0, 1], &[1], &[1]], 2));
    let fit = fitted(on_all_rows(&problem), &exact());
    assert_eq!(fit.model.bias()[1].to_bits(), 1.0_f32.to_bits());
    assert!((0..3).all(|term| fit.model.weight(term, 1) == 0.0));
}

#[test]
fn one_row_is_enough_to_learn_from() {
    let (matrix, _) = small_problem();
    let mut labels = vec![vec![]; matrix.n_rows()];
    labels[17] = vec![0];
    let problem = (matrix, Targets::MultiLabel { labels, n_labels: 1 });
    let scores = scores_of(&fitted(on_all_rows(&problem), &exact()).model, &problem.0);
    let on: Vec<usize> = (0..problem.0.n_rows())
        .filter(|&row| scores[row][0] > 0.0)
        .collect();
    assert_eq!(on, [17]);
}

#[test]
fn empty_row_scores_the_bias() {
    let rows = [vec![(0, 1.0)], vec![], vec![(1, 1.0)], vec![]];
    let problem = (matrix_of(2, &rows), labelled(&[&[0], &[], &[], &[]], 1));
    let fit = fitted(on_all_rows(&problem), &exact());
    let scores = scores_of(&fit.model, &problem.0);
    assert_eq!(scores[1], fit.model.bias());
    assert!(scores[1][0] < 0.0 && scores[0][0] > 0.0);
}

#[test]
fn only_empty_rows_leave_the_bias_to_answer() {
    let problem = (
        matrix_of(2, &vec![vec![]; 4]),
        labelled(&[&[0], &[], &[], &[]], 1),
    );
    let fit = fitted(on_all_rows(&problem), &exact());
    assert_eq!(fit.model.weights().nnz(), 0);
    assert!(fit.model.bias()[0] < 0.0);
}

#[test]
fn rows_filed_both_ways_are_torn_between() {
    let problem = (
        matrix_of(1, &vec![vec![(0, 1.0)]; 3]),
        labelled(&[&[0], &[0], &[]], 1),
    );
    let params = LinearParams {
        positive_weight_exponent: 0.0,
        ..exact()
    };
    let fit = fitted(on_all_rows(&problem), &params);
    let score = scores_of(&fit.model, &problem.0)[0][0];
    // ½ (w² + b²) + 2 (1 − s)² + (1 + s)² with w = b = s / 2 is least at s = 2 / 6.5.
    assert!((score - 2.0 / 6.5).abs() < 1e-4, "{score}");
}

#[test]
fn no_rows_leave_every_output_off() {
    let problem = (matrix_of(3, &[]), labelled(&[], 2));
    let fit = fitted(on_all_rows(&problem), &exact());
    assert_eq!(fit.model.bias(), [-1.0, -1.0]);
    assert_eq!((fit.model.n_terms(), fit.report.max_passes), (3, 0));
}

#[test]
fn no_outputs_are_a_model_that_says_nothing() {
    let problem = (three_rows(), labelled(&[&[], &[], &[]], 0));
    assert_eq!(fitted(on_all_rows(&problem), &exact()).model.n_outputs(), 0);
}

#[test]
fn thousands_of_outputs_each_find_their_document() {
    // Every row has a term of its own, and a label of its own.
    let n = 3_085_u32;
    let rows: Vec<_> = (0..n).map(|row| vec![(row, 0.8), (n + row % 7, 0.6)]).collect();
    let problem = (
        matrix_of(n as usize + 7, &rows),
        Targets::MultiLabel {
            labels: (0..n).map(|row| vec![row]).collect(),
            n_labels: n as usize,
        },
    );
    let fit = fitted(on_all_rows(&problem), &plain());
    let mut scores = vec![0.0; n as usize];
    for row in (0..n).step_by(97) {
        fit.model
            .scores(problem.0.row(row as usize).as_row(), &mut scores);
        let on: Vec<u32> = (0..n).filter(|&output| scores[output as usize] > 0.0).collect();
        assert_eq!(on, [row]);
    }
    let per_output = fit.report.n_stored / n as usize;
    assert!(per_output < 10, "{per_output} weights an output");
}

#[test]
fn weights_near_zero_are_dropped() {
    let problem = small_problem();
    let all = fitted(
        on_all_rows(&problem),
        &LinearParams {
            prune_below: 0.0,
            ..plain()
        },
    )
    .model;
    let kept = fitted(
        on_all_rows(&problem),
        &LinearParams {
            prune_below: 0.2,
            ..plain()
        },
    )
    .model;
    assert!(kept.weights().nnz() < all.weights().nnz() && kept.weights().nnz() > 0);
    for term in 0..60 {
        for output in 0..6 {
            let weight = all.weight(term, output);
            let expected = if weight.abs() < 0.2 { 0.0 } else { weight };
            assert_eq!(kept.weight(term, output).to_bits(), expected.to_bits());
        }
    }
}

#[test]
fn senseless_parameters_are_refused() {
    let good = plain();
    let bad = [
        ("c", LinearParams { c: 0.0, ..good }),
        ("c", LinearParams { c: f64::NAN, ..good }),
        (
            "tolerance",
            LinearParams {
                tolerance: 0.0,
                ..good
            },
        ),
        (
            "max_passes",
            LinearParams {
                max_passes: 0,
                ..good
            },
        ),
        (
            "prune_below",
            LinearParams {
                prune_below: -0.1,
                ..good
            },
        ),
        (
            "positive_weight_exponent",
            LinearParams {
                positive_weight_exponent: f64::INFINITY,
                ..good
            },
        ),
    ];
    let problem = small_problem();
    for (name, params) in bad {
        let message = fit(on_all_rows(&problem), &params, SEED, &go_on)
            .unwrap_err()
            .to_string();
        assert!(message.contains(&format!("parameter {name} is")), "{message}");
    }
}

#[test]
fn dual_that_no_training_left_is_refused() {
    for entries in [
        vec![(0, -1.0)],
        vec![(0, f32::NAN)],
        vec![(3, 1.0), (3, 1.0)],
        vec![(0, 0.0)],
    ] {
        assert!(Dual::new([entries]).is_err());
    }
    let problem = small_problem();
    let start = Dual::new((0..6).map(|_| vec![(150, 1.0)])).unwrap();
    let examples = LinearExamples {
        start: Some(&start),
        ..on_all_rows(&problem)
    };
    let message = fit(examples, &exact(), SEED, &go_on).unwrap_err().to_string();
    assert!(message.contains("start is 150"), "{message}");
}
