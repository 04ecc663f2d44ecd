//! Small models of every kind.

use std::ops::ControlFlow;

use crate::document::Field;
use crate::learners::mlp::WeightPrecision;
use crate::model::{Model, TrainingParams};
use crate::pipelines::Pipeline;
use crate::pipelines::linear::LinearPipeline;
use crate::pipelines::mlp::MlpPipeline;
use crate::store::{MemoryStore, NewDocument, NewLabel};
use crate::trainer::{TrainOutcome, Trainer};

/// A small model with every kind of classifier: softmax, logistic for several tags and for yes or no, constant.
pub(in crate::model_file) fn model() -> Model {
    trained(&archive(), networks(WeightPrecision::Single))
}

/// The same with weights of 16 bits.
pub(in crate::model_file) fn half_model() -> Model {
    trained(&archive(), networks(WeightPrecision::Half))
}

fn networks(weight_precision: WeightPrecision) -> Pipeline {
    let mut pipeline = MlpPipeline {
        weight_precision,
        ..MlpPipeline::default()
    };
    pipeline.mlp.max_epochs = 2;
    Pipeline::Mlp(pipeline)
}

/// Nine documents with two senders, a type on some, a path on all and two tags.
fn archive() -> MemoryStore {
    let mut store = MemoryStore::new();
    let senders = ["Anna", "Ben"].map(|name| store.add_label(Field::Correspondent, &NewLabel::auto(name)));
    let kind = store.add_label(Field::DocumentType, &NewLabel::auto("letter"));
    let path = store.add_label(Field::StoragePath, &NewLabel::auto("home"));
    let tags = ["red", "blue"].map(|name| store.add_label(Field::Tags, &NewLabel::auto(name)));
    for at in 0..9_usize {
        let document = NewDocument {
            title: "",
            content: ["apple pear", "pear plum", "plum apple"][at % 3],
            modified: jiff::Timestamp::from_second(at as i64).unwrap(),
            correspondent: senders.get(at % 3).copied(),
            document_type: (at % 2 == 0).then_some(kind),
            storage_path: Some(path),
        };
        let ids = store.add_documents(&[document]).unwrap();
        store.add_tags(&[(ids[0], tags[at % 2])]).unwrap();
    }
    store
}

/// The same archive, learned the other way.
pub(in crate::model_file) fn linear_model() -> Model {
    trained(&archive(), Pipeline::Linear(LinearPipeline::default()))
}

fn trained(store: &MemoryStore, pipeline: Pipeline) -> Model {
    let params = TrainingParams {
        pipeline,
        ..TrainingParams::default()
    };
    match Trainer::new(params)
        .train(store, None, &|_| ControlFlow::Continue(()))
        .unwrap()
    {
        TrainOutcome::Trained { model, .. } => *model,
        TrainOutcome::Unchanged { .. } => panic!("there was no model before"),
    }
}
