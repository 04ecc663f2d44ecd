//! The tags of all documents, read once beside the documents themselves.

use rusqlite::Rows;

/// The tags of document after document, from rows ordered by document and tag.
pub(super) struct TagRows<'s> {
    rows: Rows<'s>,
    /// The row that was read but belongs to a later document: document, tag.
    next: Option<(i64, i64)>,
    tags: Vec<i64>,
}

impl<'s> TagRows<'s> {
    pub(super) fn start(rows: Rows<'s>) -> rusqlite::Result<Self> {
        let mut start = Self {
            rows,
            next: None,
            tags: Vec::new(),
        };
        start.advance()?;
        Ok(start)
    }

    /// The tags of `document`, ascending; documents are asked for in ascending order.
    pub(super) fn of_document(&mut self, document: i64) -> rusqlite::Result<&[i64]> {
        self.tags.clear();
        while let Some((of, tag)) = self.next
            && of <= document
        {
            if of == document {
                self.tags.push(tag);
            }
            self.advance()?;
        }
        // A table without the constraint, or a damaged index, can have a tag twice.
        self.tags.sort_unstable();
        self.tags.dedup();
        Ok(&self.tags)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = match self.rows.next()? {
            Some(row) => Some((row.get(0)?, row.get(1)?)),
            None => None,
        };
        Ok(())
    }
}
