//! A document's tokens and their counts as bytes.
//!
//! Entries ascend by token. Of each, the gap to the token before and whether it occurs more than once; if so, by
//! how much more than twice. Both are variable-length numbers (LEB128: seven bits a byte, the lowest first, the top bit
//! set on all but the last), the shortest that will do:
//! ```text
//! token  3    4     300        times  1    2    1
//! bytes  06   01 00 ce 04             3·2  0·2+1, 0  295·2
//! ```
//! Running text takes 1.5 to 2.5 bytes an entry so.

/// Appends entries to a document's bytes.
#[derive(Debug)]
pub(super) struct BagWriter<'a> {
    bytes: &'a mut Vec<u8>,
    /// The smallest token that may come.
    next: u32,
}

impl<'a> BagWriter<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        Self { bytes, next: 0 }
    }

    /// Appends an entry; tokens ascend, counts are at least one.
    pub(super) fn push(&mut self, token: u32, count: u32) {
        let gap = u64::from(token - self.next);
        self.push_number(gap << 1 | u64::from(count > 1));
        if count > 1 {
            self.push_number(u64::from(count - 2));
        }
        self.next = token + 1;
    }

    fn push_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// The entries (token, count) of one document in [`TokenBags`](super::TokenBags), ascending.
#[derive(Debug, Clone)]
pub struct Bag<'a> {
    bytes: &'a [u8],
    next: u64,
}

impl<'a> Bag<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }

    /// Whether nothing was left over, once iterated to the end: it ends early at bytes that no [`BagWriter`] wrote.
    pub(super) fn is_whole(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let (&first, rest) = self.bytes.split_first()?;
        if first < 0x80 {
            self.bytes = rest;
            return Some(u64::from(first));
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Option<u64> {
        let mut number = 0;
        // Five bytes hold the 33 bits of a gap.
        for (at, &byte) in self.bytes.iter().enumerate().take(5) {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                // One document has one form only, so that equal bags have equal bytes.
                let is_shortest = byte != 0;
                self.bytes = &self.bytes[at + 1..];
                return is_shortest.then_some(number);
            }
        }
        None
    }
}

impl Iterator for Bag<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        let before = self.bytes;
        let entry = self.entry();
        if entry.is_none() {
            self.bytes = before;
        }
        entry
    }
}

impl Bag<'_> {
    #[inline]
    fn entry(&mut self) -> Option<(u32, u32)> {
        let first = self.number()?;
        let token = u32::try_from(self.next + (first >> 1)).ok()?;
        let count = if first & 1 == 0 {
            1
        } else {
            u32::try_from(self.number()? + 2).ok()?
        };
        self.next = u64::from(token) + 1;
        Some((token, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = BagWriter::new(&mut bytes);
        for &(token, count) in entries {
            writer.push(token, count);
        }
        bytes
    }

    #[test]
    fn bytes_are_those_of_the_drawing() {
        assert_eq!(packed(&[(3, 1), (4, 2), (300, 1)]), [6, 1, 0, 0xce, 0x04]);
    }

    #[test]
    fn entries_come_back() {
        let largest = u32::MAX - 1;
        for entries in [
            vec![],
            vec![(0, 1)],
            vec![(0, u32::MAX), (largest, u32::MAX)],
            vec![(5, 2), (6, 130), (200, 1), (70_000, 3)],
        ] {
            let bytes = packed(&entries);
            let mut bag = Bag::new(&bytes);
            assert_eq!(bag.by_ref().collect::<Vec<_>>(), entries);
            assert!(bag.is_whole());
        }
    }

    #[test]
    fn bytes_that_nobody_wrote_are_left_over() {
        let cut = &packed(&[(300, 1)])[..1];
        let without_count = [1];
        let endless = [0x80; 12];
        let beyond_all_tokens = [0xfe, 0xff, 0xff, 0xff, 0x7f];
        let longer_than_needed = [0x86, 0x00];
        let count_beyond = [1, 0xfe, 0xff, 0xff, 0xff, 0x0f];
        for bytes in [
            cut,
            &without_count,
            &endless,
            &beyond_all_tokens,
            &longer_than_needed,
            &count_beyond,
        ] {
            let mut bag = Bag::new(bytes);
            assert_eq!(bag.by_ref().count(), 0, "{bytes:?}");
            assert!(!bag.is_whole(), "{bytes:?}");
        }
    }
}
