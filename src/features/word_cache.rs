//! What became of a word, remembered between documents and shared between threads.

use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::interner::Interner;

/// As many words as an archive uses again and again; the rest is names, numbers and misread text.
const MOST_WORDS: usize = 32_768;
/// Sixteen a word; a word of eight letters has eight terms at most.
const MOST_VALUES: usize = 16 * MOST_WORDS;
/// Longer words are too rare to keep.
const LONGEST_WORD: usize = 40;
/// So many new words are brought to the others at a time: a document may be long and repeat itself.
const WORDS_A_TIME: usize = 1_024;

/// A bounded table from words to short lists of numbers (4 MiB at most).
///
/// A full table is emptied and fills again: words worth keeping are back within a few documents, and no
/// bookkeeping is needed on a hit. Lists must depend on the word alone, so that it never shows what is kept.
#[derive(Debug, Default)]
pub(super) struct WordCache {
    entries: RwLock<Entries>,
}

/// The lists lie end to end, in the order in which the words came.
#[derive(Debug, Default)]
struct Entries {
    words: Interner,
    ends: Vec<u32>,
    values: Vec<u32>,
}

impl WordCache {
    /// Access for one document: a lock taken per word would keep threads waiting for each other's counter.
    pub(super) fn reader(&self) -> WordReader<'_> {
        WordReader {
            cache: self,
            known: None,
            learned: Vec::new(),
            values: Vec::new(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks up the words of one document; what it had to work out is remembered when it is dropped.
#[derive(Debug)]
pub(super) struct WordReader<'a> {
    cache: &'a WordCache,
    /// None before the first word, and while new words are being added. Where no word is ever looked up, threads don't
    /// meet at the lock.
    known: Option<RwLockReadGuard<'a, Entries>>,
    /// New words, and where in `values` the list of each is.
    learned: Vec<(String, Range<usize>)>,
    values: Vec<u32>,
}

impl WordReader<'_> {
    /// The list of `word`, which `work_out` appends if it isn't known.
    pub(super) fn get(&mut self, word: &str, work_out: impl FnOnce(&mut Vec<u32>)) -> &[u32] {
        let found = self.known.get_or_insert_with(|| self.cache.read()).find(word);
        let Some(range) = found else {
            return self.learn(word, work_out);
        };
        self.known.as_ref().map_or(&[], |known| &known.values[range])
    }

    fn learn(&mut self, word: &str, work_out: impl FnOnce(&mut Vec<u32>)) -> &[u32] {
        if self.learned.len() >= WORDS_A_TIME || self.values.len() >= MOST_VALUES {
            self.remember();
        }
        let start = self.values.len();
        work_out(&mut self.values);
        if word.len() <= LONGEST_WORD {
            self.learned.push((word.to_owned(), start..self.values.len()));
        }
        &self.values[start..]
    }

    fn remember(&mut self) {
        self.known = None;
        if !self.learned.is_empty() {
            let mut entries = self.cache.entries.write().unwrap_or_else(PoisonError::into_inner);
            for (word, range) in self.learned.drain(..) {
                entries.insert(&word, &self.values[range]);
            }
        }
        self.values.clear();
    }
}

impl Drop for WordReader<'_> {
    fn drop(&mut self) {
        self.remember();
    }
}

impl Entries {
    fn find(&self, word: &str) -> Option<Range<usize>> {
        let id = self.words.get(word)? as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        Some(start as usize..self.ends[id] as usize)
    }

    fn insert(&mut self, word: &str, values: &[u32]) {
        if self.words.len() >= MOST_WORDS || self.values.len() + values.len() > MOST_VALUES {
            self.words.clear();
            self.ends.clear();
            self.values.clear();
        }
        let id = self.words.intern(word) as usize;
        if id == self.ends.len() {
            self.values.extend_from_slice(values);
            self.ends.push(self.values.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of `word`, and whether it was known.
    fn look_up(reader: &mut WordReader<'_>, word: &str, values: &[u32]) -> (Vec<u32>, bool) {
        let mut is_known = true;
        let found = reader.get(word, |list| {
            list.extend_from_slice(values);
            is_known = false;
        });
        (found.to_vec(), is_known)
    }

    #[test]
    fn worked_out_word_is_known_from_the_next_document_on() {
        let cache = WordCache::default();
        for known in [false, true] {
            let mut reader = cache.reader();
            for (word, values) in [("invoice", &[7, 7][..]), ("the", &[]), ("date", &[8])] {
                assert_eq!(look_up(&mut reader, word, values), (values.to_vec(), known));
            }
        }
    }

    #[test]
    fn long_document_learns_from_itself() {
        let cache = WordCache::default();
        let mut reader = cache.reader();
        for n in 0..=WORDS_A_TIME {
            look_up(&mut reader, &n.to_string(), &[1]);
        }
        assert!(look_up(&mut reader, "0", &[1]).1);
    }

    #[test]
    fn cache_stays_within_its_bounds() {
        for values in [&[1][..], &[1; 100]] {
            let cache = WordCache::default();
            for n in 0..=MOST_WORDS {
                look_up(&mut cache.reader(), &n.to_string(), values);
            }
            let last = look_up(&mut cache.reader(), &MOST_WORDS.to_string(), &[]);
            assert_eq!(last, (values.to_vec(), true));
            let entries = cache.read();
            assert!(entries.ends.len() <= MOST_WORDS && entries.values.len() <= MOST_VALUES);
        }
    }

    #[test]
    fn very_long_word_is_not_kept() {
        let cache = WordCache::default();
        let word = "x".repeat(LONGEST_WORD + 1);
        for _ in 0..2 {
            assert_eq!(look_up(&mut cache.reader(), &word, &[1]), (vec![1], false));
        }
        assert!(cache.read().ends.is_empty());
    }
}
