//! The bytes of a model file, or soon an error where it is something else.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::signed::Envelope;
use super::{FORMAT_VERSION, ModelFileProblem};

/// The bytes of the file at `path`; none if there is none. No memory is taken beyond its size for a file that doesn't
/// grow meanwhile, and next to none for one that doesn't begin as a model does.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ModelFileProblem> {
    let io = ModelFileProblem::io("read it");
    let mut file = match open(path) {
        Ok(Some(file)) => file,
        Ok(None) => return Err(ModelFileProblem::NotAFile),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    match read_model(&mut file) {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(problem)) => Err(problem),
        Err(error) => Err(io(error)),
    }
}

/// A regular file, and nothing else: a pipe would be waited for, and a device may never end.
fn open(path: &Path) -> io::Result<Option<File>> {
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    File::open(path).map(Some)
}

fn read_model(file: &mut File) -> io::Result<Result<Vec<u8>, ModelFileProblem>> {
    let mut bytes = Vec::new();
    file.take(Envelope::BYTES as u64).read_to_end(&mut bytes)?;
    if let Err(problem) = Envelope::of(&bytes, FORMAT_VERSION) {
        return Ok(Err(problem));
    }
    // Makes room for what is left of the file; an error, where there is none.
    file.read_to_end(&mut bytes)?;
    Ok(Ok(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_no_model_yet() {
        let directory = tempfile::tempdir().unwrap();
        assert!(read(&directory.path().join("missing")).unwrap().is_none());
    }

    #[test]
    fn a_path_through_a_file_is_an_error_not_a_missing_model() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let problem = read(&file.path().join("model")).unwrap_err();
        assert!(matches!(problem, ModelFileProblem::Io { .. }), "{problem}");
    }

    /// A terabyte that takes no room on the disk.
    #[test]
    fn what_does_not_begin_as_a_model_is_not_read_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endless");
        let file = File::create(&path).unwrap();
        if file.set_len(1 << 40).is_err() {
            file.set_len(1 << 31).unwrap();
        }
        let problem = read(&path).unwrap_err();
        assert!(matches!(problem, ModelFileProblem::Corrupt(_)), "{problem}");
    }

    #[test]
    #[cfg(unix)]
    fn what_never_ends_is_not_read_and_what_never_begins_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [Path::new("/dev/zero"), &pipe, directory.path()] {
            let problem = read(path).unwrap_err();
            assert!(matches!(problem, ModelFileProblem::NotAFile), "{problem}");
        }
    }
}
