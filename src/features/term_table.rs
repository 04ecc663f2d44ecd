//! Finds terms by their spelling.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::vocabulary::Vocabulary;

/// Numbers of some of a vocabulary's terms, found by their spelling, which the vocabulary keeps.
#[derive(Debug)]
pub(super) struct TermTable {
    entries: HashTable<Entry>,
    // Seeded at random, as the texts of strangers are looked up; never iterated over.
    hasher: DefaultHashBuilder,
}

/// A term, and where it stands in the vocabulary's text.
// PERF: by its column it would be found through two more tables, which took a fifth of vectorizing a document.
#[derive(Debug)]
struct Entry {
    number: u32,
    start: u32,
    bytes: u32,
}

impl Entry {
    fn spelled<'a>(&self, vocabulary: &'a Vocabulary) -> &'a [u8] {
        &vocabulary.text().as_bytes()[self.start as usize..][..self.bytes as usize]
    }
}

impl TermTable {
    /// A table of the terms of these columns, which differ; their numbers are their places among `columns`.
    pub(super) fn new(vocabulary: &Vocabulary, columns: impl ExactSizeIterator<Item = u32>) -> Self {
        let hasher = DefaultHashBuilder::default();
        let hash = |entry: &Entry| hasher.hash_one(entry.spelled(vocabulary));
        let mut entries = HashTable::with_capacity(columns.len());
        for (column, number) in columns.zip(0..) {
            let place = vocabulary.place(column as usize);
            let entry = Entry {
                number,
                start: place.start,
                bytes: place.end - place.start,
            };
            entries.insert_unique(hash(&entry), entry, hash);
        }
        Self { entries, hasher }
    }

    /// The number of a term; the vocabulary is the one that the table was made of.
    pub(super) fn find(&self, term: &str, vocabulary: &Vocabulary) -> Option<u32> {
        let term = term.as_bytes();
        self.entries
            .find(self.hasher.hash_one(term), |entry| {
                is_same(entry.spelled(vocabulary), term)
            })
            .map(|entry| entry.number)
    }
}

/// Whether two spellings are the same.
// PERF: most words are short, and a call of the C library's comparison takes longer than comparing them.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(word: &[u8]) -> Option<([u8; N], [u8; N])> {
        Some((*word.first_chunk()?, *word.last_chunk()?))
    }
    a.len() == b.len()
        && match a.len() {
            4..8 => ends::<4>(a) == ends::<4>(b),
            8..=16 => ends::<8>(a) == ends::<8>(b),
            _ => a == b,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_found_and_no_other() {
        let vocabulary = Vocabulary::new(["date", "date due", "due", "invoice"]).unwrap();
        let table = TermTable::new(&vocabulary, [0, 2, 3].into_iter());
        let find = |term| table.find(term, &vocabulary);
        assert_eq!(
            ["date", "due", "invoice", "", "dat", "date due"].map(find),
            [Some(0), Some(1), Some(2), None, None, None]
        );
    }

    #[test]
    fn spellings_are_the_same_only_if_each_byte_is() {
        for length in 0..20 {
            let word: Vec<u8> = (b'a'..).take(length).collect();
            assert!(is_same(&word, &word.clone()), "{length} bytes");
            assert!(!is_same(&word, &[&word[..], b"a"].concat()), "{length} bytes");
            for at in 0..length {
                let mut other = word.clone();
                other[at] = b'z';
                assert!(!is_same(&word, &other), "byte {at} of {length}");
            }
        }
    }
}
