//! The password of a server's user: from the environment or a file, never an argument, never shown.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The variable that holds the password.
const VARIABLE: &str = "POSTROOM_DB_PASSWORD";
/// The variable that holds the path of a file with the password.
const FILE_VARIABLE: &str = "POSTROOM_DB_PASSWORD_FILE";
/// A file that is longer than this holds something else.
const MOST_BYTES: u64 = 4_096;

/// A password. It never appears in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why there is no password although one was named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// There are two.
    #[error("both {VARIABLE} and {FILE_VARIABLE} are set: set one of them")]
    Both,

    /// The value is no text.
    #[error("the password in {0} is not UTF-8")]
    NotText(String),

    /// The file can't be read.
    #[error("{FILE_VARIABLE} is {}: {problem}; set it to the path of a file that this user may read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        problem: io::Error,
    },

    /// The file is something else.
    #[error("{FILE_VARIABLE} is {}, which has more than {MOST_BYTES} bytes: is this the file with the password?", _0.display())]
    TooLong(PathBuf),
}

impl Password {
    /// Takes a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The value of the environment variable `POSTROOM_DB_PASSWORD`, or what is in the file whose path is the value of
    /// `POSTROOM_DB_PASSWORD_FILE`, as programs in containers are given secrets; line breaks at its end don't count. None
    /// if neither is set, or set to nothing. No other variable counts.
    ///
    /// # Errors
    /// Both are set; the file can't be read; it isn't UTF-8.
    pub fn from_environment() -> Result<Option<Self>, PasswordProblem> {
        Self::read(|variable| std::env::var_os(variable))
    }

    fn read(look_up: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, PasswordProblem> {
        let set = |variable| look_up(variable).filter(|value| !value.is_empty());
        match (set(VARIABLE), set(FILE_VARIABLE)) {
            (Some(_), Some(_)) => Err(PasswordProblem::Both),
            (Some(password), None) => match password.into_string() {
                Ok(password) => Ok(Some(Self(password))),
                Err(_) => Err(PasswordProblem::NotText(VARIABLE.to_owned())),
            },
            (None, Some(path)) => Self::from_file(Path::new(&path)).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn from_file(path: &Path) -> Result<Self, PasswordProblem> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|problem| PasswordProblem::Unreadable {
                path: path.to_owned(),
                problem,
            })?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(PasswordProblem::TooLong(path.to_owned()));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(_) => Err(PasswordProblem::NotText(path.display().to_string())),
        }
    }

    /// The password itself.
    #[cfg(any(feature = "postgres", feature = "mariadb"))]
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Password>, PasswordProblem> {
        Password::read(|name| {
            let (_, value) = variables.iter().find(|(variable, _)| *variable == name)?;
            Some(value.into())
        })
    }

    #[test]
    fn debug_output_does_not_show_the_password() {
        assert_eq!(format!("{:?}", Password::new("hunter2")), "Password(…)");
    }

    #[test]
    fn variable_holds_the_password_as_it_is() {
        let password = read(&[(VARIABLE, " a b\n")]).unwrap();
        assert!(password == Some(Password::new(" a b\n")));
    }

    #[test]
    fn file_holds_the_password_and_perhaps_a_line_break() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for text in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            std::fs::write(&path, text).unwrap();
            let password = read(&[(FILE_VARIABLE, path.to_str().unwrap())]).unwrap();
            assert!(password == Some(Password::new("hunter2")));
        }
    }

    #[test]
    fn neither_is_no_password() {
        assert!(read(&[(VARIABLE, "")]).unwrap().is_none());
    }

    #[test]
    fn both_are_one_too_many() {
        let problem = read(&[(VARIABLE, "a"), (FILE_VARIABLE, "b")]).unwrap_err();
        assert!(matches!(problem, PasswordProblem::Both));
    }

    #[test]
    fn file_that_is_not_there_is_named() {
        let problem = read(&[(FILE_VARIABLE, "no/such/file")]).unwrap_err();
        assert!(problem.to_string().contains("no/such/file"), "{problem}");
    }

    #[test]
    fn file_of_another_kind_is_no_password() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "x".repeat(5_000)).unwrap();
        let problem = read(&[(FILE_VARIABLE, path.to_str().unwrap())]).unwrap_err();
        assert!(matches!(problem, PasswordProblem::TooLong(_)));
    }
}
