//! Temporary files of a run, which no way of ending it leaves behind: removed when dropped, by [`remove_all`] when the
//! run is interrupted, and by the next run when the process was killed.
//!
//! ```text
//! <temporary directory>/postroom-profiling-<process>-<random>/
//!     lock    held by the process for as long as it lives
//!     …       whatever it puts there
//! ```
//! A directory whose lock can be had is a dead process's. The system gives the lock back however a process ends; the
//! number in the name is for people, since another process may have it by now.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Of the names of all scratch directories.
const PREFIX: &str = "postroom-profiling-";

/// The file whose lock says that the owner lives.
const LOCK: &str = "lock";

/// A thread that is writing to a directory may put a file into it while it is being removed.
const MOST_ATTEMPTS: u32 = 50;

/// Those of this process.
static LIVING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A directory for temporary files; removed with everything in it.
#[derive(Debug)]
pub(crate) struct ScratchDirectory {
    path: PathBuf,
    lock: Option<File>,
}

impl ScratchDirectory {
    /// A new one in the system's directory for temporary files, where those of dead processes are removed.
    pub(crate) fn create() -> io::Result<Self> {
        Self::create_in(&std::env::temp_dir())
    }

    /// A new one in `parent`, where those of dead processes are removed.
    pub(crate) fn create_in(parent: &Path) -> io::Result<Self> {
        // As long in every process: what opens and saves files allocates for their paths, and the counts are exact.
        let prefix = format!("{PREFIX}{:010}-", std::process::id());
        // Under the lock, or an interruption in between would not know of it.
        let mut living = living();
        let path = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(parent)?
            .keep();
        living.insert(path.clone());
        drop(living);
        let lock = lock(&path);
        remove_stale(parent, &path);
        Ok(Self { path, lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // An interruption waits until it is done.
        let mut living = living();
        // Some systems remove no open file.
        drop(self.lock.take());
        let _left = fs::remove_dir_all(&self.path);
        living.remove(&self.path);
    }
}

/// Removes all directories of this process, in use or not, and returns those that resisted. For its very end: other
/// threads may be writing to them still, and can't create another one from now on.
pub(crate) fn remove_all() -> Vec<PathBuf> {
    let living = living();
    let resisting = living.iter().filter(|directory| !removed(directory)).cloned();
    let resisting = resisting.collect();
    // Never given back: whoever wants to create one waits for the end of the process.
    std::mem::forget(living);
    resisting
}

fn removed(directory: &Path) -> bool {
    (0..MOST_ATTEMPTS).any(|attempt| {
        thread::sleep(Duration::from_millis(u64::from(attempt)));
        match fs::remove_dir_all(directory) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound && !directory.exists(),
        }
    })
}

/// Takes the lock of a new directory. None where the file system has no locks: then nobody may conclude from it that
/// the owner is dead.
fn lock(directory: &Path) -> Option<File> {
    // Under its name only once it is locked: until then it would look like a dead process's.
    let unfinished = directory.join("lock.new");
    let file = File::create_new(&unfinished).ok()?;
    file.try_lock().ok()?;
    fs::rename(unfinished, directory.join(LOCK)).ok()?;
    Some(file)
}

/// Removes directories of dead processes. Those of others' accounts are left alone, and so is what can't be removed:
/// neither is a reason not to measure.
fn remove_stale(parent: &Path, own: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for directory in entries.flatten().map(|entry| entry.path()) {
        let name = directory.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && directory != own && has_same_owner(&directory, own) {
            remove_if_dead(&directory);
        }
    }
}

fn remove_if_dead(directory: &Path) {
    let Ok(lock) = File::open(directory.join(LOCK)) else {
        return;
    };
    if lock.try_lock().is_ok() {
        let _left = fs::remove_dir_all(directory);
    }
}

/// Whether both are directories, not links to some, of one account.
#[cfg(unix)]
fn has_same_owner(directory: &Path, own: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (fs::symlink_metadata(directory), fs::symlink_metadata(own)) {
        (Ok(directory), Ok(own)) => directory.is_dir() && directory.uid() == own.uid(),
        _ => false,
    }
}

/// Whether it is a directory; the system's directory for temporary files is the account's own.
#[cfg(not(unix))]
fn has_same_owner(directory: &Path, _own: &Path) -> bool {
    fs::symlink_metadata(directory).is_ok_and(|directory| directory.is_dir())
}

fn living() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}
