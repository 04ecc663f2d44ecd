//! A paperless-ngx database in SQLite, read and never changed.
//!
//! In comes the path of a `db.sqlite3` of any release, in use or not; out go snapshots of it. A snapshot streams
//! `documents_document` by id beside `documents_document_tags` by document, and merges the two: what it keeps in
//! memory grows with the number of labels, not with contents. How documents are filed is read on several threads where
//! the database is large, each with a range of ids, and kept until it is their turn.

mod connection;
mod filings;
mod rows;
mod steps;
mod tag_rows;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use self::connection::Moment;
pub(super) use self::connection::classify;
use self::filings::FilingReader;
use self::rows::{ascending, for_each_row};
use self::value::content;
use super::schema::{Column, INBOX_DOCUMENTS, INBOX_TAGS, Schema, TABLES};
use super::stopped::{Stopped, warn_of_repairs};
use super::value::label_key;
use super::{DocumentStore, Location, Selection, Snapshot};
use crate::document::{AutoLabel, Document, DocumentId, Field, Filing, LabelCatalog};
use crate::error::{ArchiveProblem, Error, Result};

/// How long a snapshot waits for a program that has the database locked: longer than a commit takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// An archive in a paperless-ngx database.
///
/// The database may be in use. It is opened read-only for each snapshot, left exactly as it was, and gets no file
/// beside it. Where it is in write-ahead mode, as a running paperless-ngx keeps it, writers aren't held up; where
/// it has a rollback journal, a writer's commit waits until the snapshot is dropped. How the documents of a large one are
/// filed is read on the current rayon pool, but from a log.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    path: PathBuf,
    patience: Duration,
}

impl SqliteStore {
    /// Makes sure that `path` is a paperless-ngx database; waits up to five seconds wherever it is locked.
    ///
    /// # Errors
    /// [`Error::Archive`], which says what is wrong with the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_patience(path, PATIENCE)
    }

    /// As [`SqliteStore::open`], waiting up to `patience` here and at every snapshot.
    ///
    /// # Errors
    /// [`Error::Archive`], which says what is wrong with the file.
    pub fn open_with_patience(path: impl AsRef<Path>, patience: Duration) -> Result<Self> {
        let store = Self {
            path: path.as_ref().to_owned(),
            patience,
        };
        SqliteSnapshot::open(&store)?;
        Ok(store)
    }

    /// The database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Visits the content of each document of `selection`, by ascending id and each once, all of one moment.
    ///
    /// # Errors
    /// The archive can't be read, or `visit` returned an error, which is passed on.
    pub fn for_each_selected(
        &self,
        selection: &Selection,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        let snapshot = SqliteSnapshot::open(self)?;
        let mut repaired = 0;
        let result = snapshot.read_selected(selection, &mut repaired, visit);
        self.warn_of_repairs(repaired);
        snapshot.checked(result)
    }
}

impl DocumentStore for SqliteStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(SqliteSnapshot::open(self)?))
    }
}

struct SqliteSnapshot<'s> {
    store: &'s SqliteStore,
    moment: Moment,
    schema: Schema,
}

impl<'s> SqliteSnapshot<'s> {
    fn open(store: &'s SqliteStore) -> Result<Self> {
        Moment::open(&store.path, store.patience)
            .and_then(|moment| {
                Ok(Self {
                    store,
                    schema: schema(moment.connection())?,
                    moment,
                })
            })
            .map_err(|problem| store.failed(problem))
    }

    /// Gives `result` out if what it was made of belongs to one moment.
    ///
    /// A torn read can look like damage, so the tear is reported first; an error of a visitor stays what it is.
    fn checked<T>(&self, result: Result<T, Stopped>) -> Result<T> {
        match result {
            Err(Stopped::ByVisitor(error)) => Err(error),
            Err(Stopped::ByArchive(problem)) => {
                Err(self.store.failed(self.moment.check().err().unwrap_or(problem)))
            }
            Ok(value) => self
                .moment
                .check()
                .map(|()| value)
                .map_err(|problem| self.store.failed(problem)),
        }
    }

    /// The inbox tags' keys, ascending.
    fn inbox_tags(&self) -> Result<Vec<i64>, Stopped> {
        Ok(keys(self.moment.connection(), INBOX_TAGS)?)
    }

    fn read_catalog(&self) -> Result<LabelCatalog, Stopped> {
        let mut catalog = LabelCatalog::default();
        for field in Field::ALL {
            self.moment.begin_question();
            if let Some((table, query)) = self.schema.labels_query(field) {
                catalog.set(field, labels(self.moment.connection(), table, &query)?);
            }
        }
        Ok(catalog)
    }

    fn read_selected(
        &self,
        selection: &Selection,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        self.moment.begin_question();
        let connection = self.moment.connection();
        let mut ids = match selection {
            Selection::Documents(ids) => ids.iter().map(|id| id.0).collect(),
            Selection::Inbox => keys(connection, INBOX_DOCUMENTS)?,
        };
        ids.sort_unstable();
        ids.dedup();
        self.read_each(&self.schema.content_query(), ids, repaired, visit)
    }

    fn read_filings(&self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<(), Stopped> {
        let catalog = self.read_catalog()?;
        self.moment.begin_question();
        let reader = FilingReader {
            schema: self.schema,
            catalog: &catalog,
            inbox_tags: &self.inbox_tags()?,
        };
        reader.read(&self.moment, &mut |filing| {
            visit(filing).map_err(Stopped::ByVisitor)
        })
    }

    fn read_contents(
        &self,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        self.moment.begin_question();
        let (inbox_tags, query) = (self.inbox_tags()?, self.schema.contents_query());
        let connection = self.moment.connection();
        for_each_row(connection, &inbox_tags, &query, None, |row, id, _tags| {
            let content = content(row.get_ref(1)?, id, repaired)?;
            visit(Document { id, content }).map_err(Stopped::ByVisitor)
        })
    }

    fn read_training(
        &self,
        ids: &[DocumentId],
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        self.read_each(
            &self.schema.training_content_query(),
            ids.iter().map(|id| id.0),
            repaired,
            visit,
        )
    }

    /// Visits what `query` finds for each of the ids.
    fn read_each(
        &self,
        query: &str,
        ids: impl IntoIterator<Item = i64>,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        let mut documents = self.moment.connection().prepare(query)?;
        for id in ids {
            self.moment.begin_question();
            let mut rows = documents.query([id])?;
            if let Some(row) = rows.next()? {
                let id = DocumentId(id);
                let content = content(row.get_ref(1)?, id, repaired)?;
                visit(Document { id, content }).map_err(Stopped::ByVisitor)?;
            }
        }
        Ok(())
    }
}

impl Snapshot for SqliteSnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        self.checked(self.read_catalog())
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        self.checked(self.read_filings(visit))
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        let mut repaired = 0_usize;
        let result = self.read_contents(&mut repaired, visit);
        self.store.warn_of_repairs(repaired);
        self.checked(result)
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        let mut repaired = 0_usize;
        let result = self.read_training(ids, &mut repaired, visit);
        self.store.warn_of_repairs(repaired);
        self.checked(result)
    }
}

impl SqliteStore {
    fn warn_of_repairs(&self, n_documents: usize) {
        warn_of_repairs(&Location::File(self.path.clone()), n_documents);
    }

    fn failed(&self, problem: ArchiveProblem) -> Error {
        Error::archive(&self.path, problem)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::ByArchive(classify(error))
    }
}

fn keys(connection: &Connection, query: &str) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare(query)?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Of ordinary tables, and stored: what a virtual table or a generated column holds is worked out when it is read, and
/// a file of a few pages can have it be any size.
fn schema(connection: &Connection) -> Result<Schema, ArchiveProblem> {
    let columns = || -> rusqlite::Result<Vec<Column>> {
        connection
            .prepare(&format!(
                "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' AND t.rootpage > 0 AND t.name IN ({TABLES})"
            ))?
            .query_map([], |row| {
                Ok(Column {
                    table: row.get(0)?,
                    name: row.get(1)?,
                    is_readable: true,
                })
            })?
            .collect()
    };
    Schema::new(columns().map_err(classify)?)
}

fn labels(connection: &Connection, table: &'static str, query: &str) -> Result<Vec<AutoLabel>, Stopped> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    let (mut labels, mut last) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        ascending(table, &mut last, id)?;
        let id = label_key(table, id)?;
        let name = match row.get_ref(1)? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        labels.push(AutoLabel { id, name });
    }
    Ok(labels)
}
