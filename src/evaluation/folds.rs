//! An archive in memory, divided into parts that are alike.

use crate::document::{Document, DocumentId, Filing, LabelCatalog};
use crate::error::{Error, Result};
use crate::folds::stratified;
use crate::store::{DocumentStore, Snapshot};

/// All that trains of an archive.
pub(super) struct Archive {
    pub(super) catalog: LabelCatalog,
    pub(super) documents: Vec<Filed>,
}

/// A document and how it is filed.
pub(super) struct Filed {
    pub(super) filing: Filing,
    pub(super) content: String,
}

impl Archive {
    pub(super) fn read(store: &dyn DocumentStore) -> Result<Self> {
        let mut snapshot = store.snapshot()?;
        let catalog = snapshot.label_catalog()?;
        let mut documents = Vec::new();
        snapshot.for_each_filing(&mut |filing| {
            let content = String::new();
            documents.push(Filed { filing, content });
            Ok(())
        })?;
        if documents.is_empty() {
            return Err(Error::NoTrainingData);
        }
        let mut unread = documents.iter_mut();
        snapshot.for_each_document(&mut |document| {
            let filed = unread.next().expect("both passes visit the same documents");
            debug_assert_eq!(filed.filing.id, document.id);
            filed.content = document.content;
            Ok(())
        })?;
        Ok(Self { catalog, documents })
    }

    /// What is left when the documents of one fold are taken out.
    pub(super) fn without<'a>(&'a self, folds: &'a Folds, fold: usize) -> Rest<'a> {
        Rest {
            archive: self,
            folds,
            fold,
        }
    }
}

/// Which part each document belongs to.
pub(super) struct Folds {
    fold_of_document: Vec<u8>,
}

impl Folds {
    /// Parts in which every way of filing is about equally frequent.
    pub(super) fn stratified(archive: &Archive, n_folds: usize, seed: u64) -> Self {
        let filed = |document: &'_ Filed| {
            let labels = document.filing.labels.clone();
            (
                labels.correspondent,
                labels.document_type,
                labels.storage_path,
                labels.tags,
            )
        };
        let keys: Vec<_> = archive.documents.iter().map(filed).collect();
        Self {
            fold_of_document: stratified(&keys, n_folds, seed),
        }
    }

    /// The documents of one part, ascending.
    pub(super) fn members(&self, fold: usize) -> impl Iterator<Item = usize> {
        let folds = self.fold_of_document.iter().enumerate();
        folds
            .filter(move |&(_, &own)| usize::from(own) == fold)
            .map(|(at, _)| at)
    }
}

/// An archive without one of its parts.
pub(super) struct Rest<'a> {
    archive: &'a Archive,
    folds: &'a Folds,
    fold: usize,
}

impl Rest<'_> {
    fn documents(&self) -> impl Iterator<Item = &Filed> {
        let with_folds = self.archive.documents.iter().zip(&self.folds.fold_of_document);
        with_folds
            .filter(|&(_, &fold)| usize::from(fold) != self.fold)
            .map(|(document, _)| document)
    }
}

impl DocumentStore for Rest<'_> {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(RestSnapshot(self)))
    }
}

struct RestSnapshot<'a>(&'a Rest<'a>);

impl Snapshot for RestSnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        Ok(self.0.archive.catalog.clone())
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        self.0
            .documents()
            .try_for_each(|document| visit(document.filing.clone()))
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        self.0.documents().try_for_each(|document| {
            visit(Document {
                id: document.filing.id,
                content: document.content.clone(),
            })
        })
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        self.for_each_document(&mut |document| match ids.binary_search(&document.id) {
            Ok(_) => visit(document),
            Err(_) => Ok(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Labels;

    fn archive(n_documents: i64) -> Archive {
        let documents = (0..n_documents).map(|id| Filed {
            filing: Filing {
                id: DocumentId(id),
                modified: jiff::Timestamp::UNIX_EPOCH,
                labels: Labels::default(),
            },
            content: id.to_string(),
        });
        Archive {
            catalog: LabelCatalog::default(),
            documents: documents.collect(),
        }
    }

    #[test]
    fn the_rest_is_every_other_document_in_order() {
        let archive = archive(10);
        let folds = Folds::stratified(&archive, 3, 7);
        let rest = archive.without(&folds, 1);
        let mut left = Vec::new();
        rest.snapshot()
            .unwrap()
            .for_each_document(&mut |document| {
                left.push(document.id.0 as usize);
                Ok(())
            })
            .unwrap();
        assert!(left.is_sorted());
        let mut all: Vec<usize> = folds.members(1).chain(left).collect();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }
}
