//! Archives that the command can't learn from: one line that says what to do, and every file as it was.

use std::fs;

use postroom::store::{NewLabel, SqliteArchive};
use rusqlite::Connection;

use crate::common::{User, refuse, set_mode, small_archive};

/// Every verb that reads an archive fails on the user's, saying this, and leaves every file as it was.
#[track_caller]
fn every_verb_fails(user: &User, parts: &[&str]) {
    let before = user.files();
    for verb in [
        &["train", "--model", "model.postroom", "--db", "db.sqlite3"][..],
        &["evaluate", "--db", "db.sqlite3", "--html", "page.html"],
        &["profile", "--db", "db.sqlite3"],
        &["predict", "--db", "db.sqlite3", "--inbox"],
    ] {
        user.run(verb).failed_saying(parts);
    }
    assert_eq!(user.files(), before);
}

#[test]
fn missing_archive_is_named() {
    every_verb_fails(&User::new(), &["archive db.sqlite3: there is no such file"]);
}

#[test]
fn path_of_nothing_is_wrong_usage() {
    // As a script writes it whose variable isn't set.
    let run = User::new().run(&["evaluate", "--db", ""]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("error: --db: expected the path"),
        "{}",
        run.stderr
    );
}

#[test]
fn directory_is_no_archive() {
    let user = User::new();
    fs::create_dir(user.db()).unwrap();
    every_verb_fails(
        &user,
        &["this is not a file", "db.sqlite3 inside its data directory"],
    );
}

#[test]
fn empty_file_is_no_archive() {
    let user = User::new();
    user.file("db.sqlite3", "");
    every_verb_fails(&user, &["the file is empty"]);
}

#[test]
fn text_file_is_no_archive() {
    let user = User::new();
    user.file("db.sqlite3", "text ".repeat(1000));
    every_verb_fails(&user, &["is not an SQLite database"]);
}

#[test]
fn database_of_another_program_is_no_archive() {
    let user = User::new();
    let database = Connection::open(user.db()).unwrap();
    database.execute_batch("CREATE TABLE bookmarks (id)").unwrap();
    drop(database);
    every_verb_fails(&user, &["belongs to another program", "documents_document"]);
}

#[test]
fn archive_that_may_not_be_read_is_denied() {
    let user = User::with_archive();
    refuse(&user.db());
    let train = ["train", "--model", "model.postroom", "--db", "db.sqlite3"];
    for verb in [
        &train[..],
        &["evaluate", "--db", "db.sqlite3"],
        &["profile", "--db", "db.sqlite3"],
    ] {
        if let Some(run) = user.run_as_anybody(verb) {
            run.failed_saying(&["db.sqlite3", "check that this user may read it"]);
        }
    }
    set_mode(&user.db(), 0o600);
}

#[test]
fn locked_archive_is_busy() {
    let user = User::with_archive();
    let writer = Connection::open(user.db()).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    user.train()
        .failed_saying(&["another program is writing to it", "try again"]);
    writer.execute_batch("ROLLBACK").unwrap();
    assert!(!user.model().exists() && !user.default_key().exists());
}

#[test]
fn archive_without_auto_labels_says_how_to_make_some() {
    let user = User::new();
    small_archive(&user.db(), &NewLabel::manual("by hand"));
    every_verb_fails(
        &user,
        &[
            "no label is assigned automatically",
            "matching algorithm \"Auto\"",
        ],
    );
}

#[test]
fn auto_labels_that_no_document_has_are_no_examples() {
    let user = User::new();
    small_archive(&user.db(), &NewLabel::manual("by hand"));
    let database = Connection::open(user.db()).unwrap();
    let insert = "INSERT INTO documents_tag (name, matching_algorithm, is_inbox_tag) VALUES ('unused', 6, 0)";
    database.execute_batch(insert).unwrap();
    drop(database);
    every_verb_fails(&user, &["no document outside the inbox has one of the labels"]);
}

#[test]
fn archive_whose_documents_are_all_in_the_inbox_has_nothing_to_learn_from() {
    let user = User::new();
    let mut inbox = NewLabel::auto("new");
    inbox.is_inbox_tag = true;
    small_archive(&user.db(), &inbox);
    every_verb_fails(
        &user,
        &[
            "archive db.sqlite3: No training data available",
            "file some documents",
        ],
    );
}

#[test]
fn archive_without_documents_has_nothing_to_learn_from() {
    let user = User::new();
    let mut archive = SqliteArchive::create(user.db()).unwrap();
    archive
        .add_label(postroom::document::Field::Tags, &NewLabel::auto("unused"))
        .unwrap();
    drop(archive);
    every_verb_fails(&user, &["archive db.sqlite3: No training data available"]);
}

#[test]
fn model_is_no_archive() {
    let user = User::with_model();
    fs::copy(user.model(), user.db()).unwrap();
    every_verb_fails(&user, &["is not an SQLite database"]);
}

#[test]
fn database_of_an_unknown_release_says_which_column_is_missing() {
    let user = User::with_archive();
    let database = Connection::open(user.db()).unwrap();
    let rename = "ALTER TABLE documents_document RENAME COLUMN content TO body";
    database.execute_batch(rename).unwrap();
    drop(database);
    every_verb_fails(
        &user,
        &[
            "documents_document has no column content",
            "let its migrations finish",
            "newer postroom",
        ],
    );
}

/// This process is the other program: locks are between processes.
#[test]
fn archive_in_use_is_read_as_of_the_last_commit_and_gets_no_file() {
    let user = User::with_model();
    let writer = Connection::open(user.db()).unwrap();
    writer.pragma_update(None, "journal_mode", "WAL").unwrap();
    let file_one = "DELETE FROM documents_document_tags WHERE document_id = 41";
    writer.execute_batch(file_one).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM documents_document_tags")
        .unwrap();
    let names: Vec<_> = user.files().into_keys().collect();
    let stdout = user.train_with(&["--threads", "2"]).succeeded().stdout;
    assert!(stdout.starts_with("learned from 41 documents"), "{stdout}");
    let inbox = user
        .predict(&["--db", "db.sqlite3", "--inbox", "--json"])
        .succeeded();
    assert!(inbox.stdout.lines().count() == 1 && inbox.stdout.contains("\"document\":42"));
    user.run(&["evaluate", "--db", "db.sqlite3"]).succeeded();
    assert_eq!(user.files().into_keys().collect::<Vec<_>>(), names);
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    assert!(!fs::exists(user.path("db.sqlite3-wal")).unwrap());
}
