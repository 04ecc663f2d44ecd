//! The vectors of recently seen documents: whoever asks for four fields one by one vectorizes once.

mod last_keys;

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::{Cache, DefaultLifecycle, EntryAction, EntryResult};
use quick_cache::{Options, OptionsBuilder, UnitWeighter};
use sha2::{Digest, Sha256};

use crate::sparse::SparseVector;
use crate::text::Language;
use last_keys::LastKeys;

/// Part of every key: vectors of another format are other entries.
const FORMAT_VERSION: &[u8] = b"vector format 1";

/// Parts of a cache of the usual size, each with a lock of its own.
const SHARDS: u64 = 16;
/// Entries that a part has at least: of fewer, those that are asked for again would be thrown out by chance.
const LEAST_IN_SHARD: u64 = 32;

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
///
/// A vector whose time is over is never handed out again; its room is taken by the next that needs it.
#[derive(Debug)]
pub struct VectorCache {
    vectors: Vectors,
    time_to_idle: Duration,
    /// What else the vector depends on: format, language, vectorizer.
    key_suffix: Vec<u8>,
    last_keys: LastKeys,
}

type Key = [u8; 32];
type Lifecycle = DefaultLifecycle<Key, Kept>;
type Vectors = Cache<Key, Kept, UnitWeighter, BuildHasherDefault<DigestHasher>, Lifecycle>;

/// A vector, and when it was asked for last.
#[derive(Debug, Clone)]
struct Kept {
    vector: Arc<SparseVector>,
    last_use: Instant,
}

impl VectorCache {
    /// An empty cache for the vectors of one language and one vectorizer, which `vectorizer_hash` tells from others.
    pub fn new(params: VectorCacheParams, language: Option<Language>, vectorizer_hash: [u8; 32]) -> Self {
        let language = language.map_or("", |language| language.name());
        let key_suffix = [FORMAT_VERSION, language.as_bytes(), &vectorizer_hash].concat();
        Self {
            vectors: Cache::with_options(
                options(params.max_entries),
                UnitWeighter,
                BuildHasherDefault::default(),
                Lifecycle::default(),
            ),
            time_to_idle: params.time_to_idle,
            key_suffix,
            last_keys: LastKeys::default(),
        }
    }

    /// The vector of `content`, made by `vectorize` unless it is there. Threads that ask for the same content at
    /// the same time wait for one of them to make it.
    pub fn get_or_insert_with(
        &self,
        content: &str,
        vectorize: impl FnOnce() -> SparseVector,
    ) -> Arc<SparseVector> {
        let now = Instant::now();
        let key = self
            .last_keys
            .get_or_insert_with(content, |content| self.key(content));
        let entry = self.vectors.entry(&key, None, |_, kept| {
            // Another thread may have used it after `now`.
            if now.saturating_duration_since(kept.last_use) >= self.time_to_idle {
                return EntryAction::ReplaceWithGuard;
            }
            kept.last_use = now;
            EntryAction::Retain(Arc::clone(&kept.vector))
        });
        let place = match entry {
            EntryResult::Retained(vector) => return vector,
            EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => Some(place),
            // Neither is ever asked for.
            EntryResult::Removed(..) | EntryResult::Timeout => None,
        };
        let vector = Arc::new(vectorize());
        let kept = Kept {
            vector: Arc::clone(&vector),
            last_use: Instant::now(),
        };
        // The place is lost to whoever cleared the cache meanwhile; the vector is none the worse.
        let _ = place.map(|place| place.insert(kept));
        vector
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.vectors.clear();
        self.last_keys.clear();
    }

    fn key(&self, content: &str) -> Key {
        Sha256::new_with_prefix(content)
            .chain_update(&self.key_suffix)
            .finalize()
            .into()
    }
}

/// No more than `max_entries` in all parts together.
fn options(max_entries: u64) -> Options {
    let shards = if max_entries < SHARDS * LEAST_IN_SHARD {
        1
    } else {
        SHARDS
    };
    OptionsBuilder::new()
        .shards(shards as usize)
        .estimated_items_capacity(max_entries as usize)
        .weight_capacity(max_entries - max_entries % shards)
        .build()
        .expect("both numbers are given")
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
        assert!(
            (1..=10).contains(&cache.vectors.len()),
            "{} entries",
            cache.vectors.len()
        );
    }

    #[test]
    fn different_contents_have_different_keys() {
        let cache = cache(VectorCacheParams::default());
        assert_ne!(cache.key("a letter"), cache.key("a letter "));
    }
}
