//! Strings to consecutive numbers, each string stored once.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Gives each different string a number, 0, 1, 2, …, in order of first sight.
///
/// The strings lie end to end in one arena. The table holds, beside a number, how the string begins, which for most words
/// is all of it:
/// ```text
/// arena  invoicedate     ends  7 11     table  {(invoice, 7 bytes): 0, (date, 4 bytes): 1}
/// ```
/// The hash is seeded at random (foldhash): strings come from documents that strangers send, who could
/// otherwise choose them to collide. Nothing ever iterates over the table, so results don't depend on it.
#[derive(Debug, Default)]
pub(super) struct Interner {
    arena: String,
    ends: Vec<usize>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
}

/// A string's number, and what is compared of it first.
// PERF: by its number alone a string was found through its end and the arena, each from anywhere: a third of counting the
// tokens of a large archive.
#[derive(Debug, Clone, Copy)]
struct Entry {
    beginning: u64,
    n_bytes: u32,
    number: u32,
}

/// Bytes of a string that its entry holds.
const BEGINNING: usize = size_of::<u64>();

impl Interner {
    /// The number of `string`, a new one if it hasn't been seen.
    pub(super) fn intern(&mut self, string: &str) -> u32 {
        let hash = self.hasher.hash_one(string);
        let beginning = beginning(string.as_bytes());
        let Self {
            arena,
            ends,
            table,
            hasher,
        } = self;
        if let Some(found) = table.find(hash, |entry| entry.is_of(string, beginning, arena, ends)) {
            return found.number;
        }
        let number = u32::try_from(ends.len())
            .expect("fewer than 2³² different strings: the bounds of so many would take 32 GiB");
        let entry = Entry {
            beginning,
            n_bytes: n_bytes(string),
            number,
        };
        table.insert_unique(hash, entry, |entry| {
            hasher.hash_one(stored(arena, ends, entry.number))
        });
        arena.push_str(string);
        ends.push(arena.len());
        number
    }

    /// The number of `string`, if it has been seen.
    pub(super) fn get(&self, string: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(string);
        let beginning = beginning(string.as_bytes());
        let found = self.table.find(hash, |entry| {
            entry.is_of(string, beginning, &self.arena, &self.ends)
        })?;
        Some(found.number)
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

impl Entry {
    /// Whether it is the entry of `string`, which has this [`beginning`].
    #[inline]
    fn is_of(&self, string: &str, beginning: u64, arena: &str, ends: &[usize]) -> bool {
        self.beginning == beginning
            && self.n_bytes == n_bytes(string)
            && (string.len() <= BEGINNING || stored(arena, ends, self.number) == string)
    }
}

/// The length that an entry holds: of strings that are longer than it can say the greatest.
#[inline]
fn n_bytes(string: &str) -> u32 {
    u32::try_from(string.len()).unwrap_or(u32::MAX)
}

/// The first bytes of a string as a number. Of strings that are equally long and no longer than [`BEGINNING`], different ones
/// have different numbers.
#[inline]
fn beginning(bytes: &[u8]) -> u64 {
    if let Some(&first) = bytes.first_chunk() {
        return u64::from_le_bytes(first);
    }
    // The halves overlap where there are fewer than eight bytes.
    if let (Some(&first), Some(&last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(last)) << 32 | u64::from(u32::from_le_bytes(first));
    }
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
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

    /// Strings that are alike at their beginnings, at their ends, and but for a zero byte, of each length about that of a beginning.
    #[test]
    fn strings_that_are_alike_have_numbers_of_their_own() {
        let mut interner = Interner::default();
        let mut strings = Vec::new();
        for length in 1..20 {
            let string = "abcdefghijklmnopqrst"[..length].to_owned();
            strings.extend((0..length).map(|at| {
                let mut other = string.clone();
                other.replace_range(at..=at, "\0");
                other
            }));
            strings.push(string);
        }
        let numbers: Vec<u32> = strings.iter().map(|string| interner.intern(string)).collect();
        assert_eq!(numbers, (0..strings.len() as u32).collect::<Vec<_>>());
        let found: Vec<_> = strings.iter().map(|string| interner.get(string)).collect();
        assert_eq!(found, numbers.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn entry_is_of_no_string_of_another_length() {
        for (string, other) in [("aaaa", "aaaaa"), ("a", "\0a")] {
            let [of_string, of_other] = [string, other].map(|string| beginning(string.as_bytes()));
            assert_eq!(of_string, of_other);
            let entry = Entry {
                beginning: of_string,
                n_bytes: n_bytes(string),
                number: 0,
            };
            let is_of = |wanted| entry.is_of(wanted, of_string, string, &[string.len()]);
            assert!(is_of(string) && !is_of(other));
        }
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
