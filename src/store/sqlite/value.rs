//! Single values of an SQLite database, where any column may hold a value of any type.

use jiff::Timestamp;
use rusqlite::types::ValueRef;

use crate::document::DocumentId;
use crate::error::ArchiveProblem;
use crate::store::value::{modified_text, not_an_instant, text};

/// When a document was last changed.
pub(super) fn modified(value: ValueRef<'_>, document: DocumentId) -> Result<Timestamp, ArchiveProblem> {
    match value {
        ValueRef::Text(bytes) => modified_text(bytes, document),
        _ => Err(not_an_instant(document, format!("{:?}", value.data_type()))),
    }
}

/// A document's text. No content is empty text; bytes are read as the UTF-8 they hold.
pub(super) fn content(
    value: ValueRef<'_>,
    document: DocumentId,
    repaired: &mut usize,
) -> Result<String, ArchiveProblem> {
    let bytes = match value {
        ValueRef::Null => &[],
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Integer(_) | ValueRef::Real(_) => {
            return Err(ArchiveProblem::Value {
                table: "documents_document",
                column: "content",
                id: document.0,
                expected: "text",
                found: format!("{:?}", value.data_type()),
            });
        }
    };
    Ok(text(bytes, repaired))
}
