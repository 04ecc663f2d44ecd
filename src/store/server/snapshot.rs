//! One moment of a server's database, read page by page.

use std::collections::HashSet;

use super::page::{FILINGS, IDS, PageSize};
use super::queries::{contents_among, filings_page, inbox_among, tags_page};
use super::{Row, ServerStore, Session};
use crate::document::{AutoLabel, Document, DocumentId, Field, Filing, LabelCatalog};
use crate::error::{ArchiveProblem, Result};
use crate::store::schema::{Column, INBOX_DOCUMENTS, INBOX_TAGS, Schema};
use crate::store::stopped::{Stopped, warn_of_repairs};
use crate::store::value::{DocumentKeys, auto_labels, label_key, text};
use crate::store::{Selection, Snapshot};

pub(super) struct ServerSnapshot<'s> {
    store: &'s ServerStore,
    session: Box<dyn Session>,
    schema: Schema,
}

impl<'s> ServerSnapshot<'s> {
    pub(super) fn open(store: &'s ServerStore) -> Result<Self> {
        let open = || {
            let mut session = store.connect()?;
            let schema = match Schema::new(columns(&mut *session)?) {
                Err(ArchiveProblem::MissingTable { table }) if session.hides(table) => {
                    return Err(ArchiveProblem::Forbidden { table });
                }
                other => other?,
            };
            Ok(Self {
                store,
                session,
                schema,
            })
        };
        open().map_err(|problem| store.failed(problem))
    }

    pub(super) fn for_each_selected(
        &mut self,
        selection: &Selection,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        let mut repaired = 0;
        let result = self.read_selected(selection, &mut repaired, visit);
        self.finished(result, repaired)
    }

    fn finished(&self, result: Result<(), Stopped>, repaired: usize) -> Result<()> {
        warn_of_repairs(&self.store.address().into(), repaired);
        result.map_err(|stopped| match stopped {
            Stopped::ByVisitor(error) => error,
            Stopped::ByArchive(problem) => self.store.failed(problem),
        })
    }

    fn read_catalog(&mut self) -> Result<LabelCatalog, ArchiveProblem> {
        let mut catalog = LabelCatalog::default();
        for field in Field::ALL {
            let Some((table, query)) = self.schema.labels_query(field) else {
                continue;
            };
            let mut labels = Vec::new();
            self.session.ask(&query, &mut |row| {
                let id = label_key(table, key(row, 0, table)?)?;
                let name = name(row, 1)?;
                labels.push(AutoLabel { id, name });
                Ok(())
            })?;
            catalog.set(field, labels);
        }
        Ok(catalog)
    }

    fn keys(&mut self, query: &str) -> Result<Vec<i64>, ArchiveProblem> {
        let mut keys = Vec::new();
        self.session.ask(query, &mut |row| {
            keys.extend(row.integer(0)?);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Visits the documents that train, page by page.
    fn for_each_page(
        &mut self,
        mut visit: impl FnMut(&mut Self, Vec<Filed>) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let inbox_tags = self.keys(INBOX_TAGS)?;
        let is_in_inbox = |filed: &Filed| {
            let mut tags = filed.tags.iter();
            tags.any(|tag| inbox_tags.binary_search(tag).is_ok())
        };
        let mut after = None;
        loop {
            let mut page = self.filings_page(after)?;
            let is_last = page.len() < FILINGS;
            after = page.last().map(|filed| filed.id);
            page.retain(|filed| !is_in_inbox(filed));
            visit(self, page)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// The next documents, each with all of its tags, ascending.
    fn filings_page(&mut self, after: Option<DocumentId>) -> Result<Vec<Filed>, ArchiveProblem> {
        let mut page = Vec::new();
        self.session
            .ask(&filings_page(self.schema, after, FILINGS), &mut |row| {
                page.push(Filed::from_row(row)?);
                Ok(())
            })?;
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            self.session.ask(&tags_page(first.id, last.id), &mut |row| {
                if let (Some(document), Some(tag)) = (row.integer(0)?, row.integer(1)?)
                    && let Ok(at) = page.binary_search_by_key(&document, |filed| filed.id.0)
                {
                    page[at].tags.push(tag);
                }
                Ok(())
            })?;
        }
        Ok(page)
    }

    fn read_filings(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<(), Stopped> {
        let catalog = self.read_catalog()?;
        self.for_each_page(|_, page| {
            for filed in page {
                let labels = auto_labels(&catalog, filed.keys, &filed.tags);
                let Filed { id, modified, .. } = filed;
                visit(Filing { id, modified, labels }).map_err(Stopped::ByVisitor)?;
            }
            Ok(())
        })
    }

    fn read_contents(
        &mut self,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        let mut size = PageSize::first();
        self.for_each_page(|snapshot, page| {
            let ids: Vec<DocumentId> = page.iter().map(|filed| filed.id).collect();
            snapshot.read_among(&ids, &mut size, repaired, visit)
        })
    }

    /// As [`Self::read_contents`], of those documents that are among `ids`, which ascend.
    fn read_training(
        &mut self,
        ids: &[DocumentId],
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        let mut size = PageSize::first();
        for ids in ids.chunks(IDS) {
            let waiting: HashSet<i64> = self.keys(&inbox_among(ids))?.into_iter().collect();
            let mut ids = ids.to_vec();
            ids.retain(|id| !waiting.contains(&id.0));
            self.read_among(&ids, &mut size, repaired, visit)?;
        }
        Ok(())
    }

    fn read_selected(
        &mut self,
        selection: &Selection,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        let mut ids: Vec<DocumentId> = match selection {
            Selection::Documents(ids) => ids.clone(),
            Selection::Inbox => self.keys(INBOX_DOCUMENTS)?.into_iter().map(DocumentId).collect(),
        };
        ids.sort_unstable();
        ids.dedup();
        self.read_among(&ids, &mut PageSize::first(), repaired, visit)
    }

    /// Visits those of the documents that are outside the trash; the ids ascend.
    fn read_among(
        &mut self,
        mut ids: &[DocumentId],
        size: &mut PageSize,
        repaired: &mut usize,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<(), Stopped> {
        while !ids.is_empty() {
            let (now, later) = ids.split_at(size.n_documents().min(ids.len()));
            ids = later;
            for document in self.contents(&contents_among(self.schema, now), size, repaired)? {
                visit(document).map_err(Stopped::ByVisitor)?;
            }
        }
        Ok(())
    }

    /// A page of contents.
    fn contents(
        &mut self,
        query: &str,
        size: &mut PageSize,
        repaired: &mut usize,
    ) -> Result<Vec<Document>, ArchiveProblem> {
        let mut page = Vec::new();
        let mut n_bytes = 0;
        self.session.ask(query, &mut |row| {
            let id = DocumentId(key(row, 0, "documents_document")?);
            let content = text(row.text(1)?, repaired);
            n_bytes += content.len();
            page.push(Document { id, content });
            Ok(())
        })?;
        size.adapt(page.len(), n_bytes);
        Ok(page)
    }
}

impl Snapshot for ServerSnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        self.read_catalog().map_err(|problem| self.store.failed(problem))
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        let result = self.read_filings(visit);
        self.finished(result, 0)
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        let mut repaired = 0;
        let result = self.read_contents(&mut repaired, visit);
        self.finished(result, repaired)
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        let mut repaired = 0;
        let result = self.read_training(ids, &mut repaired, visit);
        self.finished(result, repaired)
    }
}

/// A document's row and its tags.
struct Filed {
    id: DocumentId,
    modified: jiff::Timestamp,
    keys: DocumentKeys,
    tags: Vec<i64>,
}

impl Filed {
    fn from_row(row: &dyn Row) -> Result<Self, ArchiveProblem> {
        let id = DocumentId(key(row, 0, "documents_document")?);
        Ok(Self {
            id,
            modified: row.modified(1, id)?,
            keys: DocumentKeys {
                correspondent: row.integer(2)?,
                document_type: row.integer(3)?,
                storage_path: row.integer(4)?,
            },
            tags: Vec::new(),
        })
    }
}

/// The columns of the tables that are read.
fn columns(session: &mut dyn Session) -> Result<Vec<Column>, ArchiveProblem> {
    let mut columns = Vec::new();
    session.ask(&session.columns_query(), &mut |row| {
        columns.push(Column {
            table: name(row, 0)?,
            name: name(row, 1)?,
            is_readable: row.integer(2)? == Some(1),
        });
        Ok(())
    })?;
    Ok(columns)
}

/// A name, whatever its encoding.
fn name(row: &dyn Row, column: usize) -> Result<String, ArchiveProblem> {
    Ok(String::from_utf8_lossy(row.text(column)?).into_owned())
}

/// A primary key, which no row is without.
fn key(row: &dyn Row, column: usize, table: &str) -> Result<i64, ArchiveProblem> {
    row.integer(column)?
        .ok_or_else(|| ArchiveProblem::Server(format!("a row of {table} has no id")))
}
