//! The signing key: from a file, from the environment, or made on first use for the user alone.
//!
//! A key is never an argument (other users see those), never logged and never shown.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use etcetera::BaseStrategy as _;
use postroom::model_file::SecretKey;

use super::options::directory_of;
use super::output::hex;

const VARIABLE: &str = "POSTROOM_SECRET_KEY";

/// A key that is longer than this is something else.
const MOST_BYTES: u64 = 65_536;
/// A key that is shorter than this can be guessed.
const FEWEST_BYTES: usize = 16;
/// Bytes of a new key, before they are written as hexadecimal digits.
const NEW_BYTES: usize = 32;

/// Where the signing key is.
#[derive(Debug, Args)]
pub(super) struct KeyOptions {
    /// File with the key that models are signed with
    ///
    /// Without it, the key is the value of the environment variable `POSTROOM_SECRET_KEY`, or in the file
    /// `postroom/secret.key` in the user's configuration directory, which the first training makes, readable by the
    /// user alone. A line break at the file's end doesn't count.
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

/// What was found out about the key.
#[derive(Debug)]
pub(super) enum SigningKey {
    /// There is one.
    Found(SecretKey),
    /// There is none; this is where it belongs.
    Missing(PathBuf),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Nothing at the place where it belongs.
    #[error(
        "no signing key: there is no file {}; set {VARIABLE} or --secret-key-file to the key that the model was saved \
         with, or make a new model and key with: postroom train --full", _0.display()
    )]
    Missing(PathBuf),

    /// The variable is set to nothing.
    #[error("the signing key in {VARIABLE} is empty: set it to 16 random bytes or more, or unset it")]
    EmptyVariable,

    /// The file has no bytes, or but a line break.
    #[error(
        "signing key {}: the file is empty; restore the key, or remove the file and let postroom train --full \
         make another", _0.display()
    )]
    EmptyFile(PathBuf),

    /// Far too much for a key.
    #[error("signing key {}: it has more than {MOST_BYTES} bytes; is this the file with the key?", _0.display())]
    TooLong(PathBuf),

    /// The operating system refused to read.
    #[error("signing key {}: {problem}; give a file that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        problem: io::Error,
    },

    /// The operating system refused to write.
    #[error(
        "cannot make the signing key {}: {problem}; set {VARIABLE}, or name a place with --secret-key-file",
        path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        problem: io::Error,
    },

    /// There is no user to speak of.
    #[error("no signing key, and no home directory to make one in: set {VARIABLE} or --secret-key-file")]
    NoHome,
}

impl KeyOptions {
    /// Looks for the key; makes none.
    pub(super) fn find(&self) -> Result<SigningKey, KeyError> {
        if let Some(path) = &self.secret_key_file {
            return read(path);
        }
        if let Some(value) = env::var_os(VARIABLE) {
            if value.is_empty() {
                return Err(KeyError::EmptyVariable);
            }
            return Ok(SigningKey::Found(accepted(value.into_encoded_bytes(), VARIABLE)));
        }
        let directories = etcetera::choose_base_strategy().map_err(|_| KeyError::NoHome)?;
        read(&directories.config_dir().join("postroom").join("secret.key"))
    }

    /// The key that there is.
    pub(super) fn existing(&self) -> Result<SecretKey, KeyError> {
        match self.find()? {
            SigningKey::Found(key) => Ok(key),
            SigningKey::Missing(path) => Err(KeyError::Missing(path)),
        }
    }
}

impl SigningKey {
    /// The key, made now if there is none; then also the file that it is in.
    pub(super) fn or_make(self) -> Result<(SecretKey, Option<PathBuf>), KeyError> {
        match self {
            Self::Found(key) => Ok((key, None)),
            Self::Missing(path) => match make(&path) {
                Ok(()) => Ok((existing(&path)?, Some(path))),
                // Another training was faster.
                Err(problem) if problem.kind() == ErrorKind::AlreadyExists => Ok((existing(&path)?, None)),
                Err(problem) => Err(KeyError::Unwritable { path, problem }),
            },
        }
    }
}

fn read(path: &Path) -> Result<SigningKey, KeyError> {
    let unreadable = |problem| KeyError::Unreadable {
        path: path.to_owned(),
        problem,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(SigningKey::Missing(path.to_owned())),
        Err(error) => return Err(unreadable(error)),
    };
    warn_if_readable_by_others(&file, path);
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(KeyError::TooLong(path.to_owned()));
    }
    let key = without_line_break(&bytes);
    if key.is_empty() {
        return Err(KeyError::EmptyFile(path.to_owned()));
    }
    Ok(SigningKey::Found(accepted(
        key.to_vec(),
        &path.display().to_string(),
    )))
}

fn existing(path: &Path) -> Result<SecretKey, KeyError> {
    match read(path)? {
        SigningKey::Found(key) => Ok(key),
        SigningKey::Missing(path) => Err(KeyError::Missing(path)),
    }
}

fn accepted(key: Vec<u8>, place: &str) -> SecretKey {
    if key.len() < FEWEST_BYTES {
        tracing::warn!("the signing key in {place} has fewer than {FEWEST_BYTES} bytes: it can be guessed");
    }
    SecretKey::new(key)
}

/// The same key, whether it is in a file that an editor ended with a line break or in a variable.
fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// Writes a new key to `path`, whole or not at all, and never over one that is there.
fn make(path: &Path) -> io::Result<()> {
    let mut key = [0; NEW_BYTES];
    getrandom::fill(&mut key)?;
    let digits = hex(&key);
    let directory = directory_of(path);
    fs::create_dir_all(directory)?;
    // `tempfile` makes files that the user alone may read.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    writeln!(file, "{digits}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn warn_if_readable_by_others(file: &File, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let others = |metadata: &fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0;
    if file.metadata().is_ok_and(|metadata| others(&metadata)) {
        tracing::warn!("others may read the signing key: chmod 600 {}", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_: &File, _: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_break_at_the_end_is_no_part_of_the_key() {
        for text in ["key", "key\n", "key\r\n"] {
            assert_eq!(without_line_break(text.as_bytes()), b"key");
        }
    }

    #[test]
    fn key_that_is_there_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        fs::write(&path, "mine").unwrap();
        assert_eq!(make(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn two_new_keys_differ() {
        let directory = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            let path = directory.path().join(name);
            make(&path).unwrap();
            fs::read_to_string(path).unwrap()
        });
        assert!(one.len() == 2 * NEW_BYTES + 1 && one != other);
    }
}
