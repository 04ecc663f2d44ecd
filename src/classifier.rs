//! The face of the library: train, save, load, predict.

use std::path::Path;
use std::sync::Arc;

use crate::document::{Field, LabelId, LabelIds};
use crate::error::{Error, Result};
use crate::explanation::Explanation;
use crate::model::{Model, Start, TrainingParams};
use crate::model_file::{self, SecretKey};
use crate::predictor::Predictor;
use crate::sparse::SparseVector;
use crate::status::StatusCallback;
use crate::store::DocumentStore;
use crate::suggestions::Suggestions;
use crate::train_report::TrainReport;
use crate::trainer::{TrainOutcome, Trainer};
use crate::vector_cache::VectorCacheParams;

/// Learns how an archive is filed and files further documents.
///
/// Begins without a model; [`train`](Self::train) or [`load`](Self::load) brings one.
///
/// Training and loading need it for themselves. Whoever answers on other threads meanwhile gives those the
/// [`predictor`](Self::predictor), and replaces it once there is a new one: a request that has begun is answered by
/// the model that it began with.
///
/// ```
/// use std::sync::{Arc, RwLock};
/// use postroom::predictor::Predictor;
/// use postroom::suggestions::Suggestions;
/// # use std::{ops::ControlFlow, path::Path};
/// # use postroom::classifier::DocumentClassifier;
/// # use postroom::model_file::SecretKey;
///
/// /// What all threads of a server share.
/// struct Server {
///     current: RwLock<Arc<Predictor>>,
/// }
///
/// impl Server {
///     fn answer(&self, content: &str) -> Suggestions {
///         // The lock is held for no longer than it takes to copy a pointer.
///         let predictor = Arc::clone(&self.current.read().unwrap());
///         predictor.predict(content)
///     }
///
///     /// From the one thread that has the classifier, whenever there may be a new model.
///     fn reload(&self, classifier: &mut DocumentClassifier, model: &Path, key: &SecretKey) -> postroom::Result<()> {
///         let _found = classifier.load(model, key)?;
///         *self.current.write().unwrap() = classifier.predictor()?;
///         Ok(())
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct DocumentClassifier {
    trainer: Trainer,
    cache: VectorCacheParams,
    ready: Option<Ready>,
}

/// A model and what answers from it.
#[derive(Debug)]
struct Ready {
    model: Model,
    predictor: Arc<Predictor>,
}

/// How a classifier learns and answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassifierParams {
    /// Training.
    pub training: TrainingParams,
    /// The cache of vectors.
    pub cache: VectorCacheParams,
}

/// What [`DocumentClassifier::train`] did.
#[derive(Debug, Clone, PartialEq)]
pub enum Training {
    /// There is a new model.
    Trained(TrainReport),
    /// Nothing changed since the last training; the model stays.
    Unchanged(TrainReport),
}

impl Training {
    /// What was done and what it cost, either way.
    pub fn report(&self) -> &TrainReport {
        match self {
            Self::Trained(report) | Self::Unchanged(report) => report,
        }
    }

    /// Whether there is a new model.
    pub fn is_trained(&self) -> bool {
        matches!(self, Self::Trained(_))
    }
}

/// What [`DocumentClassifier::load`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "without a model there are no predictions"]
pub enum Loading {
    /// The model is loaded.
    Loaded,
    /// There is no such file: nothing was trained yet. The classifier is as it was.
    NoModelYet,
}

impl DocumentClassifier {
    /// A classifier without a model.
    pub fn new(params: ClassifierParams) -> Self {
        Self {
            trainer: Trainer::new(params.training),
            cache: params.cache,
            ready: None,
        }
    }

    /// Learns from what `store` holds now, unless nothing changed since the current model was trained.
    ///
    /// Runs on the current rayon pool. `status` is told what goes on, and may cancel. After an error the
    /// current model, if any, is still there.
    ///
    /// # Errors
    /// The store can't be read; no document qualifies; no term is frequent enough; `status` cancelled.
    pub fn train(&mut self, store: &dyn DocumentStore, status: StatusCallback<'_>) -> Result<Training> {
        self.train_from(store, Start::FromLast, status)
    }

    /// As [`Self::train`]; [`Start::FromNothing`] makes it a full training, even if nothing changed.
    ///
    /// # Errors
    /// As [`Self::train`]; and from the last model [`Error::InvalidTrainingState`].
    pub fn train_from(
        &mut self,
        store: &dyn DocumentStore,
        start: Start,
        status: StatusCallback<'_>,
    ) -> Result<Training> {
        match self.trainer.train_from(store, self.model(), start, status)? {
            TrainOutcome::Unchanged { report } => Ok(Training::Unchanged(report)),
            TrainOutcome::Trained { model, report } => {
                self.set_model(*model)?;
                Ok(Training::Trained(report))
            }
        }
    }

    /// Writes the model to `path`, signed with `key`; what is there is replaced whole or stays as it is.
    ///
    /// # Errors
    /// There is no model: [`Error::NoModel`]; the file can't be written.
    pub fn save(&self, path: &Path, key: &SecretKey) -> Result<()> {
        Ok(model_file::save(&self.ready()?.model, path, key)?)
    }

    /// Reads the model at `path`. After an error or where there is no file, the current model stays.
    ///
    /// # Errors
    /// The file is truncated, corrupt, signed with another key, of an incompatible version, or can't be read.
    pub fn load(&mut self, path: &Path, key: &SecretKey) -> Result<Loading> {
        let Some(model) = model_file::load(path, key)? else {
            return Ok(Loading::NoModelYet);
        };
        self.set_model(model)?;
        Ok(Loading::Loaded)
    }

    /// What answers now, to be shared with other threads: it goes on answering from this model after another one was
    /// trained or loaded, and is freed with its last owner. Each has its own cache of vectors.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predictor(&self) -> Result<Arc<Predictor>> {
        Ok(Arc::clone(&self.ready()?.predictor))
    }

    /// The current model, if there is one.
    pub fn model(&self) -> Option<&Model> {
        self.ready.as_ref().map(|ready| &ready.model)
    }

    /// Answers for all four fields from one vectorization.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predict(&self, content: &str) -> Result<Suggestions> {
        Ok(self.ready()?.predictor.predict(content))
    }

    /// The correspondent of a document, or none.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predict_correspondent(&self, content: &str) -> Result<Option<LabelId>> {
        self.predict_one(Field::Correspondent, content)
    }

    /// The document type of a document, or none.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predict_document_type(&self, content: &str) -> Result<Option<LabelId>> {
        self.predict_one(Field::DocumentType, content)
    }

    /// The tags of a document, ascending.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predict_tags(&self, content: &str) -> Result<LabelIds> {
        Ok(self.ready()?.predictor.predict_field(Field::Tags, content))
    }

    /// The storage path of a document, or none.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn predict_storage_path(&self, content: &str) -> Result<Option<LabelId>> {
        self.predict_one(Field::StoragePath, content)
    }

    /// Why each label is suggested that [`predict`](Self::predict) suggests, in the order of [`Field::ALL`].
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn explain(&self, content: &str) -> Result<Vec<Explanation>> {
        let Ready { model, predictor } = self.ready()?;
        Ok(predictor.explain(content, &model.catalog))
    }

    /// What speaks for a label and against it, suggested or not.
    ///
    /// # Errors
    /// [`Error::NoModel`]; [`Error::LabelNotLearned`] if the model can't assign the label.
    pub fn explain_label(&self, content: &str, field: Field, label: LabelId) -> Result<Explanation> {
        let Ready { model, predictor } = self.ready()?;
        predictor.explain_label(content, &model.catalog, field, label)
    }

    /// The features of a document, from the cache if it was seen lately.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn vectorize(&self, content: &str) -> Result<Arc<SparseVector>> {
        Ok(self.ready()?.predictor.vectorize(content))
    }

    /// SHA-256 of everything that vectors depend on: vocabulary, parameters, language.
    ///
    /// # Errors
    /// [`Error::NoModel`].
    pub fn vectorizer_hash(&self) -> Result<[u8; 32]> {
        Ok(self.ready()?.predictor.vectorizer_hash())
    }

    /// Forgets the vectors of documents seen.
    pub fn clear_cache(&self) {
        if let Some(ready) = &self.ready {
            ready.predictor.clear_cache();
        }
    }

    fn predict_one(&self, field: Field, content: &str) -> Result<Option<LabelId>> {
        Ok(self
            .ready()?
            .predictor
            .predict_field(field, content)
            .first()
            .copied())
    }

    fn set_model(&mut self, model: Model) -> Result<()> {
        let predictor = Arc::new(Predictor::new(&model, self.cache)?);
        self.ready = Some(Ready { model, predictor });
        Ok(())
    }

    fn ready(&self) -> Result<&Ready> {
        self.ready.as_ref().ok_or(Error::NoModel)
    }
}
