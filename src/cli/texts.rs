//! Texts to answer about: from files or from standard input, whatever bytes they are.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::Failure;

/// Texts are read up to this size; ten thousand pages have a tenth of it.
const MOST_BYTES: u64 = 256 << 20;

/// Whether a path stands for standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The text of a file, or of standard input where `path` is `-`.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let is_stdin = is_standard_input(path);
    let source_name = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    match read {
        Ok(n_bytes) if n_bytes as u64 > MOST_BYTES => Err(Failure::TooLong {
            source_name,
            most: MOST_BYTES,
        }),
        Ok(_) => Ok(decoded(bytes, &source_name)),
        Err(problem) => Err(Failure::Unreadable { source_name, problem }),
    }
}

fn decoded(bytes: Vec<u8>, source_name: &str) -> String {
    if bytes.starts_with(b"%PDF-") {
        tracing::warn!("{source_name} is a PDF file: give the text in it, for example from pdftotext");
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        tracing::warn!("{source_name} is not UTF-8 throughout: what can't be read was replaced by U+FFFD");
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    if text.trim().is_empty() {
        tracing::warn!("{source_name} has no text: the answer is that for any empty document");
    }
    text
}
