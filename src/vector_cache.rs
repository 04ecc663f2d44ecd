//! The vectors of recently seen documents: whoever asks for four fields one by one vectorizes once.

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::sparse::SparseVector;
use crate::text::Language;

/// Part of every key: vectors of another format are other entries.
const FORMAT_VERSION: &[u8] = b"vector format 1";

/// How long vectors are kept, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorCacheParams {
    /// Time after the last use (five minutes).
    pub time_to_idle: Duration,
    /// Most entries (1,024; at a hundred terms a document about a megabyte).
    pub max_entries: u64,
}

impl Default for VectorCacheParams {
    fn default() -> Self {
        Self {
            time_to_idle: Duration::from_mins(5),
            max_entries: 1024,
        }
    }
}

/// Vectors by content, shared by threads. A hit hands out the vector itself, not a copy.
#[derive(Debug)]
pub struct VectorCache {
    vectors: Cache<[u8; 32], Arc<SparseVector>, BuildHasherDefault<DigestHasher>>,
    /// What else the vector depends on: format, language, vectorizer.
    key_suffix: Vec<u8>,
}

impl VectorCache {
    /// An empty cache for the vectors of one language and one vectorizer, which `vectorizer_hash` tells from others.
    pub fn new(params: VectorCacheParams, language: Option<Language>, vectorizer_hash: [u8; 32]) -> Self {
        let vectors = Cache::builder()
            .max_capacity(params.max_entries)
            .time_to_idle(params.time_to_idle);
        let language = language.map_or("", |language| language.name());
        let key_suffix = [FORMAT_VERSION, language.as_bytes(), &vectorizer_hash].concat();
        Self {
            vectors: vectors.build_with_hasher(BuildHasherDefault::default()),
            key_suffix,
        }
    }

    /// The vector of `content`, made by `vectorize` unless it is there. Threads that ask for the same content at
    /// the same time wait for one of them to make it.
    pub fn get_or_insert_with(
        &self,
        content: &str,
        vectorize: impl FnOnce() -> SparseVector,
    ) -> Arc<SparseVector> {
        self.vectors.get_with(self.key(content), || Arc::new(vectorize()))
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.vectors.invalidate_all();
    }

    fn key(&self, content: &str) -> [u8; 32] {
        Sha256::new_with_prefix(content)
            .chain_update(&self.key_suffix)
            .finalize()
            .into()
    }
}

/// Takes a digest's first bytes for its hash: they are as evenly spread as any hash of them, and nobody chooses them.
#[derive(Debug, Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(&first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(first);
        }
    }

    /// The length of the key, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(params: VectorCacheParams) -> VectorCache {
        VectorCache::new(params, None, [7; 32])
    }

    fn vectorize() -> SparseVector {
        SparseVector::new(1, vec![0], vec![1.0]).unwrap()
    }

    #[test]
    fn an_entry_expires_after_its_time_to_idle() {
        let time_to_idle = Duration::from_millis(20);
        let cache = cache(VectorCacheParams {
            time_to_idle,
            ..VectorCacheParams::default()
        });
        let get = || cache.get_or_insert_with("a letter", vectorize);
        let first = get();
        std::thread::sleep(5 * time_to_idle);
        assert!(!Arc::ptr_eq(&first, &get()));
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let cache = cache(VectorCacheParams {
            max_entries: 10,
            ..VectorCacheParams::default()
        });
        for text in 0..1_000 {
            cache.get_or_insert_with(&text.to_string(), vectorize);
        }
        cache.vectors.run_pending_tasks();
        assert!(
            cache.vectors.entry_count() <= 10,
            "{} entries",
            cache.vectors.entry_count()
        );
    }

    #[test]
    fn different_contents_have_different_keys() {
        let cache = cache(VectorCacheParams::default());
        assert_ne!(cache.key("a letter"), cache.key("a letter "));
    }
}
