//! An archive in SQLite, copied to a server.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Database, Started};

/// Tables, with the columns that are copied and their types in PostgreSQL.
const TABLES: [(&str, &[(&str, &str)]); 6] = [
    ("documents_correspondent", LABEL),
    ("documents_documenttype", LABEL),
    ("documents_storagepath", LABEL),
    (
        "documents_tag",
        &[
            ("id", "int"),
            ("name", "text"),
            ("matching_algorithm", "int"),
            ("is_inbox_tag", "bool"),
            ("owner_id", "int"),
        ],
    ),
    (
        "documents_document",
        &[
            ("id", "int"),
            ("deleted_at", "timestamptz"),
            ("title", "text"),
            ("content", "text"),
            ("modified", "timestamptz"),
            ("correspondent_id", "int"),
            ("document_type_id", "int"),
            ("storage_path_id", "int"),
            ("root_document_id", "int"),
        ],
    ),
    (
        "documents_document_tags",
        &[("id", "int"), ("document_id", "int"), ("tag_id", "int")],
    ),
];

const LABEL: &[(&str, &str)] = &[
    ("id", "int"),
    ("name", "text"),
    ("matching_algorithm", "int"),
    ("owner_id", "int"),
];

/// Copies what documents and their labels are.
pub(crate) fn copy(server: &'static Started, sqlite: &Path) -> Database {
    let database = Database::with_tables(server);
    let source = Connection::open(sqlite).unwrap();
    let mut admin = database.admin();
    for (table, columns) in TABLES {
        admin.insert(table, columns, &rows(&source, table, columns));
    }
    database
}

fn rows(source: &Connection, table: &str, columns: &[(&str, &str)]) -> Vec<Vec<Option<String>>> {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    // Descending: an order of the rows' own must not be what is read.
    let query = format!("SELECT {} FROM {table} ORDER BY id DESC", names.join(", "));
    let mut statement = source.prepare(&query).unwrap();
    let rows = statement.query_map([], |row| {
        (0..columns.len())
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => None,
                    ValueRef::Integer(number) => Some(number.to_string()),
                    other => Some(other.as_str()?.to_owned()),
                })
            })
            .collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}
