//! A paperless-ngx database in SQLite, read and never changed.
//!
//! In comes the path of a `db.sqlite3` of any release, in use or not; out go snapshots of it. A snapshot streams
//! `documents_document` by id beside `documents_document_tags` by document, and merges the two: what it keeps in
//! memory grows with the number of labels, not with documents or contents.

mod connection;
mod schema;
mod steps;
mod tag_rows;
mod value;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use self::connection::Moment;
pub(super) use self::connection::classify;
use self::schema::Schema;
pub(super) use self::schema::label_table;
use self::tag_rows::TagRows;
pub(super) use self::value::label_key;
use self::value::{content, modified};
use super::{DocumentStore, MatchingAlgorithm, Selection, Snapshot};
use crate::document::{AutoLabel, Document, DocumentId, Field, Filing, LabelCatalog, LabelId, Labels};
use crate::error::{ArchiveProblem, Error, Result};

/// How long a snapshot waits for a program that has the database locked: longer than a commit takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// An archive in a paperless-ngx database.
///
/// The database may be in use. It is opened read-only for each snapshot, left exactly as it was, and gets no file
/// beside it. Where it is in write-ahead mode, as a running paperless-ngx keeps it, writers aren't held up; where
/// it has a rollback journal, a writer's commit waits until the snapshot is dropped.
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
                    schema: Schema::read(moment.connection())?,
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

    /// Visits the rows of `query` whose document has no inbox tag. The row's first column is the document's id;
    /// the visitor also gets all of the document's tags, ascending.
    fn for_each_row(
        &self,
        query: &str,
        mut visit: impl FnMut(&Row<'_>, DocumentId, &[i64]) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        self.moment.begin_question();
        let connection = self.moment.connection();
        let inbox_tags = keys(
            connection,
            "SELECT id FROM documents_tag WHERE is_inbox_tag ORDER BY id",
        )?;
        let mut tag_statement = connection.prepare(
            "SELECT document_id, tag_id FROM documents_document_tags ORDER BY document_id, tag_id",
        )?;
        let mut tag_rows = TagRows::start(tag_statement.query([])?)?;
        let mut documents = connection.prepare(query)?;
        let mut rows = documents.query([])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            ascending("documents_document", &mut last, id)?;
            let tags = tag_rows.of_document(id)?;
            if !tags.iter().any(|tag| inbox_tags.binary_search(tag).is_ok()) {
                visit(row, DocumentId(id), tags)?;
            }
        }
        Ok(())
    }

    fn read_catalog(&self) -> Result<LabelCatalog, Stopped> {
        let mut catalog = LabelCatalog::default();
        for field in Field::ALL {
            self.moment.begin_question();
            if let Some(table) = self.schema.label_table(field) {
                catalog.set(field, auto_labels(self.moment.connection(), table)?);
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
            Selection::Inbox => keys(
                connection,
                "SELECT document_id FROM documents_document_tags \
                 WHERE tag_id IN (SELECT id FROM documents_tag WHERE is_inbox_tag)",
            )?,
        };
        ids.sort_unstable();
        ids.dedup();
        self.read_each(&self.schema.content_query(), ids, repaired, visit)
    }

    fn read_filings(&self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<(), Stopped> {
        let catalog = self.read_catalog()?;
        let auto = |field, key: Option<i64>| key.and_then(|key| auto_label(&catalog, field, key));
        self.for_each_row(&self.schema.filings_query(), |row, id, tags| {
            let modified = modified(row.get_ref(1)?, id)?;
            let labels = Labels {
                correspondent: auto(Field::Correspondent, row.get(2)?),
                document_type: auto(Field::DocumentType, row.get(3)?),
                storage_path: auto(Field::StoragePath, row.get(4)?),
                tags: tags
                    .iter()
                    .filter_map(|&key| auto(Field::Tags, Some(key)))
                    .collect(),
            };
            visit(Filing { id, modified, labels }).map_err(Stopped::ByVisitor)
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
        let result = self.for_each_row(&self.schema.contents_query(), |row, id, _tags| {
            let content = content(row.get_ref(1)?, id, &mut repaired)?;
            visit(Document { id, content }).map_err(Stopped::ByVisitor)
        });
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
        if n_documents > 0 {
            tracing::warn!(
                documents = n_documents,
                path = %self.path.display(),
                "contents that are not UTF-8 text: what can't be read was replaced by U+FFFD",
            );
        }
    }

    fn failed(&self, problem: ArchiveProblem) -> Error {
        Error::Archive {
            path: self.path.clone(),
            problem,
        }
    }
}

/// Why a pass ended early.
enum Stopped {
    ByVisitor(Error),
    ByArchive(ArchiveProblem),
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::ByArchive(classify(error))
    }
}

impl From<ArchiveProblem> for Stopped {
    fn from(problem: ArchiveProblem) -> Self {
        Self::ByArchive(problem)
    }
}

fn keys(connection: &Connection, query: &str) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare(query)?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn auto_labels(connection: &Connection, table: &'static str) -> Result<Vec<AutoLabel>, Stopped> {
    let mut statement = connection.prepare(&format!(
        "SELECT id, name FROM {table} WHERE matching_algorithm = ?1 ORDER BY id"
    ))?;
    let mut rows = statement.query([MatchingAlgorithm::Auto.code()])?;
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

/// Refuses a key that doesn't come after the `last` one: what was asked for in order and isn't comes of pages that lead
/// in circles, or of a table whose keys aren't unique.
fn ascending(table: &'static str, last: &mut Option<i64>, id: i64) -> Result<(), ArchiveProblem> {
    if let Some(last) = last.replace(id).filter(|&last| last >= id) {
        return Err(ArchiveProblem::Value {
            table,
            column: "id",
            id,
            expected: "a key that no other row has, in ascending order",
            found: format!("it after the row with id {last}"),
        });
    }
    Ok(())
}

/// The label behind a foreign key. One that leads nowhere, as a crash can leave it, is no label.
fn auto_label(catalog: &LabelCatalog, field: Field, key: i64) -> Option<LabelId> {
    let id = LabelId(i32::try_from(key).ok()?);
    catalog.name(field, id).map(|_| id)
}
