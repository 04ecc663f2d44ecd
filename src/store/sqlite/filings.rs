//! How documents are filed, read on several threads: each has a connection of its own and a range of ids.
//!
//! Rows are found and taken apart one by one, which no thread is fast at: on four of them 200,000 documents are gone
//! through in a third of the time.

use std::ops::RangeInclusive;

use rusqlite::Connection;

use super::connection::{Further, Moment};
use super::rows::{ascending, for_each_row};
use super::value::modified;
use crate::document::{Filing, LabelCatalog};
use crate::store::schema::Schema;
use crate::store::stopped::Stopped;
use crate::store::value::{DocumentKeys, auto_labels};

/// Bytes of a database that are worth a connection: to open one takes as long as to read some 0.3 MB.
const BYTES_A_PART: u64 = 1024 * 1024;

/// What filings are read with, the same for all parts of the documents.
pub(super) struct FilingReader<'a> {
    pub(super) schema: Schema,
    pub(super) catalog: &'a LabelCatalog,
    /// Ascending.
    pub(super) inbox_tags: &'a [i64],
}

impl FilingReader<'_> {
    /// Visits how each document is filed, by ascending id; on the current rayon pool, where the database is worth it.
    pub(super) fn read(
        &self,
        moment: &Moment,
        visit: &mut dyn FnMut(Filing) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let parts = moment.further().and_then(|further| {
            let ranges = ranges(moment.connection(), n_parts(further.bytes()))?;
            Some((further, ranges))
        });
        match parts {
            Some((further, ranges)) => self.read_parts(moment, further, &ranges, visit),
            None => self.read_part(moment.connection(), None, visit),
        }
    }

    /// The first part here, and meanwhile the others, each with another connection.
    fn read_parts(
        &self,
        moment: &Moment,
        further: &Further,
        ranges: &[RangeInclusive<i64>],
        visit: &mut dyn FnMut(Filing) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let Some((first, others)) = ranges.split_first() else {
            return Ok(());
        };
        let mut last = None;
        let mut visit = |filing: Filing| {
            ascending("documents_document", &mut last, filing.id.0)?;
            visit(filing)
        };
        let mut parts: Vec<Option<Result<Vec<Filing>, Stopped>>> = others.iter().map(|_| None).collect();
        rayon::in_place_scope(|scope| {
            for (part, ids) in parts.iter_mut().zip(others) {
                scope.spawn(move |_| {
                    let connection = further.connect();
                    *part = connection.map(|connection| self.collect_part(&connection, ids));
                });
            }
            self.read_part(moment.connection(), Some(first), &mut visit)
        })?;
        for (part, ids) in parts.into_iter().zip(others) {
            if let Some(filings) = part {
                filings?.into_iter().try_for_each(&mut visit)?;
            } else {
                // No further connection was to be had, for a writer waits: this one still sees the moment.
                moment.begin_question();
                self.read_part(moment.connection(), Some(ids), &mut visit)?;
            }
        }
        Ok(())
    }

    fn collect_part(
        &self,
        connection: &Connection,
        ids: &RangeInclusive<i64>,
    ) -> Result<Vec<Filing>, Stopped> {
        let mut filings = Vec::with_capacity(room(ids));
        self.read_part(connection, Some(ids), &mut |filing| {
            filings.push(filing);
            Ok(())
        })?;
        Ok(filings)
    }

    /// Visits the documents with these ids, or all.
    fn read_part(
        &self,
        connection: &Connection,
        ids: Option<&RangeInclusive<i64>>,
        visit: &mut dyn FnMut(Filing) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let query = match ids {
            Some(_) => self.schema.filings_among_query(),
            None => self.schema.filings_query(),
        };
        for_each_row(connection, self.inbox_tags, &query, ids, |row, id, tags| {
            let modified = modified(row.get_ref(1)?, id)?;
            let keys = DocumentKeys {
                correspondent: row.get(2)?,
                document_type: row.get(3)?,
                storage_path: row.get(4)?,
            };
            let labels = auto_labels(self.catalog, keys, tags);
            visit(Filing { id, modified, labels })
        })
    }
}

/// Filings that so many ids are likely to be: all of them, but where there are gaps as wide as in no archive.
fn room(ids: &RangeInclusive<i64>) -> usize {
    const MOST: i64 = 65_536;
    (ids.end().saturating_sub(*ids.start()).saturating_add(1)).clamp(0, MOST) as usize
}

/// Into how many parts a database of so many bytes is worth being divided.
fn n_parts(bytes: u64) -> usize {
    // Asked in this order: a small database is to start no threads.
    match usize::try_from(bytes / BYTES_A_PART).unwrap_or(usize::MAX) {
        few @ (0 | 1) => few,
        n_parts => n_parts.min(rayon::current_num_threads()),
    }
}

/// The ids of the documents in ranges of equal length; none where there is nothing to divide.
fn ranges(connection: &Connection, n_ranges: usize) -> Option<Vec<RangeInclusive<i64>>> {
    if n_ranges < 2 {
        return None;
    }
    let ends = "SELECT (SELECT min(id) FROM documents_document), (SELECT max(id) FROM documents_document)";
    // What is no number is told of when it is read in its row.
    let (first, last): (i64, i64) = connection
        .query_row(ends, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .ok()?;
    Some(divided(first, last, n_ranges))
}

fn divided(first: i64, last: i64, n_ranges: usize) -> Vec<RangeInclusive<i64>> {
    let n_ids = i128::from(last) - i128::from(first) + 1;
    let begin = |at: usize| i128::from(first) + n_ids * at as i128 / n_ranges as i128;
    (0..n_ranges)
        .map(|at| begin(at) as i64..=(begin(at + 1) - 1) as i64)
        .filter(|ids| !ids.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_every_id_once() {
        assert_eq!(divided(1, 10, 4), [1..=2, 3..=5, 6..=7, 8..=10]);
        assert_eq!(divided(7, 8, 3), [7..=7, 8..=8]);
        let all = divided(i64::MIN, i64::MAX, 2);
        assert_eq!(all, [i64::MIN..=-1, 0..=i64::MAX]);
        assert_eq!(divided(2, 1, 4), []);
    }

    #[test]
    fn small_databases_are_not_divided() {
        assert_eq!(n_parts(BYTES_A_PART * 2 - 1), 1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let parts = pool.install(|| [2, 3, 1 << 40].map(|times| n_parts(times * BYTES_A_PART)));
        assert_eq!(parts, [2, 3, 3]);
    }
}
