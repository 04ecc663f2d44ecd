//! Files that are no sound paperless-ngx database, and archives with odd contents: an error that says what to do,
//! or a defined reading.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document;
use crate::hand_made::{problem, run};
use postroom::document::{Field, Filing, LabelId};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{DocumentStore, NewLabel, SqliteArchive, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

macro_rules! assert_problem {
    ($result:expr, $pattern:pat) => {
        let problem = problem($result);
        assert!(matches!(problem, $pattern), "{problem}");
    };
}

/// An archive with a tag and three documents that carry it.
fn archive(path: &Path) -> PathBuf {
    let mut archive = SqliteArchive::create(path).unwrap();
    let tag = archive.add_label(Field::Tags, &NewLabel::auto("tag")).unwrap();
    let ids = archive
        .add_documents(&[document("one"), document("two"), document("three")])
        .unwrap();
    archive
        .add_tags(&ids.iter().map(|&id| (id, tag)).collect::<Vec<_>>())
        .unwrap();
    path.to_owned()
}

/// An archive on which `sql` was run, with nothing checked.
fn archive_after(directory: &TempDir, sql: &str) -> SqliteStore {
    let path = archive(&directory.path().join("db.sqlite3"));
    run(&path, sql);
    SqliteStore::open(path).unwrap()
}

fn filings(store: &SqliteStore) -> Result<Vec<Filing>, Error> {
    crate::filings(&mut *store.snapshot()?)
}

fn contents(store: &SqliteStore) -> Result<Vec<String>, Error> {
    let mut contents = Vec::new();
    store.snapshot()?.for_each_document(&mut |document| {
        contents.push(document.content);
        Ok(())
    })?;
    Ok(contents)
}

#[test]
fn missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("no such file");
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    assert_problem!(Err::<(), _>(error), ArchiveProblem::Missing);
}

#[test]
fn missing_file_is_not_created() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    SqliteStore::open(&path).unwrap_err();
    assert!(!path.exists());
}

#[test]
fn path_through_a_file_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    assert_problem!(
        SqliteStore::open(path.join("db.sqlite3")),
        ArchiveProblem::Missing
    );
}

#[test]
fn directory_is_not_a_file() {
    let directory = tempfile::tempdir().unwrap();
    assert_problem!(SqliteStore::open(directory.path()), ArchiveProblem::NotAFile);
}

#[test]
fn empty_file_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    fs::write(&path, []).unwrap();
    assert_problem!(SqliteStore::open(path), ArchiveProblem::Empty);
}

#[test]
fn text_file_is_not_a_database() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    fs::write(&path, "text ".repeat(1000)).unwrap();
    assert_problem!(SqliteStore::open(path), ArchiveProblem::NotADatabase);
}

#[test]
fn database_of_another_program_names_the_missing_table() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    run(&path, "CREATE TABLE bookmarks (id)");
    assert_problem!(
        SqliteStore::open(path),
        ArchiveProblem::MissingTable {
            table: "documents_document"
        }
    );
}

#[test]
fn missing_column_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    run(&path, "ALTER TABLE documents_tag DROP COLUMN is_inbox_tag");
    assert_problem!(
        SqliteStore::open(path),
        ArchiveProblem::MissingColumn {
            table: "documents_tag",
            column: "is_inbox_tag"
        }
    );
}

#[test]
fn view_in_place_of_a_table_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    run(
        &path,
        "ALTER TABLE documents_tag RENAME TO elsewhere; CREATE VIEW documents_tag AS SELECT * FROM elsewhere",
    );
    assert_problem!(
        SqliteStore::open(path),
        ArchiveProblem::MissingTable {
            table: "documents_tag"
        }
    );
}

#[test]
fn database_cut_to_half_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_problem!(SqliteStore::open(path), ArchiveProblem::Damaged(_));
}

#[test]
fn overwritten_page_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let root: u32 = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_master WHERE name = 'documents_document'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[(root as usize - 1) * 4096..root as usize * 4096].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(path).unwrap();
    assert_problem!(filings(&store), ArchiveProblem::Damaged(_));
}

#[test]
fn exclusively_locked_database_is_busy() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_problem!(
        SqliteStore::open_with_patience(&path, Duration::from_millis(10)),
        ArchiveProblem::Busy
    );
}

#[test]
fn change_that_a_crash_left_half_done_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let writer = Connection::open(&path).unwrap();
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; CREATE TABLE filler AS
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n",
        )
        .unwrap();
    let crashed = directory.path().join("crashed.sqlite3");
    fs::copy(&path, &crashed).unwrap();
    fs::copy(
        directory.path().join("db.sqlite3-journal"),
        directory.path().join("crashed.sqlite3-journal"),
    )
    .unwrap();
    assert_problem!(SqliteStore::open(crashed), ArchiveProblem::HalfDone);
}

#[cfg(unix)]
#[test]
fn unreadable_file_is_denied() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        eprintln!("not tested: this user may read every file");
        return;
    }
    assert_problem!(SqliteStore::open(path), ArchiveProblem::Denied);
}

#[cfg(unix)]
#[test]
fn path_may_hold_any_byte() {
    use std::os::unix::ffi::OsStrExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = archive(
        &directory
            .path()
            .join(OsStr::from_bytes(b"a b?mode=rw&c#d%41\xff.sqlite3")),
    );
    assert_eq!(filings(&SqliteStore::open(path).unwrap()).unwrap().len(), 3);
}

#[cfg(unix)]
#[test]
fn link_to_a_database_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(path, &link).unwrap();
    assert_eq!(filings(&SqliteStore::open(link).unwrap()).unwrap().len(), 3);
}

#[test]
fn database_from_before_the_trash_and_storage_paths_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    run(
        &path,
        "CREATE TABLE documents_correspondent (id INTEGER PRIMARY KEY, name, matching_algorithm);
         CREATE TABLE documents_documenttype (id INTEGER PRIMARY KEY, name, matching_algorithm);
         CREATE TABLE documents_tag (id INTEGER PRIMARY KEY, name, matching_algorithm, is_inbox_tag);
         CREATE TABLE documents_document_tags (id INTEGER PRIMARY KEY, document_id, tag_id);
         CREATE TABLE documents_document (id INTEGER PRIMARY KEY, content TEXT, modified, correspondent_id,
                                          document_type_id);
         INSERT INTO documents_correspondent VALUES (7, 'Bank', 6);
         INSERT INTO documents_document VALUES (3, 'text', '2020-02-03 04:05:06', 7, NULL);",
    );
    let filings = filings(&SqliteStore::open(path).unwrap()).unwrap();
    assert_eq!(filings[0].labels.correspondent, Some(LabelId(7)));
}

#[test]
fn time_of_modification_that_is_none_names_the_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(
        &directory,
        "UPDATE documents_document SET modified = 'yesterday' WHERE id = 2",
    );
    let text = filings(&store).unwrap_err().to_string();
    assert!(
        text.contains("documents_document.modified of the row with id 2: expected a time"),
        "{text}"
    );
    assert!(text.contains("found \"yesterday\""), "{text}");
}

#[test]
fn label_key_beyond_32_bits_names_the_label() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(&directory, "UPDATE documents_tag SET id = 2147483648");
    assert_problem!(
        filings(&store),
        ArchiveProblem::Value {
            table: "documents_tag",
            column: "id",
            id: 2_147_483_648,
            ..
        }
    );
}

#[test]
fn key_that_leads_to_no_label_is_no_label() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(
        &directory,
        "UPDATE documents_document SET correspondent_id = 99, document_type_id = 4294967297, storage_path_id = -1;
         UPDATE documents_document_tags SET tag_id = 99 WHERE document_id = 1",
    );
    let filings = filings(&store).unwrap();
    assert_eq!(filings[0].labels, postroom::document::Labels::default());
    assert_eq!(filings[1].labels.tags, [LabelId(1)]);
}

#[test]
fn tags_of_documents_that_do_not_exist_are_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(
        &directory,
        "INSERT INTO documents_document_tags (document_id, tag_id) VALUES (-5, 1), (0, 1), (99, 1);
         DELETE FROM documents_document WHERE id = 2",
    );
    let tags: Vec<_> = filings(&store)
        .unwrap()
        .into_iter()
        .map(|filing| (filing.id.0, filing.labels.tags))
        .collect();
    assert_eq!(tags, [(1, vec![LabelId(1)]), (3, vec![LabelId(1)])]);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(
        &directory,
        "UPDATE documents_document SET content = CAST(x'61ff62' AS TEXT) WHERE id = 1",
    );
    assert_eq!(contents(&store).unwrap(), ["a\u{fffd}b", "two", "three"]);
}

#[test]
fn blob_is_read_as_the_text_it_holds() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(
        &directory,
        "UPDATE documents_document SET content = x'c3a4' WHERE id = 1",
    );
    assert_eq!(contents(&store).unwrap()[0], "ä");
}

#[test]
fn content_that_is_null_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    archive(&path);
    run(
        &path,
        "CREATE TABLE loose AS SELECT * FROM documents_document;
         DROP TABLE documents_document;
         ALTER TABLE loose RENAME TO documents_document;
         UPDATE documents_document SET content = NULL WHERE id = 1",
    );
    assert_eq!(contents(&SqliteStore::open(path).unwrap()).unwrap()[0], "");
}

#[test]
fn error_of_the_visitor_is_passed_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = archive_after(&directory, "");
    let mut visited = 0;
    let error = store.snapshot().unwrap().for_each_document(&mut |_| {
        visited += 1;
        Err(Error::Cancelled)
    });
    assert!(matches!(error, Err(Error::Cancelled)));
    assert_eq!(visited, 1);
}

#[test]
fn new_archive_never_replaces_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let before = fs::read(&path).unwrap();
    assert_problem!(SqliteArchive::create(&path), ArchiveProblem::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), before);
}
