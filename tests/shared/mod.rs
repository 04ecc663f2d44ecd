//! What stands beside the project and not in it: genuine databases with the reference's results.
//!
//! Every function says "not present" and returns nothing where there is no such file.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

pub(crate) mod holdout;
pub(crate) mod text_sets;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use postroom::store::SqliteStore;
use serde_json::Value;

/// A genuine database, unpacked into a directory of its own, and what the reference made of it.
pub(crate) struct Genuine {
    _directory: tempfile::TempDir,
    pub(crate) store: SqliteStore,
    pub(crate) expected: Value,
}

impl Genuine {
    /// Unpacks the database of that name.
    pub(crate) fn unpack(name: &str) -> Option<Self> {
        let mut packed = unzip(&format!("{name}.sqlite3.gz"))?;
        let expected = unzip(&format!("{name}.expected.json.gz"))?;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db.sqlite3");
        io::copy(&mut packed, &mut File::create(&path).unwrap()).unwrap();
        let store = SqliteStore::open(&path).unwrap();
        Some(Self {
            _directory: directory,
            store,
            expected: serde_json::from_reader(expected).unwrap(),
        })
    }
}

/// A gzipped file of JSON lines.
pub(crate) fn json_lines(name: &str) -> Option<Vec<Value>> {
    let lines = BufReader::new(unzip(name)?).lines();
    Some(
        lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
            .collect(),
    )
}

/// A gzipped file, being unpacked.
pub(crate) fn unzip(name: &str) -> Option<GzDecoder<File>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("POSTROOM_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join("data")
        .join(name);
    if !path.exists() {
        // Written past the runner, which keeps to itself what a passing test prints.
        let _ = writeln!(io::stderr(), "not present, nothing compared: {}", path.display());
        return None;
    }
    Some(GzDecoder::new(File::open(&path).unwrap()))
}

/// Bytes as the expectations write them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
