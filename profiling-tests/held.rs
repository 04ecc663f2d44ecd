//! What the process held beside what its code asked Rust's allocator for: memory of the machine, and SQLite's, which
//! is C and asks the system itself.
//!
//! Observing allocates nothing, so it goes on within a memory region.

#![expect(unsafe_code, reason = "asks SQLite, which is C, for its counters")]

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use profiling_toolkit::memory::{ResidentMemory, observe_resident};
use rusqlite::ffi::{
    SQLITE_CONFIG_MEMSTATUS, SQLITE_OK, SQLITE_STATUS_MEMORY_USED, sqlite3_config, sqlite3_status64,
};
use serde::Serialize;

/// What the process held around some work.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Held {
    /// Of the machine's memory.
    pub(crate) resident: ResidentMemory,
    /// By SQLite; `None` where it doesn't count.
    pub(crate) sqlite: Option<SqliteMemory>,
}

/// What SQLite took from the system, over all connections of the process, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::struct_field_names, reason = "programs read the unit in the name")]
pub(crate) struct SqliteMemory {
    /// Before the work.
    pub(crate) before_bytes: i64,
    /// After it.
    pub(crate) after_bytes: i64,
    /// The most during it.
    pub(crate) peak_bytes: i64,
}

/// Whether SQLite counts.
static SQLITE_COUNTS: AtomicBool = AtomicBool::new(false);

/// Has SQLite count its memory, which it is compiled not to do.
///
/// It counts under one lock for all connections, so threads that read the archive at once wait for one another here more
/// than they do in the command.
///
/// # Safety
/// Nothing else uses SQLite meanwhile.
pub(crate) unsafe fn begin_to_count_sqlite() {
    // SAFETY: nothing else uses SQLite, by contract; this option takes one int.
    let status = unsafe { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 1 as c_int) };
    SQLITE_COUNTS.store(status == SQLITE_OK, Ordering::Relaxed);
}

/// Runs `work` and says what the process held meanwhile.
pub(crate) fn observe<T>(work: impl FnOnce() -> T) -> (T, Held) {
    let before = used_by_sqlite(Highest::BeginsAnew);
    let (result, resident) = observe_resident(work);
    let after = used_by_sqlite(Highest::Stays);
    let sqlite = before
        .zip(after)
        .map(|((before_bytes, _), (after_bytes, peak_bytes))| SqliteMemory {
            before_bytes,
            after_bytes,
            peak_bytes,
        });
    (result, Held { resident, sqlite })
}

/// What becomes of SQLite's record once it is read.
#[derive(Clone, Copy)]
enum Highest {
    BeginsAnew,
    Stays,
}

/// Bytes in use, and the most that were since the record began.
fn used_by_sqlite(highest: Highest) -> Option<(i64, i64)> {
    if !SQLITE_COUNTS.load(Ordering::Relaxed) {
        return None;
    }
    let (mut used, mut most) = (0, 0);
    let begins_anew = c_int::from(matches!(highest, Highest::BeginsAnew));
    // SAFETY: both pointers are to live variables of the type that is written; any thread may ask.
    let status = unsafe {
        sqlite3_status64(
            SQLITE_STATUS_MEMORY_USED,
            &raw mut used,
            &raw mut most,
            begins_anew,
        )
    };
    (status == SQLITE_OK).then_some((used, most))
}
