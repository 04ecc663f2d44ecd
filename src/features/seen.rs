//! How many documents something was seen in, while they pass by one after the other.

/// How often something was seen so far, and where last, so that it counts once a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many documents it is in.
    pub(super) frequency: u32,
    last_document: u32,
}

impl Seen {
    pub(super) const NEVER: Self = Self {
        frequency: 0,
        last_document: u32::MAX,
    };

    /// Seen in this document.
    #[inline]
    pub(super) fn see(&mut self, document: u32) {
        if self.last_document != document {
            *self = Self {
                frequency: self.frequency + 1,
                last_document: document,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_counts_once() {
        let mut seen = Seen::NEVER;
        for document in [0, 0, 1, 5, 5] {
            seen.see(document);
        }
        assert_eq!(seen.frequency, 3);
    }
}
