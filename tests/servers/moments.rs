//! One moment, read by a transaction that can't write, holds nobody up, and leaves nothing locked.

use postroom::document::DocumentId;
use postroom::error::{ArchiveProblem, Error};
use postroom::store::{DocumentStore as _, Password, ServerStore};

use crate::server_common::{Database, Kind, PASSWORD, Started, on_each_server};
use crate::{archive_sql, assert_problem, documents, filings};

/// More than a page of filings, and many of contents.
const N_DOCUMENTS: usize = 2_500;

/// A connection that waits for nobody.
fn impatient(database: &Database) -> crate::server_common::Admin {
    let mut admin = database.admin();
    admin.run(database.server.kind.choose(
        "SET lock_timeout = 1000",
        "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1",
    ));
    admin
}

#[test]
fn snapshot_sees_one_moment_while_a_writer_goes_on() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(N_DOCUMENTS));
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        let mut writer = impatient(&database);
        let mut filed = Vec::new();
        snapshot
            .for_each_filing(&mut |filing| {
                if filed.is_empty() {
                    writer.run(
                        "DELETE FROM documents_document WHERE id > 2200;\n
                         UPDATE documents_document SET content = 'other', modified = '2027-01-01 00:00:00', correspondent_id = NULL;\n
                         UPDATE documents_correspondent SET matching_algorithm = 0;\n
                         INSERT INTO documents_document_tags (document_id, tag_id) VALUES (2150, 2);\n",
                    );
                }
                filed.push(filing);
                Ok(())
            })
            .unwrap();
        assert_eq!(filed.len(), N_DOCUMENTS);
        assert!(filed.iter().all(|filing| filing.labels.correspondent.is_some()));
        assert_eq!(filings(&mut *snapshot).unwrap(), filed);
        let contents = documents(&mut *snapshot).unwrap();
        assert_eq!(contents.len(), N_DOCUMENTS);
        assert!(
            contents
                .iter()
                .all(|document| document.content == format!("text {}", document.id.0))
        );
        let later = documents(&mut *store.snapshot().unwrap()).unwrap();
        assert_eq!(later.len(), 2_199);
        assert!(later.iter().all(|document| document.content == "other"));
    });
}

#[test]
fn nothing_stays_locked() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(10));
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        documents(&mut *snapshot).unwrap();
        drop(snapshot);
        // Waits for whoever reads the table.
        database.run("ALTER TABLE documents_document ADD COLUMN later integer");
    });
}

#[test]
fn table_that_another_program_has_locked_is_busy() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(3));
        let mut other = database.admin();
        other.run(server.kind.choose(
            "BEGIN; LOCK TABLE documents_document IN ACCESS EXCLUSIVE MODE",
            "LOCK TABLES documents_document WRITE",
        ));
        let read = || filings(&mut *database.open()?.snapshot()?);
        assert_problem!(read(), ArchiveProblem::Busy);
    });
}

#[test]
fn whoever_stops_early_stops_it() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(N_DOCUMENTS));
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        let mut visited = 0;
        let stopped = snapshot.for_each_document(&mut |_| {
            visited += 1;
            Err(Error::Cancelled)
        });
        assert!(matches!(stopped, Err(Error::Cancelled)));
        assert_eq!(visited, 1);
        let ids = [DocumentId(7)];
        let stopped = snapshot.for_each_document_among(&ids, &mut |_| Err(Error::Cancelled));
        assert!(matches!(stopped, Err(Error::Cancelled)));
        assert_eq!(documents(&mut *snapshot).unwrap().len(), N_DOCUMENTS);
    });
}

#[test]
fn connection_that_is_ended_by_the_server_breaks_off() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(N_DOCUMENTS));
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        let mut admin = database.admin();
        let result = snapshot.for_each_document(&mut |document| {
            if document.id == DocumentId(1) {
                end_connections(&mut admin, server.kind, &database.user(""));
            }
            Ok(())
        });
        assert_problem!(result, ArchiveProblem::BrokenOff(_));
    });
}

fn end_connections(admin: &mut crate::server_common::Admin, kind: Kind, user: &str) {
    match kind {
        Kind::Postgres => {
            let end = format!(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = '{user}'"
            );
            // One that was closed before may be on its way out still.
            assert!(admin.ask(&end).contains(&"t".to_owned()));
        }
        Kind::Mariadb => admin.run(&format!("KILL USER {user}")),
    }
}

/// A rule of the database's own writes whenever the tags are read; in this transaction it can't.
#[test]
fn postgres_transaction_cannot_write() {
    let Some(server) = Started::get(Kind::Postgres) else {
        return;
    };
    let database = Database::filled(server, &archive_sql(3));
    database.run(
        "CREATE TABLE touched (id integer);
         CREATE FUNCTION touch() RETURNS boolean LANGUAGE sql VOLATILE AS
             'INSERT INTO touched VALUES (1); SELECT true';
         ALTER TABLE documents_tag ENABLE ROW LEVEL SECURITY;
         CREATE POLICY touching ON documents_tag USING (touch())",
    );
    let reader = database.add_user(
        "_reader",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}; GRANT INSERT ON touched TO {user}",
    );
    let address = database.url_of(&reader).parse().unwrap();
    let store = ServerStore::open(&address, Some(Password::new(PASSWORD))).unwrap();
    let refused = crate::problem(filings(&mut *store.snapshot().unwrap())).to_string();
    assert!(refused.contains("read-only transaction"), "{refused}");
    assert_eq!(database.admin().ask("SELECT count(*) FROM touched"), ["0"]);
    // The same rule does write where it may.
    server
        .connect(&reader, Some(&database.name))
        .run("SELECT * FROM documents_tag");
    assert_ne!(database.admin().ask("SELECT count(*) FROM touched"), ["0"]);
}

/// Nothing that could run a program of the database's own is read, so that the statements themselves are looked at.
#[test]
fn mariadb_is_told_nothing_but_to_read() {
    let Some(server) = Started::get(Kind::Mariadb) else {
        return;
    };
    let database = Database::filled(server, &archive_sql(3));
    let mut admin = database.admin();
    admin.run("SET GLOBAL log_output = 'TABLE';\nSET GLOBAL general_log = 1");
    let store = database.store();
    let mut snapshot = store.snapshot().unwrap();
    filings(&mut *snapshot).unwrap();
    documents(&mut *snapshot).unwrap();
    snapshot
        .for_each_document_among(&[DocumentId(1)], &mut |_| Ok(()))
        .unwrap();
    drop(snapshot);
    admin.run("SET GLOBAL general_log = 0");
    let told = admin.ask(&format!(
        "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log \
         WHERE user_host LIKE '{}[%' AND command_type NOT IN ('Connect', 'Quit')",
        database.user("")
    ));
    assert!(told.contains(&"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY".to_owned()));
    let is_harmless = |statement: &String| {
        [
            "SELECT ",
            "SET SESSION ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ]
        .iter()
        .any(|beginning| statement.starts_with(beginning))
    };
    let others: Vec<_> = told.iter().filter(|statement| !is_harmless(statement)).collect();
    assert!(others.is_empty() && told.len() > 10, "{told:?}");
}
