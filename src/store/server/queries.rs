//! What is asked page by page. No parameters: nothing but numbers differs, and products write parameters differently.

use crate::document::DocumentId;
use crate::store::schema::{NOT_IN_INBOX, Schema, TAGS_OF_DOCUMENTS};

/// Which of the documents that are named.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// All but those in the trash.
    OutsideTrash,
    /// Those that train.
    Training,
}

/// The next documents outside the trash, at most `limit`: id, time of modification, correspondent, document type,
/// storage path.
pub(super) fn filings_page(schema: Schema, after: Option<DocumentId>, limit: usize) -> String {
    let documents = schema.filings(beyond(after).as_deref().as_slice());
    format!("{documents} ORDER BY id LIMIT {limit}")
}

/// Which tags the documents from `first` to `last` have: document, tag.
pub(super) fn tags_page(first: DocumentId, last: DocumentId) -> String {
    let (first, last) = (first.0, last.0);
    format!("{TAGS_OF_DOCUMENTS} WHERE document_id BETWEEN {first} AND {last} ORDER BY document_id, tag_id")
}

/// The next documents that train, at most `limit`: id, content.
pub(super) fn contents_page(schema: Schema, after: Option<DocumentId>, limit: usize) -> String {
    let beyond = beyond(after);
    let conditions: Vec<&str> = beyond.as_deref().into_iter().chain([NOT_IN_INBOX]).collect();
    format!("{} ORDER BY id LIMIT {limit}", schema.contents(&conditions))
}

/// Those of some documents, which aren't none, that are wanted: id, content.
pub(super) fn contents_among(schema: Schema, ids: &[DocumentId], wanted: Wanted) -> String {
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    let among = format!("id IN ({})", ids.join(", "));
    let documents = match wanted {
        Wanted::OutsideTrash => schema.contents(&[&among]),
        Wanted::Training => schema.contents(&[&among, NOT_IN_INBOX]),
    };
    format!("{documents} ORDER BY id")
}

fn beyond(after: Option<DocumentId>) -> Option<String> {
    after.map(|after| format!("id > {}", after.0))
}
