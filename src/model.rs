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
}
