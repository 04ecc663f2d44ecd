//! Databases broken on purpose: whatever a file holds, reading it ends, in an error that names it or in an archive that
//! keeps the rules.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use crate::hand_made::{PAGE, archive, assert_sound, lead_in_circles, problem, read_everything, run};
use postroom::classifier::DocumentClassifier;
use postroom::document::LabelId;
use postroom::error::ArchiveProblem;
use postroom::store::SqliteStore;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use tempfile::TempDir;

/// An archive on which `sql` was run, with nothing checked.
fn archive_after(directory: &TempDir, sql: &str) -> std::path::PathBuf {
    let path = archive(&directory.path().join("db.sqlite3"));
    run(&path, sql);
    path
}

/// Changes bytes, reads, and changes them back.
fn read_with(path: &Path, whole: &[u8], changes: &[(usize, u8)]) -> bool {
    let mut bytes = whole.to_vec();
    for &(at, mask) in changes {
        bytes[at] ^= mask;
    }
    fs::write(path, &bytes).unwrap();
    let result = read_everything(path);
    assert_sound(&result, whole.len(), &format!("{changes:?}"));
    result.is_ok()
}

/// Flips bytes of the archive, one at a time: those that `chosen` says. Returns how many were, and how many of them
/// made an error.
fn flip(chosen: impl Fn(usize) -> bool) -> (usize, usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let whole = fs::read(&path).unwrap();
    let (mut n_flipped, mut n_errors) = (0, 0);
    for at in (0..whole.len()).filter(|&at| chosen(at)) {
        for mask in [0xff, 0x01, 0x80] {
            n_flipped += 1;
            n_errors += usize::from(!read_with(&path, &whole, &[(at, mask)]));
        }
    }
    (n_flipped, n_errors)
}

#[test]
fn flipped_bytes_are_an_error_or_leave_a_sound_archive() {
    // The file's header, each page's, and a seventh of the rest; 7 and the size of a page have no common divisor.
    let (n_flipped, n_errors) = flip(|at| at < 100 || at % PAGE < 8 || at % 47 == 0);
    assert!(
        n_flipped > 1_000 && n_errors > 100,
        "{n_errors} errors of {n_flipped}"
    );
}

#[test]
#[ignore = "takes minutes: all bytes, where the test above takes some"]
fn every_flipped_byte_is_an_error_or_leaves_a_sound_archive() {
    let (n_flipped, n_errors) = flip(|_| true);
    println!("{n_flipped} flips, {n_errors} errors, 0 unsound");
    assert!(n_errors > 0);
}

#[test]
fn bytes_changed_together_are_an_error_or_leave_a_sound_archive() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let whole = fs::read(&path).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut n_errors = 0;
    for _ in 0..500 {
        let page = rng.random_range(0..whole.len() / PAGE) * PAGE;
        let changes: Vec<_> = (0..rng.random_range(2..20))
            .map(|_| (page + rng.random_range(0..PAGE), rng.random_range(1..=255)))
            .collect();
        n_errors += usize::from(!read_with(&path, &whole, &changes));
    }
    assert!(n_errors > 50, "{n_errors}");
}

#[test]
fn file_cut_anywhere_is_an_error_or_a_sound_archive() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).step_by(PAGE / 2 - 1) {
        fs::write(&path, &whole[..length]).unwrap();
        let result = read_everything(&path);
        assert_sound(&result, length, &format!("{length} bytes of {}", whole.len()));
        assert!(result.is_err(), "{length} bytes of {}", whole.len());
    }
}

#[test]
fn pages_that_lead_in_circles_are_found_out() {
    for name in [
        "documents_document",
        "documents_tag",
        "documents_correspondent",
        "documents_document_tags",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = archive(&directory.path().join("db.sqlite3"));
        // Where the index would be read instead, there is none.
        run(
            &path,
            "DROP TABLE IF EXISTS copy; CREATE TABLE copy AS SELECT * FROM documents_document_tags; \
                    DROP TABLE documents_document_tags; ALTER TABLE copy RENAME TO documents_document_tags; VACUUM",
        );
        read_everything(&path).unwrap();
        lead_in_circles(&path, name);
        let problem = problem(read_everything(&path));
        assert!(
            matches!(problem, ArchiveProblem::Damaged(_) | ArchiveProblem::Value { .. }),
            "{name}: {problem}"
        );
    }
}

#[test]
fn index_that_leads_in_circles_is_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive(&directory.path().join("db.sqlite3"));
    let index: String = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'documents_document_tags' \
             AND (sql LIKE '%UNIQUE%' OR sql IS NULL)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    lead_in_circles(&path, &index);
    let problem = problem(read_everything(&path));
    assert!(matches!(problem, ArchiveProblem::Damaged(_)), "{problem}");
}

#[test]
fn table_whose_values_are_worked_out_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive_after(
        &directory,
        "DROP TABLE documents_document;
         CREATE TABLE documents_document (id INTEGER PRIMARY KEY, modified, correspondent_id, document_type_id,
            storage_path_id, deleted_at, content TEXT GENERATED ALWAYS AS (hex(zeroblob(400000000))));
         INSERT INTO documents_document (id, modified) VALUES (1, '2026-01-01 00:00:00')",
    );
    let problem = problem(SqliteStore::open(path));
    assert!(
        matches!(
            problem,
            ArchiveProblem::MissingColumn {
                column: "content",
                ..
            }
        ),
        "{problem}"
    );
}

#[test]
fn virtual_table_is_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive_after(
        &directory,
        "DROP TABLE documents_document;
         CREATE VIRTUAL TABLE documents_document USING fts5(id, content, modified, correspondent_id,
            document_type_id, storage_path_id, deleted_at)",
    );
    let problem = problem(SqliteStore::open(path));
    assert!(
        matches!(
            problem,
            ArchiveProblem::MissingTable {
                table: "documents_document"
            }
        ),
        "{problem}"
    );
}

#[test]
fn tag_that_a_document_has_twice_counts_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = archive_after(
        &directory,
        "CREATE TABLE twice (id INTEGER PRIMARY KEY, document_id, tag_id);
         INSERT INTO twice (document_id, tag_id) SELECT document_id, tag_id FROM documents_document_tags;
         INSERT INTO twice (document_id, tag_id) SELECT document_id, tag_id FROM documents_document_tags;
         DROP TABLE documents_document_tags;
         ALTER TABLE twice RENAME TO documents_document_tags",
    );
    let everything = read_everything(&path).unwrap();
    assert!(
        everything
            .filings
            .iter()
            .all(|filing| filing.labels.tags == [LabelId(1)])
    );
}

#[test]
fn two_rows_with_one_key_are_an_error_that_names_it() {
    for table in ["documents_document", "documents_tag"] {
        let directory = tempfile::tempdir().unwrap();
        let path = archive_after(
            &directory,
            &format!(
                "CREATE TABLE loose AS SELECT * FROM {table} UNION ALL SELECT * FROM {table};
                 DROP TABLE {table}; ALTER TABLE loose RENAME TO {table}"
            ),
        );
        let text = read_everything(&path).unwrap_err().to_string();
        assert!(
            text.contains(&format!("{table}.id of the row with id 1")),
            "{text}"
        );
    }
}

/// Values that no column of an archive holds, as SQL.
const ODD_VALUES: [&str; 14] = [
    "NULL",
    "''",
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967297",
    "1e308",
    "-0.5",
    "9e999",
    "x''",
    "CAST(x'61eda08062' AS TEXT)",
    "char(0, 1114111, 65533, 768)",
    "hex(zeroblob(500000))",
];

#[test]
fn odd_value_in_any_column_is_an_error_or_leaves_a_sound_archive() {
    let columns = [
        (
            "documents_document",
            "id content modified correspondent_id document_type_id storage_path_id deleted_at",
        ),
        ("documents_document_tags", "document_id tag_id"),
        ("documents_tag", "id name matching_algorithm is_inbox_tag"),
        ("documents_correspondent", "id name matching_algorithm"),
    ];
    let directory = tempfile::tempdir().unwrap();
    let whole = archive(&directory.path().join("whole.sqlite3"));
    let path = directory.path().join("db.sqlite3");
    for (table, columns) in columns {
        // Without constraints, and types that turn what is stored into another.
        for column in columns.split(' ') {
            fs::copy(&whole, &path).unwrap();
            run(
                &path,
                &format!(
                    "CREATE TABLE loose AS SELECT * FROM {table}; DROP TABLE {table};
                     ALTER TABLE loose RENAME TO {table}"
                ),
            );
            for value in ODD_VALUES {
                run(
                    &path,
                    &format!("UPDATE {table} SET {column} = {value} WHERE rowid = 2"),
                );
                let bytes = fs::metadata(&path).unwrap().len() as usize;
                assert_sound(
                    &read_everything(&path),
                    bytes,
                    &format!("{table}.{column} = {value}"),
                );
                let trained = SqliteStore::open(&path).and_then(|store| {
                    DocumentClassifier::default().train(&store, &|_| ControlFlow::Continue(()))
                });
                let is_read = read_everything(&path).is_ok();
                assert_eq!(
                    trained.is_ok(),
                    is_read,
                    "{table}.{column} = {value}: {trained:?}"
                );
            }
        }
    }
}

#[test]
fn surrogates_without_their_halves_spoil_nothing_but_their_text() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    // A first half alone, one before a letter, a second half alone.
    let contents = ["00d8", "610000d86200", "00dc6100"];
    run(
        &path,
        "PRAGMA encoding = 'UTF-16le';
         CREATE TABLE documents_correspondent (id INTEGER PRIMARY KEY, name, matching_algorithm);
         CREATE TABLE documents_documenttype (id INTEGER PRIMARY KEY, name, matching_algorithm);
         CREATE TABLE documents_tag (id INTEGER PRIMARY KEY, name, matching_algorithm, is_inbox_tag);
         CREATE TABLE documents_document_tags (id INTEGER PRIMARY KEY, document_id, tag_id);
         CREATE TABLE documents_document (id INTEGER PRIMARY KEY, content TEXT, modified, correspondent_id,
                                          document_type_id);
         INSERT INTO documents_correspondent VALUES (7, CAST(x'00d8' AS TEXT), 6);
         INSERT INTO documents_document VALUES (9, CAST(x'61003cd8f8df' AS TEXT), '2020-02-03 04:05:06', 7, NULL)",
    );
    for (id, hex) in contents.iter().enumerate() {
        run(
            &path,
            &format!(
                "INSERT INTO documents_document VALUES ({id}, CAST(x'{hex}' AS TEXT), '2020-02-03 04:05:06', 7, NULL)"
            ),
        );
    }
    let everything = read_everything(&path).unwrap();
    assert_eq!(everything.contents.len(), contents.len() + 1);
    assert_eq!(
        everything.contents.last().unwrap().1,
        "a\u{1f3f8}",
        "a whole pair"
    );
    assert!(everything.contents[1].1.starts_with('a'));
}
