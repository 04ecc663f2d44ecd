//! The library's error type: what failed, on which path or field, what was expected, what was found, what to do.

use std::path::PathBuf;

use crate::document::{Field, LabelId};
use crate::model_file::ModelFileError;
use crate::store::Location;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No document qualifies for training: the archive is empty, or everything is in the inbox or the trash.
    #[error(
        "No training data available. Every document is in the inbox or the trash, or there is none: file some documents, then train again"
    )]
    NoTrainingData,

    /// An evaluation divides the documents into parts, and there aren't enough.
    #[error(
        "{found} document(s) can't be divided into {expected} parts to evaluate: file some more, or ask for fewer parts"
    )]
    TooFewDocuments {
        /// Documents that there are.
        found: usize,
        /// Parts that were asked for.
        expected: usize,
    },

    /// The caller's status callback asked to stop; nothing was changed.
    #[error("training was cancelled")]
    Cancelled,

    /// A prediction was asked for, or the model was to be saved, before there was one.
    #[error("there is no model yet: train one, or load one")]
    NoModel,

    /// A label was asked about that the model can't assign.
    #[error(
        "the model can't assign label {label} in field {field}: no document that it was trained on has that label, or not by automatic matching. Ask about a label that the model lists, or file documents with this one and train again"
    )]
    LabelNotLearned {
        /// The field.
        field: Field,
        /// The key asked for.
        label: LabelId,
    },

    /// The model can't be saved or loaded.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),

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

    /// A parameter of a training makes no sense.
    #[error("the {of}'s parameter {name} is {found}: expected {expected}")]
    Parameter {
        /// What the parameter belongs to.
        of: &'static str,
        /// Which parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },

    /// The numbers of a training grew beyond all bounds, so that there is nothing to answer with.
    #[error(
        "the training diverged: weights of field {field} are no finite numbers. Lower the learning rate of a network, or the cost c of a linear classifier"
    )]
    Diverged {
        /// The first field that it happened in.
        field: Field,
    },

    /// The weights of a network were to be rounded to 16 bits, and one of them is too large for that.
    #[error(
        "a weight of field {field} is {weight}, and half precision holds 65504 at most. Keep the weights in single precision, or lower the learning rate"
    )]
    BeyondHalfPrecision {
        /// The first field that has such a weight.
        field: Field,
        /// The first such weight.
        weight: f32,
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

    /// Fitting the tf-idf vectorizer left nothing to learn from.
    #[error(
        "nothing to learn from: of {n_documents} documents with {n_tokens} different words of two characters or more (stop words aside), no word and no part of one is in at least {min_df}. Train on documents that have text (check the text recognition), or lower min_df"
    )]
    NoSharedTerm {
        /// How many documents there were.
        n_documents: usize,
        /// How many different tokens they had.
        n_tokens: usize,
        /// The number of documents that a term has to be in.
        min_df: u32,
    },

    /// The frequencies that were stored with a vocabulary don't fit it; a model file that holds them is corrupt.
    #[error("the tf-idf vectorizer is not valid: {problem}; restore the model file or train again")]
    InvalidTfidf {
        /// What was expected and what was found.
        problem: String,
    },

    /// Stored token counts that no documents can have led to, or that are asked for what they don't hold.
    #[error("the token counts of the documents are not valid: {problem}; train again in full")]
    InvalidTokenBags {
        /// What was expected and what was found.
        problem: String,
    },

    /// What a model keeps for the next training and no training can have left; the model file that held it is corrupt.
    #[error(
        "what the model keeps for the next training is not valid: {problem}; restore the model file, or train from nothing"
    )]
    InvalidTrainingState {
        /// What was expected and what was found.
        problem: String,
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

    /// The archive can't be opened, read or written.
    #[error("archive {location}: {problem}")]
    Archive {
        /// Where it is.
        location: Location,
        /// What is wrong and what to do about it. It is part of this error's text, and so not its source.
        problem: ArchiveProblem,
    },

    /// A change names a document that the archive doesn't hold.
    #[error("the archive has no document {id}: use a key that adding documents returned")]
    UnknownDocument {
        /// The key asked for.
        id: i64,
    },

    /// A change names a label that the archive doesn't hold.
    #[error("the archive has no label {id} in field {field}: use a key that adding labels returned")]
    UnknownLabel {
        /// The field that the label was expected in.
        field: Field,
        /// The key asked for.
        id: LabelId,
    },
}

impl Error {
    /// A problem of the archive there.
    pub(crate) fn archive(location: impl Into<Location>, problem: ArchiveProblem) -> Self {
        Self::Archive {
            location: location.into(),
            problem,
        }
    }
}

/// What is wrong with an archive.
///
/// [`Busy`](Self::Busy), [`ChangedMeanwhile`](Self::ChangedMeanwhile), [`BrokenOff`](Self::BrokenOff) and
/// [`TooSlow`](Self::TooSlow) pass by themselves: try again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveProblem {
    /// Nothing is at the path.
    #[error("there is no such file; expected a paperless-ngx database, usually called db.sqlite3")]
    Missing,

    /// The path leads to a directory or a device.
    #[error(
        "this is not a file; expected a paperless-ngx database, usually the file db.sqlite3 inside its data directory"
    )]
    NotAFile,

    /// The file has no bytes.
    #[error("the file is empty; expected a paperless-ngx database: was it copied completely?")]
    Empty,

    /// The file is something other than an SQLite database.
    #[error("the file is not an SQLite database, or an encrypted one; expected a paperless-ngx database")]
    NotADatabase,

    /// A database, but not one of paperless-ngx.
    #[error(
        "the database belongs to another program: table {table} is missing; expected a paperless-ngx database"
    )]
    MissingTable {
        /// The first table that was looked for in vain.
        table: &'static str,
    },

    /// The table is there, but not as paperless-ngx makes it.
    #[error(
        "table {table} has no column {column}; expected a database of paperless-ngx 1.8 to 3.0: let its migrations finish, or, if \
         it is of a later one, use a newer postroom"
    )]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The first column that was looked for in vain.
        column: &'static str,
    },

    /// This process may not read the file, or the directory around it.
    #[error("the file can't be opened: check that this user may read it and enter its directory")]
    Denied,

    /// Another program kept the database locked for longer than we wait.
    #[error("another program is writing to it and kept it locked: try again in a moment")]
    Busy,

    /// Another program changed the database in a way that tore the moment being read.
    #[error("another program changed it while it was being read: try again")]
    ChangedMeanwhile,

    /// A program crashed in the middle of a change that only a writer can undo.
    #[error(
        "a change was left half done: start the program that the archive belongs to once, so that it rolls the change back"
    )]
    HalfDone,

    /// The write-ahead log is there, but not the index beside it.
    #[error("the write-ahead log beside it ({}) has no -shm file: copy db.sqlite3 together with all files that share its name, \
             or start the program that the archive belongs to once", log.display())]
    LogWithoutIndex {
        /// The write-ahead log.
        log: PathBuf,
    },

    /// Pages are missing or make no sense.
    #[error("the database is damaged or was cut short: take a fresh copy, or restore a backup ({0})")]
    Damaged(rusqlite::Error),

    /// A value isn't what the column holds in a paperless-ngx database.
    #[error(
        "{table}.{column} of the row with id {id}: expected {expected}, found {found}; repair the row in the program that the archive belongs to"
    )]
    Value {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Primary key of the row.
        id: i64,
        /// What the column holds in a sound archive.
        expected: &'static str,
        /// What it holds here.
        found: String,
    },

    /// A new archive was to be created where there is a file already.
    #[error("there is a file already, and a new archive never replaces one: choose another path")]
    AlreadyExists,

    /// The library was built without the feature that reads archives on such servers.
    #[error("this postroom can't read it: it was built without the feature {feature}")]
    NotBuiltIn {
        /// The missing feature.
        feature: &'static str,
    },

    /// The name in the URL is none.
    #[error(
        "no machine of that name is known ({0}): check the name; that of a container is known only to those in its network"
    )]
    UnknownHost(std::io::Error),

    /// Nobody answers, or nobody who speaks this protocol.
    #[error(
        "no such server answers there ({0}): check that it runs, and that it listens on that host and port"
    )]
    Unreachable(String),

    /// The server doesn't know the user, or not with this password.
    #[error("the server refuses the user or the password ({0}): check both")]
    NotLetIn(String),

    /// The server lets the user in from elsewhere, or in TLS, only.
    #[error(
        "the server admits no such connection ({0}): let this user connect from this machine, and without TLS, which \
         postroom doesn't do; or connect on the server's machine, or through an SSH tunnel"
    )]
    NotAdmitted(String),

    /// The server has no database of that name, or shows it to others only.
    #[error(
        "there is no such database, or the user may not use it ({0}): check the name at the end of the URL"
    )]
    UnknownDatabase(String),

    /// The user may not read a table.
    #[error(
        "the user may not read table {table}: let it SELECT from all tables whose names begin with documents_"
    )]
    Forbidden {
        /// The table.
        table: &'static str,
    },

    /// The user may not read something, in the server's words.
    #[error(
        "the user may not read what is needed ({0}): let it SELECT from all tables whose names begin with documents_"
    )]
    NotPermitted(String),

    /// The connection ended in the middle.
    #[error("the connection broke off ({0}): try again")]
    BrokenOff(String),

    /// The server took too long over an answer.
    #[error("the server took too long over an answer ({0}): try again when it has less to do")]
    TooSlow(String),

    /// Whatever else the server reports.
    #[error("the server reports: {0}")]
    Server(String),

    /// Whatever else the database library reports.
    #[error("the database library reports: {0}")]
    Sqlite(rusqlite::Error),

    /// Whatever else the operating system reports.
    #[error("the operating system reports: {0}")]
    Io(std::io::Error),
}

/// Short for `Result<T, postroom::Error>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
