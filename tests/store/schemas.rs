//! Databases of paperless-ngx 1.8 to 3.0: the same archive reads the same, whatever release its tables are of.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use postroom::document::{Document, Field, Filing, LabelCatalog, LabelId};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{DocumentStore, SqliteArchive, SqliteStore};
use rusqlite::Connection;

/// What a release added to the tables before it, by its migrations: `table column`.
struct Release {
    version: &'static str,
    added: &'static [&'static str],
    removed: &'static [&'static str],
}

/// The tables of 1.8, the first release with storage paths.
const RELEASE_1_8: &str = "
CREATE TABLE documents_correspondent (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(128) NOT NULL UNIQUE,
    match varchar(256) NOT NULL, matching_algorithm integer unsigned NOT NULL, is_insensitive bool NOT NULL);
CREATE TABLE documents_documenttype (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(128) NOT NULL UNIQUE,
    match varchar(256) NOT NULL, matching_algorithm integer unsigned NOT NULL, is_insensitive bool NOT NULL);
CREATE TABLE documents_storagepath (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(128) NOT NULL UNIQUE,
    match varchar(256) NOT NULL, matching_algorithm integer unsigned NOT NULL, is_insensitive bool NOT NULL,
    path varchar(512) NOT NULL DEFAULT '');
CREATE TABLE documents_tag (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, name varchar(128) NOT NULL UNIQUE,
    match varchar(256) NOT NULL, matching_algorithm integer unsigned NOT NULL, is_insensitive bool NOT NULL,
    color varchar(7) NOT NULL DEFAULT '', is_inbox_tag bool NOT NULL DEFAULT 0);
CREATE TABLE documents_document (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, title varchar(128) NOT NULL,
    content text NOT NULL, created datetime NOT NULL, modified datetime NOT NULL, added datetime NOT NULL,
    storage_type varchar(11) NOT NULL DEFAULT 'unencrypted', filename varchar(1024) NULL UNIQUE,
    checksum varchar(32) NOT NULL UNIQUE, mime_type varchar(256) NOT NULL, archive_checksum varchar(32) NULL,
    archive_filename varchar(1024) NULL UNIQUE, archive_serial_number integer NULL UNIQUE,
    correspondent_id integer NULL REFERENCES documents_correspondent (id) DEFERRABLE INITIALLY DEFERRED,
    document_type_id integer NULL REFERENCES documents_documenttype (id) DEFERRABLE INITIALLY DEFERRED,
    storage_path_id integer NULL REFERENCES documents_storagepath (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE documents_document_tags (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    document_id integer NOT NULL REFERENCES documents_document (id) DEFERRABLE INITIALLY DEFERRED,
    tag_id integer NOT NULL REFERENCES documents_tag (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE documents_paperlesstask (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, task_id varchar(255) NOT NULL);
";

/// Which releases brought the migrations 1024 (original file names), 1031 (owners), 1049 (the trash), 1052 and 1053
/// (transactions, page counts), 1071 (nested tags), and those of 3.0.
const LATER: [Release; 4] = [
    Release {
        version: "2.0",
        added: &[
            "documents_document original_filename varchar(1024) NULL",
            "documents_document owner_id integer NULL",
            "documents_correspondent owner_id integer NULL",
            "documents_documenttype owner_id integer NULL",
            "documents_storagepath owner_id integer NULL",
            "documents_tag owner_id integer NULL",
        ],
        removed: &[],
    },
    Release {
        version: "2.13",
        added: &[
            "documents_document deleted_at datetime NULL",
            "documents_document restored_at datetime NULL",
            "documents_document transaction_id char(32) NULL",
        ],
        removed: &[],
    },
    Release {
        version: "2.20",
        added: &[
            "documents_document page_count integer unsigned NULL",
            "documents_tag tn_parent_id integer NULL REFERENCES documents_tag (id)",
            "documents_tag tn_ancestors_pks text NOT NULL DEFAULT ''",
            "documents_tag tn_children_count integer unsigned NOT NULL DEFAULT 0",
        ],
        removed: &[],
    },
    Release {
        version: "3.0, migrated",
        added: &[
            "documents_document content_length integer unsigned GENERATED ALWAYS AS (length(content)) VIRTUAL",
            "documents_document root_document_id integer NULL REFERENCES documents_document (id)",
            "documents_document version_index integer unsigned NULL",
        ],
        removed: &["documents_document storage_type"],
    },
];

/// Two owners' labels, some learned and some not; documents filed, in the inbox, and filed under nothing.
const ROWS: &str = "
INSERT INTO documents_correspondent (id, name, match, matching_algorithm, is_insensitive)
    VALUES (3, 'City Library', '', 6, 1), (4, 'Northwind Energy', 'kilowatt', 1, 1);
INSERT INTO documents_documenttype (id, name, match, matching_algorithm, is_insensitive) VALUES (1, 'Rechnung', '', 6, 1);
INSERT INTO documents_storagepath (id, name, path, match, matching_algorithm, is_insensitive) VALUES (2, 'house', 'house/{title}', '', 6, 1);
INSERT INTO documents_tag (id, name, match, matching_algorithm, is_insensitive, is_inbox_tag)
    VALUES (1, 'new', '', 0, 1, 1), (2, 'tax', '', 6, 1, 0), (5, 'loan', '', 6, 1, 0);
INSERT INTO documents_document (id, title, content, created, modified, added, checksum, mime_type, correspondent_id, document_type_id, storage_path_id)
    VALUES (1, 'a', 'overdue books', '2022-05-18', '2022-05-18 10:11:12.345678', '2022-05-18 10:11:12', 'a', 'text/plain', 3, 1, 2),
           (2, 'b', 'Grüße aus der Ferne', '2022-05-18', '2022-05-19 10:11:12', '2022-05-18 10:11:12', 'b', 'text/plain', NULL, NULL, NULL),
           (7, 'c', 'kilowatt hours', '2022-05-18', '2022-05-20 10:11:12', '2022-05-18 10:11:12', 'c', 'text/plain', 4, NULL, 2),
           (8, 'd', 'not looked at yet', '2022-05-18', '2022-05-21 10:11:12', '2022-05-18 10:11:12', 'd', 'text/plain', 3, 1, 2);
INSERT INTO documents_document_tags (document_id, tag_id) VALUES (1, 5), (1, 2), (7, 2), (8, 1), (8, 2);
";

/// An archive for each release, the newest last.
fn archives(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut schema = RELEASE_1_8.to_owned();
    let mut made = vec![("1.8", database(directory, "1.8", &schema))];
    for release in &LATER {
        for column in release.added {
            let (table, definition) = column.split_once(' ').unwrap();
            writeln!(schema, "ALTER TABLE {table} ADD COLUMN {definition};").unwrap();
        }
        for column in release.removed {
            let (table, name) = column.split_once(' ').unwrap();
            writeln!(schema, "ALTER TABLE {table} DROP COLUMN {name};").unwrap();
        }
        made.push((release.version, database(directory, release.version, &schema)));
    }
    let path = directory.join("new.sqlite3");
    drop(SqliteArchive::create(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch(ROWS).unwrap();
    made.push(("3.0, as it is made", path));
    made
}

fn database(directory: &Path, version: &str, schema: &str) -> PathBuf {
    let path = directory.join(format!("{version}.sqlite3"));
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(schema).unwrap();
    connection.execute_batch(ROWS).unwrap();
    path
}

/// All that a training sees.
#[derive(Debug, PartialEq)]
struct Seen {
    catalog: LabelCatalog,
    filings: Vec<Filing>,
    documents: Vec<Document>,
}

fn seen(path: &Path) -> Seen {
    let store = SqliteStore::open(path).unwrap();
    let mut snapshot = store.snapshot().unwrap();
    let (mut filings, mut documents) = (Vec::new(), Vec::new());
    let catalog = snapshot.label_catalog().unwrap();
    let mut file = |filing| {
        filings.push(filing);
        Ok(())
    };
    snapshot.for_each_filing(&mut file).unwrap();
    let mut read = |document| {
        documents.push(document);
        Ok(())
    };
    snapshot.for_each_document(&mut read).unwrap();
    Seen {
        catalog,
        filings,
        documents,
    }
}

#[test]
fn every_release_reads_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let archives = archives(directory.path());
    let expected = seen(&archives.last().unwrap().1);
    assert_eq!(expected.documents.len(), 3);
    assert_eq!(expected.filings[0].labels.tags, [LabelId(2), LabelId(5)]);
    assert_eq!(expected.filings[0].labels.storage_path, Some(LabelId(2)));
    // Not learned.
    assert_eq!(expected.filings[2].labels.correspondent, None);
    assert_eq!(expected.catalog.of(Field::Tags).len(), 2);
    for (version, path) in &archives {
        assert_eq!(seen(path), expected, "{version}");
    }
}

#[test]
fn trash_is_left_out_from_the_release_on_that_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut n_with_trash = 0;
    for (version, path) in archives(directory.path()) {
        let delete = "UPDATE documents_document SET deleted_at = '2026-01-01 00:00:00' WHERE id = 2";
        let has_trash = Connection::open(&path).unwrap().execute(delete, []).is_ok();
        n_with_trash += usize::from(has_trash);
        assert_eq!(
            seen(&path).documents.len(),
            if has_trash { 2 } else { 3 },
            "{version}"
        );
    }
    assert_eq!(n_with_trash, 4);
}

#[test]
fn tables_and_columns_of_a_later_release_are_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let (_, path) = archives(directory.path()).pop().unwrap();
    let expected = seen(&path);
    let later = "ALTER TABLE documents_document ADD COLUMN folder_id integer NULL;
                 CREATE TABLE documents_folder (id integer PRIMARY KEY, name varchar(128));";
    Connection::open(&path).unwrap().execute_batch(later).unwrap();
    assert_eq!(seen(&path), expected);
}

#[test]
fn column_that_a_later_release_does_without_is_named_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let (_, path) = archives(directory.path()).pop().unwrap();
    let later = "ALTER TABLE documents_tag RENAME COLUMN matching_algorithm TO algorithm";
    Connection::open(&path).unwrap().execute_batch(later).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    let text = error.to_string();
    for part in [
        "documents_tag",
        "matching_algorithm",
        "1.8 to 3.0",
        "newer postroom",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(matches!(
        error,
        Error::Archive {
            problem: ArchiveProblem::MissingColumn { .. },
            ..
        }
    ));
}
