//! A paperless-ngx database on a server, read and never changed.
//!
//! In comes an address, out go snapshots: a connection each, inside a read-only transaction that sees one moment. All
//! that differs between the products is below [`Session`]: how to connect, begin and ask. What is asked, page by page, and
//! what the answers mean is the same, and the same as in SQLite.
//!
//! Pages rather than one long answer: what is in memory is bounded, the server has no answer to hold back while
//! a page is worked on, and so a limit to its time means something; and who stops early has little left to throw away.

mod page;
mod queries;
mod snapshot;

use std::time::Duration;

use jiff::Timestamp;

use self::snapshot::ServerSnapshot;
#[cfg(not(all(feature = "postgres", feature = "mariadb")))]
use super::Product;
use super::{DocumentStore, Password, Selection, ServerAddress, Snapshot};
use crate::document::{Document, DocumentId};
use crate::error::{ArchiveProblem, Error, Result};

/// How long connecting may take; a server that is up answers in milliseconds.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a table may be locked by another program: longer than most of its changes to tables take.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take over a page, which takes milliseconds where it has nothing else to do.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait for an answer: longer than the server itself may take.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// An archive in a paperless-ngx database on a server: PostgreSQL with the feature `postgres`, MariaDB with `mariadb`.
///
/// The database may be in use; nobody is held up. Each snapshot is a connection, and a transaction that can't write
/// (`REPEATABLE READ, READ ONLY`). Only a change to the tables themselves, as a new release makes, waits for it to end.
///
/// All calls block; from asynchronous code, make them where blocking is allowed (`spawn_blocking`).
#[derive(Debug, Clone)]
pub struct ServerStore {
    address: ServerAddress,
    password: Option<Password>,
}

impl ServerStore {
    /// Makes sure that there is a paperless-ngx database at `address` which the user may read.
    ///
    /// # Errors
    /// [`Error::Archive`], which says what is wrong.
    pub fn open(address: &ServerAddress, password: Option<Password>) -> Result<Self> {
        let store = Self {
            address: address.clone(),
            password,
        };
        ServerSnapshot::open(&store)?;
        Ok(store)
    }

    /// Where it is.
    pub fn address(&self) -> &ServerAddress {
        &self.address
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
        ServerSnapshot::open(self)?.for_each_selected(selection, visit)
    }

    fn failed(&self, problem: ArchiveProblem) -> Error {
        Error::archive(&self.address, problem)
    }

    /// Connects, and begins the transaction.
    fn connect(&self) -> Result<Box<dyn Session>, ArchiveProblem> {
        let password = self.password.as_ref();
        match self.address.product() {
            #[cfg(feature = "postgres")]
            super::Product::Postgres => super::postgres::connect(&self.address, password),
            #[cfg(feature = "mariadb")]
            super::Product::Mariadb => super::mariadb::connect(&self.address, password),
            #[cfg(not(all(feature = "postgres", feature = "mariadb")))]
            other => {
                let _: Product = other;
                Err(ArchiveProblem::NotBuiltIn {
                    feature: other.feature(),
                })
            }
        }
    }
}

impl DocumentStore for ServerStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(ServerSnapshot::open(self)?))
    }
}

/// A connection inside a read-only transaction of one moment.
pub(super) trait Session {
    /// What is asked for the columns of the tables that are read: table, column, 1 if the user may read it.
    fn columns_query(&self) -> String;

    /// Whether a table that isn't among them is there, but not for this user.
    fn hides(&mut self, table: &str) -> bool;

    /// Hands every row of an answer to `take`.
    fn ask(&mut self, query: &str, take: &mut TakeRow<'_>) -> Result<(), ArchiveProblem>;
}

/// What becomes of a row.
pub(super) type TakeRow<'a> = dyn FnMut(&dyn Row) -> Result<(), ArchiveProblem> + 'a;

/// A row of an answer.
pub(super) trait Row {
    /// An integer of any width, or none.
    fn integer(&self, column: usize) -> Result<Option<i64>, ArchiveProblem>;

    /// The bytes of a text; no text is an empty one.
    fn text(&self, column: usize) -> Result<&[u8], ArchiveProblem>;

    /// When the document was last changed.
    fn modified(&self, column: usize, document: DocumentId) -> Result<Timestamp, ArchiveProblem>;
}

/// The machine's name leads somewhere: asked beforehand, since the clients' errors don't tell this from silence.
pub(super) fn find_host(address: &ServerAddress) -> Result<(), ArchiveProblem> {
    use std::net::ToSocketAddrs as _;

    (address.host(), address.port())
        .to_socket_addrs()
        .map(drop)
        .map_err(ArchiveProblem::UnknownHost)
}
