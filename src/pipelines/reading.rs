//! The contents of a snapshot, on their way into a pipeline.

use std::time::{Duration, Instant};

use crate::document::{Document, DocumentId};
use crate::error::Result;
use crate::status::{Status, StatusCallback, tell};
use crate::store::Snapshot;
use crate::train_report::{Stage, StageKind};

/// Documents that are in memory at a time: enough to keep all cores busy, a few megabytes of text.
const CHUNK: usize = 512;

/// Bytes of text from which on fewer documents are enough: five hundred books at a time would fill the memory.
const CHUNK_BYTES: usize = 16 << 20;

/// The contents of a snapshot, to be read once.
pub(crate) struct Contents<'a> {
    snapshot: Box<dyn Snapshot + 'a>,
    n_documents: usize,
    status: StatusCallback<'a>,
}

impl<'a> Contents<'a> {
    pub(crate) fn new(
        snapshot: Box<dyn Snapshot + 'a>,
        n_documents: usize,
        status: StatusCallback<'a>,
    ) -> Self {
        Self {
            snapshot,
            n_documents,
            status,
        }
    }

    /// Gives `take` all contents in order, some hundred at a time.
    ///
    /// Lets go of the snapshot as soon as the last content is read: an archive with a rollback journal can't be
    /// written to while it is open. Returns what reading cost, and what `take` did, which counts as vectorizing.
    pub(crate) fn read(self, take: impl FnMut(&[&str])) -> Result<ReadingTimes> {
        let n_documents = self.n_documents;
        self.read_with(n_documents, take, |snapshot, visit| {
            snapshot.for_each_document(visit)
        })
    }

    /// As [`Self::read`], of those documents only that are among `ids`, which ascend.
    pub(crate) fn read_among(self, ids: &[DocumentId], take: impl FnMut(&[&str])) -> Result<ReadingTimes> {
        self.read_with(ids.len(), take, |snapshot, visit| {
            snapshot.for_each_document_among(ids, visit)
        })
    }

    fn read_with(
        mut self,
        n_total: usize,
        mut take: impl FnMut(&[&str]),
        visit_all: impl FnOnce(&mut dyn Snapshot, &mut dyn FnMut(Document) -> Result<()>) -> Result<()>,
    ) -> Result<ReadingTimes> {
        let status = self.status;
        tell(status, Status::Gathering { n_documents: n_total })?;
        let reading = StageKind::Read.span().entered();
        let began = Instant::now();
        let mut vectorizing = Duration::ZERO;
        let mut n_read = 0;
        let mut take_chunk = |chunk: &mut Vec<Document>| {
            let _vectorizing = StageKind::Vectorize.span().entered();
            let began = Instant::now();
            n_read += chunk.len();
            let contents: Vec<&str> = chunk.iter().map(|document| document.content.as_str()).collect();
            take(&contents);
            chunk.clear();
            vectorizing += began.elapsed();
            tell(status, Status::Read { n_read, n_total })
        };
        let (mut chunk, mut n_bytes) = (Vec::with_capacity(CHUNK.min(n_total)), 0);
        visit_all(&mut *self.snapshot, &mut |document| {
            n_bytes += document.content.len();
            chunk.push(document);
            if chunk.len() == CHUNK || n_bytes >= CHUNK_BYTES {
                n_bytes = 0;
                take_chunk(&mut chunk)
            } else {
                Ok(())
            }
        })?;
        drop(self.snapshot);
        take_chunk(&mut chunk)?;
        drop(reading);
        Ok(ReadingTimes {
            reading: began.elapsed().saturating_sub(vectorizing),
            vectorizing,
        })
    }
}

/// What reading the contents cost.
pub(crate) struct ReadingTimes {
    reading: Duration,
    vectorizing: Duration,
}

impl ReadingTimes {
    /// The stages so far, when finishing the vectorizer took `finishing` on top.
    pub(crate) fn stages(&self, finishing: Duration) -> Vec<Stage> {
        vec![
            Stage {
                kind: StageKind::Read,
                duration: self.reading,
            },
            Stage {
                kind: StageKind::Vectorize,
                duration: self.vectorizing + finishing,
            },
        ]
    }
}
