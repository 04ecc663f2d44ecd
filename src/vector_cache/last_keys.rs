//! The key of the text that was asked for last: whoever asks for four fields one by one hashes the text once.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use super::Key;

/// Places that threads share: of as many threads each has its own.
const PLACES: usize = 16;

/// Longest text that is kept, in bytes.
const LONGEST: usize = 64 * 1024;

/// For each of some threads the text that it asked for last, with its key.
///
/// A key follows from its text alone, so that what is kept here never goes out of date.
#[derive(Default)]
pub(super) struct LastKeys {
    places: [Place; PLACES],
}

/// In cache lines of its own, lest threads wait for each other's.
#[derive(Default)]
#[repr(align(128))]
struct Place(Mutex<Last>);

#[derive(Default)]
struct Last {
    text: String,
    /// None before the first text.
    key: Option<Key>,
}

impl LastKeys {
    /// The key of `text`, worked out by `key_of` unless this thread asked for the same text before.
    pub(super) fn get_or_insert_with(&self, text: &str, key_of: impl FnOnce(&str) -> Key) -> Key {
        if text.len() > LONGEST {
            return key_of(text);
        }
        let mut place = match self.places[number_of_thread() % PLACES].0.try_lock() {
            Ok(place) => place,
            Err(TryLockError::Poisoned(place)) => place.into_inner(),
            // Another thread with the same place is at it, for as long as this one would take to work the key out.
            Err(TryLockError::WouldBlock) => return key_of(text),
        };
        if let Some(key) = place.key
            && place.text == text
        {
            return key;
        }
        let key = key_of(text);
        place.text.clear();
        place.text.push_str(text);
        place.key = Some(key);
        key
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        for place in &self.places {
            let mut place = place.0.lock().unwrap_or_else(PoisonError::into_inner);
            place.text.clear();
            place.key = None;
        }
    }
}

/// Without the texts, which are somebody's documents.
impl fmt::Debug for LastKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LastKeys").finish_non_exhaustive()
    }
}

/// Threads are numbered as they come.
fn number_of_thread() -> usize {
    const NONE: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(NONE) };
    }
    let number = NUMBER.get();
    if number != NONE {
        return number;
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(text: &str) -> Key {
        [text.len() as u8; 32]
    }

    /// Asks for texts one after the other; which of the keys had to be worked out.
    fn worked_out(keys: &LastKeys, texts: &[&str]) -> Vec<bool> {
        let worked_out = |text: &&str| {
            let mut worked_out = false;
            let key = keys.get_or_insert_with(text, |text| {
                worked_out = true;
                key_of(text)
            });
            assert_eq!(key, key_of(text));
            worked_out
        };
        texts.iter().map(worked_out).collect()
    }

    #[test]
    fn the_key_of_the_same_text_in_a_row_is_worked_out_once() {
        let keys = LastKeys::default();
        assert_eq!(
            worked_out(&keys, &["", "letter", "letter", "a letter", "a letter", "letter"]),
            [true, true, false, true, false, true]
        );
        keys.clear();
        assert_eq!(worked_out(&keys, &["", "letter"]), [true, true]);
    }

    #[test]
    fn a_long_text_is_not_kept() {
        let keys = LastKeys::default();
        let (longest, longer) = ("a".repeat(LONGEST), "a".repeat(LONGEST + 1));
        assert_eq!(
            worked_out(&keys, &[&longest, &longer, &longest]),
            [true, true, false]
        );
    }

    #[test]
    fn whoever_finds_the_place_taken_works_it_out() {
        let keys = LastKeys::default();
        let key = keys.get_or_insert_with("letter", |text| {
            assert_eq!(worked_out(&keys, &["letter"]), [true]);
            key_of(text)
        });
        assert_eq!(key, key_of("letter"));
    }

    #[test]
    fn texts_are_not_shown() {
        let keys = LastKeys::default();
        worked_out(&keys, &["a letter"]);
        assert!(!format!("{keys:?}").contains("letter"));
    }
}
