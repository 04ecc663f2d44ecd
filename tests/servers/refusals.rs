//! What can't be read: what is wrong, and nothing waits for ever.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use postroom::error::ArchiveProblem;
use postroom::store::{Password, ServerStore};

use crate::server_common::{Database, Kind, PASSWORD, on_each_server};
use crate::{archive_sql, assert_problem};

fn open(url: &str, password: Option<&str>) -> postroom::Result<ServerStore> {
    ServerStore::open(&url.parse().unwrap(), password.map(Password::new))
}

/// On each kind of server, whether it is there or not.
fn on_this_machine(port: u16) -> [String; 2] {
    Kind::ALL.map(|kind| format!("{}://u@127.0.0.1:{port}/d", kind.scheme()))
}

#[test]
fn server_that_is_down_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for url in on_this_machine(port) {
        assert_problem!(open(&url, None), ArchiveProblem::Unreachable(_));
    }
}

#[test]
fn host_that_has_no_address_is_unknown() {
    for url in [
        "postgres://u@no-such-host.invalid/d",
        "mariadb://u@no-such-host.invalid/d",
    ] {
        assert_problem!(open(url, None), ArchiveProblem::UnknownHost(_));
    }
}

/// Accepts connections, says `greeting` on each and nothing more, for as long as the tests run.
fn listen(greeting: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut connections = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            connection.write_all(greeting).unwrap();
            connections.push(connection);
        }
    });
    port
}

#[test]
fn server_of_another_kind_is_unreachable() {
    let port = listen(b"220 mail.example ESMTP, and what else servers of other kinds may say first\r\n");
    for url in on_this_machine(port) {
        assert_problem!(open(&url, None), ArchiveProblem::Unreachable(_));
    }
}

#[test]
fn server_that_says_nothing_is_given_up() {
    let port = listen(b"");
    let waiting = on_this_machine(port).map(|url| thread::spawn(move || open(&url, None)));
    for waiting in waiting {
        assert_problem!(waiting.join().unwrap(), ArchiveProblem::Unreachable(_));
    }
}

#[test]
fn wrong_password_or_none_is_not_let_in() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        for password in [Some("wrong"), Some(""), None] {
            assert_problem!(open(&database.url(), password), ArchiveProblem::NotLetIn(_));
        }
        assert_problem!(
            open(&database.url_of("stranger"), Some(PASSWORD)),
            ArchiveProblem::NotLetIn(_)
        );
    });
}

#[test]
fn database_that_does_not_exist_is_unknown() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        let url = database.url_to("elsewhere");
        assert_problem!(open(&url, Some(PASSWORD)), ArchiveProblem::UnknownDatabase(_));
    });
}

#[test]
fn user_who_may_not_read_a_table_is_told_which() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(3));
        let all_but = |suffix: &str, forbidden: &str| {
            let tables = [
                "documents_document",
                "documents_document_tags",
                "documents_tag",
                "documents_correspondent",
                "documents_documenttype",
                "documents_storagepath",
            ];
            let prefix = server.kind.choose(String::new(), format!("{}.", database.name));
            let grants = tables
                .iter()
                .filter(|table| **table != forbidden)
                .map(|table| format!("GRANT SELECT ON {prefix}{table} TO {{user}};\n"));
            database.add_user(suffix, &grants.collect::<String>())
        };
        for (suffix, forbidden) in [("_a", "documents_document"), ("_b", "documents_document_tags")] {
            let user = all_but(suffix, forbidden);
            let problem = crate::problem(open(&database.url_of(&user), Some(PASSWORD)));
            let is_told = matches!(problem, ArchiveProblem::Forbidden { table } if table == forbidden);
            assert!(is_told, "{problem:?}");
        }
        // To read is enough.
        let user = all_but("_c", "");
        open(&database.url_of(&user), Some(PASSWORD)).unwrap();
    });
}

#[test]
fn database_of_another_program_names_the_missing_table() {
    on_each_server(|server| {
        let database = Database::empty(server);
        database.run("CREATE TABLE bookmarks (id integer)");
        assert_problem!(
            database.open(),
            ArchiveProblem::MissingTable {
                table: "documents_document"
            }
        );
    });
}

#[test]
fn missing_column_is_named() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        database.run("ALTER TABLE documents_tag DROP COLUMN is_inbox_tag");
        assert_problem!(
            database.open(),
            ArchiveProblem::MissingColumn {
                table: "documents_tag",
                column: "is_inbox_tag"
            }
        );
    });
}

#[test]
fn view_in_place_of_a_table_is_not_run() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        database.run(
            "ALTER TABLE documents_tag RENAME TO elsewhere;\nCREATE VIEW documents_tag AS SELECT * FROM elsewhere",
        );
        assert_problem!(
            database.open(),
            ArchiveProblem::MissingTable {
                table: "documents_tag"
            }
        );
    });
}
