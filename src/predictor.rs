//! A model, prepared to answer.

use std::sync::Arc;

use crate::document::{Field, LabelId};
use crate::error::Result;
use crate::features::CountVectorizer;
use crate::learners::mlp::PreparedMlp;
use crate::model::{FieldClassifier, Learner, Model};
use crate::sparse::SparseVector;
use crate::targets::ClassEncoder;
use crate::text::excerpt;
use crate::vector_cache::{VectorCache, VectorCacheParams};

/// How to file one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suggestions {
    /// The correspondent, or none.
    pub correspondent: Option<LabelId>,
    /// The document type, or none.
    pub document_type: Option<LabelId>,
    /// The tags, ascending.
    pub tags: Vec<LabelId>,
    /// The storage path, or none.
    pub storage_path: Option<LabelId>,
}

/// Answers for documents, from any number of threads at once.
#[derive(Debug)]
pub struct Predictor {
    vectorizer: CountVectorizer,
    fields: [Option<PreparedField>; 4],
    cache: VectorCache,
}

#[derive(Debug)]
struct PreparedField {
    classes: ClassEncoder,
    /// None where there is one class only.
    network: Option<PreparedMlp>,
}

impl Predictor {
    /// Prepares `model`.
    ///
    /// # Errors
    /// No training can have led to the model's vocabulary.
    pub fn new(model: &Model, cache: VectorCacheParams) -> Result<Self> {
        let vectorizer = model.vectorizer()?;
        Ok(Self {
            fields: Field::ALL.map(|field| model.classifier(field).map(PreparedField::new)),
            cache: VectorCache::new(cache, &vectorizer),
            vectorizer,
        })
    }

    /// What counts terms for this predictor.
    pub fn vectorizer(&self) -> &CountVectorizer {
        &self.vectorizer
    }

    /// Answers for all fields.
    pub fn predict(&self, content: &str) -> Suggestions {
        let vector = self.vectorize(content);
        Suggestions {
            correspondent: self.one_label(Field::Correspondent, &vector),
            document_type: self.one_label(Field::DocumentType, &vector),
            tags: self.labels(Field::Tags, &vector),
            storage_path: self.one_label(Field::StoragePath, &vector),
        }
    }

    /// Answers for one field: at most one label, except for tags, which are ascending.
    pub fn predict_field(&self, field: Field, content: &str) -> Vec<LabelId> {
        self.labels(field, &self.vectorize(content))
    }

    /// The term counts of a document, from the cache if it was seen lately; of a very long one, those of its
    /// [`excerpt`].
    pub fn vectorize(&self, content: &str) -> Arc<SparseVector> {
        let vectorize = || self.vectorizer.transform(&excerpt(content));
        self.cache.get_or_insert_with(content, vectorize)
    }

    /// Forgets all vectors.
    pub fn clear_cache(&self) {
        self.cache.clear();
    }

    fn one_label(&self, field: Field, vector: &SparseVector) -> Option<LabelId> {
        self.labels(field, vector).first().copied()
    }

    fn labels(&self, field: Field, vector: &SparseVector) -> Vec<LabelId> {
        let prepared = self.fields[field.index()].as_ref();
        prepared.map_or_else(Vec::new, |prepared| prepared.labels(vector))
    }
}

impl PreparedField {
    fn new(classifier: &FieldClassifier) -> Self {
        let network = match &classifier.learner {
            Learner::Constant => None,
            Learner::Mlp(mlp) => Some(PreparedMlp::new(mlp)),
        };
        Self {
            classes: classifier.classes.clone(),
            network,
        }
    }

    fn labels(&self, vector: &SparseVector) -> Vec<LabelId> {
        let mut probabilities = vec![0.0; self.classes.n_outputs()];
        if let Some(network) = &self.network {
            network.probabilities(vector.as_row(), &mut probabilities);
        }
        self.classes.decode(&probabilities)
    }
}
