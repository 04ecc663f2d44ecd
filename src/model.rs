//! What a training leaves behind: fitted data only, nothing prepared, nothing cached.

use serde::{Deserialize, Serialize};

use crate::document::LabelCatalog;
use crate::fingerprint::Fingerprint;
use crate::pipelines::{Pipeline, PipelineModel};
use crate::text::Language;

/// Everything that decides what a training makes of an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingParams {
    /// Language of stop words and stems; without one, words are only split and lower-cased.
    pub language: Option<Language>,
    /// How contents and labels become a classifier.
    pub pipeline: Pipeline,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self {
            language: Some(Language::English),
            pipeline: Pipeline::default(),
            seed: 42,
        }
    }
}

/// Where a training starts. No part of a model's identity: from nothing, the same archive gives the same model always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// From the last model, where there is one that can be gone on from; not at all if nothing changed.
    #[default]
    FromLast,
    /// From nothing, whatever there is.
    FromNothing,
}

/// What a training leaves for the next one to go on from: bytes that only a training looks into.
///
/// They hold which documents were learned from and how they were filed, their token counts, and the classifiers' dual
/// variables. Whoever only predicts may do without.
#[derive(Clone, PartialEq, Eq)]
pub struct TrainingState(Vec<u8>);

impl TrainingState {
    /// What [`Self::as_bytes`] gave. The bytes are checked by the training that uses them.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for TrainingState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TrainingState({} bytes)", self.0.len())
    }
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// How it was trained.
    pub params: TrainingParams,
    /// The state of the archive it was trained on.
    pub fingerprint: Fingerprint,
    /// Number of documents it was trained on.
    pub n_documents: usize,
    /// The names of the labels that it can assign, as they were at training.
    pub catalog: LabelCatalog,
    /// What it learned.
    pub learned: PipelineModel,
    /// What the next training can go on from.
    pub state: Option<TrainingState>,
}
