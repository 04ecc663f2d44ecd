//! A new archive in SQLite, with paperless-ngx's tables: for tests and for corpora to measure on.
//!
//! In come labels, documents and tags; out goes a file that [`SqliteStore`](super::SqliteStore) reads, and that
//! paperless-ngx 3.0 would recognise as the part of its database that filing is about.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::Offset;
use rusqlite::{Connection, Params, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::schema::label_table;
use super::sqlite::classify;
use super::value::label_key;
use super::{NewDocument, NewLabel};
use crate::document::{DocumentId, Field, LabelId};
use crate::error::{ArchiveProblem, Error, Result};

const SCHEMA: &str = include_str!("sqlite_archive.sql");

/// Documents in a transaction: enough that its cost doesn't show, few enough that progress does.
const DOCUMENT_BATCH: usize = 500;

/// Tag assignments in a transaction.
const TAG_BATCH: usize = 1_000;

/// An archive that is being written.
///
/// Nothing is flushed to the disk until the operating system does so: a crash of the machine can cost the archive.
///
/// ```
/// use postroom::document::Field;
/// use postroom::store::{NewDocument, NewLabel, SqliteArchive, SqliteStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("db.sqlite3");
/// let mut archive = SqliteArchive::create(&path)?;
/// let bank = archive.add_label(Field::Correspondent, &NewLabel::auto("Bank"))?;
/// let urgent = archive.add_label(Field::Tags, &NewLabel::auto("urgent"))?;
/// let ids = archive.add_documents(&[NewDocument {
///     title: "Statement",
///     content: "Your balance",
///     modified: "2026-01-31T12:00:00Z".parse()?,
///     correspondent: Some(bank),
///     document_type: None,
///     storage_path: None,
/// }])?;
/// archive.add_tags(&[(ids[0], urgent)])?;
/// let store = SqliteStore::open(&path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteArchive {
    connection: Connection,
    path: PathBuf,
}

impl SqliteArchive {
    /// Creates an empty archive in a new file.
    ///
    /// # Errors
    /// [`ArchiveProblem::AlreadyExists`] if there is anything at `path`, which stays as it is; other problems if
    /// the file can't be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        Self::create_file(&path)
            .map(|connection| Self {
                connection,
                path: path.clone(),
            })
            .map_err(|problem| Error::archive(path, problem))
    }

    fn create_file(path: &Path) -> Result<Connection, ArchiveProblem> {
        // The file is made, and closed, before SQLite opens it: only this call can tell that it is new.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => ArchiveProblem::AlreadyExists,
                _ => ArchiveProblem::Io(error),
            })?;
        let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(classify)?;
        connection
            .pragma_update(None, "synchronous", "OFF")
            .map_err(classify)?;
        connection
            .execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))
            .map_err(classify)?;
        Ok(connection)
    }

    /// The database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a label to `field` and returns its key; keys count up from 1 in each field.
    ///
    /// # Errors
    /// The field has a label of that name, or the file can't be written.
    pub fn add_label(&mut self, field: Field, label: &NewLabel<'_>) -> Result<LabelId> {
        let table = label_table(field);
        let algorithm = label.matching_algorithm.code();
        let added = if field == Field::Tags {
            self.connection.execute(
                "INSERT INTO documents_tag (name, matching_algorithm, is_inbox_tag) VALUES (?1, ?2, ?3)",
                params![label.name, algorithm, label.is_inbox_tag],
            )
        } else {
            let insert = format!("INSERT INTO {table} (name, matching_algorithm) VALUES (?1, ?2)");
            self.connection.execute(&insert, params![label.name, algorithm])
        };
        added.map_err(|error| self.failed(error))?;
        label_key(table, self.connection.last_insert_rowid())
            .map_err(|problem| Error::archive(&self.path, problem))
    }

    /// Adds documents, a transaction for every 500, and returns their keys; keys count up from 1.
    ///
    /// # Errors
    /// A label doesn't exist, or the file can't be written; the batches before that one stay.
    pub fn add_documents(&mut self, documents: &[NewDocument<'_>]) -> Result<Vec<DocumentId>> {
        let mut ids = Vec::with_capacity(documents.len());
        for batch in documents.chunks(DOCUMENT_BATCH) {
            self.in_transaction(|transaction| insert_documents(transaction, batch, &mut ids))?;
        }
        Ok(ids)
    }

    /// Puts tags onto documents, a transaction for every 1,000; a tag that is there already stays.
    ///
    /// # Errors
    /// A document or a tag doesn't exist, or the file can't be written; the batches before that one stay.
    pub fn add_tags(&mut self, assignments: &[(DocumentId, LabelId)]) -> Result<()> {
        for batch in assignments.chunks(TAG_BATCH) {
            self.in_transaction(|transaction| {
                let mut insert = transaction.prepare(
                    "INSERT OR IGNORE INTO documents_document_tags (document_id, tag_id) VALUES (?1, ?2)",
                )?;
                for (document, tag) in batch {
                    insert.execute([document.0, i64::from(tag.0)])?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Takes a tag off a document, without a trace in the document's time of modification.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`] if the document doesn't carry the tag; or the file can't be written.
    pub fn remove_tag(&mut self, document: DocumentId, tag: LabelId) -> Result<()> {
        let delete = "DELETE FROM documents_document_tags WHERE document_id = ?1 AND tag_id = ?2";
        let deleted = self.execute(delete, [document.0, i64::from(tag.0)])?;
        if deleted == 0 {
            Err(Error::UnknownLabel {
                field: Field::Tags,
                id: tag,
            })
        } else {
            Ok(())
        }
    }

    /// Sets when a document was last changed.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`], or the file can't be written.
    pub fn set_modified(&mut self, document: DocumentId, modified: Timestamp) -> Result<()> {
        let update = "UPDATE documents_document SET modified = ?2 WHERE id = ?1";
        self.update_document(document, update, params![document.0, naive_utc(modified)])
    }

    /// Moves a document to the trash, without a trace in its time of modification.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`], or the file can't be written.
    pub fn trash(&mut self, document: DocumentId) -> Result<()> {
        let update = "UPDATE documents_document SET deleted_at = modified WHERE id = ?1";
        self.update_document(document, update, [document.0])
    }

    /// Takes a document out of the trash again.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`], or the file can't be written.
    pub fn restore(&mut self, document: DocumentId) -> Result<()> {
        let update = "UPDATE documents_document SET deleted_at = NULL, restored_at = modified WHERE id = ?1";
        self.update_document(document, update, [document.0])
    }

    fn update_document(&self, document: DocumentId, update: &str, params: impl Params) -> Result<()> {
        match self.execute(update, params)? {
            0 => Err(Error::UnknownDocument { id: document.0 }),
            _ => Ok(()),
        }
    }

    fn execute(&self, statement: &str, params: impl Params) -> Result<usize> {
        self.connection
            .execute(statement, params)
            .map_err(|error| self.failed(error))
    }

    fn in_transaction(&mut self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) -> Result<()> {
        let written = self.connection.transaction().and_then(|transaction| {
            write(&transaction)?;
            transaction.commit()
        });
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        Error::archive(&self.path, classify(error))
    }
}

fn insert_documents(
    transaction: &Transaction<'_>,
    documents: &[NewDocument<'_>],
    ids: &mut Vec<DocumentId>,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "INSERT INTO documents_document (title, content, mime_type, checksum, created, modified, added, \
                                         correspondent_id, document_type_id, storage_path_id) \
         VALUES (?1, ?2, 'application/pdf', ?3, date(?4), ?4, ?4, ?5, ?6, ?7)",
    )?;
    let key = |label: Option<LabelId>| label.map(|label| label.0);
    for document in documents {
        let checksum = hex(&Sha256::digest(document.content));
        ids.push(DocumentId(insert.insert(params![
            document.title,
            document.content,
            checksum,
            naive_utc(document.modified),
            key(document.correspondent),
            key(document.document_type),
            key(document.storage_path),
        ])?));
    }
    Ok(())
}

/// An instant as Django stores it: naive UTC, microseconds, no fraction when it is zero.
fn naive_utc(instant: Timestamp) -> String {
    let utc = Offset::UTC.to_datetime(instant);
    let seconds = utc.strftime("%Y-%m-%d %H:%M:%S");
    match utc.subsec_nanosecond() / 1_000 {
        0 => seconds.to_string(),
        microseconds => format!("{seconds}.{microseconds:06}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String doesn't fail");
        hex
    })
}
