//! Which documents are asked for, other than those that train.

use crate::document::DocumentId;

/// Documents of an archive to answer for. None of those in the trash is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, as far as they exist.
    Documents(Vec<DocumentId>),
    /// Those that wait in the inbox: with an inbox tag.
    Inbox,
}
