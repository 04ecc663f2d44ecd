//! What a long piece of work tells whoever waits for it, and how they stop it.

use std::fmt;
use std::ops::ControlFlow;

use crate::document::Field;
use crate::error::{Error, Result};

/// Is told what goes on, possibly from several threads at once; returning [`ControlFlow::Break`] cancels the work.
pub type StatusCallback<'a> = &'a (dyn Fn(&Status) -> ControlFlow<()> + Sync);

/// Tells `status`, and turns its wish to stop into an error.
pub(crate) fn tell(status: StatusCallback<'_>, event: Status) -> Result<()> {
    match status(&event) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled),
    }
}

/// What is going on. The texts are those that paperless-ngx shows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// The contents of this many documents are about to be read.
    Gathering {
        /// Documents that train.
        n_documents: usize,
    },
    /// Some documents were read and split into words.
    Read {
        /// Documents so far.
        n_read: usize,
        /// Documents in all.
        n_total: usize,
    },
    /// All words are known; the vocabulary is chosen and the documents are counted in it.
    Vectorizing,
    /// One field's classifier begins to learn.
    Training {
        /// The field.
        field: Field,
        /// Labels that it will be able to assign.
        n_labels: usize,
    },
    /// One field's classifier went through all documents once more.
    Epoch {
        /// The field.
        field: Field,
        /// Counted from 1.
        number: usize,
        /// Mean loss of the epoch.
        loss: f64,
    },
    /// Some of the linear classifiers of one field went through the documents once more.
    Pass {
        /// The field.
        field: Field,
        /// Counted from 1.
        number: usize,
        /// Labels among these classifiers that need another pass.
        n_labels_left: usize,
    },
    /// An evaluation begins with one of its parts.
    Fold {
        /// Counted from 1.
        number: usize,
        /// Parts in all.
        n_folds: usize,
    },
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gathering { n_documents } => write!(f, "Gathering data from {n_documents} document(s)..."),
            Self::Read { n_read, n_total } => write!(f, "Read {n_read} of {n_total} document(s)"),
            Self::Vectorizing => f.write_str("Vectorizing document content..."),
            Self::Training { field, n_labels } => {
                let (classifier, unit) = match field {
                    Field::Tags => ("tags", "tag"),
                    Field::Correspondent => ("correspondent", "correspondent"),
                    Field::DocumentType => ("document type", "type"),
                    Field::StoragePath => ("storage path", "path"),
                };
                write!(f, "Training {classifier} classifier ({n_labels} {unit}(s))...")
            }
            Self::Fold { number, n_folds } => write!(f, "Part {number} of {n_folds}"),
            Self::Pass {
                field,
                number,
                n_labels_left,
            } => {
                write!(f, "{field}: pass {number}, {n_labels_left} label(s) left")
            }
            Self::Epoch { field, number, loss } => write!(f, "{field}: epoch {number}, loss {loss:.4}"),
        }
    }
}
