//! How often the linear pipeline is right on real text, where it stands beside the project: news, e-mail, receipts.
//!
//! C95 is the share of the labelled documents that the confidences allow to assign when 95 % of what is assigned has to be
//! right.

use crate::shared::text_sets::{Scores, Text, folds, measure, parts, texts};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{LinearPipeline, Threshold};

fn linear(threshold: Threshold) -> Pipeline {
    Pipeline::Linear(LinearPipeline {
        threshold,
        ..LinearPipeline::default()
    })
}

/// Accuracy, macro-F1 and C95 are at least these.
fn reaches(name: &str, least: [f64; 3]) -> Option<Scores> {
    let texts = texts(name)?;
    let (training, tests) = parts(&texts);
    let scores = measure(linear(Threshold::BestAccuracy), &training, &tests);
    for (found, least) in [scores.accuracy, scores.macro_f1, scores.c95]
        .into_iter()
        .zip(least)
    {
        assert!(found >= least, "{name}: {scores:?}, expected {least:?}");
    }
    assert!(scores.calibration_error <= 0.05, "{name}: {scores:?}");
    Some(scores)
}

#[test]
fn small_archive_with_few_documents_a_label() {
    reaches("archive_300", [0.770, 0.70, 0.56]);
}

#[test]
fn archive_with_many_labels_and_its_misread_twin() {
    let clean = reaches("archive_1000", [0.725, 0.68, 0.48]);
    let misread = reaches("archive_1000_ocr_noise", [0.695, 0.65, 0.45]);
    if let (Some(clean), Some(misread)) = (clean, misread) {
        assert!(
            misread.accuracy >= clean.accuracy - 0.03,
            "{misread:?}, clean {clean:?}"
        );
    }
}

/// Five folds, as the documents of each label come.
#[test]
fn news_in_five_folds() {
    let Some(texts) = texts("bbc_news") else { return };
    let of_fold = |(training, tests): &(Vec<&Text>, Vec<&Text>)| {
        measure(linear(Threshold::BestAccuracy), training, tests).accuracy
    };
    let accuracy = folds(&texts, 5).iter().map(of_fold).sum::<f64>() / 5.0;
    assert!(accuracy >= 0.984, "{accuracy}");
}

#[test]
fn precision_asked_for_is_kept_where_there_is_enough_to_learn_from() {
    for name in ["archive_1000", "archive_1000_ocr_noise", "bbc_news"] {
        let Some(texts) = texts(name) else { return };
        let (training, tests) = parts(&texts);
        let scores = measure(linear(Threshold::Precision(0.9)), &training, &tests);
        assert!(scores.precision >= 0.88, "{name}: {scores:?}");
        assert!(scores.coverage >= 0.5, "{name}: {scores:?}");
    }
}
