//! Sessions on a PostgreSQL server.

mod classify;
mod row;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::runtime::{self, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

use self::classify::{classify, classify_connecting};
use super::schema::TABLES;
use super::server::{
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, LOCK_TIMEOUT, STATEMENT_TIMEOUT, Session, TakeRow, find_host,
};
use super::{Password, ServerAddress};
use crate::error::ArchiveProblem;

/// How long to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A database without an encoding may hold bytes that are no UTF-8, and then the server would send an error in their place.
const ANY_BYTES: &str = "SELECT set_config('client_encoding', 'SQL_ASCII', true) \
     WHERE current_setting('server_encoding') = 'SQL_ASCII'";

/// Connects, and begins a transaction that sees one moment and can't write.
pub(super) fn connect(
    address: &ServerAddress,
    password: Option<&Password>,
) -> Result<Box<dyn Session>, ArchiveProblem> {
    find_host(address)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ArchiveProblem::Io)?;
    let config = config(address, password);
    let (client, connection) = runtime
        .block_on(async { timeout(CONNECT_TIMEOUT, config.connect(NoTls)).await })
        .map_err(|_| ArchiveProblem::Unreachable(format!("no answer in {} s", CONNECT_TIMEOUT.as_secs())))?
        .map_err(|error| classify_connecting(&error))?;
    let connection = runtime.spawn(connection);
    let session = PostgresSession {
        runtime,
        client: Some(client),
        connection: Some(connection),
    };
    session.begin()?;
    Ok(Box::new(session))
}

fn config(address: &ServerAddress, password: Option<&Password>) -> Config {
    let mut config = Config::new();
    config
        .host(address.host())
        .port(address.port())
        .user(address.user())
        .dbname(address.database())
        // Without one the client would refuse to go on, and not say so as the server does.
        .password(password.map_or("", Password::reveal))
        .application_name("postroom")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(ANSWER_TIMEOUT)
        .keepalives_idle(ANSWER_TIMEOUT);
    config
}

/// The runtime runs on this thread, and only while something is waited for.
struct PostgresSession {
    runtime: Runtime,
    /// None once the session is being closed.
    client: Option<Client>,
    connection: Option<JoinHandle<Result<(), tokio_postgres::Error>>>,
}

impl PostgresSession {
    fn begin(&self) -> Result<(), ArchiveProblem> {
        // Settings of the transaction alone: a pool between here and the server hands the connection on to others.
        let begin = format!(
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
             SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; {ANY_BYTES}",
            LOCK_TIMEOUT.as_millis(),
            STATEMENT_TIMEOUT.as_millis()
        );
        self.wait(async { self.client()?.batch_execute(&begin).await.map_err(classify) })
    }

    fn client(&self) -> Result<&Client, ArchiveProblem> {
        self.client
            .as_ref()
            .ok_or_else(|| ArchiveProblem::BrokenOff("closed".to_owned()))
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, ArchiveProblem>>) -> Result<T, ArchiveProblem> {
        self.runtime
            .block_on(async { timeout(ANSWER_TIMEOUT, work).await })
            .unwrap_or_else(|_| {
                Err(ArchiveProblem::TooSlow(format!(
                    "none in {} s",
                    ANSWER_TIMEOUT.as_secs()
                )))
            })
    }
}

impl Session for PostgresSession {
    fn columns_query(&self) -> String {
        // Not the information schema, which hides what the user may not read. The tables are those that a name
        // without a schema leads to; views may run functions.
        format!(
            "SELECT c.relname::text, a.attname::text, has_column_privilege(c.oid, a.attnum, 'SELECT')::int \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relname IN ({TABLES}) AND c.relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(c.oid) \
             AND a.attnum > 0 AND NOT a.attisdropped"
        )
    }

    fn hides(&mut self, _: &str) -> bool {
        false
    }

    fn ask(&mut self, query: &str, take: &mut TakeRow<'_>) -> Result<(), ArchiveProblem> {
        self.wait(async {
            // With its types named, of which there are none, a query is one round trip and leaves nothing behind.
            let rows = self.client()?.query_typed_raw(query, NO_PARAMETERS).await;
            let mut rows = pin!(rows.map_err(classify)?);
            while let Some(row) = rows.try_next().await.map_err(classify)? {
                take(&row)?;
            }
            Ok(())
        })
    }
}

const NO_PARAMETERS: [(&str, tokio_postgres::types::Type); 0] = [];

impl Drop for PostgresSession {
    /// Says goodbye: the server would log a connection that just ends. Nothing depends on it.
    fn drop(&mut self) {
        drop(self.client.take());
        if let Some(connection) = self.connection.take() {
            let closed = self
                .runtime
                .block_on(async { timeout(CLOSE_TIMEOUT, connection).await });
            if closed.is_err() {
                tracing::debug!("the server was slow to say goodbye");
            }
        }
    }
}
