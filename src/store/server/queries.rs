//! What is asked page by page: by the primary key and by the index on documents' tags, so that no page costs more than
//! its rows. No parameters: nothing but numbers differs, and products write parameters differently.

use crate::document::DocumentId;
use crate::store::schema::{INBOX_DOCUMENTS, Schema, TAGS_OF_DOCUMENTS};

/// The next documents outside the trash, at most `limit`: id, time of modification, correspondent, document type,
/// storage path.
pub(super) fn filings_page(schema: Schema, after: Option<DocumentId>, limit: usize) -> String {
    let beyond = after.map(|after| format!("id > {}", after.0));
    let documents = schema.filings(beyond.as_deref().as_slice());
    format!("{documents} ORDER BY id LIMIT {limit}")
}

/// Which tags the documents from `first` to `last` have: document, tag.
pub(super) fn tags_page(first: DocumentId, last: DocumentId) -> String {
    let (first, last) = (first.0, last.0);
    format!("{TAGS_OF_DOCUMENTS} WHERE document_id BETWEEN {first} AND {last} ORDER BY document_id, tag_id")
}

/// Those of some documents, which aren't none, that have an inbox tag, some more than once.
pub(super) fn inbox_among(ids: &[DocumentId]) -> String {
    format!("{INBOX_DOCUMENTS} AND document_id IN ({})", list(ids))
}

/// Those of some documents, which aren't none, that are outside the trash: id, content.
pub(super) fn contents_among(schema: Schema, ids: &[DocumentId]) -> String {
    let among = format!("id IN ({})", list(ids));
    format!("{} ORDER BY id", schema.contents(&[&among]))
}

fn list(ids: &[DocumentId]) -> String {
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    ids.join(", ")
}
