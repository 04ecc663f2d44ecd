//! Whatever a training makes can be saved and loaded; where it makes nothing that could be, the training itself says so.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod small_model;

use jiff::Timestamp;
use postroom::Error;
use postroom::document::{Field, LabelId};
use postroom::learners::mlp::WeightPrecision;
use postroom::model_file::{self, SecretKey};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{LabelThreshold, LinearPipeline, Threshold};
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use small_model::{archive, try_model};

const WORDS: [&str; 12] = [
    "invoice", "straße", "обед", "数学", "due", "a", "naïve", "x1", "\0", "...", "ﬁne", "𝒳𝒴",
];

/// Up to twenty documents of up to a dozen words, filed at random or not at all.
fn odd_archive(rng: &mut impl Rng) -> MemoryStore {
    let mut store = MemoryStore::new();
    let labels = Field::ALL.map(|field| -> Vec<LabelId> {
        let n_labels = rng.random_range(0..4);
        (0..n_labels)
            .map(|at| store.add_label(field, &NewLabel::auto(WORDS[at])))
            .collect()
    });
    for _ in 0..rng.random_range(1..20) {
        let n_words = rng.random_range(0..12);
        let words: Vec<&str> = (0..n_words)
            .map(|_| WORDS[rng.random_range(0..WORDS.len())])
            .collect();
        let mut one_of = |field: Field| {
            let at = rng.random_range(0..=3);
            labels[field.index()].get(at).copied()
        };
        let document = NewDocument {
            title: "",
            content: &words.join(" "),
            modified: Timestamp::MIN,
            correspondent: one_of(Field::Correspondent),
            document_type: one_of(Field::DocumentType),
            storage_path: one_of(Field::StoragePath),
        };
        let tag = one_of(Field::Tags);
        let modified = if rng.random_bool(0.5) {
            Timestamp::MAX
        } else {
            Timestamp::from_second(rng.random_range(0..1 << 31)).unwrap()
        };
        let document = store.add_documents(&[document]).unwrap()[0];
        store.set_modified(document, modified).unwrap();
        store
            .add_tags(&tag.map(|tag| (document, tag)).into_iter().collect::<Vec<_>>())
            .unwrap();
    }
    store
}

/// Sound parameters, some of them far out.
fn odd_pipeline(rng: &mut impl Rng) -> Pipeline {
    let extreme = |rng: &mut dyn Rng, usual: f64| match rng.random_range(0..6) {
        0 => f64::from(f32::MAX),
        1 => 1e-30,
        _ => usual,
    };
    if rng.random_bool(0.3) {
        let mut pipeline = MlpPipeline::default();
        pipeline.mlp.max_epochs = rng.random_range(0..4);
        pipeline.mlp.learning_rate = extreme(rng, 1e-3);
        pipeline.mlp.l2 = extreme(rng, 1e-4);
        return Pipeline::Mlp(pipeline);
    }
    let mut pipeline = LinearPipeline {
        n_folds: rng.random_range(2..6),
        threshold: match rng.random_range(0..3) {
            0 => Threshold::BestAccuracy,
            1 => Threshold::BestF1,
            _ => Threshold::Precision(0.9),
        },
        label_thresholds: vec![LabelThreshold {
            field: Field::Correspondent,
            label: LabelId(1),
            confidence: rng.random_range(0.0..2.0),
        }],
        ..LinearPipeline::default()
    };
    pipeline.one_label.c = extreme(rng, 5.0);
    pipeline.tags.c = extreme(rng, 5.0);
    pipeline.tags.bias_feature = extreme(rng, 0.5);
    pipeline.features.gram_length = rng.random_range(2..=8);
    Pipeline::Linear(pipeline)
}

/// Networks a second time, with weights of 16 bits.
fn in_each_precision(pipeline: Pipeline) -> Vec<Pipeline> {
    let half = match &pipeline {
        Pipeline::Mlp(networks) => Some(Pipeline::Mlp(MlpPipeline {
            weight_precision: WeightPrecision::Half,
            ..networks.clone()
        })),
        Pipeline::Linear(_) => None,
    };
    [pipeline].into_iter().chain(half).collect()
}

#[test]
fn whatever_was_trained_comes_back() {
    let key = SecretKey::new("any");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut n_trained, mut n_diverged) = (0, 0);
    for round in 0..400 {
        let (store, pipeline) = (odd_archive(&mut rng), odd_pipeline(&mut rng));
        for pipeline in in_each_precision(pipeline) {
            match try_model(&store, pipeline) {
                Ok(model) => {
                    let read = model_file::from_bytes(&model_file::to_bytes(&model, &key), &key);
                    let read = read.unwrap_or_else(|problem| panic!("round {round}: {problem}"));
                    assert!(read == model, "round {round}");
                    n_trained += 1;
                }
                Err(Error::NoTermLeft { .. } | Error::NoSharedTerm { .. }) => {}
                Err(Error::Diverged { .. } | Error::BeyondHalfPrecision { .. }) => n_diverged += 1,
                Err(error) => panic!("round {round}: {error}"),
            }
        }
    }
    eprintln!("{n_trained} models came back, {n_diverged} trainings diverged");
    assert!(n_trained > 200 && n_diverged > 0, "{n_trained}, {n_diverged}");
}

/// It used to end with a model that loading calls corrupt.
#[test]
fn a_training_that_diverges_is_an_error_that_names_the_field() {
    let mut pipeline = MlpPipeline::default();
    pipeline.mlp.learning_rate = 1e38;
    pipeline.mlp.max_epochs = 5;
    let error = try_model(&archive(), Pipeline::Mlp(pipeline)).unwrap_err();
    assert!(
        matches!(error, Error::Diverged { field: Field::Tags }),
        "{error:?}"
    );
    assert!(error.to_string().contains("learning rate"), "{error}");
}

/// Not infinite, and not quietly another number.
#[test]
fn a_weight_beyond_half_precision_is_an_error_that_says_so() {
    let mut pipeline = MlpPipeline {
        weight_precision: WeightPrecision::Half,
        ..MlpPipeline::default()
    };
    pipeline.mlp.learning_rate = 1e6;
    pipeline.mlp.max_epochs = 1;
    let error = try_model(&archive(), Pipeline::Mlp(pipeline.clone())).unwrap_err();
    assert!(
        matches!(error, Error::BeyondHalfPrecision { field: Field::Tags, weight } if weight.abs() > 65_504.0),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("half precision holds 65504"),
        "{error}"
    );
    pipeline.weight_precision = WeightPrecision::Single;
    try_model(&archive(), Pipeline::Mlp(pipeline)).unwrap();
}

/// As above: a confidence that is no number made a model that couldn't be loaded.
#[test]
fn thresholds_that_are_no_numbers_are_refused() {
    for confidence in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.5] {
        let pipeline = LinearPipeline {
            label_thresholds: vec![LabelThreshold {
                field: Field::Correspondent,
                label: LabelId(1),
                confidence,
            }],
            ..LinearPipeline::default()
        };
        let error = try_model(&archive(), Pipeline::Linear(pipeline)).unwrap_err();
        assert!(error.to_string().contains("label_thresholds"), "{error}");
    }
}
