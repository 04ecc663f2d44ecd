//! How much is asked for at a time.

/// Filings in a page: a few dozen bytes each.
pub(super) const FILINGS: usize = 2_000;
/// Keys that are looked up at a time.
pub(super) const IDS: usize = 500;
/// What a page of contents should hold, in bytes.
const TARGET_BYTES: usize = 1 << 20;
/// Most documents in it, however short the last ones were: the next may be long.
const MOST_DOCUMENTS: usize = 128;

/// How many documents the next page of contents has: as many as make a mebibyte if they are as long as the last ones.
#[derive(Debug)]
pub(super) struct PageSize(usize);

impl PageSize {
    /// Before anything is known.
    pub(super) fn first() -> Self {
        Self(MOST_DOCUMENTS / 4)
    }

    /// Documents to ask for.
    pub(super) fn n_documents(&self) -> usize {
        self.0
    }

    /// Learns from a page.
    pub(super) fn adapt(&mut self, n_documents: usize, n_bytes: usize) {
        let mean = n_bytes / n_documents.max(1);
        self.0 = (TARGET_BYTES / mean.max(1)).clamp(1, MOST_DOCUMENTS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(n_documents: usize, n_bytes: usize) -> usize {
        let mut size = PageSize::first();
        size.adapt(n_documents, n_bytes);
        size.n_documents()
    }

    #[test]
    fn long_documents_make_short_pages() {
        assert_eq!(after(10, 10 << 20), 1);
        assert_eq!(after(1, 64 << 10), 16);
    }

    #[test]
    fn no_page_is_empty_or_without_bound() {
        assert_eq!(after(0, 0), MOST_DOCUMENTS);
        assert_eq!(after(100, 0), MOST_DOCUMENTS);
        assert_eq!(after(1, usize::MAX), 1);
    }
}
