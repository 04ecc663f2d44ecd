//! Reading an archive on a server takes as much memory as a page of it, whatever its size.
#![cfg(all(unix, feature = "postgres", feature = "mariadb"))]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod server_common;

use postroom::store::{DocumentStore as _, Snapshot};
use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};
use server_common::{Database, on_each_server};

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

const N_DOCUMENTS: usize = 20_000;
/// Bytes of each document's content: 64 MB in all.
const CONTENT_BYTES: usize = 3_200;

/// Two pages in the making, and the buffers of the connection.
const MOST_FOR_CONTENTS: u64 = 4 << 20;
const MOST_FOR_FILINGS: u64 = 1 << 20;

fn peak(snapshot: &mut dyn Snapshot, pass: impl FnOnce(&mut dyn Snapshot) -> usize) -> u64 {
    let (n_documents, profile) = measure_memory(MemoryOptions::default(), || pass(snapshot)).unwrap();
    assert_eq!(n_documents, N_DOCUMENTS);
    profile.peak_bytes
}

fn for_each_filing(snapshot: &mut dyn Snapshot) -> usize {
    let mut n_documents = 0;
    snapshot
        .for_each_filing(&mut |filing| {
            assert_eq!(filing.labels.tags.len(), 1);
            n_documents += 1;
            Ok(())
        })
        .unwrap();
    n_documents
}

fn for_each_document(snapshot: &mut dyn Snapshot) -> usize {
    let mut n_documents = 0;
    snapshot
        .for_each_document(&mut |document| {
            assert_eq!(document.content.len(), CONTENT_BYTES);
            n_documents += 1;
            Ok(())
        })
        .unwrap();
    n_documents
}

/// One test: a region of the allocator sees what all threads do.
#[test]
fn memory_is_bounded_by_a_page() {
    on_each_server(|server| {
        let numbers = server.kind.choose(
            format!("generate_series(1, {N_DOCUMENTS}) AS numbers (n)"),
            format!("(SELECT seq AS n FROM seq_1_to_{N_DOCUMENTS}) AS numbers"),
        );
        let database = Database::filled(
            server,
            &format!(
                "INSERT INTO documents_tag (id, name, is_inbox_tag, matching_algorithm) VALUES (1, 'tax', false, 6);\n
                 INSERT INTO documents_document (id, content, modified)
                     SELECT n, repeat('words ! ', {}), '2026-01-02 03:04:05' FROM {numbers};\n
                 INSERT INTO documents_document_tags (document_id, tag_id) SELECT n, 1 FROM {numbers};\n",
                CONTENT_BYTES / 8
            ),
        );
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        let filings = peak(&mut *snapshot, for_each_filing);
        assert!(filings < MOST_FOR_FILINGS, "{filings} bytes on {:?}", server.kind);
        let contents = peak(&mut *snapshot, for_each_document);
        assert!(
            contents < MOST_FOR_CONTENTS,
            "{contents} bytes on {:?}",
            server.kind
        );
    });
}
