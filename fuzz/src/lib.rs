//! What the targets share: a small archive, the models that it leads to, and the key that they are signed with; and what
//! reads the profile's reports, compiled from the sources of the profiling tests, which are no library.

pub mod reports;

#[expect(
    dead_code,
    reason = "the profiling tests measure as well; here reports are read"
)]
#[path = "../../profiling-tests"]
mod profiling {
    pub(crate) mod baseline;
    pub(crate) mod budgets;
    pub(crate) mod corpus;
    pub(crate) mod held;
    pub(crate) mod progress;
    pub(crate) mod report;
    pub(crate) mod scratch;
    pub(crate) mod settings;
}

use std::ops::ControlFlow;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use postroom::document::Field;
use postroom::learners::mlp::WeightPrecision;
use postroom::model::{Model, TrainingParams};
use postroom::model_file::{self, SecretKey};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::predictor::Predictor;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use postroom::trainer::{TrainOutcome, Trainer};
use postroom::vector_cache::VectorCacheParams;
use sha2::Sha256;

// As the profiling tests name them.
use profiling::{baseline, budgets, corpus, held, progress, report, scratch, settings};

/// What every model here is signed with.
const KEY: &[u8] = b"the key that the fuzzer knows";

/// Bytes of the envelope; of it, where length and signature stand (`docs/model-format.md`).
pub const ENVELOPE: usize = 60;

pub fn key() -> SecretKey {
    SecretKey::new(KEY)
}

/// `n_documents` documents of few words: three senders and none, a type on some, a path on all, two tags.
pub fn archive(n_documents: usize) -> MemoryStore {
    let mut store = MemoryStore::new();
    let mut label = |field, name| store.add_label(field, &NewLabel::auto(name));
    let senders = ["Anna", "Ben", "Çelik"].map(|name| label(Field::Correspondent, name));
    let kind = label(Field::DocumentType, "letter");
    let path = label(Field::StoragePath, "home/{{title}}");
    let tags = ["red", "blue"].map(|name| label(Field::Tags, name));
    for at in 0..n_documents {
        let document = NewDocument {
            title: "",
            content: ["apple pear", "pear plum", "plum apple", "straße"][at % 4],
            modified: Timestamp::from_second(1_700_000_000 + at as i64).expect("a time of this century"),
            correspondent: senders.get(at % 4).copied(),
            document_type: (at % 2 == 0).then_some(kind),
            storage_path: Some(path),
        };
        let ids = store.add_documents(&[document]).expect("the labels are known");
        store.add_tags(&[(ids[0], tags[at % 2])]).expect("so is the tag");
    }
    store
}

/// The pipelines that models are made by.
pub fn pipelines() -> [Pipeline; 3] {
    let networks = |weight_precision| {
        let mut networks = MlpPipeline {
            weight_precision,
            ..MlpPipeline::default()
        };
        networks.mlp.max_epochs = 5;
        Pipeline::Mlp(networks)
    };
    [
        Pipeline::Linear(LinearPipeline::default()),
        networks(WeightPrecision::Single),
        networks(WeightPrecision::Half),
    ]
}

/// What is learned from an archive, going on from `last` where there is one; none if nothing changed.
///
/// # Errors
/// The training's.
pub fn train(
    store: &MemoryStore,
    pipeline: Pipeline,
    last: Option<&Model>,
) -> postroom::Result<Option<Model>> {
    let params = TrainingParams {
        pipeline,
        ..TrainingParams::default()
    };
    let go_on = &|_: &_| ControlFlow::Continue(());
    Ok(match Trainer::new(params).train(store, last, go_on)? {
        TrainOutcome::Trained { model, .. } => Some(*model),
        TrainOutcome::Unchanged { .. } => None,
    })
}

/// A payload in an envelope, signed with the key.
pub fn signed(payload: &[u8]) -> Vec<u8> {
    let version = model_file::FORMAT_VERSION.to_le_bytes();
    let mac = || Hmac::<Sha256>::new_from_slice(KEY).expect("HMAC takes keys of any length");
    let id = mac()
        .chain_update(b"postroom: id of the signing key")
        .finalize()
        .into_bytes();
    let length = (payload.len() as u64).to_le_bytes();
    let header = [&model_file::MAGIC[..], &version, &id[..8], &length].concat();
    let signature = mac().chain_update(&header).chain_update(payload).finalize();
    [&header[..], &signature.into_bytes(), payload].concat()
}

/// What is loaded has to answer, and to come back as it was saved.
pub fn use_model(model: &Model) {
    let predictor =
        Predictor::new(model, VectorCacheParams::default()).expect("a loaded model fits together");
    for content in ["apple pear plum", "straße", ""] {
        predictor.predict(content);
        predictor.explain(content, &model.catalog);
    }
    let bytes = model_file::to_bytes(model, &key());
    let again = model_file::from_bytes(&bytes, &key()).expect("what was loaded can be saved and loaded");
    assert!(
        model_file::to_bytes(&again, &key()) == bytes,
        "the same model has the same bytes"
    );
}
