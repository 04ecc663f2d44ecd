//! Values in PostgreSQL's binary format.

use std::error::Error;
use std::time::SystemTime;

use jiff::Timestamp;
use tokio_postgres::types::{FromSql, Type};

use super::classify::classify;
use crate::document::DocumentId;
use crate::error::ArchiveProblem;
use crate::store::server::Row;
use crate::store::value::not_an_instant;

impl Row for tokio_postgres::Row {
    fn integer(&self, column: usize) -> Result<Option<i64>, ArchiveProblem> {
        let integer: Option<Integer> = self.try_get(column).map_err(classify)?;
        Ok(integer.map(|Integer(value)| value))
    }

    fn text(&self, column: usize) -> Result<&[u8], ArchiveProblem> {
        let text: Option<Text<'_>> = self.try_get(column).map_err(classify)?;
        Ok(text.map_or(&[], |Text(bytes)| bytes))
    }

    fn modified(&self, column: usize, document: DocumentId) -> Result<Timestamp, ArchiveProblem> {
        let instant: Option<SystemTime> = self
            .try_get(column)
            .map_err(|_| not_an_instant(document, self.columns()[column].type_().name().to_owned()))?;
        let instant = instant.ok_or_else(|| not_an_instant(document, "NULL".to_owned()))?;
        Timestamp::try_from(instant)
            .map_err(|_| not_an_instant(document, "infinity, or a time long past or far off".to_owned()))
    }
}

/// An integer of any width. A NULL is one of any type.
struct Integer(i64);

impl FromSql<'_> for Integer {
    fn from_sql(of: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        match *of {
            Type::INT2 => i16::from_sql(of, raw).map(i64::from),
            Type::INT4 => i32::from_sql(of, raw).map(i64::from),
            Type::INT8 => i64::from_sql(of, raw),
            _ => Err(format!("expected an integer, found {of}").into()),
        }
        .map(Self)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The bytes of a text: where a database's encoding is none (`SQL_ASCII`), they can be anything.
struct Text<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Text<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::BYTEA)
    }
}
