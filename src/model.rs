//! What a training leaves behind: fitted data only, nothing prepared, nothing cached.

use serde::{Deserialize, Serialize};

use crate::document::{Field, LabelCatalog};
use crate::error::Result;
use crate::features::{CountVectorizer, CountVectorizerParams, Vocabulary};
use crate::fingerprint::Fingerprint;
use crate::learners::mlp::{Mlp, MlpParams};
use crate::targets::ClassEncoder;
use crate::text::Language;

/// Everything that decides what a training makes of an archive. The defaults are the reference's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingParams {
    /// Language of stop words and stems; without one, words are only split and lower-cased.
    pub language: Option<Language>,
    /// How documents become term counts.
    pub vectorizer: CountVectorizerParams,
    /// How the networks are trained.
    pub mlp: MlpParams,
    /// Seed of all randomness.
    pub seed: u64,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self {
            language: Some(Language::English),
            vectorizer: CountVectorizerParams::default(),
            mlp: MlpParams::default(),
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
    /// The terms that documents are counted in.
    pub vocabulary: Vocabulary,
    /// The names of the labels that it can assign, as they were at training.
    pub catalog: LabelCatalog,
    /// One classifier a field, in the order of [`Field::ALL`]; none where no document had an auto label.
    pub classifiers: [Option<FieldClassifier>; 4],
}

impl Model {
    /// The classifier of `field`, if it has one.
    pub fn classifier(&self, field: Field) -> Option<&FieldClassifier> {
        self.classifiers[field.index()].as_ref()
    }

    /// What counts the terms of the vocabulary in a document.
    ///
    /// # Errors
    /// No training can have led to this vocabulary.
    pub fn vectorizer(&self) -> Result<CountVectorizer> {
        CountVectorizer::from_vocabulary(
            self.params.vectorizer,
            self.params.language,
            self.vocabulary.clone(),
        )
    }
}

/// What decides one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldClassifier {
    /// The classes, in the order of the learner's outputs.
    pub classes: ClassEncoder,
    /// What chooses among them.
    pub learner: Learner,
}

/// What chooses among the classes of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Learner {
    /// There is one class only.
    Constant,
    /// A network.
    Mlp(Box<Mlp>),
}
