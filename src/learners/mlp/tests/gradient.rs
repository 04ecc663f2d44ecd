//! The gradient held against numerical differentiation.

use super::super::*;
use super::{counts, network_from_pattern};

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
    let matrix = counts();
    let examples = Examples {
        matrix: &matrix,
        targets,
    };
    let network = network_from_pattern(targets);
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
