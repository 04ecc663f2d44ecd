//! What every training keeps: the same bits everywhere, an end, a way to stop it.

use rand::RngExt;

use super::super::*;

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
    let prepared = PreparedMlps::new(&[&mlp]);
    let mut probabilities = vec![0.0; 12];
    let mut n_wrong = 0;
    for row in 0..matrix.n_rows() {
        prepared.probabilities(0, matrix.row(row), &mut probabilities);
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

#[test]
fn a_parameter_that_makes_no_sense_is_named() {
    let (matrix, targets) = announced_labels(50, 3);
    for (params, name) in [
        (
            MlpParams {
                batch_size: 0,
                ..SHORT
            },
            "batch_size",
        ),
        (
            MlpParams {
                learning_rate: f64::NAN,
                ..SHORT
            },
            "learning_rate",
        ),
        (MlpParams { l2: -1.0, ..SHORT }, "l2"),
        (
            MlpParams {
                tolerance: f64::INFINITY,
                ..SHORT
            },
            "tolerance",
        ),
    ] {
        let seed = Seed { seed: 1, stream: 0 };
        let error = fit(&matrix, &targets, &params, seed, &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap_err();
        assert!(matches!(error, Error::Parameter { of: "network", .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
