//! What is put into an archive: labels and documents that have no key yet.

use jiff::Timestamp;

use crate::document::LabelId;

/// How paperless-ngx decides whether a label goes onto a document. Only [`Auto`](Self::Auto) is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchingAlgorithm {
    /// Assigned by hand only.
    None,
    /// Any word of the label's pattern.
    Any,
    /// All words of the pattern.
    All,
    /// The pattern as it stands.
    Literal,
    /// The pattern as a regular expression.
    Regex,
    /// The pattern, more or less.
    Fuzzy,
    /// Learned from how documents are filed.
    Auto,
}

impl MatchingAlgorithm {
    /// The number that stands for it in a paperless-ngx database.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A label to add to an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewLabel<'a> {
    /// Its name; no two labels of a field share one.
    pub name: &'a str,
    /// How it gets onto documents.
    pub matching_algorithm: MatchingAlgorithm,
    /// Whether documents that carry it wait in the inbox and don't train; only tags can.
    pub is_inbox_tag: bool,
}

impl<'a> NewLabel<'a> {
    /// A label that is learned.
    pub const fn auto(name: &'a str) -> Self {
        Self {
            name,
            matching_algorithm: MatchingAlgorithm::Auto,
            is_inbox_tag: false,
        }
    }

    /// A label that is only ever assigned by hand.
    pub const fn manual(name: &'a str) -> Self {
        Self {
            name,
            matching_algorithm: MatchingAlgorithm::None,
            is_inbox_tag: false,
        }
    }

    /// A tag by hand that keeps documents in the inbox.
    pub const fn inbox(name: &'a str) -> Self {
        Self {
            name,
            matching_algorithm: MatchingAlgorithm::None,
            is_inbox_tag: true,
        }
    }
}

/// A document to add to an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDocument<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its text.
    pub content: &'a str,
    /// When it was last changed; archives keep microseconds.
    pub modified: Timestamp,
    /// Who sent it.
    pub correspondent: Option<LabelId>,
    /// What kind of document it is.
    pub document_type: Option<LabelId>,
    /// Where it is stored.
    pub storage_path: Option<LabelId>,
}
