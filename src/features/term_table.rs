//! Finds terms by their spelling.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Numbers of terms, found by the spelling that somebody else keeps: `spelled` says how a number is spelled.
#[derive(Debug)]
pub(super) struct TermTable {
    numbers: HashTable<u32>,
    // Seeded at random, as the texts of strangers are looked up; never iterated over.
    hasher: DefaultHashBuilder,
}

impl TermTable {
    /// A table of the numbers `0..n_terms`, whose spellings differ.
    pub(super) fn new<'a>(n_terms: usize, spelled: impl Fn(u32) -> &'a str) -> Self {
        let hasher = DefaultHashBuilder::default();
        let hash = |&number: &u32| hasher.hash_one(spelled(number));
        let mut numbers = HashTable::with_capacity(n_terms);
        for number in 0..n_terms as u32 {
            numbers.insert_unique(hash(&number), number, hash);
        }
        Self { numbers, hasher }
    }

    pub(super) fn find<'a>(&self, term: &str, spelled: impl Fn(u32) -> &'a str) -> Option<u32> {
        let hash = self.hasher.hash_one(term);
        self.numbers
            .find(hash, |&number| spelled(number) == term)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_found_and_no_other() {
        let terms = ["date", "due", "invoice"];
        let table = TermTable::new(terms.len(), |number| terms[number as usize]);
        let find = |term| table.find(term, |number| terms[number as usize]);
        assert_eq!(
            ["date", "due", "invoice", "", "dat"].map(find),
            [Some(0), Some(1), Some(2), None, None]
        );
    }
}
