//! A small archive whose labels announce themselves in the text, and a classifier trained on it.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

use std::ops::ControlFlow;

use jiff::Timestamp;
use postroom::Error;
use postroom::classifier::{ClassifierParams, DocumentClassifier, Training};
use postroom::document::{DocumentId, Field, LabelId};
use postroom::learners::mlp::WeightPrecision;
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::{DocumentStore, MemoryStore, NewDocument, NewLabel};

const NOBODY: [&str; 8] = [
    "please", "regards", "number", "page", "date", "street", "phone", "attached",
];
pub(crate) const SENDERS: [(&str, &str); 3] = [
    ("Northwind Energy", "kilowatt meter tariff"),
    ("City Library", "overdue loan shelf"),
    ("Dr. Okafor", "molar crown dental"),
];
const TYPES: [(&str, &str); 2] = [
    ("Invoice", "amount payable vat"),
    ("Reminder", "overdue unpaid notice"),
];
const TAGS: [(&str, &str); 2] = [("tax", "deduct fiscal"), ("home", "household kitchen")];

/// An archive and the keys to change it by.
pub(crate) struct Archive {
    pub(crate) store: MemoryStore,
    pub(crate) documents: Vec<DocumentId>,
    pub(crate) tags: Vec<LabelId>,
}

pub(crate) fn noon(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// Sixty documents: every sender (or none), type and tag announces itself in the text.
pub(crate) fn archive() -> Archive {
    let mut store = MemoryStore::new();
    let auto = |store: &mut MemoryStore, field, labels: &[(&str, &str)]| -> Vec<LabelId> {
        labels
            .iter()
            .map(|(name, _)| store.add_label(field, &NewLabel::auto(name)))
            .collect()
    };
    let senders = auto(&mut store, Field::Correspondent, &SENDERS);
    let types = auto(&mut store, Field::DocumentType, &TYPES);
    let tags = auto(&mut store, Field::Tags, &TAGS);
    let mut documents = Vec::new();
    for at in 0..60 {
        let (content, sender, kind) = (content(at), senders.get(at % 4).copied(), types[at % 2]);
        let document = NewDocument {
            title: "scan",
            content: &content,
            modified: noon(at as i64),
            correspondent: sender,
            document_type: Some(kind),
            storage_path: None,
        };
        documents.extend(store.add_documents(&[document]).unwrap());
        let own = tags
            .iter()
            .enumerate()
            .filter(|(tag, _)| at.is_multiple_of(tag + 2));
        store
            .add_tags(&own.map(|(_, &tag)| (documents[at], tag)).collect::<Vec<_>>())
            .unwrap();
    }
    Archive {
        store,
        documents,
        tags,
    }
}

pub(crate) fn content(at: usize) -> String {
    let sender = SENDERS.get(at % 4).map_or("", |(_, words)| words);
    let tags = TAGS
        .iter()
        .enumerate()
        .filter(|(tag, _)| at.is_multiple_of(tag + 2))
        .map(|(_, (_, words))| *words);
    let noise = (0..4).map(|word| NOBODY[(at * 7 + word * 3) % NOBODY.len()]);
    noise
        .chain([sender, TYPES[at % 2].1])
        .chain(tags)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The pipeline of paperless-ngx.
pub(crate) fn networks() -> TrainingParams {
    TrainingParams {
        pipeline: Pipeline::Mlp(MlpPipeline::default()),
        ..TrainingParams::default()
    }
}

/// The same with weights of 16 bits.
pub(crate) fn half_networks() -> TrainingParams {
    let pipeline = MlpPipeline {
        weight_precision: WeightPrecision::Half,
        ..MlpPipeline::default()
    };
    TrainingParams {
        pipeline: Pipeline::Mlp(pipeline),
        ..TrainingParams::default()
    }
}

pub(crate) fn classifier(training: TrainingParams) -> DocumentClassifier {
    DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    })
}

pub(crate) fn train(
    classifier: &mut DocumentClassifier,
    store: &dyn DocumentStore,
) -> Result<Training, Error> {
    classifier.train(store, &|_| ControlFlow::Continue(()))
}

pub(crate) fn trained() -> (Archive, DocumentClassifier) {
    let archive = archive();
    let mut classifier = classifier(TrainingParams::default());
    assert!(train(&mut classifier, &archive.store).unwrap().is_trained());
    (archive, classifier)
}
