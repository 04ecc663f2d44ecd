//! A bound on the work that a database can make of one question.
//!
//! SQLite follows the pages of a table as they point to each other and keeps no account of where it has been. A file of
//! a few pages whose inner pages all point to the next one can so stand for more rows than there are atoms, and reading
//! it would never end. The steps of SQLite's virtual machine are counted instead, and a sound database takes
//! fewer than one for each of its bytes.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use crate::error::ArchiveProblem;

/// A row of the smallest table, tags of documents, takes some ten bytes in the index that it is read from and six
/// steps; sorted, where there is no index, ten.
const STEPS_PER_BYTE: u64 = 16;
/// For small databases: reading a schema takes some thousand.
const STEPS_ANYWAY: u64 = 1_000_000;
/// Steps between two looks at the count.
const STEPS_A_TIME: c_int = 10_000;

/// What is left of the steps that the question under way may take.
#[derive(Debug)]
pub(super) struct Steps {
    allowed: u64,
    left: Arc<AtomicU64>,
}

impl Steps {
    /// For a database of so many bytes, its log included.
    pub(super) fn of_database(bytes: u64) -> Self {
        let allowed = bytes.saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS_ANYWAY);
        Self {
            allowed,
            left: Arc::new(AtomicU64::new(allowed)),
        }
    }

    /// Has the connection stop with `SQLITE_INTERRUPT` when no step is left.
    pub(super) fn bind(&self, connection: &mut Connection) -> Result<(), ArchiveProblem> {
        let left = Arc::clone(&self.left);
        // Only the thread that steps counts.
        let take = move || {
            let steps = left.load(Ordering::Relaxed);
            left.store(steps.saturating_sub(STEPS_A_TIME as u64), Ordering::Relaxed);
            steps == 0
        };
        connection
            .progress_handler(STEPS_A_TIME, Some(take))
            .map_err(ArchiveProblem::Sqlite)
    }

    /// Another question may take as many again.
    pub(super) fn renew(&self) {
        self.left.store(self.allowed, Ordering::Relaxed);
    }
}
