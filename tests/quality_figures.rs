//! Prints how often the linear pipeline is right on any labelled sets of text; beside
//! `tests/fixtures/compare_with_scikit_learn.py`, which prints the same of scikit-learn.
//!
//! ```text
//! POSTROOM_SETS=SET.jsonl:OTHER.jsonl.gz cargo test --test quality_figures -- --ignored --nocapture
//! POSTROOM_FOLDS=5 POSTROOM_SETS=SET.jsonl.gz cargo test --test quality_figures -- --ignored --nocapture
//! ```
//! A set has a JSON object a line: `split` ("train" or "test"), `label` (null for none of them), `text`. With folds the
//! split is not looked at. Paths are taken from the project's folder on.

mod shared;

use std::env;

use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{LinearPipeline, Threshold};
use shared::text_sets::{Scores, Text, folds, measure, parts, read};

fn linear(threshold: Threshold) -> Pipeline {
    Pipeline::Linear(LinearPipeline {
        threshold,
        ..LinearPipeline::default()
    })
}

/// The mean over the parts.
fn mean(scores: &[Scores], of: fn(&Scores) -> f64) -> f64 {
    scores.iter().map(of).sum::<f64>() / scores.len() as f64
}

#[test]
#[ignore = "prints figures of the sets named in POSTROOM_SETS"]
fn figures() {
    let sets = env::var_os("POSTROOM_SETS").expect("POSTROOM_SETS names files of labelled texts");
    let n_folds: Option<usize> = env::var("POSTROOM_FOLDS").ok().map(|n| n.parse().unwrap());
    for path in env::split_paths(&sets) {
        let texts: Vec<Text> = read(&path);
        let parts = n_folds.map_or_else(|| vec![parts(&texts)], |n_folds| folds(&texts, n_folds));
        let measured = |threshold| -> Vec<Scores> {
            let of_part =
                |(training, tests): &(Vec<&Text>, Vec<&Text>)| measure(linear(threshold), training, tests);
            parts.iter().map(of_part).collect()
        };
        let (best, sure) = (
            measured(Threshold::BestAccuracy),
            measured(Threshold::Precision(0.9)),
        );
        println!(
            "{}: accuracy {:.4}, macro-F1 {:.3}, C95 {:.3}, calibration error {:.3}; asked for 90 % precision: {:.3} at \
             coverage {:.3}",
            path.display(),
            mean(&best, |scores| scores.accuracy),
            mean(&best, |scores| scores.macro_f1),
            mean(&best, |scores| scores.c95),
            mean(&best, |scores| scores.calibration_error),
            mean(&sure, |scores| scores.precision),
            mean(&sure, |scores| scores.coverage),
        );
    }
}
