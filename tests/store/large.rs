//! Large databases, whose filings are read on several threads: the same filings as on one, of one moment, without a trace.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::filings;
use postroom::document::{DocumentId, Field, Filing};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{DocumentStore, NewDocument, NewLabel, SqliteArchive, SqliteStore};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

const N_DOCUMENTS: usize = 3_000;

/// An archive of some five megabytes in a directory of its own: worth five threads.
struct Archive {
    directory: tempfile::TempDir,
}

impl Archive {
    fn with_rollback_journal() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = SqliteArchive::create(directory.path().join("db.sqlite3")).unwrap();
        let mut label = |field, name| archive.add_label(field, &NewLabel::auto(name)).unwrap();
        let sender = label(Field::Correspondent, "Anna");
        let tags = ["red", "blue"].map(|name| label(Field::Tags, name));
        let inbox = NewLabel {
            is_inbox_tag: true,
            ..NewLabel::auto("inbox")
        };
        let inbox = archive.add_label(Field::Tags, &inbox).unwrap();
        let content = "a word and another ".repeat(80);
        let documents: Vec<NewDocument<'_>> = (0..N_DOCUMENTS)
            .map(|at| NewDocument {
                title: "",
                content: &content,
                modified: jiff::Timestamp::from_second(at as i64).unwrap(),
                correspondent: (at % 3 == 0).then_some(sender),
                document_type: None,
                storage_path: None,
            })
            .collect();
        let ids = archive.add_documents(&documents).unwrap();
        let tagged = |(at, &id): (usize, &DocumentId)| match at % 5 {
            0 => Some((id, tags[0])),
            1 => Some((id, tags[1])),
            2 if at % 7 == 0 => Some((id, inbox)),
            _ => None,
        };
        let assignments: Vec<_> = ids.iter().enumerate().filter_map(tagged).collect();
        archive.add_tags(&assignments).unwrap();
        for &id in ids.iter().step_by(11) {
            archive.trash(id).unwrap();
        }
        drop(archive);
        let archive = Self { directory };
        assert!(fs::metadata(archive.path()).unwrap().len() > 5 << 20);
        archive
    }

    fn with_write_ahead_log() -> Self {
        let archive = Self::with_rollback_journal();
        let writer = archive.writer();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        drop(writer);
        archive
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("db.sqlite3")
    }

    fn writer(&self) -> Connection {
        let writer = Connection::open(self.path()).unwrap();
        writer.busy_timeout(Duration::ZERO).unwrap();
        writer
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_with_patience(self.path(), Duration::from_millis(50)).unwrap()
    }

    fn n_files(&self) -> usize {
        fs::read_dir(self.directory.path()).unwrap().count()
    }
}

/// What `store` holds now.
fn read(store: &SqliteStore, n_threads: usize) -> Result<Vec<Filing>, Error> {
    on_threads(n_threads, || filings(&mut *store.snapshot()?))
}

fn on_threads<R: Send>(n_threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
    pool.unwrap().install(work)
}

const REFILE: &str = "UPDATE documents_document SET correspondent_id = NULL";

#[test]
fn every_number_of_threads_reads_the_same_filings_without_a_trace() {
    for archive in [Archive::with_rollback_journal(), Archive::with_write_ahead_log()] {
        let store = archive.store();
        let one = read(&store, 1).unwrap();
        assert!(one.is_sorted_by(|a, b| a.id < b.id));
        // 273 are in the trash and 86 in the inbox, 8 in both.
        assert_eq!(one.len(), N_DOCUMENTS - 273 - 86 + 8);
        assert!(one.iter().any(|filing| !filing.labels.tags.is_empty()));
        let bytes = fs::read(archive.path()).unwrap();
        for n_threads in [2, 3, 4, 8] {
            assert_eq!(read(&store, n_threads).unwrap(), one, "{n_threads} threads");
        }
        assert!(fs::read(archive.path()).unwrap() == bytes);
        assert_eq!(archive.n_files(), 1);
    }
}

#[test]
fn several_threads_see_one_moment_while_a_writer_goes_on() {
    let archive = Archive::with_write_ahead_log();
    let writer = archive.writer();
    writer
        .execute("UPDATE documents_document SET title = 'x' WHERE id = 1", [])
        .unwrap();
    let store = archive.store();
    let before = read(&store, 1).unwrap();
    on_threads(4, || {
        let mut snapshot = store.snapshot().unwrap();
        let writer = archive.writer();
        writer.execute(REFILE, []).unwrap();
        assert_eq!(filings(&mut *snapshot).unwrap(), before);
    });
    assert_ne!(read(&store, 4).unwrap(), before);
}

/// No further reader is let in then: the one that is there reads everything.
#[test]
fn writer_that_waits_to_commit_is_not_seen_and_keeps_nobody_from_reading() {
    let archive = Archive::with_rollback_journal();
    let store = archive.store();
    let before = read(&store, 1).unwrap();
    on_threads(4, || {
        let mut snapshot = store.snapshot().unwrap();
        let writer = archive.writer();
        writer.execute_batch(&format!("BEGIN; {REFILE}")).unwrap();
        writer.execute_batch("COMMIT").unwrap_err();
        assert!(SqliteStore::open_with_patience(archive.path(), Duration::ZERO).is_err());
        assert_eq!(filings(&mut *snapshot).unwrap(), before);
        drop(snapshot);
        writer.execute_batch("COMMIT").unwrap();
    });
    assert_ne!(read(&store, 4).unwrap(), before);
}

#[test]
fn checkpoint_under_several_threads_without_locks_is_reported() {
    let archive = Archive::with_write_ahead_log();
    let store = archive.store();
    on_threads(4, || {
        let mut snapshot = store.snapshot().unwrap();
        let writer = archive.writer();
        writer.execute(REFILE, []).unwrap();
        writer.execute_batch("PRAGMA wal_checkpoint").unwrap();
        let error = filings(&mut *snapshot).unwrap_err();
        let is_told = |problem: &ArchiveProblem| matches!(problem, ArchiveProblem::ChangedMeanwhile);
        assert!(
            matches!(&error, Error::Archive { problem, .. } if is_told(problem)),
            "{error}"
        );
    });
}

#[test]
fn damaged_pages_are_errors_or_go_unnoticed_but_never_lead_astray() {
    let archive = Archive::with_rollback_journal();
    let sound = fs::read(archive.path()).unwrap();
    let damaged = archive.directory.path().join("damaged.sqlite3");
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut n_errors = 0;
    for round in 0..60 {
        let mut bytes = sound.clone();
        // Anywhere but in the schema; the head of a page says most of what leads elsewhere.
        let page = rng.random_range(60..bytes.len() / 4096);
        for _ in 0..4 {
            let at = rng.random_range(0..64);
            bytes[page * 4096 + at] = rng.random();
        }
        fs::write(&damaged, bytes).unwrap();
        let read = |n_threads| SqliteStore::open(&damaged).and_then(|store| read(&store, n_threads));
        match (read(4), read(1)) {
            (Ok(found), _) => assert!(found.is_sorted_by(|a, b| a.id < b.id), "round {round}"),
            (Err(Error::Archive { .. }), _) => n_errors += 1,
            (Err(error), _) => panic!("round {round}: {error}"),
        }
    }
    assert!(n_errors > 0);
}
