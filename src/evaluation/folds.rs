//! An archive in memory, divided into parts that are alike.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::document::{Document, Filing, LabelCatalog};
use crate::error::{Error, Result};
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
    fold_of_document: Vec<usize>,
}

impl Folds {
    /// Parts of about equal size in which every label is about equally frequent: documents that are filed alike lie next
    /// to each other, in random order, and are dealt out like cards.
    pub(super) fn stratified(archive: &Archive, n_folds: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..archive.documents.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        order.sort_by_key(|&at| {
            let labels = &archive.documents[at].filing.labels;
            (
                labels.correspondent,
                labels.document_type,
                labels.storage_path,
                &labels.tags,
            )
        });
        let mut fold_of_document = vec![0; order.len()];
        for (dealt, at) in order.into_iter().enumerate() {
            fold_of_document[at] = dealt % n_folds;
        }
        Self { fold_of_document }
    }

    /// The documents of one part, ascending.
    pub(super) fn members(&self, fold: usize) -> impl Iterator<Item = usize> {
        let folds = self.fold_of_document.iter().enumerate();
        folds.filter(move |&(_, &own)| own == fold).map(|(at, _)| at)
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
            .filter(|&(_, &fold)| fold != self.fold)
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentId, LabelId, Labels};

    fn archive(correspondents: &[Option<i32>]) -> Archive {
        let documents = correspondents.iter().zip(0..).map(|(correspondent, id)| Filed {
            filing: Filing {
                id: DocumentId(id),
                modified: jiff::Timestamp::UNIX_EPOCH,
                labels: Labels {
                    correspondent: correspondent.map(LabelId),
                    ..Labels::default()
                },
            },
            content: id.to_string(),
        });
        Archive {
            catalog: LabelCatalog::default(),
            documents: documents.collect(),
        }
    }

    #[test]
    fn every_label_is_in_every_part_as_often_as_can_be() {
        let correspondents: Vec<_> = (0..50).map(|at| (at % 5 > 0).then_some(at % 5)).collect();
        let archive = archive(&correspondents);
        let folds = Folds::stratified(&archive, 5, 42);
        for fold in 0..5 {
            for label in [None, Some(1), Some(2), Some(3), Some(4)] {
                let n = folds
                    .members(fold)
                    .filter(|&at| correspondents[at] == label)
                    .count();
                assert_eq!(n, 2, "fold {fold}, label {label:?}");
            }
        }
    }

    #[test]
    fn the_rest_is_every_other_document_in_order() {
        let archive = archive(&[None; 10]);
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
