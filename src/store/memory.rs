//! An archive in memory, for programs that keep their documents elsewhere and for tests.
//!
//! It takes the same labels, documents and tags as [`SqliteArchive`](super::SqliteArchive), holds to the same rules
//! (inbox, trash, which labels are learned), and its snapshots are the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{DocumentStore, MatchingAlgorithm, NewDocument, NewLabel, Snapshot};
use crate::document::{AutoLabel, Document, DocumentId, Field, Filing, LabelCatalog, LabelId, Labels};
use crate::error::{Error, Result};

/// An archive in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    /// By [`Field::index`].
    labels: [BTreeMap<LabelId, Label>; 4],
    documents: BTreeMap<DocumentId, Entry>,
}

#[derive(Debug, Clone)]
struct Label {
    name: String,
    is_auto: bool,
    is_inbox_tag: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    content: String,
    modified: Timestamp,
    correspondent: Option<LabelId>,
    document_type: Option<LabelId>,
    storage_path: Option<LabelId>,
    tags: BTreeSet<LabelId>,
    in_trash: bool,
}

impl MemoryStore {
    /// An archive without documents and labels.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a label to `field` and returns its key; keys count up from 1 in each field.
    pub fn add_label(&mut self, field: Field, label: &NewLabel<'_>) -> LabelId {
        let labels = &mut self.labels[field.index()];
        let id = LabelId(labels.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        labels.insert(
            id,
            Label {
                name: label.name.to_owned(),
                is_auto: label.matching_algorithm == MatchingAlgorithm::Auto,
                is_inbox_tag: label.is_inbox_tag && field == Field::Tags,
            },
        );
        id
    }

    /// Adds documents and returns their keys; keys count up from 1.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`]; then no document was added.
    pub fn add_documents(&mut self, documents: &[NewDocument<'_>]) -> Result<Vec<DocumentId>> {
        for document in documents {
            self.know(Field::Correspondent, document.correspondent)?;
            self.know(Field::DocumentType, document.document_type)?;
            self.know(Field::StoragePath, document.storage_path)?;
        }
        Ok(documents
            .iter()
            .map(|document| self.add_document(document))
            .collect())
    }

    /// Puts tags onto documents; a tag that is there already stays.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`] or [`Error::UnknownLabel`]; the tags before that one stay.
    pub fn add_tags(&mut self, assignments: &[(DocumentId, LabelId)]) -> Result<()> {
        for &(document, tag) in assignments {
            self.know(Field::Tags, Some(tag))?;
            self.entry(document)?.tags.insert(tag);
        }
        Ok(())
    }

    /// Takes a tag off a document.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`], or [`Error::UnknownLabel`] if the document doesn't carry the tag.
    pub fn remove_tag(&mut self, document: DocumentId, tag: LabelId) -> Result<()> {
        let removed = self.entry(document)?.tags.remove(&tag);
        if removed {
            Ok(())
        } else {
            Err(Error::UnknownLabel {
                field: Field::Tags,
                id: tag,
            })
        }
    }

    /// Sets when a document was last changed.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`].
    pub fn set_modified(&mut self, document: DocumentId, modified: Timestamp) -> Result<()> {
        self.entry(document)?.modified = modified;
        Ok(())
    }

    /// Moves a document to the trash.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`].
    pub fn trash(&mut self, document: DocumentId) -> Result<()> {
        self.entry(document)?.in_trash = true;
        Ok(())
    }

    /// Takes a document out of the trash again.
    ///
    /// # Errors
    /// [`Error::UnknownDocument`].
    pub fn restore(&mut self, document: DocumentId) -> Result<()> {
        self.entry(document)?.in_trash = false;
        Ok(())
    }

    fn add_document(&mut self, document: &NewDocument<'_>) -> DocumentId {
        let id = DocumentId(self.documents.last_key_value().map_or(1, |(last, _)| last.0 + 1));
        self.documents.insert(
            id,
            Entry {
                content: document.content.to_owned(),
                modified: document.modified,
                correspondent: document.correspondent,
                document_type: document.document_type,
                storage_path: document.storage_path,
                tags: BTreeSet::new(),
                in_trash: false,
            },
        );
        id
    }

    fn know(&self, field: Field, label: Option<LabelId>) -> Result<()> {
        match label {
            Some(id) if !self.labels[field.index()].contains_key(&id) => {
                Err(Error::UnknownLabel { field, id })
            }
            _ => Ok(()),
        }
    }

    fn entry(&mut self, document: DocumentId) -> Result<&mut Entry> {
        self.documents
            .get_mut(&document)
            .ok_or(Error::UnknownDocument { id: document.0 })
    }

    fn label(&self, field: Field, id: LabelId) -> Option<&Label> {
        self.labels[field.index()].get(&id)
    }

    fn if_auto(&self, field: Field, id: Option<LabelId>) -> Option<LabelId> {
        id.filter(|&id| self.label(field, id).is_some_and(|label| label.is_auto))
    }

    /// The documents that train, ascending.
    fn training_documents(&self) -> impl Iterator<Item = (DocumentId, &Entry)> {
        let is_inbox_tag = |&tag: &LabelId| self.label(Field::Tags, tag).is_some_and(|tag| tag.is_inbox_tag);
        self.documents
            .iter()
            .filter(move |(_, entry)| !entry.in_trash && !entry.tags.iter().any(is_inbox_tag))
            .map(|(&id, entry)| (id, entry))
    }
}

impl DocumentStore for MemoryStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(MemorySnapshot(self)))
    }
}

/// While it lives the archive is borrowed, so nothing changes.
struct MemorySnapshot<'s>(&'s MemoryStore);

impl Snapshot for MemorySnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        let mut catalog = LabelCatalog::default();
        for field in Field::ALL {
            let auto = self.0.labels[field.index()]
                .iter()
                .filter(|(_, label)| label.is_auto);
            catalog.set(
                field,
                auto.map(|(&id, label)| AutoLabel {
                    id,
                    name: label.name.clone(),
                })
                .collect(),
            );
        }
        Ok(catalog)
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        let store = self.0;
        for (id, entry) in store.training_documents() {
            let labels = Labels {
                correspondent: store.if_auto(Field::Correspondent, entry.correspondent),
                document_type: store.if_auto(Field::DocumentType, entry.document_type),
                storage_path: store.if_auto(Field::StoragePath, entry.storage_path),
                tags: entry
                    .tags
                    .iter()
                    .filter_map(|&tag| store.if_auto(Field::Tags, Some(tag)))
                    .collect(),
            };
            visit(Filing {
                id,
                modified: entry.modified,
                labels,
            })?;
        }
        Ok(())
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        for (id, entry) in self.0.training_documents() {
            visit(Document {
                id,
                content: entry.content.clone(),
            })?;
        }
        Ok(())
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        let among = |(id, _): &(DocumentId, &Entry)| ids.binary_search(id).is_ok();
        for (id, entry) in self.0.training_documents().filter(among) {
            visit(Document {
                id,
                content: entry.content.clone(),
            })?;
        }
        Ok(())
    }
}
