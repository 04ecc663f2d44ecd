//! Sessions on a MariaDB server.

mod classify;
mod row;

use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder};

use self::classify::{classify, classify_connecting};
use super::schema::TABLES;
use super::server::{
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, LOCK_TIMEOUT, STATEMENT_TIMEOUT, Session, TakeRow, find_host,
};
use super::{Password, ServerAddress};
use crate::error::ArchiveProblem;

/// The protocol's own limit. The server's is for what it is told; it was no lower when the content was stored.
const MOST_PACKET_BYTES: usize = 1 << 30;

/// Connects, and begins a transaction that sees one moment and can't write.
pub(super) fn connect(
    address: &ServerAddress,
    password: Option<&Password>,
) -> Result<Box<dyn Session>, ArchiveProblem> {
    find_host(address)?;
    let options = OptsBuilder::new()
        .ip_or_hostname(Some(address.host()))
        .tcp_port(address.port())
        // A socket file of this machine has nothing to do with the server that was named.
        .prefer_socket(false)
        .user(Some(address.user()))
        .pass(password.map(Password::reveal))
        .db_name(Some(address.database()))
        .max_allowed_packet(Some(MOST_PACKET_BYTES))
        .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
        .read_timeout(Some(ANSWER_TIMEOUT))
        .write_timeout(Some(ANSWER_TIMEOUT));
    let connection = Conn::new(options).map_err(|error| classify_connecting(&error))?;
    let mut session = MariadbSession(connection);
    session.begin()?;
    Ok(Box::new(session))
}

struct MariadbSession(Conn);

impl MariadbSession {
    fn begin(&mut self) -> Result<(), ArchiveProblem> {
        let (lock, statement) = (LOCK_TIMEOUT.as_secs(), STATEMENT_TIMEOUT.as_secs());
        // What stands in /*M! */ is MariaDB's alone, and a comment for MySQL.
        let settings = format!(
            "SET SESSION lock_wait_timeout = {lock}, time_zone = '+00:00' /*M! , max_statement_time = {statement} */"
        );
        for statement in [
            settings.as_str(),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ] {
            self.0.query_drop(statement).map_err(|error| classify(&error))?;
        }
        Ok(())
    }
}

impl Session for MariadbSession {
    fn columns_query(&self) -> String {
        // Tables that the user has no privilege on at all are left out.
        format!(
            "SELECT c.table_name, c.column_name, FIND_IN_SET('select', c.privileges) > 0 \
             FROM information_schema.columns c JOIN information_schema.tables t \
             ON t.table_schema = c.table_schema AND t.table_name = c.table_name \
             WHERE c.table_schema = DATABASE() AND c.table_name IN ({TABLES}) AND t.table_type = 'BASE TABLE'"
        )
    }

    fn hides(&mut self, table: &str) -> bool {
        let answer = self.ask(&format!("SELECT 1 FROM {table} LIMIT 0"), &mut |_| Ok(()));
        matches!(answer, Err(ArchiveProblem::NotPermitted(_)))
    }

    fn ask(&mut self, query: &str, take: &mut TakeRow<'_>) -> Result<(), ArchiveProblem> {
        for row in self.0.query_iter(query).map_err(|error| classify(&error))? {
            take(&row.map_err(|error| classify(&error))?)?;
        }
        Ok(())
    }
}
