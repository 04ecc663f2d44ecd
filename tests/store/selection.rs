//! Documents that are asked for by number or because they wait in the inbox.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use crate::document;
use postroom::document::{Document, DocumentId, Field, LabelId};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{NewLabel, Selection, SqliteArchive, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

/// Documents 1 to 4; 2 and 4 have an inbox tag, 4 has two; 3 has another tag.
struct Archive {
    directory: TempDir,
    archive: SqliteArchive,
}

impl Archive {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = SqliteArchive::create(directory.path().join("db.sqlite3")).unwrap();
        let mut tag = |label| archive.add_label(Field::Tags, &label).unwrap();
        let [new, later, tax] = [
            NewLabel::inbox("new"),
            NewLabel::inbox("later"),
            NewLabel::auto("tax"),
        ]
        .map(&mut tag);
        let ids = archive
            .add_documents(&["one", "two", "three", "four"].map(document))
            .unwrap();
        let tagged: [(DocumentId, LabelId); 4] =
            [(ids[1], new), (ids[2], tax), (ids[3], new), (ids[3], later)];
        archive.add_tags(&tagged).unwrap();
        Self { directory, archive }
    }

    fn selected(&self, selection: &Selection) -> Vec<(i64, String)> {
        let mut found = Vec::new();
        SqliteStore::open(self.archive.path())
            .unwrap()
            .for_each_selected(selection, &mut |Document { id, content }| {
                found.push((id.0, content));
                Ok(())
            })
            .unwrap();
        found
    }

    fn documents(&self, ids: &[i64]) -> Vec<i64> {
        let ids = ids.iter().copied().map(DocumentId).collect();
        self.selected(&Selection::Documents(ids))
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    }
}

#[test]
fn inbox_is_each_document_with_an_inbox_tag_once() {
    let found = Archive::new().selected(&Selection::Inbox);
    assert_eq!(found, [(2, "two".to_owned()), (4, "four".to_owned())]);
}

#[test]
fn documents_come_by_ascending_id_and_once() {
    assert_eq!(Archive::new().documents(&[3, 1, 3]), [1, 3]);
}

#[test]
fn document_that_does_not_exist_is_left_out() {
    assert_eq!(Archive::new().documents(&[99, -1, 2]), [2]);
}

#[test]
fn document_in_the_trash_is_left_out() {
    let mut archive = Archive::new();
    archive.archive.trash(DocumentId(2)).unwrap();
    assert_eq!(archive.documents(&[1, 2]), [1]);
    assert_eq!(archive.selected(&Selection::Inbox), [(4, "four".to_owned())]);
}

#[test]
fn release_without_a_trash_is_read() {
    let archive = Archive::new();
    let connection = Connection::open(archive.archive.path()).unwrap();
    connection
        .execute_batch("ALTER TABLE documents_document DROP COLUMN deleted_at")
        .unwrap();
    assert_eq!(archive.documents(&[1, 2]), [1, 2]);
}

#[test]
fn tag_of_a_document_that_is_gone_is_no_document() {
    let archive = Archive::new();
    let connection = Connection::open(archive.archive.path()).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM documents_document WHERE id = 2")
        .unwrap();
    assert_eq!(archive.selected(&Selection::Inbox), [(4, "four".to_owned())]);
}

#[test]
fn reading_a_selection_leaves_the_archive_as_it_was() {
    let archive = Archive::new();
    let connection = Connection::open(archive.archive.path()).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    drop(connection);
    let before = std::fs::read(archive.archive.path()).unwrap();
    archive.selected(&Selection::Inbox);
    assert_eq!(std::fs::read(archive.archive.path()).unwrap(), before);
    assert_eq!(std::fs::read_dir(&archive.directory).unwrap().count(), 1);
}

#[test]
fn error_of_a_visitor_is_passed_on() {
    let archive = Archive::new();
    let store = SqliteStore::open(archive.archive.path()).unwrap();
    let result = store.for_each_selected(&Selection::Inbox, &mut |_| Err(Error::NoModel));
    assert!(matches!(result, Err(Error::NoModel)));
}

#[test]
fn archive_that_is_gone_is_missing() {
    let Archive { directory, archive } = Archive::new();
    let store = SqliteStore::open(archive.path()).unwrap();
    drop((archive, directory));
    let result = store.for_each_selected(&Selection::Inbox, &mut |_| Ok(()));
    assert!(matches!(
        result,
        Err(Error::Archive {
            problem: ArchiveProblem::Missing,
            ..
        })
    ));
}
