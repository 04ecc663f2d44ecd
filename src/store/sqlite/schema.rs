//! Which of paperless-ngx's tables and columns a database has: releases differ, and other programs have others.

use std::collections::HashSet;

use rusqlite::Connection;

use super::connection::classify;
use crate::document::Field;
use crate::error::ArchiveProblem;

/// Tables that every release has, with the columns that are read.
const REQUIRED: [(&str, &[&str]); 5] = [
    (
        "documents_document",
        &[
            "id",
            "content",
            "modified",
            "correspondent_id",
            "document_type_id",
        ],
    ),
    ("documents_document_tags", &["document_id", "tag_id"]),
    (
        "documents_tag",
        &["id", "name", "matching_algorithm", "is_inbox_tag"],
    ),
    ("documents_correspondent", &["id", "name", "matching_algorithm"]),
    ("documents_documenttype", &["id", "name", "matching_algorithm"]),
];

/// What differs between releases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Deleted documents stay in the table until the trash is emptied (from 2.13 on).
    has_trash: bool,
    /// Documents have storage paths (from 1.8 on).
    has_storage_paths: bool,
}

impl Schema {
    /// Reads what is there, and insists on what every release has.
    pub(super) fn read(connection: &Connection) -> Result<Self, ArchiveProblem> {
        let columns = columns(connection).map_err(classify)?;
        let has = |table: &str, column: &str| columns.contains(&(table.to_owned(), column.to_owned()));
        for (table, expected) in REQUIRED {
            if !columns.iter().any(|(found, _)| found == table) {
                return Err(ArchiveProblem::MissingTable { table });
            }
            if let Some(&column) = expected.iter().find(|column| !has(table, column)) {
                return Err(ArchiveProblem::MissingColumn { table, column });
            }
        }
        Ok(Self {
            has_trash: has("documents_document", "deleted_at"),
            has_storage_paths: has("documents_document", "storage_path_id")
                && has("documents_storagepath", "matching_algorithm"),
        })
    }

    /// The table that holds a field's labels, if this release has it.
    pub(super) fn label_table(self, field: Field) -> Option<&'static str> {
        match field {
            Field::StoragePath if !self.has_storage_paths => None,
            _ => Some(label_table(field)),
        }
    }

    /// The documents outside the trash: id, time of modification, correspondent, document type, storage path.
    pub(super) fn filings_query(self) -> String {
        let storage_path = if self.has_storage_paths {
            "storage_path_id"
        } else {
            "NULL"
        };
        self.documents_query(&format!(
            "modified, correspondent_id, document_type_id, {storage_path}"
        ))
    }

    /// The documents outside the trash: id, content.
    pub(super) fn contents_query(self) -> String {
        self.documents_query("content")
    }

    /// The document with the id `?1`, unless it is in the trash: id, content.
    pub(super) fn content_query(self) -> String {
        let filter = if self.has_trash {
            "AND deleted_at IS NULL"
        } else {
            ""
        };
        format!("SELECT id, content FROM documents_document WHERE id = ?1 {filter}")
    }

    /// The same, unless it is in the inbox. Indexes lead to its row and to its tags.
    pub(super) fn training_content_query(self) -> String {
        format!(
            "{} AND NOT EXISTS (SELECT 1 FROM documents_document_tags \
             JOIN documents_tag ON documents_tag.id = documents_document_tags.tag_id \
             WHERE documents_document_tags.document_id = ?1 AND documents_tag.is_inbox_tag)",
            self.content_query()
        )
    }

    fn documents_query(self, columns: &str) -> String {
        let filter = if self.has_trash {
            "WHERE deleted_at IS NULL"
        } else {
            ""
        };
        format!("SELECT id, {columns} FROM documents_document {filter} ORDER BY id")
    }
}

/// The table that holds a field's labels.
pub(in crate::store) fn label_table(field: Field) -> &'static str {
    match field {
        Field::Tags => "documents_tag",
        Field::Correspondent => "documents_correspondent",
        Field::DocumentType => "documents_documenttype",
        Field::StoragePath => "documents_storagepath",
    }
}

/// Of ordinary tables, and stored: what a virtual table or a generated column holds is worked out when it is read, and
/// a file of a few pages can have it be any size.
fn columns(connection: &Connection) -> rusqlite::Result<HashSet<(String, String)>> {
    connection
        .prepare(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.rootpage > 0 AND t.name IN ('documents_document', 'documents_document_tags', 'documents_tag', \
             'documents_correspondent', 'documents_documenttype', 'documents_storagepath')",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}
