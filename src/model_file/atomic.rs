//! Replaces a file whole or not at all, even when the process is killed or the power fails.
//!
//! The bytes go into a file of their own beside it, are brought to the disk, and only then get its name; the name is
//! brought to the disk as well. A file that is being written carries an advisory lock, which the system takes away when
//! its process ends, however it ends. So a save can tell what an interrupted one left behind from what another one is
//! writing just now, and removes it.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ModelFileProblem;

/// Around the random part of the name of a file that is being written.
const PREFIX: &str = ".postroom-model-";
const SUFFIX: &str = ".tmp";

/// Symbolic links that are followed one after the other, as many as Linux follows.
const MOST_LINKS: usize = 40;

/// How often a new file is made, where other saves take it for left behind before it is locked.
const MOST_ATTEMPTS: usize = 16;

/// Has a new file written beside `path`, brings it to the disk, renames it over `path`, and brings that to the disk.
///
/// What interrupted saves left in that directory is removed.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), ModelFileProblem> {
    let target = target_of(path).map_err(ModelFileProblem::io("find out where it lies"))?;
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let replaced = fs::metadata(&target).ok();
    if replaced.as_ref().is_some_and(|replaced| !replaced.is_file()) {
        return Err(ModelFileProblem::NotAFile);
    }
    remove_left_behind(directory);
    let mut file = new_file(directory).map_err(ModelFileProblem::io("create a file beside it"))?;
    write(file.as_file_mut()).map_err(ModelFileProblem::io("write beside it"))?;
    if let Some(replaced) = replaced {
        file.as_file()
            .set_permissions(replaced.permissions())
            .map_err(ModelFileProblem::io("keep its permissions"))?;
    }
    file.as_file()
        .sync_all()
        .map_err(ModelFileProblem::io("bring it to the disk"))?;
    file.persist(&target).map_err(|error| ModelFileProblem::Io {
        action: "put it in place",
        source: error.error,
    })?;
    sync_directory(directory).map_err(ModelFileProblem::io("bring its directory to the disk"))
}

/// Where the file itself is or will be: a rename would replace a symbolic link instead of what it points to.
fn target_of(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => end_of_links(path),
        found => found,
    }
}

/// Where links lead that end at nothing yet.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&target) else {
            return Ok(target);
        };
        // A relative link is seen from where it lies.
        target = target.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A new, locked file in `directory`; it goes if it isn't persisted.
fn new_file(directory: &Path) -> io::Result<NamedTempFile> {
    let mut named = tempfile::Builder::new();
    named.prefix(PREFIX).suffix(SUFFIX);
    for _ in 0..MOST_ATTEMPTS {
        let file = named.tempfile_in(directory)?;
        match file.as_file().try_lock() {
            // Between its creation and the lock another save may have removed it. From here on none will.
            Ok(()) if file.path().exists() => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks: nothing is taken for left behind there.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(io::Error::other("other saves keep removing it"))
}

/// Removes what no process is writing any more. What can't be opened, locked or removed stays: the save itself matters
/// more.
fn remove_left_behind(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_ours = name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            remove_unlocked(&entry.path());
        }
    }
}

fn remove_unlocked(path: &Path) {
    // Some network file systems lock only what is open for writing; a model that is read-only can't be opened so.
    let opened = File::options().write(true).open(path);
    let Ok(file) = opened.or_else(|_| File::open(path)) else {
        return;
    };
    // The lock is held until the name is gone: who made the file a moment ago finds it locked or gone, and makes another.
    if file.try_lock().is_ok() && fs::remove_file(path).is_ok() {
        tracing::debug!(path = %path.display(), "removed what an interrupted save left");
    }
}

/// Without it, the rename itself may be lost.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn replace(path: &Path, bytes: &[u8]) -> Result<(), ModelFileProblem> {
        super::replace(path, |file| file.write_all(bytes))
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn an_existing_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        replace(&path, b"old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["model"]);
    }

    #[test]
    fn a_directory_in_the_way_is_an_error_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        fs::create_dir(&path).unwrap();
        let problem = replace(&path, b"new").unwrap_err();
        assert!(matches!(problem, ModelFileProblem::NotAFile), "{problem:?}");
        assert_eq!(names(directory.path()), ["model"]);
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let problem = replace(&directory.path().join("missing/model"), b"new").unwrap_err();
        assert!(matches!(
            problem,
            ModelFileProblem::Io {
                action: "create a file beside it",
                ..
            }
        ));
    }

    #[test]
    #[cfg(unix)]
    fn a_symbolic_link_stays_and_its_target_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let (link, target) = (directory.path().join("link"), directory.path().join("target"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    #[cfg(unix)]
    fn a_new_model_is_readable_by_its_owner_only_and_an_old_one_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"first").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(mode(), 0o640);
    }

    #[test]
    #[cfg(unix)]
    fn a_symbolic_link_to_nothing_stays_and_its_target_is_made() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("first"), directory.path().join("second"));
        std::os::unix::fs::symlink("second", &first).unwrap();
        std::os::unix::fs::symlink("models/model", &second).unwrap();
        fs::create_dir(directory.path().join("models")).unwrap();
        replace(&first, b"new").unwrap();
        assert!(first.is_symlink() && second.is_symlink());
        assert_eq!(fs::read(directory.path().join("models/model")).unwrap(), b"new");
    }

    #[test]
    #[cfg(unix)]
    fn symbolic_links_in_a_circle_are_an_error_and_stay() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("first"), directory.path().join("second"));
        std::os::unix::fs::symlink(&second, &first).unwrap();
        std::os::unix::fs::symlink(&first, &second).unwrap();
        let problem = replace(&first, b"new").unwrap_err();
        assert!(
            problem.to_string().contains("find out where it lies"),
            "{problem}"
        );
        assert!(first.is_symlink() && second.is_symlink());
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_file_is_never_replaced() {
        use std::os::unix::{fs::FileTypeExt, net::UnixListener};
        // A socket: what goes wrong here, as root, shall cost the machine none of its devices.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        let _listener = UnixListener::bind(&path).unwrap();
        let problem = replace(&path, b"new").unwrap_err();
        assert!(matches!(problem, ModelFileProblem::NotAFile), "{problem}");
        assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    }

    #[test]
    fn what_nobody_writes_any_more_is_removed_and_what_somebody_writes_stays() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(".postroom-model-left.tmp");
        fs::write(&left, "half a model").unwrap();
        let being_written = new_file(directory.path()).unwrap();
        let anothers = directory.path().join(".another-left.tmp");
        fs::write(&anothers, "not ours").unwrap();
        replace(&directory.path().join("model"), b"new").unwrap();
        assert!(!left.exists());
        assert!(being_written.path().exists() && anothers.exists());
    }

    #[test]
    fn a_read_only_model_leaves_nothing_behind_either() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join(".postroom-model-left.tmp");
        fs::write(&left, "half a model").unwrap();
        let mut permissions = fs::metadata(&left).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&left, permissions).unwrap();
        replace(&directory.path().join("model"), b"new").unwrap();
        assert_eq!(names(directory.path()), ["model"]);
    }

    #[test]
    fn saves_side_by_side_all_succeed_and_leave_one_whole_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        std::thread::scope(|scope| {
            for content in 0..8_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..25 {
                        replace(path, &[content; 4_096]).unwrap();
                    }
                });
            }
        });
        let left = fs::read(&path).unwrap();
        assert_eq!(left, vec![left[0]; 4_096]);
        assert_eq!(names(directory.path()), ["model"]);
    }
}
