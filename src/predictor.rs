//! A model, prepared to answer.

use std::sync::Arc;

use crate::document::{Field, LabelCatalog, LabelId, LabelIds};
use crate::error::{Error, Result};
use crate::explainer::Explainer;
use crate::explanation::Explanation;
use crate::model::Model;
use crate::pipelines::Prepared;
use crate::sparse::SparseVector;
use crate::suggestions::Suggestions;
use crate::text::excerpt;
use crate::vector_cache::{VectorCache, VectorCacheParams};

/// Answers for documents, from any number of threads at once.
#[derive(Debug)]
pub struct Predictor {
    prepared: Prepared,
    cache: VectorCache,
}

impl Predictor {
    /// Prepares `model`.
    ///
    /// # Errors
    /// No training can have led to the model's vocabulary.
    pub fn new(model: &Model, cache: VectorCacheParams) -> Result<Self> {
        let language = model.params.language;
        let prepared = Prepared::new(&model.learned, &model.params.pipeline, language)?;
        let cache = VectorCache::new(cache, language, prepared.vectorizer_hash());
        Ok(Self { prepared, cache })
    }

    /// SHA-256 of everything that vectors depend on.
    pub fn vectorizer_hash(&self) -> [u8; 32] {
        self.prepared.vectorizer_hash()
    }

    /// Answers for all fields.
    pub fn predict(&self, content: &str) -> Suggestions {
        self.prepared.suggest(&self.vectorize(content))
    }

    /// Answers for one field: at most one label, except for tags, which are ascending.
    pub fn predict_field(&self, field: Field, content: &str) -> LabelIds {
        self.prepared.labels(field, &self.vectorize(content))
    }

    /// Why each label is suggested that [`Self::predict`] suggests, in the order of [`Field::ALL`], with names from
    /// `catalog`.
    pub fn explain(&self, content: &str, catalog: &LabelCatalog) -> Vec<Explanation> {
        let features = self.vectorize(content);
        let explainer = Explainer::new(&self.prepared, content, &features, catalog);
        let suggested = Field::ALL.into_iter().flat_map(|field| {
            let labels = self.prepared.labels(field, &features);
            labels.into_iter().map(move |label| (field, label))
        });
        suggested
            .filter_map(|(field, label)| explainer.explain(field, label))
            .collect()
    }

    /// What speaks for a label and against it, suggested or not.
    ///
    /// # Errors
    /// [`Error::LabelNotLearned`].
    pub fn explain_label(
        &self,
        content: &str,
        catalog: &LabelCatalog,
        field: Field,
        label: LabelId,
    ) -> Result<Explanation> {
        let features = self.vectorize(content);
        Explainer::new(&self.prepared, content, &features, catalog)
            .explain(field, label)
            .ok_or(Error::LabelNotLearned { field, label })
    }

    /// The features of a document, from the cache if it was seen lately; of a very long one, those of its
    /// [`excerpt`].
    pub fn vectorize(&self, content: &str) -> Arc<SparseVector> {
        let vectorize = || self.prepared.vectorize(&excerpt(content));
        self.cache.get_or_insert_with(content, vectorize)
    }

    /// Forgets all vectors.
    pub fn clear_cache(&self) {
        self.cache.clear();
    }
}
