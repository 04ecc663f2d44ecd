//! Contents of some documents only: the same contents as in a pass over all, of the same moment, of those that train.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::path::PathBuf;
use std::time::Duration;

use crate::document;
use postroom::document::{DocumentId, Field};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{
    DocumentStore, MemoryStore, NewDocument, NewLabel, Snapshot, SqliteArchive, SqliteStore,
};
use rusqlite::Connection;

const CONTENTS: [&str; 5] = ["one", "two", "three", "four", "five"];

fn documents() -> [NewDocument<'static>; 5] {
    CONTENTS.map(document)
}

/// Five documents in a database; the fourth is in the trash, the fifth in the inbox.
struct Database {
    directory: tempfile::TempDir,
}

impl Database {
    fn new() -> Self {
        let database = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let mut archive = SqliteArchive::create(database.path()).unwrap();
        let ids = archive.add_documents(&documents()).unwrap();
        let inbox = archive.add_label(Field::Tags, &NewLabel::inbox("inbox")).unwrap();
        let other = archive.add_label(Field::Tags, &NewLabel::auto("other")).unwrap();
        archive
            .add_tags(&[(ids[0], other), (ids[4], other), (ids[4], inbox)])
            .unwrap();
        archive.trash(ids[3]).unwrap();
        database
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("db.sqlite3")
    }

    fn run(&self, sql: &str) {
        let connection = Connection::open(self.path()).unwrap();
        connection.execute_batch(sql).unwrap();
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_with_patience(self.path(), Duration::from_millis(50)).unwrap()
    }
}

fn selected(snapshot: &mut dyn Snapshot, ids: &[i64]) -> Result<Vec<(i64, String)>, Error> {
    let ids: Vec<DocumentId> = ids.iter().copied().map(DocumentId).collect();
    let mut found = Vec::new();
    snapshot.for_each_document_among(&ids, &mut |document| {
        found.push((document.id.0, document.content));
        Ok(())
    })?;
    Ok(found)
}

fn selected_of(store: &dyn DocumentStore, ids: &[i64]) -> Vec<(i64, String)> {
    selected(&mut *store.snapshot().unwrap(), ids).unwrap()
}

fn expected(found: &[(i64, &str)]) -> Vec<(i64, String)> {
    found
        .iter()
        .map(|&(id, content)| (id, content.to_owned()))
        .collect()
}

#[test]
fn only_those_asked_for_are_visited_in_order() {
    let database = Database::new();
    let found = selected_of(&database.store(), &[1, 3]);
    assert_eq!(found, expected(&[(1, "one"), (3, "three")]));
    assert_eq!(selected_of(&database.store(), &[]), []);
}

#[test]
fn documents_that_do_not_train_are_passed_over() {
    let found = selected_of(&Database::new().store(), &[-1, 2, 4, 5, 99]);
    assert_eq!(found, expected(&[(2, "two")]));
}

#[test]
fn memory_has_the_same_rules() {
    let mut store = MemoryStore::new();
    let ids = store.add_documents(&documents()).unwrap();
    let inbox = store.add_label(Field::Tags, &NewLabel::inbox("inbox"));
    store.add_tags(&[(ids[4], inbox)]).unwrap();
    store.trash(ids[3]).unwrap();
    let found = selected_of(&store, &[-1, 1, 3, 4, 5, 99]);
    assert_eq!(found, expected(&[(1, "one"), (3, "three")]));
}

#[test]
fn releases_without_a_trash_are_read() {
    let database = Database::new();
    database.run("ALTER TABLE documents_document DROP COLUMN deleted_at");
    let found = selected_of(&database.store(), &[2, 4]);
    assert_eq!(found, expected(&[(2, "two"), (4, "four")]));
}

#[test]
fn odd_contents_are_read_as_in_a_pass_over_all() {
    let database = Database::new();
    database.run(
        "UPDATE documents_document SET content = CAST(x'61ff62' AS TEXT) WHERE id = 1;
         UPDATE documents_document SET content = x'c3a4' WHERE id = 2",
    );
    let store = database.store();
    let mut all = Vec::new();
    store
        .snapshot()
        .unwrap()
        .for_each_document(&mut |document| {
            all.push((document.id.0, document.content));
            Ok(())
        })
        .unwrap();
    assert_eq!(selected_of(&store, &[1, 2, 3]), all);
}

#[test]
fn error_of_the_visitor_is_passed_on() {
    let database = Database::new();
    let store = database.store();
    let mut visited = 0;
    let ids = [DocumentId(1), DocumentId(2)];
    let error = store.snapshot().unwrap().for_each_document_among(&ids, &mut |_| {
        visited += 1;
        Err(Error::Cancelled)
    });
    assert!(matches!(error, Err(Error::Cancelled)));
    assert_eq!(visited, 1);
}

#[test]
fn it_sees_the_snapshots_moment_while_a_writer_goes_on() {
    let database = Database::new();
    database.run("PRAGMA journal_mode = WAL");
    let writer = Connection::open(database.path()).unwrap();
    writer
        .execute("UPDATE documents_document SET content = 'uno' WHERE id = 1", [])
        .unwrap();
    let store = database.store();
    let mut snapshot = store.snapshot().unwrap();
    writer
        .execute("UPDATE documents_document SET content = 'eins' WHERE id = 1", [])
        .unwrap();
    assert_eq!(selected(&mut *snapshot, &[1]).unwrap(), expected(&[(1, "uno")]));
    assert_eq!(selected_of(&store, &[1]), expected(&[(1, "eins")]));
}

#[test]
fn checkpoint_under_a_snapshot_without_locks_is_reported() {
    let database = Database::new();
    database.run("PRAGMA journal_mode = WAL");
    let store = database.store();
    let mut snapshot = store.snapshot().unwrap();
    let writer = Connection::open(database.path()).unwrap();
    writer
        .execute("UPDATE documents_document SET content = 'uno' WHERE id = 1", [])
        .unwrap();
    writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let error = selected(&mut *snapshot, &[1]).unwrap_err();
    let is_torn = matches!(
        error,
        Error::Archive {
            problem: ArchiveProblem::ChangedMeanwhile,
            ..
        }
    );
    assert!(is_torn, "{error}");
}
