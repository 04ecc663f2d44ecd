//! The network held against scikit-learn, against numerical differentiation and against itself.

mod gradient;
mod properties;
mod scikit_learn;

use super::network::Network;
use super::*;

/// The matrix of the fixture's `counts()`.
fn counts() -> CsrMatrix {
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
fn network_from_pattern(targets: &Targets) -> Network<f64> {
    let pattern =
        |row: usize, col: usize, salt: usize| ((row * 131 + col * 71 + salt) % 1009) as f64 / 2018.0 - 0.25;
    let units = |value: &dyn Fn(usize) -> f64| {
        super::kernels::Units::from_fn(|unit| if unit < N_HIDDEN { value(unit) } else { 0.0 })
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
