//! The network held against scikit-learn, against numerical differentiation and against itself.

use rand::RngExt;
use serde_json::Value;

use super::adam::{Moments, Step};
use super::*;
use crate::learners::simd::InstructionSet;

/// `tests/fixtures/make_mlp_fixture.py` made it with scikit-learn.
const FIXTURE: &str = include_str!("../../../tests/fixtures/mlp.json");

fn fixture() -> Value {
    serde_json::from_str(FIXTURE).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

fn assert_close(ours: f64, theirs: f64, what: &str) {
    let scale = theirs.abs().max(1e-3);
    assert!(
        (ours - theirs).abs() <= 1e-11 * scale,
        "{what}: {ours} instead of {theirs}"
    );
}

/// The matrix of the fixture's `counts()`.
fn fixture_matrix() -> CsrMatrix {
    let count = |row: u32, term: u32| (row * 5 + term * 3) % 7;
    let row = |row: u32| match row {
        4 => Vec::new(),
        _ => (0..7)
            .map(|term| (term, count(row, term) as f32))
            .filter(|&(_, n)| n > 0.0 && n < 3.0)
            .collect(),
    };
    CsrMatrix::from_rows(7, &(0..12).map(row).collect::<Vec<_>>())
}

/// Initial weights by the fixture's formula.
fn fixture_network(targets: &Targets) -> Network<f64> {
    let pattern =
        |row: usize, col: usize, salt: usize| ((row * 131 + col * 71 + salt) % 1009) as f64 / 2018.0 - 0.25;
    let units = |value: &dyn Fn(usize) -> f64| {
        std::array::from_fn(|unit| if unit < N_HIDDEN { value(unit) } else { 0.0 })
    };
    let n_outputs = targets.n_outputs();
    Network {
        hidden: (0..7).map(|term| units(&|unit| pattern(term, unit, 0))).collect(),
        hidden_bias: units(&|unit| pattern(0, unit, 7)),
        output: (0..n_outputs)
            .map(|output| units(&|unit| pattern(unit, output, 500)))
            .collect(),
        output_bias: (0..n_outputs).map(|output| pattern(0, output, 507)).collect(),
        activation: OutputActivation::for_targets(targets),
    }
}

fn agrees_with_scikit_learn(case: &str, targets: &Targets) {
    let (fixture, matrix) = (fixture(), fixture_matrix());
    let expected = &fixture[case];
    let params = MlpParams {
        batch_size: 5,
        ..MlpParams::default()
    };
    let examples = Examples {
        matrix: &matrix,
        targets,
    };
    let mut training = Training::new(
        fixture_network(targets),
        examples,
        params,
        InstructionSet::detect(),
    );
    let order: Vec<u32> = (0..12).collect();
    for (epoch, theirs) in numbers(&expected["loss_curve"]).into_iter().enumerate() {
        assert_close(
            training.epoch(&order),
            theirs,
            &format!("{case}: loss of epoch {epoch}"),
        );
    }
    let network = &training.network;
    let shown: Vec<usize> = numbers(&fixture["units_shown"])
        .into_iter()
        .map(|unit| unit as usize)
        .collect();
    for (at, &unit) in shown.iter().enumerate() {
        assert_close(
            network.hidden_bias[unit],
            numbers(&expected["hidden_bias"])[at],
            "hidden bias",
        );
        for (term, weights) in network.hidden.iter().enumerate() {
            assert_close(
                weights[unit],
                numbers(&expected["hidden_weights"][term])[at],
                "hidden weight",
            );
        }
        for (output, weights) in network.output.iter().enumerate() {
            assert_close(
                weights[unit],
                numbers(&expected["output_weights"][output])[at],
                "output weight",
            );
        }
    }
    for (ours, theirs) in network.output_bias.iter().zip(numbers(&expected["output_bias"])) {
        assert_close(*ours, theirs, "output bias");
    }
    let mut outputs = vec![0.0; targets.n_outputs()];
    for row in 0..matrix.n_rows() {
        network.outputs(&network.activations(matrix.row(row)), &mut outputs);
        let theirs = numbers(&expected["probabilities"][row]);
        // For yes or no, scikit-learn lists the probability of "no" as well.
        let theirs = &theirs[theirs.len() - outputs.len()..];
        outputs
            .iter()
            .zip(theirs)
            .for_each(|(ours, theirs)| assert_close(*ours, *theirs, "probability"));
    }
}

#[test]
fn four_epochs_of_softmax_agree_with_scikit_learn() {
    let class = (0..12).map(|row| row % 3).collect();
    agrees_with_scikit_learn("softmax", &Targets::Classes { class, n_classes: 3 });
}

#[test]
fn four_epochs_of_yes_or_no_agree_with_scikit_learn() {
    agrees_with_scikit_learn(
        "binary",
        &Targets::Binary((0..12).map(|row| row % 2 == 1).collect()),
    );
}

#[test]
fn four_epochs_of_many_labels_agree_with_scikit_learn() {
    let on = |row: u32| [row % 2 == 0, row % 3 == 0, row % 5 < 2, row > 20];
    let labels = |row: u32| (0..4).filter(|&label| on(row)[label as usize]).collect();
    agrees_with_scikit_learn(
        "multi_label",
        &Targets::MultiLabel {
            labels: (0..12).map(labels).collect(),
            n_labels: 4,
        },
    );
}

#[test]
fn adam_computes_the_bits_that_scikit_learn_computes() {
    let adam = &fixture()["adam"];
    let mut values = numbers(&adam["start"]);
    let mut moments = vec![
        Moments {
            first: 0.0,
            second: 0.0
        };
        values.len()
    ];
    for (number, gradients) in adam["gradients"].as_array().unwrap().iter().enumerate() {
        let step = Step::new(1e-3, number as i32 + 1);
        for (at, gradient) in numbers(gradients).into_iter().enumerate() {
            step.apply(&mut values[at], &mut moments[at], gradient);
            let theirs = adam["bits_after"][number][at].as_str().unwrap();
            assert_eq!(
                format!("{:016x}", values[at].to_bits()),
                theirs,
                "parameter {at}, step {}",
                number + 1
            );
        }
    }
}

/// Loss of one batch that is the whole data set, from scratch: what a step of training reports before it moves.
fn loss(network: &Network<f64>, examples: Examples<'_>) -> f64 {
    Training::new(
        network.clone(),
        examples,
        MlpParams::default(),
        InstructionSet::Baseline,
    )
    .epoch(&all_rows(examples))
}

fn all_rows(examples: Examples<'_>) -> Vec<u32> {
    (0..examples.matrix.n_rows() as u32).collect()
}

fn gradient_is_the_slope_of_the_loss(targets: &Targets) {
    let matrix = fixture_matrix();
    let examples = Examples {
        matrix: &matrix,
        targets,
    };
    let network = fixture_network(targets);
    let mut training = Training::new(
        network.clone(),
        examples,
        MlpParams::default(),
        InstructionSet::Baseline,
    );
    training.epoch(&all_rows(examples));
    // After the first step the running mean is a tenth of the gradient.
    let check = |analytic: f64, place: &dyn Fn(&mut Network<f64>) -> &mut f64, what: &str| {
        let h = 1e-6;
        let slope = |by: f64| {
            let mut moved = network.clone();
            *place(&mut moved) += by;
            loss(&moved, examples)
        };
        let numerical = (slope(h) - slope(-h)) / (2.0 * h);
        let analytic = analytic / (1.0 - 0.9);
        assert!(
            (numerical - analytic).abs() < 1e-8,
            "{what}: gradient {analytic}, slope {numerical}"
        );
    };
    for unit in [0, 3, 42, 99] {
        for term in 0..7 {
            check(
                training.moments.hidden[term].first[unit],
                &|n| &mut n.hidden[term][unit],
                "hidden weight",
            );
        }
        check(
            training.moments.hidden_bias.first[unit],
            &|n| &mut n.hidden_bias[unit],
            "hidden bias",
        );
        for output in 0..targets.n_outputs() {
            check(
                training.moments.output[output].first[unit],
                &|n| &mut n.output[output][unit],
                "output weight",
            );
        }
    }
    for output in 0..targets.n_outputs() {
        check(
            training.moments.output_bias[output].first,
            &|n| &mut n.output_bias[output],
            "output bias",
        );
    }
}

#[test]
fn softmax_gradient_is_the_slope_of_the_loss() {
    let class = (0..12).map(|row| row % 3).collect();
    gradient_is_the_slope_of_the_loss(&Targets::Classes { class, n_classes: 3 });
}

#[test]
fn logistic_gradient_is_the_slope_of_the_loss() {
    let labels = (0..12)
        .map(|row| (0..20).filter(|label| (row + label) % 4 == 0).collect())
        .collect();
    gradient_is_the_slope_of_the_loss(&Targets::MultiLabel { labels, n_labels: 20 });
}

/// Documents in which label `k` announces itself by term `k`, among noise.
fn announced_labels(n_rows: usize, n_labels: u32) -> (CsrMatrix, Targets) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let n_terms = 20 * n_labels;
    let mut labels = Vec::new();
    let mut row = |_| {
        let own: Vec<u32> = (0..n_labels).filter(|_| rng.random_bool(0.15)).collect();
        let noise: Vec<u32> = (0..30).map(|_| rng.random_range(n_labels..n_terms)).collect();
        let terms: std::collections::BTreeSet<u32> = own.iter().chain(&noise).copied().collect();
        labels.push(own);
        terms.into_iter().map(|term| (term, 1.0)).collect()
    };
    let rows: Vec<Vec<(u32, f32)>> = (0..n_rows).map(&mut row).collect();
    (
        CsrMatrix::from_rows(n_terms as usize, &rows),
        Targets::MultiLabel {
            labels,
            n_labels: n_labels as usize,
        },
    )
}

fn trained(params: MlpParams, instructions: InstructionSet, n_threads: usize) -> (Mlp, FitReport) {
    let (matrix, targets) = announced_labels(450, 12);
    let examples = Examples {
        matrix: &matrix,
        targets: &targets,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .build()
        .unwrap();
    let seed = Seed { seed: 1, stream: 2 };
    let (network, report) = pool
        .install(|| {
            train::<f32>(examples, params, seed, instructions, &mut |_| {
                ControlFlow::Continue(())
            })
        })
        .unwrap();
    (network.into(), report)
}

const SHORT: MlpParams = MlpParams {
    learning_rate: 1e-3,
    l2: 1e-4,
    batch_size: 200,
    max_epochs: 3,
    tolerance: 0.01,
    patience: 10,
};

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let one = trained(SHORT, InstructionSet::detect(), 1);
    for n_threads in [2, 4, 8] {
        assert_eq!(
            trained(SHORT, InstructionSet::detect(), n_threads),
            one,
            "{n_threads} threads"
        );
    }
}

#[test]
fn portable_kernels_give_the_same_bits() {
    assert_eq!(
        trained(SHORT, InstructionSet::Baseline, 2),
        trained(SHORT, InstructionSet::detect(), 2)
    );
}

#[test]
fn another_stream_gives_another_network() {
    let (matrix, targets) = announced_labels(50, 3);
    let fit_stream = |stream| {
        let seed = Seed { seed: 1, stream };
        fit(
            &matrix,
            &targets,
            &SHORT,
            seed,
            &mut |_| ControlFlow::Continue(()),
        )
        .unwrap()
        .0
    };
    assert_ne!(fit_stream(0), fit_stream(1));
}

#[test]
fn a_trained_network_has_learned_its_examples() {
    let (mlp, report) = trained(MlpParams::default(), InstructionSet::detect(), 2);
    assert!(
        report.n_epochs() > 11 && report.final_loss() < 0.2 * report.loss_curve[0],
        "{report:?}"
    );
    let (matrix, targets) = announced_labels(450, 12);
    let prepared = PreparedMlp::new(&mlp);
    let mut probabilities = vec![0.0; 12];
    let mut n_wrong = 0;
    for row in 0..matrix.n_rows() {
        prepared.probabilities(matrix.row(row), &mut probabilities);
        let mut wanted = [false; 12];
        targets.for_each_on(row, |label| wanted[label] = true);
        n_wrong += probabilities
            .iter()
            .zip(wanted)
            .filter(|&(&p, wanted)| (p > 0.5) != wanted)
            .count();
    }
    assert!(n_wrong < 450 * 12 / 1000, "{n_wrong} of {} wrong", 450 * 12);
}

#[test]
fn cancelling_stops_after_the_epoch() {
    let (matrix, targets) = announced_labels(50, 3);
    let mut n_epochs = 0;
    let outcome = fit(
        &matrix,
        &targets,
        &SHORT,
        Seed { seed: 1, stream: 0 },
        &mut |epoch| {
            n_epochs = epoch.number;
            ControlFlow::Break(())
        },
    );
    assert!(matches!(outcome, Err(Error::Cancelled)));
    assert_eq!(n_epochs, 1);
}

#[test]
fn training_ends_after_eleven_epochs_without_progress() {
    let mut stopping = Stopping::new(MlpParams::default());
    assert!(!stopping.is_due(1.0));
    // Each is better than the one before, but by less than the tolerance over the best.
    let due: Vec<bool> = (1..=11)
        .map(|epoch| stopping.is_due(1.0 - 0.0009 * f64::from(epoch)))
        .collect();
    assert_eq!(due, [vec![false; 10], vec![true]].concat());
}

#[test]
fn padding_stays_zero() {
    let (matrix, targets) = announced_labels(50, 3);
    let examples = Examples {
        matrix: &matrix,
        targets: &targets,
    };
    let seed = Seed { seed: 1, stream: 0 };
    let (network, _) = train::<f32>(examples, SHORT, seed, InstructionSet::detect(), &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let rows = network
        .hidden
        .iter()
        .chain(&network.output)
        .chain(std::iter::once(&network.hidden_bias));
    assert!(rows.flat_map(|row| &row[N_HIDDEN..]).all(|&weight| weight == 0.0));
}
