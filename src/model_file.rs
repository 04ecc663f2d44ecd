//! The model on disk: signed, versioned, replaced whole or not at all.
//!
//! [`save`] and [`load`] are the way in and out; `docs/model-format.md` has the bytes. Loading trusts nothing:
//! lengths are checked before slicing, the signature before decoding, and everything decoded before use.

mod atomic;
mod description;
mod key;
mod payload;
mod reading;
mod signed;
mod writing;

use std::path::{Path, PathBuf};

use crate::model::Model;

pub use description::{Description, Part};
pub use key::SecretKey;
pub use signed::MAGIC;
use signed::Unsigned;

/// Version of the format that this library writes, and the only one that it reads; not the crate's version.
pub const FORMAT_VERSION: u32 = 2;

/// Why a model could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[error("model {}: {problem}", path.display())]
pub struct ModelFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it; part of the message, so no source of its own.
    pub problem: ModelFileProblem,
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileProblem {
    /// The file ends early, as after an interrupted copy.
    #[error("truncated: {expected} bytes were expected, {found} are there; restore a copy or train again")]
    Truncated {
        /// Bytes that there should be.
        expected: u64,
        /// Bytes that there are.
        found: u64,
    },
    /// Not a model, or one that was changed after it was signed.
    #[error("corrupt: {0}; find out what changed the file, then restore a copy or train again")]
    Corrupt(String),
    /// Signed with another key.
    #[error("signed with another key than the one given; use the key that it was saved with, or train again")]
    WrongKey,
    /// Another version of the format.
    #[error("format version {found} is not readable by this version, which reads {supported}; train again")]
    Incompatible {
        /// Version of the file.
        found: u32,
        /// Version that can be read.
        supported: u32,
    },
    /// A directory, a device or a pipe is at the path.
    #[error("there is a directory or a device at this path, not a file; choose that of a model file")]
    NotAFile,
    /// The operating system refused.
    #[error("cannot {action}: {source}; check its directory, its permissions and the space on the disk")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
}

impl ModelFileProblem {
    fn corrupt(problem: impl Into<String>) -> Self {
        Self::Corrupt(problem.into())
    }

    fn io(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

/// Writes `model` to `path`, signed with `key`. A model that is there already is replaced whole or stays as it is.
///
/// The parent directory must exist. Where `path` is a symbolic link, the file that it points to is replaced or made.
/// What saves that were interrupted left in the directory is removed. Of two saves at once, either can be the last.
///
/// # Errors
/// What is there is no file: [`ModelFileProblem::NotAFile`]; the operating system refused: [`ModelFileProblem::Io`].
pub fn save(model: &Model, path: &Path, key: &SecretKey) -> Result<(), ModelFileError> {
    let unsigned = enclosed(model, key);
    let n_bytes = unsigned.len();
    atomic::replace(path, |file| writing::write(file, unsigned)).map_err(|problem| ModelFileError {
        path: path.into(),
        problem,
    })?;
    tracing::debug!(path = %path.display(), bytes = n_bytes, "model saved");
    Ok(())
}

/// Reads the model at `path`; none if there is no such file, which is how every archive begins.
///
/// # Errors
/// The file is truncated, corrupt, signed with another key or of another format version, or can't be read.
pub fn load(path: &Path, key: &SecretKey) -> Result<Option<Model>, ModelFileError> {
    let model = reading::read(path).and_then(|bytes| bytes.map(|bytes| from_bytes(&bytes, key)).transpose());
    model.map_err(|problem| ModelFileError {
        path: path.into(),
        problem,
    })
}

/// The bytes of the model file at `path`; none if there is no such file. Of a file that doesn't begin as a model of this
/// version does, no more is read than that. For [`from_bytes`], which checks them, or [`Description::of`].
///
/// # Errors
/// The file doesn't begin as a model of this version does, or can't be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, ModelFileError> {
    reading::read(path).map_err(|problem| ModelFileError {
        path: path.into(),
        problem,
    })
}

/// The signed bytes of a model. The same model gives the same bytes.
pub fn to_bytes(model: &Model, key: &SecretKey) -> Vec<u8> {
    enclosed(model, key).sign()
}

fn enclosed(model: &Model, key: &SecretKey) -> Unsigned {
    signed::enclose(FORMAT_VERSION, key, |envelope| payload::encode(model, envelope))
}

/// The model in signed bytes.
///
/// # Errors
/// As [`load`], but for the operating system's.
pub fn from_bytes(bytes: &[u8], key: &SecretKey) -> Result<Model, ModelFileProblem> {
    payload::decode(signed::open(bytes, FORMAT_VERSION, key)?)
}

#[cfg(test)]
mod tests;
