//! Real servers, started for the tests of one binary on the loopback address, and databases on them.
//!
//! Where a server's program isn't installed, the tests that need it say so and pass; not in CI.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

mod admin;
pub(crate) mod copy;
mod started;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use admin::Admin;
use postroom::store::{Password, ServerAddress, ServerStore};
pub(crate) use started::Started;

/// The password of every user that the tests make.
pub(crate) const PASSWORD: &str = "correct horse/battery:staple@";

/// The kinds of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    Mariadb,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Postgres, Self::Mariadb];

    /// What a URL begins with.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
        }
    }

    /// What is meant by the same word on both.
    pub(crate) fn choose<T>(self, postgres: T, mariadb: T) -> T {
        match self {
            Self::Postgres => postgres,
            Self::Mariadb => mariadb,
        }
    }

    fn tables(self) -> &'static str {
        self.choose(include_str!("postgres.sql"), include_str!("mariadb.sql"))
    }
}

/// Does `check` on each kind of server that there is.
#[track_caller]
pub(crate) fn on_each_server(check: impl Fn(&'static Started)) {
    for kind in Kind::ALL {
        if let Some(server) = Started::get(kind) {
            check(server);
        }
    }
}

/// A database of its own, and a user who may do anything to it.
pub(crate) struct Database {
    pub(crate) server: &'static Started,
    pub(crate) name: String,
}

impl Database {
    /// Without any table.
    pub(crate) fn empty(server: &'static Started) -> Self {
        Self::create(server, "")
    }

    /// With empty tables, on PostgreSQL, which keeps texts in this encoding.
    pub(crate) fn in_encoding(server: &'static Started, encoding: &str) -> Self {
        let options = format!(" TEMPLATE template0 ENCODING '{encoding}'");
        Self::create(server, &options).and_tables()
    }

    fn create(server: &'static Started, options: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("archive{}", NEXT.fetch_add(1, Ordering::Relaxed));
        server
            .admin(None)
            .run(&format!("CREATE DATABASE {name}{options}"));
        let database = Self { server, name };
        let all = server.kind.choose(
            format!("ALTER DATABASE {} OWNER TO {{user}}", database.name),
            format!("GRANT ALL ON {}.* TO {{user}}", database.name),
        );
        database.add_user("", &all);
        database
    }

    /// With paperless-ngx's tables, which are empty.
    pub(crate) fn with_tables(server: &'static Started) -> Self {
        Self::empty(server).and_tables()
    }

    fn and_tables(self) -> Self {
        let mut owner = self.server.connect(&self.user(""), Some(&self.name));
        owner.run(self.server.kind.tables());
        self
    }

    /// With these tables and rows, written by `sql`.
    pub(crate) fn filled(server: &'static Started, sql: &str) -> Self {
        let database = Self::with_tables(server);
        database.run(sql);
        database
    }

    /// Adds a user, who may do what `grant` says of `{user}`.
    pub(crate) fn add_user(&self, suffix: &str, grant: &str) -> String {
        let (user, kind) = (self.user(suffix), self.server.kind);
        let mut sql = kind.choose(
            format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}';\n"),
            format!("CREATE USER {user} IDENTIFIED BY '{PASSWORD}';\n"),
        );
        write!(sql, "{}", grant.replace("{user}", &user)).unwrap();
        self.admin().run(&sql);
        user
    }

    /// Name of the owner, or of another user.
    pub(crate) fn user(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.name)
    }

    /// A connection that may do anything.
    pub(crate) fn admin(&self) -> Admin {
        self.server.admin(Some(&self.name))
    }

    /// Runs statements, each ended by `;` and a line break.
    pub(crate) fn run(&self, sql: &str) {
        self.admin().run(sql);
    }

    pub(crate) fn url(&self) -> String {
        self.url_of(&self.user(""))
    }

    pub(crate) fn url_of(&self, user: &str) -> String {
        let (scheme, port) = (self.server.kind.scheme(), self.server.port);
        format!("{scheme}://{user}@127.0.0.1:{port}/{}", self.name)
    }

    /// Of another database on the server.
    pub(crate) fn url_to(&self, database: &str) -> String {
        let url = self.url();
        let (server, _) = url.rsplit_once('/').unwrap();
        format!("{server}/{database}")
    }

    pub(crate) fn address(&self) -> ServerAddress {
        self.url().parse().unwrap()
    }

    pub(crate) fn open(&self) -> postroom::Result<ServerStore> {
        ServerStore::open(&self.address(), Some(Password::new(PASSWORD)))
    }

    pub(crate) fn store(&self) -> ServerStore {
        self.open().unwrap()
    }
}

impl Drop for Database {
    /// Less to keep for the tests that follow; the server goes with the process anyway.
    fn drop(&mut self) {
        let force = self.server.kind.choose(" WITH (FORCE)", "");
        if !std::thread::panicking() {
            self.server
                .admin(None)
                .run(&format!("DROP DATABASE {}{force}", self.name));
        }
    }
}
