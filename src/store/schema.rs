//! Which of paperless-ngx's tables and columns a database has, and what is asked of them: releases differ, and other
//! programs have other tables.
//!
//! The queries are in what SQLite, PostgreSQL and MariaDB have in common, and read the same rows from each.

use std::collections::HashMap;

use super::MatchingAlgorithm;
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

/// The tables that are read, as a list of SQL's strings.
pub(super) const TABLES: &str = "'documents_document', 'documents_document_tags', 'documents_tag', \
     'documents_correspondent', 'documents_documenttype', 'documents_storagepath'";

/// The inbox tags' keys.
pub(super) const INBOX_TAGS: &str = "SELECT id FROM documents_tag WHERE is_inbox_tag ORDER BY id";

/// The documents with an inbox tag, some of them more than once.
pub(super) const INBOX_DOCUMENTS: &str = "SELECT document_id FROM documents_document_tags \
     WHERE tag_id IN (SELECT id FROM documents_tag WHERE is_inbox_tag)";

/// Which document has which tag.
pub(super) const TAGS_OF_DOCUMENTS: &str = "SELECT document_id, tag_id FROM documents_document_tags";

/// A condition on documents: no inbox tag. Indexes lead from the document to its tags.
const NOT_IN_INBOX: &str = "NOT EXISTS (SELECT 1 FROM documents_document_tags \
     JOIN documents_tag ON documents_tag.id = documents_document_tags.tag_id \
     WHERE documents_document_tags.document_id = documents_document.id AND documents_tag.is_inbox_tag)";

/// A column that a database has.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) table: String,
    pub(super) name: String,
    /// Whether whoever asks may read it.
    pub(super) is_readable: bool,
}

/// What differs between releases.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    /// Deleted documents stay in the table until the trash is emptied (from 2.13 on).
    has_trash: bool,
    /// Documents have storage paths (from 1.8 on).
    has_storage_paths: bool,
}

impl Schema {
    /// Takes what is there, and insists on what every release has.
    pub(super) fn new(columns: impl IntoIterator<Item = Column>) -> Result<Self, ArchiveProblem> {
        let columns: HashMap<(String, String), bool> = columns
            .into_iter()
            .map(|column| ((column.table, column.name), column.is_readable))
            .collect();
        let column = |table: &str, name: &str| columns.get(&(table.to_owned(), name.to_owned()));
        for (table, expected) in REQUIRED {
            if !columns.keys().any(|(found, _)| found == table) {
                return Err(ArchiveProblem::MissingTable { table });
            }
            for &name in expected {
                match column(table, name) {
                    None => return Err(ArchiveProblem::MissingColumn { table, column: name }),
                    Some(false) => return Err(ArchiveProblem::Forbidden { table }),
                    Some(true) => {}
                }
            }
        }
        let has = |table, name| column(table, name).is_some();
        Ok(Self {
            has_trash: has("documents_document", "deleted_at"),
            has_storage_paths: has("documents_document", "storage_path_id")
                && has("documents_storagepath", "matching_algorithm"),
        })
    }

    /// The auto labels of a field, if this release has the field: the table, and the query for id and name.
    pub(super) fn labels_query(self, field: Field) -> Option<(&'static str, String)> {
        if field == Field::StoragePath && !self.has_storage_paths {
            return None;
        }
        let (table, auto) = (label_table(field), MatchingAlgorithm::Auto.code());
        let query = format!("SELECT id, name FROM {table} WHERE matching_algorithm = {auto} ORDER BY id");
        Some((table, query))
    }

    /// The documents outside the trash: id, time of modification, correspondent, document type, storage path.
    pub(super) fn filings_query(self) -> String {
        format!("{} ORDER BY id", self.filings(&[]))
    }

    /// The same of those with ids from `?1` to `?2`.
    pub(super) fn filings_among_query(self) -> String {
        format!("{} ORDER BY id", self.filings(&["id BETWEEN ?1 AND ?2"]))
    }

    /// The documents outside the trash: id, content.
    pub(super) fn contents_query(self) -> String {
        format!("{} ORDER BY id", self.contents(&[]))
    }

    /// The document with the id `?1`, unless it is in the trash: id, content.
    pub(super) fn content_query(self) -> String {
        self.contents(&["id = ?1"])
    }

    /// The same, unless it is in the inbox.
    pub(super) fn training_content_query(self) -> String {
        self.contents(&["id = ?1", NOT_IN_INBOX])
    }

    /// The documents outside the trash that meet the conditions: as [`Self::filings_query`], in no order.
    pub(super) fn filings(self, conditions: &[&str]) -> String {
        let storage_path = if self.has_storage_paths {
            "storage_path_id"
        } else {
            "NULL"
        };
        let columns = format!("modified, correspondent_id, document_type_id, {storage_path}");
        self.documents(&columns, conditions)
    }

    /// The documents outside the trash that meet the conditions: id, content, in no order.
    pub(super) fn contents(self, conditions: &[&str]) -> String {
        self.documents("content", conditions)
    }

    fn documents(self, columns: &str, conditions: &[&str]) -> String {
        let outside_trash = self.has_trash.then_some("deleted_at IS NULL");
        let conditions: Vec<&str> = outside_trash
            .into_iter()
            .chain(conditions.iter().copied())
            .collect();
        let filter = if conditions.is_empty() { "" } else { " WHERE " };
        format!(
            "SELECT id, {columns} FROM documents_document{filter}{}",
            conditions.join(" AND ")
        )
    }
}

/// The table that holds a field's labels.
pub(super) fn label_table(field: Field) -> &'static str {
    match field {
        Field::Tags => "documents_tag",
        Field::Correspondent => "documents_correspondent",
        Field::DocumentType => "documents_documenttype",
        Field::StoragePath => "documents_storagepath",
    }
}
