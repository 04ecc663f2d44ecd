//! What can be known before anything runs: that the archive can be read and the reports written.
//!
//! Found out by the first scenario, either would be said once for each of them, the latter after minutes of measuring.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::corpus;
use crate::settings::Settings;

/// Tries what the settings name. The error is one line for whoever set them.
pub(crate) fn check(settings: &Settings) -> Result<(), String> {
    if let Some(archive) = &settings.archive {
        corpus::open(archive).map_err(|error| format!("PROFILING_DB can't be measured on: {error}"))?;
    }
    check_directory(&settings.directory)
}

/// Tries to write, since permissions don't tell: a read-only file system, a full one, or root's account.
fn check_directory(directory: &Path) -> Result<(), String> {
    let cannot_write = |error| {
        format!(
            "no reports can be written to {} (PROFILING_DIR): {error}",
            directory.display()
        )
    };
    fs::create_dir_all(directory).map_err(cannot_write)?;
    let mut file = tempfile::tempfile_in(directory).map_err(cannot_write)?;
    file.write_all(b"a file that has room").map_err(cannot_write)
}
