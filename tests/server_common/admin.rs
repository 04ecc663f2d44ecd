//! What the tests themselves say to a server, with the same clients as the library.

use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::{Kind, PASSWORD};

/// A connection that may write.
pub(crate) enum Admin {
    Postgres(Runtime, Box<Client>),
    Mariadb(Conn),
}

impl Admin {
    pub(crate) fn connect(
        kind: Kind,
        port: u16,
        user: &str,
        database: Option<&str>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        match kind {
            Kind::Postgres => {
                let runtime = Builder::new_current_thread().enable_all().build()?;
                let mut config = tokio_postgres::Config::new();
                config
                    .host("127.0.0.1")
                    .port(port)
                    .user(user)
                    .password(PASSWORD)
                    .dbname(database.unwrap_or("postgres"))
                    .options("-c timezone=UTC");
                let (client, connection) = runtime.block_on(config.connect(NoTls))?;
                runtime.spawn(connection);
                Ok(Self::Postgres(runtime, Box::new(client)))
            }
            Kind::Mariadb => {
                let options = OptsBuilder::new()
                    .ip_or_hostname(Some("127.0.0.1"))
                    .tcp_port(port)
                    .prefer_socket(false)
                    .user(Some(user))
                    .pass(Some(PASSWORD))
                    .db_name(database);
                Ok(Self::Mariadb(Conn::new(options)?))
            }
        }
    }

    /// Runs statements, each ended by `;` and a line break.
    pub(crate) fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    pub(crate) fn try_run(&mut self, sql: &str) -> Result<(), Box<dyn std::error::Error>> {
        match self {
            Self::Postgres(runtime, client) => Ok(runtime.block_on(client.batch_execute(sql))?),
            Self::Mariadb(connection) => {
                for statement in sql.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                    connection.query_drop(statement)?;
                }
                Ok(())
            }
        }
    }

    /// The first column of an answer, as text.
    pub(crate) fn ask(&mut self, query: &str) -> Vec<String> {
        match self {
            Self::Postgres(runtime, client) => {
                let messages = runtime.block_on(client.simple_query(query)).unwrap();
                let values = messages.iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                });
                values.collect()
            }
            Self::Mariadb(connection) => connection.query(query).unwrap(),
        }
    }

    /// Inserts rows of texts and nothings, in one transaction; `types` are those of PostgreSQL.
    pub(crate) fn insert(&mut self, table: &str, columns: &[(&str, &str)], rows: &[Vec<Option<String>>]) {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        match self {
            Self::Postgres(runtime, client) => runtime.block_on(async {
                let values: Vec<_> = columns
                    .iter()
                    .zip(1..)
                    .map(|((_, of), at)| format!("${at}::text::{of}"))
                    .collect();
                let sql = format!("INSERT INTO {table} ({names}) VALUES ({})", values.join(", "));
                let transaction = client.transaction().await.unwrap();
                let insert = transaction.prepare(&sql).await.unwrap();
                for row in rows {
                    transaction.execute_raw(&insert, row).await.unwrap();
                }
                transaction.commit().await.unwrap();
            }),
            Self::Mariadb(connection) => {
                let values = vec!["?"; columns.len()].join(", ");
                let sql = format!("INSERT INTO {table} ({names}) VALUES ({values})");
                connection.query_drop("SET foreign_key_checks = 0").unwrap();
                connection.query_drop("START TRANSACTION").unwrap();
                connection
                    .exec_batch(sql, rows.iter().map(|row| mysql::Params::from(row.clone())))
                    .unwrap();
                connection.query_drop("COMMIT").unwrap();
            }
        }
    }
}
