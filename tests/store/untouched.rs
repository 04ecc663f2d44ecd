//! A database that isn't ours is left as it was: no byte changed, no file beside it, no writer held up.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::document;
use postroom::document::DocumentId;
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{DocumentStore, Snapshot, SqliteArchive, SqliteStore};
use rusqlite::Connection;

const INSERT: &str = "INSERT INTO documents_document (title, content, mime_type, checksum, created, modified, added) \
                      VALUES ('late', 'late', '', '', '2026-01-01', '2026-01-01 00:00:00', '2026-01-01 00:00:00')";

/// An archive of ten documents in a directory of its own.
struct Archive {
    directory: tempfile::TempDir,
}

impl Archive {
    fn with_rollback_journal() -> Self {
        let archive = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        SqliteArchive::create(archive.path())
            .unwrap()
            .add_documents(&[document("early"); 10])
            .unwrap();
        archive
    }

    fn with_write_ahead_log() -> Self {
        let archive = Self::with_rollback_journal();
        archive
            .writer()
            .pragma_update(None, "journal_mode", "WAL")
            .unwrap();
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

    /// Every file with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect()
    }

    /// The names of the files. Their bytes aren't read: closing a database's file drops this process's locks on it.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn filed(snapshot: &mut dyn Snapshot) -> Result<usize, Error> {
    let mut documents = 0;
    snapshot.for_each_filing(&mut |_| {
        documents += 1;
        Ok(())
    })?;
    Ok(documents)
}

fn contents(snapshot: &mut dyn Snapshot) -> Result<Vec<(DocumentId, String)>, Error> {
    let mut contents = Vec::new();
    snapshot.for_each_document(&mut |document| {
        contents.push((document.id, document.content));
        Ok(())
    })?;
    Ok(contents)
}

fn read_everything(store: &SqliteStore) -> usize {
    let mut snapshot = store.snapshot().unwrap();
    snapshot.label_catalog().unwrap();
    assert_eq!(
        contents(&mut *snapshot).unwrap().len(),
        filed(&mut *snapshot).unwrap()
    );
    filed(&mut *snapshot).unwrap()
}

#[test]
fn rollback_journal_database_stays_as_it_was() {
    let archive = Archive::with_rollback_journal();
    let before = archive.files();
    assert_eq!(read_everything(&archive.store()), 10);
    assert_eq!(archive.files(), before);
}

#[test]
fn properly_closed_write_ahead_database_stays_as_it_was() {
    let archive = Archive::with_write_ahead_log();
    let before = archive.files();
    assert_eq!(archive.names(), ["db.sqlite3"]);
    assert_eq!(read_everything(&archive.store()), 10);
    assert_eq!(archive.files(), before);
}

#[test]
fn no_file_appears_while_a_write_ahead_database_is_read() {
    let archive = Archive::with_write_ahead_log();
    let store = archive.store();
    let mut names = Vec::new();
    let mut snapshot = store.snapshot().unwrap();
    snapshot
        .for_each_document(&mut |_| {
            names = archive.names();
            Ok(())
        })
        .unwrap();
    assert_eq!(names, ["db.sqlite3"]);
}

#[test]
fn documents_still_in_the_log_are_read() {
    let archive = Archive::with_write_ahead_log();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    assert_eq!(read_everything(&archive.store()), 11);
}

#[test]
fn database_and_log_in_use_stay_as_they_were() {
    let archive = Archive::with_write_ahead_log();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    let without_index = || {
        let mut files = archive.files();
        // The index is where readers and writers tell each other what they use; it holds no data.
        files
            .get_mut(&archive.directory.path().join("db.sqlite3-shm"))
            .unwrap()
            .clear();
        files
    };
    let before = without_index();
    read_everything(&archive.store());
    assert_eq!(without_index(), before);
}

#[test]
fn snapshot_sees_one_moment_while_a_writer_goes_on() {
    let archive = Archive::with_write_ahead_log();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    let store = archive.store();
    let mut snapshot = store.snapshot().unwrap();
    writer.execute(INSERT, []).unwrap();
    assert_eq!(filed(&mut *snapshot).unwrap(), 11);
    writer.execute(INSERT, []).unwrap();
    assert_eq!(contents(&mut *snapshot).unwrap().len(), 11);
    assert_eq!(filed(&mut *store.snapshot().unwrap()).unwrap(), 13);
}

#[test]
fn log_is_not_removed_under_a_snapshot_by_a_writer_that_closes() {
    let archive = Archive::with_write_ahead_log();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    let store = archive.store();
    let mut snapshot = store.snapshot().unwrap();
    drop(writer);
    assert_eq!(contents(&mut *snapshot).unwrap().len(), 11);
    assert_eq!(filed(&mut *store.snapshot().unwrap()).unwrap(), 11);
}

#[test]
fn log_and_index_left_by_a_crash_are_read() {
    let archive = Archive::with_write_ahead_log();
    let crashed = Archive {
        directory: tempfile::tempdir().unwrap(),
    };
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    for path in archive.files().keys() {
        fs::copy(path, crashed.directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let names = crashed.names();
    assert_eq!(read_everything(&crashed.store()), 11);
    assert_eq!(crashed.names(), names);
}

#[test]
fn log_without_index_is_an_error_and_stays() {
    let archive = Archive::with_write_ahead_log();
    let copy = Archive {
        directory: tempfile::tempdir().unwrap(),
    };
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    for name in ["db.sqlite3", "db.sqlite3-wal"] {
        fs::copy(
            archive.directory.path().join(name),
            copy.directory.path().join(name),
        )
        .unwrap();
    }
    let before = copy.files();
    let error = SqliteStore::open(copy.path()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Archive {
                problem: ArchiveProblem::LogWithoutIndex { .. },
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(copy.files(), before);
}

#[test]
fn empty_log_is_no_obstacle() {
    let archive = Archive::with_write_ahead_log();
    fs::write(archive.directory.path().join("db.sqlite3-wal"), []).unwrap();
    let before = archive.files();
    assert_eq!(read_everything(&archive.store()), 10);
    assert_eq!(archive.files(), before);
}

#[test]
fn writer_that_starts_during_a_snapshot_is_not_seen() {
    let archive = Archive::with_write_ahead_log();
    let store = archive.store();
    let mut snapshot = store.snapshot().unwrap();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    assert_eq!(filed(&mut *snapshot).unwrap(), 10);
    drop(writer);
    assert_eq!(contents(&mut *snapshot).unwrap().len(), 10);
    assert_eq!(filed(&mut *store.snapshot().unwrap()).unwrap(), 11);
}

#[test]
fn checkpoint_under_a_snapshot_without_locks_is_reported() {
    let archive = Archive::with_write_ahead_log();
    let store = archive.store();
    let mut snapshot = store.snapshot().unwrap();
    let writer = archive.writer();
    writer.execute(INSERT, []).unwrap();
    writer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let error = contents(&mut *snapshot).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Archive {
                problem: ArchiveProblem::ChangedMeanwhile,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn snapshots_of_one_closed_database_live_side_by_side() {
    let archive = Archive::with_write_ahead_log();
    let store = archive.store();
    let mut first = store.snapshot().unwrap();
    let mut second = store.snapshot().unwrap();
    assert_eq!(filed(&mut *first).unwrap(), filed(&mut *second).unwrap());
}

#[test]
fn closing_one_snapshot_leaves_the_locks_of_another() {
    let archive = Archive::with_rollback_journal();
    let store = archive.store();
    let _held = store.snapshot().unwrap();
    drop(store.snapshot().unwrap());
    let mut other_program = OtherProgram::start(&archive.path());
    assert_eq!(other_program.write(), "database is locked");
}

#[test]
fn another_programs_writes_go_on_during_a_snapshot() {
    let archive = Archive::with_write_ahead_log();
    let mut other_program = OtherProgram::start(&archive.path());
    assert_eq!(other_program.write(), "written");
    let store = archive.store();
    let mut snapshot = store.snapshot().unwrap();
    assert_eq!(other_program.write(), "written");
    assert_eq!(filed(&mut *snapshot).unwrap(), 11);
    assert_eq!(other_program.write(), "written");
    assert_eq!(contents(&mut *snapshot).unwrap().len(), 11);
}

#[test]
fn directory_is_as_before_once_another_program_has_closed() {
    let archive = Archive::with_write_ahead_log();
    let mut other_program = OtherProgram::start(&archive.path());
    other_program.write();
    read_everything(&archive.store());
    other_program.close();
    assert_eq!(archive.names(), ["db.sqlite3"]);
}

#[test]
fn no_file_is_left_behind_when_a_program_opens_and_closes_all_the_time() {
    let archive = Archive::with_write_ahead_log();
    let path = archive.path();
    let other_programs = thread::spawn(move || {
        for _ in 0..20 {
            let mut other_program = OtherProgram::start(&path);
            assert_eq!(other_program.write(), "written");
            other_program.close();
        }
    });
    while !other_programs.is_finished() {
        let store = SqliteStore::open(archive.path()).unwrap();
        match store.snapshot().and_then(|mut snapshot| filed(&mut *snapshot)) {
            Ok(documents) => assert!((10..=30).contains(&documents)),
            Err(Error::Archive {
                problem: ArchiveProblem::ChangedMeanwhile,
                ..
            }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    other_programs.join().unwrap();
    let mut last = OtherProgram::start(&archive.path());
    assert_eq!(last.write(), "written");
    last.close();
    assert_eq!(archive.names(), ["db.sqlite3"]);
}

/// A process of its own that has the database open and writes to it when told: locks between the connections
/// of one process prove nothing about those between programs.
struct OtherProgram {
    process: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl OtherProgram {
    fn start(database: &Path) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "untouched::other_program", "--ignored", "--nocapture"])
            .env(OTHER_PROGRAM_DATABASE, database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            commands,
            answers,
        }
    }

    /// Has a document written, and returns how that went.
    fn write(&mut self) -> String {
        writeln!(self.commands.as_mut().unwrap(), "write").unwrap();
        let answer = self
            .answers
            .by_ref()
            .lines()
            .map(|line| line.unwrap())
            .find_map(|line| {
                let (_, answer) = line.split_once("answer: ")?;
                Some(answer.to_owned())
            });
        answer.unwrap()
    }

    fn close(mut self) {
        drop(self.commands.take());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for OtherProgram {
    fn drop(&mut self) {
        drop(self.commands.take());
        self.process.wait().unwrap();
    }
}

const OTHER_PROGRAM_DATABASE: &str = "POSTROOM_TEST_OTHER_PROGRAM_DATABASE";

/// Not a test: the process that [`OtherProgram`] starts.
#[test]
#[ignore = "started by other tests as a program of its own"]
fn other_program() {
    let Some(database) = env::var_os(OTHER_PROGRAM_DATABASE) else {
        return;
    };
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_millis(500)).unwrap();
    for _command in std::io::stdin().lines() {
        match connection.execute(INSERT, []) {
            Ok(_) => println!("answer: written"),
            Err(error) => println!("answer: {error}"),
        }
    }
}
