//! The library's error type: what failed, on which path or field, what was expected, what was found, what to do.

use std::path::PathBuf;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No document qualifies for training: the archive is empty, or everything is in the inbox or the trash.
    #[error(
        "No training data available. Every document is in the inbox or the trash, or there is none: file some documents, then train again"
    )]
    NoTrainingData,

    /// The caller's status callback asked to stop; nothing was changed.
    #[error("training was cancelled")]
    Cancelled,

    /// The archive's file can't be opened or read.
    #[error("cannot read the archive {}: {problem}", path.display())]
    Archive {
        /// The database.
        path: PathBuf,
        /// What is wrong and what to do about it.
        problem: String,
        /// What the database library said, if it was asked.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },

    /// A language that has no stop words and no stemmer here.
    #[error(
        "unknown language {found:?}: expected one of {expected}, as a name or as an ISO 639 or tesseract code (the first of several joined by \"+\" counts), or no language at all"
    )]
    UnknownLanguage {
        /// What was asked for.
        found: String,
        /// The names of the languages there are.
        expected: String,
    },

    /// The vectorizer's parameters make no sense.
    #[error("the vectorizer's parameter {name} is {found}: expected {expected}")]
    VectorizerParameter {
        /// Which parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },

    /// Fitting the vectorizer left nothing to learn from.
    #[error(
        "no term left in the vocabulary: of {n_documents} documents with {n_tokens} different words of two characters or more, no word is in at least {min_df} of the documents. Train on documents that have text (check the text recognition), or lower min_df"
    )]
    NoTermLeft {
        /// How many documents there were.
        n_documents: usize,
        /// How many different tokens they had.
        n_tokens: usize,
        /// The share of the documents that a term has to be in.
        min_df: f64,
    },

    /// A vocabulary that no fit can have produced; a model file that holds it is corrupt.
    #[error(
        "the vocabulary is not valid at term {position} ({term:?}): {problem}; restore the model file or train again"
    )]
    InvalidVocabulary {
        /// Position of the offending term.
        position: usize,
        /// The term.
        term: String,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The parts of a sparse matrix that don't fit together.
    #[error("the sparse matrix is not valid: {problem}")]
    InvalidMatrix {
        /// What was expected and what was found.
        problem: String,
    },
}

/// Short for `Result<T, postroom::Error>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
