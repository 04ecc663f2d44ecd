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
}

/// Short for `Result<T, postroom::Error>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
