//! The network held against scikit-learn: step by step from known weights, and by how it converges.

use serde_json::Value;

use super::super::adam::{Moments, Step};
use super::super::kernels::LogitWeights;
use super::super::*;
use super::{counts, network_from_pattern};

/// `tests/fixtures/make_mlp_fixture.py` made it with scikit-learn.
const FIXTURE: &str = include_str!("../../../../tests/fixtures/mlp.json");

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

fn agrees_with_scikit_learn(case: &str, targets: &Targets) {
    let (fixture, matrix) = (fixture(), counts());
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
        network_from_pattern(targets),
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
    let mut logit_weights = LogitWeights::default();
    logit_weights.fill(&network.output);
    let mut outputs = vec![0.0; targets.n_outputs()];
    for row in 0..matrix.n_rows() {
        let activations = network.activations(matrix.row(row));
        logit_weights.logits(&network.output_bias, &activations, &mut outputs);
        network.activation.apply(&mut outputs);
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
    let on = |row: u32| {
        [
            row.is_multiple_of(2),
            row.is_multiple_of(3),
            row % 5 < 2,
            row > 20,
        ]
    };
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

/// MINSTD, as in the fixture's script.
struct Lehmer(u64);

impl Lehmer {
    fn below(&mut self, n: u64) -> u32 {
        self.0 = self.0 * 48_271 % 0x7FFF_FFFF;
        (self.0 % n) as u32
    }
}

/// The fixture's `announced_labels()`: rows, a class of four for each, any of five labels for each.
fn converging_examples() -> (CsrMatrix, Vec<u32>, Vec<Vec<u32>>) {
    let mut random = Lehmer(20);
    let (mut rows, mut classes, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..400 {
        let class = random.below(4);
        let own: Vec<u32> = (0..5).filter(|_| random.below(4) == 0).collect();
        let mut terms = std::collections::BTreeSet::from([2 * class, 2 * class + 1]);
        for label in &own {
            terms.extend([8 + 2 * label, 9 + 2 * label]);
        }
        for _ in 0..10 {
            terms.insert(18 + random.below(60));
        }
        rows.push(terms.into_iter().map(|term| (term, 1.0)).collect());
        classes.push(class);
        labels.push(own);
    }
    (CsrMatrix::from_rows(78, &rows), classes, labels)
}

fn converges_like_scikit_learn(case: &str, targets: &dyn Fn(Vec<u32>, Vec<Vec<u32>>) -> Targets) {
    let expected = &fixture()["converged"];
    let (matrix, classes, labels) = converging_examples();
    let entries = (0..400).flat_map(|row| {
        matrix
            .row(row)
            .indices
            .iter()
            .map(move |&term| row as u64 * u64::from(term))
    });
    assert_eq!(
        entries.sum::<u64>(),
        expected["checksum"].as_u64().unwrap(),
        "not the examples of the fixture"
    );
    let targets = targets(classes, labels);
    let (epochs, losses) = (
        numbers(&expected[case]["epochs"]),
        numbers(&expected[case]["final_loss"]),
    );
    for seed in 0..5 {
        let seed = Seed { seed, stream: 0 };
        let (_, report) = fit(&matrix, &targets, &MlpParams::default(), seed, &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap();
        let (n_epochs, loss) = (report.n_epochs() as f64, report.final_loss());
        assert!(
            (epochs[0] - 3.0..=epochs[1] + 3.0).contains(&n_epochs),
            "{n_epochs} epochs, theirs {epochs:?}"
        );
        assert!(
            (0.85 * losses[0]..=1.15 * losses[1]).contains(&loss),
            "loss {loss}, theirs {losses:?}"
        );
    }
}

#[test]
fn softmax_converges_like_scikit_learn() {
    converges_like_scikit_learn("softmax", &|class, _| Targets::Classes { class, n_classes: 4 });
}

#[test]
fn yes_or_no_converges_like_scikit_learn() {
    converges_like_scikit_learn("binary", &|class, _| {
        Targets::Binary(class.iter().map(|&class| class == 3).collect())
    });
}

#[test]
fn many_labels_converge_like_scikit_learn() {
    converges_like_scikit_learn("multi_label", &|_, labels| Targets::MultiLabel {
        labels,
        n_labels: 5,
    });
}
