//! Networks whose weights have 16 bits file documents as those with 32 do.
//!
//! ```text
//! cargo test --test half_precision -- --nocapture
//! ```
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod shared;
mod sixty_documents;

use std::ops::ControlFlow;

use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::Field;
use postroom::learners::mlp::WeightPrecision;
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::DocumentStore;
use postroom::suggestions::Suggestions;
use shared::holdout;
use shared::text_sets::{Text, folds, measure, parts, texts};

const PRECISIONS: [WeightPrecision; 2] = [WeightPrecision::Single, WeightPrecision::Half];

/// What no figure differs by. None differs at all; a training that comes to other weights may have a document that is close.
const ONE_IN_A_THOUSAND: f64 = 0.001_001;

fn networks(weight_precision: WeightPrecision) -> Pipeline {
    Pipeline::Mlp(MlpPipeline {
        weight_precision,
        ..MlpPipeline::default()
    })
}

fn train(store: &dyn DocumentStore, pipeline: Pipeline, seed: u64) -> DocumentClassifier {
    let training = TrainingParams {
        language: None,
        pipeline,
        seed,
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    classifier.train(store, &|_| ControlFlow::Continue(())).unwrap();
    classifier
}

/// Confidences by field and label, those of runners-up among them.
fn confidences(answer: &Suggestions) -> Vec<(Field, i32, f32)> {
    let mut confidences: Vec<_> = Field::ALL
        .into_iter()
        .flat_map(|field| {
            let found = answer.of(field);
            let candidates = found.labels.iter().chain(&found.runners_up);
            candidates.map(move |candidate| (field, candidate.label.0, candidate.confidence))
        })
        .collect();
    confidences.sort_by_key(|&(field, label, _)| (field, label));
    confidences
}

#[test]
fn confidences_differ_by_what_rounding_makes() {
    let archive = sixty_documents::archive();
    let [single, half] = PRECISIONS.map(|precision| train(&archive.store, networks(precision), 42));
    assert_ne!(single.model(), half.model());
    let mut n_compared = 0;
    for at in 0..60 {
        let content = sixty_documents::content(at);
        let [single, half] = [&single, &half].map(|classifier| classifier.predict(&content).unwrap());
        assert_eq!(single.labels(), half.labels(), "document {at}");
        for (single, half) in confidences(&single).into_iter().zip(confidences(&half)) {
            // A weight is off by up to 2⁻¹¹ of itself, and signs differ.
            if (single.0, single.1) == (half.0, half.1) {
                assert!(
                    (single.2 - half.2).abs() < 2e-3,
                    "document {at}: {single:?} {half:?}"
                );
                n_compared += 1;
            }
        }
    }
    assert!(n_compared > 60, "{n_compared}");
}

#[test]
fn held_out_documents_are_filed_as_with_32_bits() {
    let (Some(archive), Some(documents)) = (
        shared::Genuine::unpack("paperless_seed_5000"),
        shared::json_lines("holdout_1000.jsonl.gz"),
    ) else {
        return;
    };
    for seed in 0..5 {
        let [single, half] = PRECISIONS.map(|precision| {
            let classifier = train(&archive.store, networks(precision), seed);
            holdout::scores(&classifier, &documents)
        });
        eprintln!(
            "seed {seed}: tags micro-F1, accuracies with 32 bits {single:.4?}, with 16 bits {half:.4?}"
        );
        for (single, half) in single.into_iter().zip(half) {
            assert!(
                (single - half).abs() <= ONE_IN_A_THOUSAND,
                "seed {seed}: {single} {half}"
            );
        }
    }
}

fn accuracies(parts: &[(Vec<&Text>, Vec<&Text>)]) -> [f64; 2] {
    PRECISIONS.map(|precision| {
        let of_part = |(training, tests): &(Vec<&Text>, Vec<&Text>)| {
            measure(networks(precision), training, tests).accuracy
        };
        parts.iter().map(of_part).sum::<f64>() / parts.len() as f64
    })
}

#[test]
fn real_texts_are_filed_as_with_32_bits() {
    for name in [
        "archive_300",
        "archive_1000",
        "archive_1000_ocr_noise",
        "bbc_news",
    ] {
        let Some(texts) = texts(name) else { return };
        let parts = match name {
            "bbc_news" => folds(&texts, 5),
            _ => vec![parts(&texts)],
        };
        let [single, half] = accuracies(&parts);
        eprintln!("{name}: accuracy with 32 bits {single:.4}, with 16 bits {half:.4}");
        assert!(
            (single - half).abs() <= ONE_IN_A_THOUSAND,
            "{name}: {single} {half}"
        );
    }
}
