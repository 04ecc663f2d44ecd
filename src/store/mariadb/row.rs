//! Values in MariaDB's text format.

use jiff::Timestamp;
use mysql::Value;

use crate::document::DocumentId;
use crate::error::ArchiveProblem;
use crate::store::server::Row;
use crate::store::value::{modified_text, not_an_instant};

impl Row for mysql::Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, ArchiveProblem> {
        let value = match self.as_ref(column) {
            Some(Value::NULL) => return Ok(None),
            Some(Value::Bytes(digits)) => str::from_utf8(digits).ok().and_then(|text| text.parse().ok()),
            _ => None,
        };
        value
            .map(Some)
            .ok_or_else(|| unexpected(self, column, "an integer"))
    }

    fn text(&self, column: usize) -> Result<&[u8], ArchiveProblem> {
        match self.as_ref(column) {
            Some(Value::NULL) => Ok(&[]),
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(unexpected(self, column, "text")),
        }
    }

    fn modified(&self, column: usize, document: DocumentId) -> Result<Timestamp, ArchiveProblem> {
        match self.as_ref(column) {
            Some(Value::Bytes(text)) => modified_text(text, document),
            _ => Err(not_an_instant(document, "NULL".to_owned())),
        }
    }
}

fn unexpected(row: &mysql::Row, column: usize, expected: &str) -> ArchiveProblem {
    let name = row.columns_ref().get(column).map(|column| column.name_str());
    ArchiveProblem::Server(format!(
        "expected {expected} in column {}",
        name.unwrap_or_default()
    ))
}
