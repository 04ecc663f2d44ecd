//! Releases of long ago, other encodings, and values that are none.

use postroom::document::LabelId;
use postroom::error::ArchiveProblem;
use postroom::store::{DocumentStore as _, Selection};

use crate::server_common::{Database, Kind, Started, on_each_server};
use crate::{archive_sql, documents, filings, problem};

#[test]
fn database_from_before_the_trash_and_storage_paths_is_read() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(3));
        database.run(
            "ALTER TABLE documents_document DROP COLUMN deleted_at;\n
             ALTER TABLE documents_document DROP CONSTRAINT documents_document_storage_path_id_fkey;\n
             ALTER TABLE documents_document DROP COLUMN storage_path_id;\n
             DROP TABLE documents_storagepath"
                .replace(
                    "documents_document_storage_path_id_fkey",
                    server.kind.choose(
                        "documents_document_storage_path_id_fkey",
                        "documents_document_ibfk_3",
                    ),
                )
                .as_str(),
        );
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        let filings = filings(&mut *snapshot).unwrap();
        assert_eq!(filings[0].labels.correspondent, Some(LabelId(1)));
        assert_eq!(filings[0].labels.tags, [LabelId(1)]);
        assert_eq!(documents(&mut *snapshot).unwrap().len(), 3);
    });
}

#[test]
fn tables_without_rows_are_an_empty_archive() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        let store = database.store();
        let mut snapshot = store.snapshot().unwrap();
        assert!(filings(&mut *snapshot).unwrap().is_empty());
        assert!(documents(&mut *snapshot).unwrap().is_empty());
        let mut visit = |_| panic!("a document");
        store.for_each_selected(&Selection::Inbox, &mut visit).unwrap();
    });
}

#[test]
fn long_document_is_read_whole() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(3));
        database.run("UPDATE documents_document SET content = repeat('words ', 2500000) WHERE id = 2");
        let documents = documents(&mut *database.store().snapshot().unwrap()).unwrap();
        let lengths: Vec<usize> = documents.iter().map(|document| document.content.len()).collect();
        assert_eq!(lengths, [6, 15_000_000, 6]);
    });
}

#[test]
fn time_of_modification_that_is_none_names_the_row() {
    on_each_server(|server| {
        let database = Database::filled(server, &archive_sql(3));
        database.run(server.kind.choose(
            "UPDATE documents_document SET modified = 'infinity' WHERE id = 2",
            "SET SESSION sql_mode = '';\nUPDATE documents_document SET modified = '0000-00-00 00:00:00' WHERE id = 2",
        ));
        let text = problem(filings(&mut *database.store().snapshot().unwrap())).to_string();
        assert!(
            text.contains("documents_document.modified of the row with id 2: expected a time"),
            "{text}"
        );
    });
}

#[test]
fn label_key_beyond_32_bits_names_the_label() {
    on_each_server(|server| {
        let database = Database::filled(
            server,
            &archive_sql(0).replace(
                "INSERT INTO documents_document_tags (document_id, tag_id) VALUES (1, 1);\n",
                "",
            ),
        );
        database.run(server.kind.choose(
            "ALTER TABLE documents_correspondent ALTER COLUMN id TYPE bigint; UPDATE documents_correspondent SET id = 2147483648",
            "ALTER TABLE documents_document DROP FOREIGN KEY documents_document_ibfk_1;\nALTER TABLE documents_correspondent MODIFY id bigint;\nUPDATE documents_correspondent SET id = 2147483648",
        ));
        let problem = problem(database.store().snapshot().unwrap().label_catalog());
        assert!(
            matches!(
                problem,
                ArchiveProblem::Value {
                    table: "documents_correspondent",
                    id: 2_147_483_648,
                    ..
                }
            ),
            "{problem}"
        );
    });
}

#[test]
fn encoding_of_the_table_is_the_servers_affair() {
    let Some(server) = Started::get(Kind::Mariadb) else {
        return;
    };
    let database = Database::filled(server, &archive_sql(1));
    database.run(
        "ALTER TABLE documents_document MODIFY content longtext CHARACTER SET latin1;\n
         UPDATE documents_document SET content = 'Bücherei'",
    );
    let documents = documents(&mut *database.store().snapshot().unwrap()).unwrap();
    assert_eq!(documents[0].content, "Bücherei");
}

#[test]
fn bytes_of_a_database_without_encoding_are_replaced_where_they_are_no_text() {
    let Some(server) = Started::get(Kind::Postgres) else {
        return;
    };
    let database = Database::in_encoding(server, "SQL_ASCII");
    database.run(&archive_sql(2));
    database.run(
        "SET client_encoding = 'SQL_ASCII'; UPDATE documents_document SET content = E'a\\xffb' WHERE id = 1",
    );
    let documents = documents(&mut *database.store().snapshot().unwrap()).unwrap();
    assert_eq!(documents[0].content, "a\u{fffd}b");
    assert_eq!(documents[1].content, "text 2");
}
