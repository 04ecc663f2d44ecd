//! Why a verb failed: one line that says what to do, and an exit code.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use postroom::Error;
use postroom::document::Field;
use postroom::error::ArchiveProblem;
use postroom::model_file::{ModelFileError, ModelFileProblem};
use postroom::store::{Archive, Location, PasswordProblem};

use super::key::KeyError;

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The library's answer.
    #[error(transparent)]
    Library(Error),

    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),

    /// The password of a server's user.
    #[error(transparent)]
    Password(#[from] PasswordProblem),

    /// A server doesn't take the password.
    #[error(
        "{0}; the password is the value of POSTROOM_DB_PASSWORD, or in the file that POSTROOM_DB_PASSWORD_FILE names"
    )]
    NotLetIn(Error),

    /// Ctrl-C.
    #[error("cancelled; everything is as it was before")]
    Cancelled,

    /// There is nothing to predict with.
    #[error("model {}: there is no such file; postroom train makes it", _0.display())]
    NoModel(PathBuf),

    /// The last model can't be built on.
    #[error("{0} (train --full replaces it)")]
    PreviousModel(ModelFileError),

    /// A file that would be replaced isn't ours to replace.
    #[error("{}: there is a file already, and it is not {kind}; choose another path", path.display())]
    OfAnotherKind {
        /// The file.
        path: PathBuf,
        /// What would take its place.
        kind: &'static str,
    },

    /// A file that would be written is the archive.
    #[error("{}: this is the archive, which is never written to; choose another path", _0.display())]
    IsTheArchive(PathBuf),

    /// The key that is to be made would be replaced by the model.
    #[error("{}: the model and the key that signs it would be one file; choose another path for one of them", _0.display())]
    IsTheKey(PathBuf),

    /// No file can be made where one is to be written.
    #[error("cannot write {}: {problem}; choose another path, or make the directory and allow writing to it", path.display())]
    NotWritable {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        problem: io::Error,
    },

    /// The model has no label of that name or number.
    #[error(
        "{field}: the model has no label {label} among its {n_known}; postroom inspect --labels lists them"
    )]
    UnknownLabel {
        /// The field.
        field: Field,
        /// What was asked for.
        label: String,
        /// Labels that there are.
        n_known: usize,
    },

    /// Labels of several owners have that name.
    #[error("{field}: several labels are called {label}; say which with --label-id: {ids}")]
    SeveralLabels {
        /// The field.
        field: Field,
        /// What was asked for.
        label: String,
        /// Those that it may be, joined by commas.
        ids: String,
    },

    /// A threshold was given to a label that isn't learned.
    #[error(
        "{field}: the archive has no label {name:?} among the {n_known} that are assigned automatically; give its name \
         as paperless-ngx shows it, and its matching algorithm must be \"Auto\""
    )]
    NotAutomatic {
        /// The field.
        field: Field,
        /// The name.
        name: String,
        /// Labels that there are.
        n_known: usize,
    },

    /// The other pipeline has no confidences to choose thresholds by.
    #[error("--threshold and --label-threshold are for --pipeline linear: mlp answers as paperless-ngx does")]
    NoThresholds,

    /// The other pipeline has no networks.
    #[error(
        "--weight-precision is for --pipeline mlp: linear drops the weights that don't matter, and keeps the others as they are"
    )]
    NoNetworks,

    /// A text can't be read.
    #[error("cannot read {source_name}: {problem}; give the path of a text file, or - for standard input")]
    Unreadable {
        /// What was to be read.
        source_name: String,
        /// Why not.
        problem: io::Error,
    },

    /// Standard input ends once.
    #[error("- stands for standard input, which can be read only once: give - once")]
    StandardInputTwice,

    /// A text is beyond all measure.
    #[error("{source_name} has more than {most} bytes: is it text?")]
    TooLong {
        /// Where it comes from.
        source_name: String,
        /// The most that is read.
        most: u64,
    },

    /// Nothing in the archive is to be learned.
    #[error(
        "archive {_0}: no label is assigned automatically; in paperless-ngx, choose the matching algorithm \
         \"Auto\" for those that are to be learned, then train again"
    )]
    NoAutoLabels(Location),

    /// Labels are to be learned, but there is no example.
    #[error(
        "archive {_0}: no document outside the inbox has one of the labels that are to be learned; file some \
         documents, then train again"
    )]
    NoExamples(Location),

    /// No document is filed.
    #[error("archive {_0}: {}", Error::NoTrainingData)]
    NothingFiled(Location),

    /// Documents that were asked for aren't there.
    #[error(
        "archive {location}: there is no document {ids} (the number is in the address of the document's page)"
    )]
    UnknownDocuments {
        /// The archive.
        location: Location,
        /// What is missing, joined by commas.
        ids: String,
    },

    /// The threads that were asked for can't be had.
    #[error("cannot start that many threads: {0}; ask for fewer")]
    Threads(rayon::ThreadPoolBuildError),

    /// Ctrl-C can't be listened to.
    #[error("cannot listen to Ctrl-C: {0}")]
    Signals(ctrlc::Error),

    /// Standard output is closed or full.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 2 for wrong usage, as clap has it; what a shell makes of Ctrl-C; 1 otherwise.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoThresholds | Self::NoNetworks | Self::StandardInputTwice => 2,
            Self::Cancelled => 130,
            _ if self.is_broken_pipe() => 0,
            _ => 1,
        }
    }

    /// Whether whoever reads the answer had enough of it.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message and its causes, leaving out those that it repeats already.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !chain.contains(&text) {
                chain.push_str(": ");
                chain.push_str(&text);
            }
            cause = error.source();
        }
        chain
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Cancelled => Self::Cancelled,
            Error::Archive {
                problem: ArchiveProblem::NotLetIn(_),
                ..
            } => Self::NotLetIn(error),
            error => Self::Library(error),
        }
    }
}

impl Failure {
    /// The failure of a training, with the name of the archive where the library doesn't say which it learned from.
    pub(super) fn about(self, archive: &Archive) -> Self {
        match self {
            Self::Library(Error::NoTrainingData) => Self::NothingFiled(archive.location()),
            failure => failure,
        }
    }

    /// A problem of the model file at `path`.
    pub(super) fn model(path: impl Into<PathBuf>, problem: ModelFileProblem) -> Self {
        let path = path.into();
        Self::Library(Error::ModelFile(ModelFileError { path, problem }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_message_repeats_is_said_once() {
        let source = io::Error::other("the disk is on fire");
        let action = "read it";
        let failure = Failure::model("m", ModelFileProblem::Io { action, source });
        assert_eq!(failure.chain().matches("the disk is on fire").count(), 1);
    }

    #[test]
    fn closed_pipe_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit_code(), 0);
    }

    #[test]
    fn ctrl_c_has_the_exit_code_of_a_shell() {
        assert_eq!(Failure::from(Error::Cancelled).exit_code(), 130);
    }
}
