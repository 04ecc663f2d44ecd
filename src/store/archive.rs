//! An archive of whatever kind: what somebody who is told a path or a URL opens.

use super::{DocumentStore, Location, Password, Selection, Snapshot, SqliteStore};
use crate::document::Document;
use crate::error::Result;

/// A paperless-ngx archive, in a file or on a server.
#[derive(Debug, Clone)]
pub enum Archive {
    /// In SQLite.
    Sqlite(SqliteStore),
    /// On a server.
    #[cfg(any(feature = "postgres", feature = "mariadb"))]
    Server(super::ServerStore),
}

impl Archive {
    /// Makes sure that there is a paperless-ngx database at `location`. The password is for a server.
    ///
    /// # Errors
    /// [`Error::Archive`](crate::Error::Archive), which says what is wrong with it.
    pub fn open(location: &Location, password: Option<Password>) -> Result<Self> {
        match location {
            Location::File(path) => SqliteStore::open(path).map(Self::Sqlite),
            #[cfg(any(feature = "postgres", feature = "mariadb"))]
            Location::Server(address) => super::ServerStore::open(address, password).map(Self::Server),
            #[cfg(not(any(feature = "postgres", feature = "mariadb")))]
            Location::Server(address) => {
                drop(password);
                let feature = address.product().feature();
                Err(crate::Error::archive(
                    &**address,
                    crate::error::ArchiveProblem::NotBuiltIn { feature },
                ))
            }
        }
    }

    /// Where it is.
    pub fn location(&self) -> Location {
        match self {
            Self::Sqlite(store) => store.path().into(),
            #[cfg(any(feature = "postgres", feature = "mariadb"))]
            Self::Server(store) => store.address().into(),
        }
    }

    /// Visits the content of each document of `selection`, by ascending id and each once, all of one moment.
    ///
    /// # Errors
    /// The archive can't be read, or `visit` returned an error, which is passed on.
    pub fn for_each_selected(
        &self,
        selection: &Selection,
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(store) => store.for_each_selected(selection, visit),
            #[cfg(any(feature = "postgres", feature = "mariadb"))]
            Self::Server(store) => store.for_each_selected(selection, visit),
        }
    }
}

impl DocumentStore for Archive {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        match self {
            Self::Sqlite(store) => store.snapshot(),
            #[cfg(any(feature = "postgres", feature = "mariadb"))]
            Self::Server(store) => store.snapshot(),
        }
    }
}
