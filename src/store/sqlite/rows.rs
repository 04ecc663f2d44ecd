//! The documents' rows beside their tags, in order.

use std::ops::RangeInclusive;

use rusqlite::{Connection, Row, params_from_iter};

use super::tag_rows::TagRows;
use crate::document::DocumentId;
use crate::error::ArchiveProblem;
use crate::store::schema::TAGS_OF_DOCUMENTS;
use crate::store::stopped::Stopped;

/// Visits the rows of `query` whose document has no inbox tag; `ids` are its parameters, if it has any. The row's first
/// column is the document's id; the visitor also gets all of the document's tags, ascending.
pub(super) fn for_each_row(
    connection: &Connection,
    inbox_tags: &[i64],
    query: &str,
    ids: Option<&RangeInclusive<i64>>,
    mut visit: impl FnMut(&Row<'_>, DocumentId, &[i64]) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let ends = || params_from_iter(ids.into_iter().flat_map(|ids| [*ids.start(), *ids.end()]));
    let among = ids.map_or("", |_| " WHERE document_id BETWEEN ?1 AND ?2");
    let mut tag_statement = connection.prepare(&format!(
        "{TAGS_OF_DOCUMENTS}{among} ORDER BY document_id, tag_id"
    ))?;
    let mut tag_rows = TagRows::start(tag_statement.query(ends())?)?;
    let mut documents = connection.prepare(query)?;
    let mut rows = documents.query(ends())?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        ascending("documents_document", &mut last, id)?;
        let tags = tag_rows.of_document(id)?;
        if !tags.iter().any(|tag| inbox_tags.binary_search(tag).is_ok()) {
            visit(row, DocumentId(id), tags)?;
        }
    }
    Ok(())
}

/// Refuses a key that doesn't come after the `last` one: what was asked for in order and isn't comes of pages that lead
/// in circles, or of a table whose keys aren't unique.
pub(super) fn ascending(table: &'static str, last: &mut Option<i64>, id: i64) -> Result<(), ArchiveProblem> {
    if let Some(last) = last.replace(id).filter(|&last| last >= id) {
        return Err(ArchiveProblem::Value {
            table,
            column: "id",
            id,
            expected: "a key that no other row has, in ascending order",
            found: format!("it after the row with id {last}"),
        });
    }
    Ok(())
}
