//! Replaces a file whole or not at all, even when the power fails.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::ModelFileProblem;

/// Writes `bytes` beside `path`, brings them to the disk, renames them over `path`, and brings that to the disk.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ModelFileProblem> {
    // A rename would replace a symbolic link instead of what it points to.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let permissions = fs::metadata(&target).ok().map(|metadata| metadata.permissions());
    let mut beside = tempfile::Builder::new();
    beside.prefix(".postroom-model-").suffix(".tmp");
    let mut file = beside
        .tempfile_in(directory)
        .map_err(ModelFileProblem::io("create a file beside it"))?;
    file.write_all(bytes)
        .map_err(ModelFileProblem::io("write beside it"))?;
    if let Some(permissions) = permissions {
        file.as_file()
            .set_permissions(permissions)
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

/// Without it, the rename itself may be lost.
#[cfg(unix)]
fn sync_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(
            matches!(
                problem,
                ModelFileProblem::Io {
                    action: "put it in place",
                    ..
                }
            ),
            "{problem:?}"
        );
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
}
