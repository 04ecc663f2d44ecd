//! A model of each pipeline, of a few kilobytes, with every kind of classifier.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

use std::ops::ControlFlow;

use jiff::Timestamp;
use postroom::document::Field;
use postroom::learners::mlp::WeightPrecision;
use postroom::model::{Model, TrainingParams};
use postroom::model_file::SecretKey;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::{DocumentStore, MemoryStore, NewDocument, NewLabel};
use postroom::trainer::{TrainOutcome, Trainer};

pub(crate) fn key() -> SecretKey {
    SecretKey::new("the key of these tests")
}

/// Twelve documents: three senders and none, a type on some, a path on all, two tags.
pub(crate) fn archive() -> MemoryStore {
    let mut store = MemoryStore::new();
    let mut label = |field, name| store.add_label(field, &NewLabel::auto(name));
    let senders = ["Anna", "Ben", "Çelik"].map(|name| label(Field::Correspondent, name));
    let kind = label(Field::DocumentType, "letter");
    let path = label(Field::StoragePath, "home/{{title}}");
    let tags = ["red", "blue"].map(|name| label(Field::Tags, name));
    for at in 0..12_usize {
        let document = NewDocument {
            title: "",
            content: ["apple pear", "pear plum", "plum apple", "straße"][at % 4],
            modified: Timestamp::from_second(1_700_000_000 + at as i64).unwrap(),
            correspondent: senders.get(at % 4).copied(),
            document_type: (at % 2 == 0).then_some(kind),
            storage_path: Some(path),
        };
        let ids = store.add_documents(&[document]).unwrap();
        store.add_tags(&[(ids[0], tags[at % 2])]).unwrap();
    }
    store
}

pub(crate) fn linear() -> Pipeline {
    Pipeline::Linear(LinearPipeline::default())
}

pub(crate) fn networks() -> Pipeline {
    networks_of(WeightPrecision::Single)
}

/// With weights of 16 bits.
pub(crate) fn half_networks() -> Pipeline {
    networks_of(WeightPrecision::Half)
}

fn networks_of(weight_precision: WeightPrecision) -> Pipeline {
    let mut pipeline = MlpPipeline {
        weight_precision,
        ..MlpPipeline::default()
    };
    pipeline.mlp.max_epochs = 40;
    Pipeline::Mlp(pipeline)
}

/// What `pipeline` learns from the archive.
pub(crate) fn model(pipeline: Pipeline) -> Model {
    try_model(&archive(), pipeline).unwrap()
}

pub(crate) fn try_model(store: &dyn DocumentStore, pipeline: Pipeline) -> postroom::Result<Model> {
    let params = TrainingParams {
        pipeline,
        ..TrainingParams::default()
    };
    let outcome = Trainer::new(params).train(store, None, &|_| ControlFlow::Continue(()))?;
    match outcome {
        TrainOutcome::Trained { model, .. } => Ok(*model),
        TrainOutcome::Unchanged { .. } => panic!("there was no model before"),
    }
}
