//! Trained on the databases that paperless-ngx itself was trained on, the networks behave as paperless-ngx's do.
//!
//! What comes before the networks (documents, labels, hash, text, vocabulary, counts) is held to equality in
//! `store/parity.rs` and `text/parity.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what tests share panics and prints as tests do"
)]

mod shared;

use std::ops::{ControlFlow, RangeInclusive};

use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::SqliteStore;
use postroom::train_report::TrainReport;
use serde_json::Value;
use shared::holdout;

/// Trains as paperless-ngx did when the expectations were written: no language set.
fn train(store: &SqliteStore, seed: u64) -> (DocumentClassifier, TrainReport) {
    let training = TrainingParams {
        language: None,
        pipeline: Pipeline::Mlp(MlpPipeline::default()),
        seed,
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    let report = classifier
        .train(store, &|_| ControlFlow::Continue(()))
        .unwrap()
        .report()
        .clone();
    (classifier, report)
}

/// Labels of a class list, which has -1 for "none".
fn labels_of(classes: &Value) -> Vec<LabelId> {
    let keys = classes
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key.as_i64().unwrap());
    keys.filter(|&key| key >= 0)
        .map(|key| LabelId(key as i32))
        .collect()
}

fn networks_behave_like_the_reference(name: &str, loss_ranges: Option<&[RangeInclusive<f64>; 4]>) {
    let Some(archive) = shared::Genuine::unpack(name) else {
        return;
    };
    let (classifier, report) = train(&archive.store, 42);
    let expected = &archive.expected;
    let model = classifier.model().unwrap();
    assert_eq!(
        model.n_documents as u64,
        expected["training_docs"].as_u64().unwrap()
    );
    for (at, field) in Field::ALL.into_iter().enumerate() {
        let labels: Vec<LabelId> = model.learned.labels(field);
        assert_eq!(
            labels,
            labels_of(&expected["classes"][field.name()]),
            "{field}: classes"
        );
        let fit = report.fields[at].network().unwrap();
        let theirs = expected["n_iter"][field.name()].as_i64().unwrap();
        eprintln!(
            "{name}, {field}: {} epochs (reference {theirs}), loss {:.5}",
            fit.n_epochs(),
            fit.final_loss()
        );
        assert!(
            (fit.n_epochs() as i64 - theirs).abs() <= 3,
            "{field}: {} epochs, reference {theirs}",
            fit.n_epochs()
        );
        if let Some(ranges) = loss_ranges {
            let (low, high) = (0.85 * ranges[at].start(), 1.15 * ranges[at].end());
            assert!(
                (low..=high).contains(&fit.final_loss()),
                "{field}: loss {} not in {low}..{high}",
                fit.final_loss()
            );
        }
    }
}

#[test]
fn epochs_and_classes_on_the_small_database() {
    networks_behave_like_the_reference("paperless_small", None);
}

#[test]
fn epochs_and_losses_on_the_seed_database() {
    let tags = 0.030..=0.036;
    let (correspondent, document_type, storage_path) = (0.0046..=0.0050, 0.0036..=0.0040, 0.0031..=0.0035);
    networks_behave_like_the_reference(
        "paperless_seed_5000",
        Some(&[tags, correspondent, document_type, storage_path]),
    );
}

#[test]
fn held_out_documents_are_filed_as_well_as_by_the_reference() {
    let (Some(archive), Some(documents)) = (
        shared::Genuine::unpack("paperless_seed_5000"),
        shared::json_lines("holdout_1000.jsonl.gz"),
    ) else {
        return;
    };
    let store = &archive.store;
    let mut sums = [0.0; 4];
    for seed in 0..5 {
        let (classifier, _) = train(store, seed);
        for (sum, score) in sums.iter_mut().zip(holdout::scores(&classifier, &documents)) {
            *sum += score / 5.0;
        }
    }
    eprintln!("tags micro-F1, correspondent, document type, storage path accuracy: {sums:.4?}");
    let least = [0.992, 0.998, 0.999, 0.998];
    assert!(
        sums.iter().zip(least).all(|(sum, least)| *sum >= least),
        "{sums:?}, at least {least:?}"
    );
}
