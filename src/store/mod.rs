//! Where documents come from.
//!
//! A [`DocumentStore`] hands out [`Snapshot`]s: one consistent moment of an archive, read in two passes over
//! the same documents in the same order. The first pass is cheap (how each document is filed) and decides
//! whether anything changed; only a training goes on to the second, which streams the contents, or those of the
//! documents that changed.

mod archive;
mod entry;
mod location;
#[cfg(feature = "mariadb")]
mod mariadb;
mod memory;
mod password;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
mod selection;
#[cfg(any(feature = "postgres", feature = "mariadb"))]
mod server;
mod sqlite;
mod sqlite_archive;
mod stopped;
mod value;

use crate::document::{Document, DocumentId, Filing, LabelCatalog};
use crate::error::Result;

pub use archive::Archive;
pub use entry::{MatchingAlgorithm, NewDocument, NewLabel};
pub use location::{Location, LocationProblem, Product, ServerAddress};
pub use memory::MemoryStore;
pub use password::{Password, PasswordProblem};
pub use selection::Selection;
#[cfg(any(feature = "postgres", feature = "mariadb"))]
pub use server::ServerStore;
pub use sqlite::SqliteStore;
pub use sqlite_archive::SqliteArchive;

/// An archive of documents.
pub trait DocumentStore {
    /// Opens one consistent moment of the archive; what is written meanwhile is not seen.
    ///
    /// # Errors
    /// The archive can't be opened or is not one that this store reads.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;
}

/// One consistent moment of an archive.
///
/// The documents are those that train: not in the trash, without an inbox tag, by ascending id.
pub trait Snapshot {
    /// The auto labels that exist.
    ///
    /// # Errors
    /// The archive can't be read.
    fn label_catalog(&mut self) -> Result<LabelCatalog>;

    /// Visits how each document is filed, without reading contents.
    ///
    /// # Errors
    /// The archive can't be read, or `visit` returned an error, which is passed on.
    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()>;

    /// Visits each document's content, the same documents in the same order.
    ///
    /// # Errors
    /// The archive can't be read, or `visit` returned an error, which is passed on.
    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()>;

    /// Visits the contents of those of the documents that are among `ids`, which ascend, in the same order; no other
    /// content is read.
    ///
    /// # Errors
    /// The archive can't be read, or `visit` returned an error, which is passed on.
    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()>;
}
