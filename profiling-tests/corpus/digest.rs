//! What a corpus is, as one number: two runs with the same digest measured on the same documents.

use postroom::document::{Filing, LabelId};
use postroom::store::DocumentStore;
use sha2::{Digest as _, Sha256};

use crate::report::units::hex;

/// Part of what is hashed: another form is another digest.
const FORM: &[u8] = b"profiling corpus 1\n";

/// A corpus, read once from end to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CorpusDigest {
    /// SHA-256 of the documents that train and of how they are filed, as hexadecimal digits.
    pub(crate) sha256: String,
    /// Documents that train.
    pub(crate) n_documents: usize,
    /// Bytes in their contents.
    pub(crate) content_bytes: u64,
}

/// Reads a corpus and hashes it.
///
/// After the name of the form come two passes over the documents, in order:
/// 1. document type, correspondent, storage path (`i32`, -1 for none), number of tags (`u32`), tags (`i32`);
/// 2. bytes in the content (`u64`), the content.
///
/// Numbers are little-endian; labels are those that are learned. Keys and times of documents aren't hashed.
pub(crate) fn corpus_digest(store: &dyn DocumentStore) -> postroom::Result<CorpusDigest> {
    let mut sha = Sha256::new_with_prefix(FORM);
    let (mut n_documents, mut content_bytes) = (0, 0);
    let mut snapshot = store.snapshot()?;
    snapshot.for_each_filing(&mut |filing| {
        hash_filing(&mut sha, &filing);
        Ok(())
    })?;
    snapshot.for_each_document(&mut |document| {
        n_documents += 1;
        content_bytes += document.content.len() as u64;
        sha.update((document.content.len() as u64).to_le_bytes());
        sha.update(document.content);
        Ok(())
    })?;
    Ok(CorpusDigest {
        sha256: hex(&sha.finalize()),
        n_documents,
        content_bytes,
    })
}

fn hash_filing(sha: &mut Sha256, filing: &Filing) {
    let labels = &filing.labels;
    for single in [labels.document_type, labels.correspondent, labels.storage_path] {
        sha.update(single.unwrap_or(LabelId(-1)).0.to_le_bytes());
    }
    sha.update((labels.tags.len() as u32).to_le_bytes());
    for tag in &labels.tags {
        sha.update(tag.0.to_le_bytes());
    }
}
