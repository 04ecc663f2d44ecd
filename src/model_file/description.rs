//! What a model file says of itself, to whoever has no key.

use postcard::ser_flavors::Size;
use serde::Serialize;

use super::signed::Envelope;
use super::{FORMAT_VERSION, ModelFileProblem, payload};
use crate::document::LabelCatalog;
use crate::fingerprint::Fingerprint;
use crate::model::TrainingParams;

/// What a model file says of itself. Its signature was not checked: anybody can have written it, so it is for looking
/// at, and no model to predict with.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Version of the format.
    pub format_version: u32,
    /// Tells keys apart without telling what they are.
    pub key_id: [u8; 8],
    /// How the model was trained.
    pub params: TrainingParams,
    /// The state of the archive it was trained on.
    pub fingerprint: Fingerprint,
    /// Number of documents it was trained on.
    pub n_documents: usize,
    /// The names of the labels that it can assign.
    pub catalog: LabelCatalog,
    /// The terms that documents are seen as, in the order of their columns.
    pub terms: Vec<String>,
    /// What the file consists of, in its order; their bytes sum to the file's.
    pub parts: Vec<Part>,
}

/// A part of a model file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it holds.
    pub name: String,
    /// How much it takes.
    pub bytes: u64,
}

impl Description {
    /// Reads a model file without its key. Only one whose parts fit together has a description.
    ///
    /// # Errors
    /// The bytes are truncated, corrupt or of another format version; a change that only the signature shows goes
    /// unnoticed.
    pub fn of(bytes: &[u8]) -> Result<Self, ModelFileProblem> {
        let envelope = Envelope::of(bytes, FORMAT_VERSION)?;
        let (model, within) = payload::decode_parts(envelope.payload()?)?;
        let header = Part {
            name: "envelope".to_owned(),
            bytes: Envelope::BYTES as u64,
        };
        Ok(Self {
            format_version: FORMAT_VERSION,
            key_id: envelope.key_id,
            terms: model.learned.terms().map(str::to_owned).collect(),
            params: model.params,
            fingerprint: model.fingerprint,
            n_documents: model.n_documents,
            catalog: model.catalog,
            parts: [header].into_iter().chain(within).collect(),
        })
    }
}

impl Part {
    /// What `content` takes in a payload.
    pub(super) fn of(name: &str, content: &impl Serialize) -> Self {
        let bytes = postcard::serialize_with_flavor(content, Size::default())
            .expect("plain data without maps serializes into memory");
        Self {
            name: name.to_owned(),
            bytes: bytes as u64,
        }
    }
}
