//! Strings to consecutive numbers, each string stored once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Gives each different string a number, 0, 1, 2, …, in order of first sight.
///
/// The table holds numbers only; the strings lie end to end in one arena:
/// ```text
/// arena  invoicedate     ends  7 11     table  {0, 1}
/// ```
/// The hash is seeded at random (foldhash): strings come from documents that strangers send, who could
/// otherwise choose them to collide. Nothing ever iterates over the table, so results don't depend on it.
#[derive(Debug, Default)]
pub(super) struct Interner {
    arena: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The number of `string`, a new one if it hasn't been seen.
    pub(super) fn intern(&mut self, string: &str) -> u32 {
        let hash = self.hasher.hash_one(string);
        let Self {
            arena,
            ends,
            table,
            hasher,
        } = self;
        if let Some(&found) = table.find(hash, |&id| stored(arena, ends, id) == string) {
            return found;
        }
        let id = u32::try_from(ends.len())
            .expect("fewer than 2³² different strings: the bounds of so many would take 32 GiB");
        table.insert_unique(hash, id, |&id| hasher.hash_one(stored(arena, ends, id)));
        arena.push_str(string);
        ends.push(arena.len());
        id
    }

    /// The number of `string`, if it has been seen.
    pub(super) fn get(&self, string: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(string);
        self.table.find(hash, |&id| self.string(id) == string).copied()
    }

    /// The string of a number that this interner gave out.
    pub(super) fn string(&self, id: u32) -> &str {
        stored(&self.arena, &self.ends, id)
    }

    /// How many different strings there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Forgets everything, keeping the memory.
    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.ends.clear();
        self.table.clear();
    }
}

#[inline]
fn stored<'a>(arena: &'a str, ends: &[usize], id: u32) -> &'a str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &arena[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_sight_and_stay() {
        let mut interner = Interner::default();
        let numbers = ["b", "a", "", "b", "a"].map(|string| interner.intern(string));
        assert_eq!(numbers, [0, 1, 2, 0, 1]);
        assert_eq!(
            (interner.string(1), interner.get("b"), interner.get("c")),
            ("a", Some(0), None)
        );
    }

    #[test]
    fn table_that_grew_still_finds_everything() {
        let mut interner = Interner::default();
        for n in 0..10_000 {
            interner.intern(&n.to_string());
        }
        assert!((0..10_000).all(|n: u32| interner.get(&n.to_string()) == Some(n)));
        assert_eq!(interner.len(), 10_000);
    }

    #[test]
    fn cleared_interner_starts_at_zero() {
        let mut interner = Interner::default();
        interner.intern("a");
        interner.clear();
        assert_eq!((interner.get("a"), interner.intern("b")), (None, 0));
    }
}
