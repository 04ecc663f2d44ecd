//! How a database that isn't ours is opened: for reading only, at one moment, leaving no trace.
//!
//! In comes a path, out goes a [`Moment`]: a connection inside a read transaction. The rules below hold for SQLite
//! on Unix; each is a fact about its locking, and `tests/store/untouched.rs` keeps it.
//!
//! - **The file is never opened but by SQLite.** POSIX drops all of a process's locks on a file when *any* of its
//!   descriptors closes; peeking at the header ourselves would break the locks of every other connection of this process.
//! - **Rollback journal or write-ahead log?** A read-only connection set to `locking_mode = EXCLUSIVE` answers that
//!   without touching anything. With a rollback journal it takes the SHARED lock and reads. With a log it tries to lock the
//!   file exclusively *before* it would create `-wal` and `-shm`, and fails, its descriptor being read-only. It still holds
//!   SHARED then, and while anybody does, no closing connection can remove the log. So what we see next stays true.
//! - **A log and its index are there** (a program is running, or crashed): an ordinary connection reads through the log.
//!   It creates nothing, and writers go on writing.
//! - **No log, or an empty one** (closed properly): an ordinary connection would create both files, so the file is read as
//!   `immutable`, without locks. Everything committed is in it. A program that starts meanwhile writes to a log of its
//!   own; only a checkpoint (by default every 1,000 pages) can change the file under us. Then its time of modification
//!   moves, each pass checks that at its end, and answers [`ArchiveProblem::ChangedMeanwhile`].
//! - **A log without its index** holds changes that can't be read without creating the index: an error says so.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, io, thread};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags, ffi};

use super::steps::Steps;
use crate::error::ArchiveProblem;

type Result<T> = std::result::Result<T, ArchiveProblem>;

/// A connection inside a read transaction: one moment of the database.
#[derive(Debug)]
pub(super) struct Moment {
    connection: Connection,
    steps: Steps,
    unlocked: Option<Unlocked>,
    further: Option<Further>,
}

/// How to connect to the same moment once more, from any thread.
///
/// There is a way where nobody can change the file while the first connection is open (rollback journal: it holds the
/// SHARED lock), or where that is noticed (no log: by the file's stamp). Through a log, a second connection would see
/// whatever was committed since the first one began.
#[derive(Debug)]
pub(super) struct Further {
    database: PathBuf,
    parameters: &'static str,
    bytes: u64,
}

impl Further {
    /// Bytes of the database.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A connection for one question; none where it can't be had at once, as while a writer waits for all readers.
    pub(super) fn connect(&self) -> Option<Connection> {
        let steps = Steps::of_database(self.bytes);
        let connection = connect(&self.database, self.parameters, Duration::ZERO, &steps).ok()?;
        begin(&connection).ok()?;
        Some(connection)
    }
}

/// What it takes to read a file without locks: something that keeps a log away, and a way to see changes.
#[derive(Debug)]
struct Unlocked {
    /// Holds the SHARED lock and does nothing else.
    _lock: Connection,
    database: PathBuf,
    stamp: Stamp,
}

impl Moment {
    /// Opens the database at `path`, waiting at most `patience` for a program that has it locked.
    pub(super) fn open(path: &Path, patience: Duration) -> Result<Self> {
        let database = fs::canonicalize(path).map_err(unreadable)?;
        let bytes = Stamp::of(&database)?.bytes + bytes_in(&beside(&database, "-wal"))?.unwrap_or(0);
        let steps = Steps::of_database(bytes);
        match probe(&database, patience, &steps)? {
            Probe::Journal(connection) => Ok(Self {
                connection,
                steps,
                unlocked: None,
                further: Some(Further {
                    database,
                    parameters: "",
                    bytes,
                }),
            }),
            Probe::Log(lock) => Self::open_logged(database, lock, patience, steps),
        }
    }

    /// Opens a database in write-ahead mode, while `lock` holds SHARED.
    fn open_logged(database: PathBuf, lock: Connection, patience: Duration, steps: Steps) -> Result<Self> {
        // Before looking for the log: whoever starts one from here on changes the stamp with its first checkpoint.
        let stamp = Stamp::of(&database)?;
        let log = beside(&database, "-wal");
        let log_bytes = bytes_in(&log)?;
        let has_index = bytes_in(&beside(&database, "-shm"))?.is_some();
        match log_bytes {
            Some(_) if has_index => {
                let connection = connect(&database, "", patience, &steps)?;
                begin(&connection).map_err(classify)?;
                Ok(Self {
                    connection,
                    steps,
                    unlocked: None,
                    further: None,
                })
            }
            Some(1..) => Err(ArchiveProblem::LogWithoutIndex { log }),
            _ => {
                let connection = connect(&database, UNLOCKED, patience, &steps)?;
                begin(&connection).map_err(classify)?;
                Ok(Self {
                    connection,
                    steps,
                    further: Some(Further {
                        database: database.clone(),
                        parameters: UNLOCKED,
                        bytes: stamp.bytes,
                    }),
                    unlocked: Some(Unlocked {
                        _lock: lock,
                        database,
                        stamp,
                    }),
                })
            }
        }
    }

    /// Says that another question begins, which may take as much work as a sound database makes of one.
    pub(super) fn begin_question(&self) {
        self.steps.renew();
    }

    /// How to connect to it once more, if there is a way.
    pub(super) fn further(&self) -> Option<&Further> {
        self.further.as_ref()
    }

    /// The connection; whatever is read through it belongs to this moment once [`Moment::check`] agrees.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether everything read up to now belongs to one moment.
    pub(super) fn check(&self) -> Result<()> {
        match &self.unlocked {
            Some(unlocked) if Stamp::of(&unlocked.database)? != unlocked.stamp => {
                Err(ArchiveProblem::ChangedMeanwhile)
            }
            _ => Ok(()),
        }
    }
}

/// Translates what SQLite reports into what it means for somebody with an archive.
pub(in crate::store) fn classify(error: rusqlite::Error) -> ArchiveProblem {
    let Some(sqlite) = error.sqlite_error() else {
        return ArchiveProblem::Sqlite(error);
    };
    match (sqlite.extended_code, sqlite.extended_code & 0xff) {
        (ffi::SQLITE_READONLY_ROLLBACK, _) => ArchiveProblem::HalfDone,
        (ffi::SQLITE_READONLY_RECOVERY | ffi::SQLITE_READONLY_CANTINIT, _) => ArchiveProblem::Busy,
        // Nobody interrupts but the count of steps: the pages lead in circles.
        (ffi::SQLITE_IOERR_SHORT_READ, _) | (_, ffi::SQLITE_CORRUPT | ffi::SQLITE_INTERRUPT) => {
            ArchiveProblem::Damaged(error)
        }
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => ArchiveProblem::Busy,
        (_, ffi::SQLITE_CANTOPEN | ffi::SQLITE_PERM | ffi::SQLITE_AUTH) => ArchiveProblem::Denied,
        (_, ffi::SQLITE_NOTADB) => ArchiveProblem::NotADatabase,
        _ => ArchiveProblem::Sqlite(error),
    }
}

/// Pages that a connection keeps, in KiB. A table is read once, in order; with SQLite's own 2 MiB every page went into
/// memory that wasn't near the processor any more, a twentieth of finding out that nothing changed.
const CACHE_KIB: i64 = 256;

/// Has a connection read the file as one that nobody changes, without locks.
const UNLOCKED: &str = "&immutable=1";

/// What the first connection found out; it holds the SHARED lock either way.
enum Probe {
    /// Rollback journal; the connection is inside a read transaction.
    Journal(Connection),
    /// Write-ahead log; the connection can do nothing but hold its lock.
    Log(Connection),
}

fn probe(database: &Path, patience: Duration, steps: &Steps) -> Result<Probe> {
    let deadline = Instant::now() + patience;
    // SQLite isn't asked to wait: within one process it answers "busy" to the exclusive lock for as long as
    // another connection reads.
    let connection = connect(database, "", Duration::ZERO, steps)?;
    connection
        .pragma_update(None, "locking_mode", "EXCLUSIVE")
        .map_err(classify)?;
    loop {
        let Err(error) = begin(&connection) else {
            return Ok(Probe::Journal(connection));
        };
        let code = error.sqlite_error().map_or(0, |sqlite| sqlite.extended_code);
        let refused = code == ffi::SQLITE_IOERR_LOCK || code & 0xff == ffi::SQLITE_BUSY;
        if refused && holds_shared_lock(&connection) {
            return Ok(Probe::Log(connection));
        }
        if code & 0xff != ffi::SQLITE_BUSY || Instant::now() >= deadline {
            return Err(classify(error));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Begins a read transaction; the first read decides which moment it sees.
fn begin(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN")?;
    }
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    // Not before: it reads the schema, for which it takes a lock.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

fn connect(database: &Path, parameters: &str, patience: Duration, steps: &Steps) -> Result<Connection> {
    let uri = format!("file://{}?mode=ro{parameters}", percent_encoded(database)?);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mut connection = Connection::open_with_flags(uri, flags).map_err(classify)?;
    steps.bind(&mut connection)?;
    connection.busy_timeout(patience).map_err(classify)?;
    // A database may bring views and functions of its own; none of them runs.
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(classify)?;
    Ok(connection)
}

#[expect(unsafe_code, reason = "rusqlite has no call for SQLITE_FCNTL_LOCKSTATE")]
fn holds_shared_lock(connection: &Connection) -> bool {
    const SHARED: c_int = 1;
    let mut state: c_int = 0;
    // SAFETY: the handle is used while `connection` is borrowed and is not closed.
    let handle = unsafe { connection.handle() };
    // SAFETY: `handle` is open, the name ends in NUL, and this operation writes one int to `state`.
    let answer = unsafe {
        ffi::sqlite3_file_control(
            handle,
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_LOCKSTATE,
            (&raw mut state).cast(),
        )
    };
    answer == ffi::SQLITE_OK && state == SHARED
}

/// Length and time of modification: what every change to a file moves.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: SystemTime,
}

impl Stamp {
    /// Of a file that may hold a database.
    fn of(database: &Path) -> Result<Self> {
        let metadata = fs::metadata(database).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(ArchiveProblem::NotAFile);
        }
        if metadata.len() == 0 {
            // SQLite would take it for an empty database, and remove a log beside it.
            return Err(ArchiveProblem::Empty);
        }
        Ok(Self {
            bytes: metadata.len(),
            modified: metadata.modified().map_err(ArchiveProblem::Io)?,
        })
    }
}

fn unreadable(error: io::Error) -> ArchiveProblem {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ArchiveProblem::Missing,
        io::ErrorKind::PermissionDenied => ArchiveProblem::Denied,
        _ => ArchiveProblem::Io(error),
    }
}

fn bytes_in(file: &Path) -> Result<Option<u64>> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(error)),
    }
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path for use in a `file:` URI: any byte that could mean something there is escaped.
fn percent_encoded(path: &Path) -> Result<String> {
    Ok(percent_encode(bytes_of(path)?, OUTSIDE_PATHS).to_string())
}

/// What may mean something in a URI's path.
const OUTSIDE_PATHS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a path can fail to be UTF-8")]
fn bytes_of(path: &Path) -> Result<&[u8]> {
    use std::os::unix::ffi::OsStrExt as _;

    Ok(path.as_os_str().as_bytes())
}

#[cfg(not(unix))]
fn bytes_of(path: &Path) -> Result<&[u8]> {
    path.to_str().map(str::as_bytes).ok_or(ArchiveProblem::Denied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in write-ahead mode, closed, in a directory of its own.
    fn logged_database() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db.sqlite3");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        (directory, path)
    }

    #[test]
    fn log_stays_while_the_probe_holds_its_lock() {
        let (_directory, path) = logged_database();
        let probe = probe(&path, Duration::ZERO, &Steps::of_database(0)).unwrap();
        Connection::open(&path)
            .unwrap()
            .execute_batch("INSERT INTO t VALUES (1)")
            .unwrap();
        assert!(beside(&path, "-wal").exists());
        drop(probe);
        Connection::open(&path)
            .unwrap()
            .execute_batch("INSERT INTO t VALUES (2)")
            .unwrap();
        assert!(!beside(&path, "-wal").exists());
    }

    #[test]
    fn probe_holds_its_lock_beside_readers_of_the_same_process() {
        let (_directory, path) = logged_database();
        let reader = Connection::open(&path).unwrap();
        reader
            .query_row("SELECT count(*) FROM t", [], |_| Ok(()))
            .unwrap();
        assert!(
            matches!(probe(&path, Duration::ZERO, &Steps::of_database(0)), Ok(Probe::Log(lock)) if holds_shared_lock(&lock))
        );
    }

    #[test]
    fn nothing_is_locked_before_the_first_read() {
        let (_directory, path) = logged_database();
        assert!(!holds_shared_lock(
            &connect(&path, "", Duration::ZERO, &Steps::of_database(0)).unwrap()
        ));
    }
}
