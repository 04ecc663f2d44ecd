//! What became of a word, remembered between documents and shared between threads.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::interner::Interner;

/// As many words as an archive uses again and again; the rest is names, numbers and misread text.
const MOST_WORDS: usize = 32_768;
/// Longer words are too rare to keep.
const LONGEST_WORD: usize = 40;

/// A bounded table from words to small values (2 MiB at most).
///
/// A full table is emptied and fills again: words worth keeping are back within a few documents, and no
/// bookkeeping is needed on a hit. Values must depend on the word alone, so that it never shows what is kept.
#[derive(Debug, Default)]
pub(super) struct WordCache {
    entries: RwLock<Entries>,
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    words: Interner,
    values: Vec<u32>,
}

impl Entries {
    pub(super) fn get(&self, word: &str) -> Option<u32> {
        self.words.get(word).map(|id| self.values[id as usize])
    }
}

impl WordCache {
    /// Access for one document: a lock taken per word would keep threads waiting for each other's counter.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what a document added, `(word, value)`; the caller holds no [`Self::read`] guard any more.
    pub(super) fn remember(&self, learned: &[(String, u32)]) {
        if learned.is_empty() {
            return;
        }
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for (word, value) in learned {
            if word.len() <= LONGEST_WORD {
                entries.insert(word, *value);
            }
        }
    }
}

impl Entries {
    fn insert(&mut self, word: &str, value: u32) {
        if self.words.len() >= MOST_WORDS {
            self.words.clear();
            self.values.clear();
        }
        let id = self.words.intern(word) as usize;
        if id == self.values.len() {
            self.values.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_word_is_found() {
        let cache = WordCache::default();
        cache.remember(&[("invoice".into(), 7), ("date".into(), 8), ("invoice".into(), 7)]);
        assert_eq!(
            (cache.read().get("invoice"), cache.read().get("due")),
            (Some(7), None)
        );
    }

    #[test]
    fn cache_stays_within_its_bound() {
        let cache = WordCache::default();
        for n in 0..=MOST_WORDS as u32 {
            cache.remember(&[(n.to_string(), n)]);
        }
        assert!(cache.read().values.len() <= MOST_WORDS);
        assert_eq!(cache.read().get(&MOST_WORDS.to_string()), Some(MOST_WORDS as u32));
    }

    #[test]
    fn very_long_word_is_not_kept() {
        let cache = WordCache::default();
        cache.remember(&[("x".repeat(LONGEST_WORD + 1), 1)]);
        assert!(cache.read().values.is_empty());
    }
}
