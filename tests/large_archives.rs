//! How much memory a training takes, whatever the archive's size: the most that was resident in the command's process.
#![cfg(all(feature = "cli", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![expect(
    clippy::print_stderr,
    reason = "what was measured is worth as much as that it is below the bound"
)]

mod large_archive;

use std::path::Path;
use std::process::Command;

const MEGABYTE: u64 = 1_000_000;

/// The most memory of a training, in bytes.
fn peak(db: &Path, pipeline: &str) -> u64 {
    let output = Command::new(env!("CARGO_BIN_EXE_postroom"))
        .args([
            "-q",
            "profile",
            "--json",
            "--threads",
            "4",
            "--pipeline",
            pipeline,
            "--db",
        ])
        .arg(db)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let cost: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let peak = cost["peak_resident_bytes"].as_u64().unwrap();
    eprintln!(
        "{pipeline}: {} documents, {} MB of text, {:.1} s, {} MB at the peak",
        cost["n_documents"],
        cost["bytes"].as_u64().unwrap() / MEGABYTE,
        cost["seconds"].as_f64().unwrap(),
        peak / MEGABYTE
    );
    peak
}

/// What a pipeline may have resident on four threads: so much, and so much more for each document of some 327 words.
struct Bound {
    pipeline: &'static str,
    bytes: u64,
    bytes_a_document: u64,
}

/// Measured (release build, four threads): `Mlp` 97 MB at 20,000 documents, 303 MB at 80,000, 712 MB at 200,000; `Linear`
/// 257 to 285 MB at 20,000, 669 MB at 80,000 and 1278 MB at 200,000, most of it the matrix: 2 bytes for each of 1,365 terms a document.
const BOUNDS: [Bound; 2] = [
    Bound {
        pipeline: "mlp",
        bytes: 50 * MEGABYTE,
        bytes_a_document: 4_500,
    },
    Bound {
        pipeline: "linear",
        bytes: 260 * MEGABYTE,
        bytes_a_document: 7_500,
    },
];

fn stays_within_its_memory(n_documents: usize) {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("db.sqlite3");
    large_archive::create(&db, n_documents);
    for bound in BOUNDS {
        let most = bound.bytes + bound.bytes_a_document * n_documents as u64;
        let peak = peak(&db, bound.pipeline);
        assert!(
            peak <= most,
            "{}: {peak} bytes at the peak, beyond {most}",
            bound.pipeline
        );
    }
}

#[test]
fn training_on_a_thousand_documents_stays_within_its_memory() {
    stays_within_its_memory(1_000);
}

/// `POSTROOM_LARGE_ARCHIVE_DOCS` documents, 20,000 unless it is set.
#[test]
#[ignore = "takes minutes: cargo test --test large_archives -- --ignored --nocapture"]
fn training_on_a_large_archive_stays_within_its_memory() {
    let n_documents = std::env::var("POSTROOM_LARGE_ARCHIVE_DOCS").map_or(20_000, |n| n.parse().unwrap());
    stays_within_its_memory(n_documents);
}
