//! What the archive holds: a document's content, and how its owner filed it.
//!
//! These types know nothing of databases, text processing or learning; everything else knows them.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Primary key of a document in its archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentId(pub i64);

/// Primary key of a label (a correspondent, a document type, a tag or a storage path) in its archive.
///
/// Keys are unique within a [`Field`] only. 32 bits, because that is what the label hash is defined over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LabelId(pub i32);

impl fmt::Display for LabelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the four things that filing a document decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Any number of tags.
    Tags,
    /// Who sent the document.
    Correspondent,
    /// What kind of document it is.
    DocumentType,
    /// Where the document is stored.
    StoragePath,
}

impl Field {
    /// Every field, in the order in which they are trained and reported.
    pub const ALL: [Self; 4] = [
        Self::Tags,
        Self::Correspondent,
        Self::DocumentType,
        Self::StoragePath,
    ];

    /// The name as it stands in reports and machine-readable output, for example `document_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Correspondent => "correspondent",
            Self::DocumentType => "document_type",
            Self::StoragePath => "storage_path",
        }
    }

    /// Position in [`Field::ALL`], for tables that hold one entry a field.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The *auto* labels of one document: those whose matching algorithm is "auto", the only ones that are learned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The correspondent, if it is an auto label.
    pub correspondent: Option<LabelId>,
    /// The document type, if it is an auto label.
    pub document_type: Option<LabelId>,
    /// The storage path, if it is an auto label.
    pub storage_path: Option<LabelId>,
    /// The auto tags, ascending.
    pub tags: Vec<LabelId>,
}

/// Labels that were answered for one field, ascending: up to four take no allocation.
pub type LabelIds = SmallVec<[LabelId; 4]>;

impl Labels {
    /// The labels of one field, ascending: at most one, except for tags.
    pub fn of(&self, field: Field) -> &[LabelId] {
        match field {
            Field::Tags => &self.tags,
            Field::Correspondent => self.correspondent.as_slice(),
            Field::DocumentType => self.document_type.as_slice(),
            Field::StoragePath => self.storage_path.as_slice(),
        }
    }
}

/// How one document is filed: everything about it but its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// The document.
    pub id: DocumentId,
    /// When the document was last changed.
    pub modified: Timestamp,
    /// Its auto labels.
    pub labels: Labels,
}

/// One document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The document.
    pub id: DocumentId,
    /// The text, as recognised or extracted; may be empty.
    pub content: String,
}

/// A label that the archive's owner wants to be assigned automatically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoLabel {
    /// Its key.
    pub id: LabelId,
    /// Its name, for people.
    pub name: String,
}

/// The auto labels that exist in an archive, used on a document or not, keys ascending in each field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelCatalog {
    by_field: [Vec<AutoLabel>; 4],
}

impl LabelCatalog {
    /// Replaces the labels of `field`, bringing them into ascending order of their keys.
    pub fn set(&mut self, field: Field, mut labels: Vec<AutoLabel>) {
        labels.sort_by_key(|label| label.id);
        self.by_field[field.index()] = labels;
    }

    /// The labels of `field`, keys ascending.
    pub fn of(&self, field: Field) -> &[AutoLabel] {
        &self.by_field[field.index()]
    }

    /// The name of a label, if it is in the catalog.
    pub fn name(&self, field: Field, id: LabelId) -> Option<&str> {
        let labels = self.of(field);
        let at = labels.binary_search_by_key(&id, |label| label.id).ok()?;
        Some(&labels[at].name)
    }

    /// The name of a label for people, if it is in the catalog: with its number, where others of the field are called
    /// the same, as labels of several owners may be.
    pub fn unmistakable_name(&self, field: Field, id: LabelId) -> Option<Cow<'_, str>> {
        let name = self.name(field, id)?;
        let n_called_so = self.of(field).iter().filter(|label| label.name == name).count();
        Some(match n_called_so {
            1 => name.into(),
            _ => format!("{name} (number {id})").into(),
        })
    }
}
