//! What single values of any database mean here; those that mean nothing become errors that name the row.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::document::{DocumentId, Field, LabelCatalog, LabelId, Labels};
use crate::error::ArchiveProblem;

/// Labels are hashed as 32 bits, with -1 for none.
pub(super) fn label_key(table: &'static str, id: i64) -> Result<LabelId, ArchiveProblem> {
    i32::try_from(id)
        .ok()
        .filter(|&key| key > 0)
        .map(LabelId)
        .ok_or_else(|| ArchiveProblem::Value {
            table,
            column: "id",
            id,
            expected: "a key from 1 to 2147483647",
            found: id.to_string(),
        })
}

/// A document's auto labels. A key that leads nowhere, as a crash can leave it, is no label.
pub(super) fn auto_labels(catalog: &LabelCatalog, keys: DocumentKeys, tags: &[i64]) -> Labels {
    let auto = |field, key: Option<i64>| {
        let id = LabelId(i32::try_from(key?).ok()?);
        catalog.name(field, id).map(|_| id)
    };
    Labels {
        correspondent: auto(Field::Correspondent, keys.correspondent),
        document_type: auto(Field::DocumentType, keys.document_type),
        storage_path: auto(Field::StoragePath, keys.storage_path),
        tags: tags
            .iter()
            .filter_map(|&key| auto(Field::Tags, Some(key)))
            .collect(),
    }
}

/// The keys in a document's row.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentKeys {
    pub(super) correspondent: Option<i64>,
    pub(super) document_type: Option<i64>,
    pub(super) storage_path: Option<i64>,
}

/// When a document was last changed, from the text in its row.
pub(super) fn modified_text(text: &[u8], document: DocumentId) -> Result<Timestamp, ArchiveProblem> {
    instant(text).ok_or_else(|| not_an_instant(document, format!("{:?}", String::from_utf8_lossy(text))))
}

/// The error for a time of modification that is none.
pub(super) fn not_an_instant(document: DocumentId, found: String) -> ArchiveProblem {
    ArchiveProblem::Value {
        table: "documents_document",
        column: "modified",
        id: document.0,
        expected: "a time in UTC as YYYY-MM-DD HH:MM:SS, with or without a fraction of a second",
        found,
    }
}

/// Django stores instants as naive UTC text; the fraction is absent when it is zero.
///
/// Read by hand: a general parser takes offsets and leaves out fields, and was a fifth of the pass over filings.
fn instant(text: &[u8]) -> Option<Timestamp> {
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        o0,
        o1,
        b'-',
        d0,
        d1,
        b' ',
        h0,
        h1,
        b':',
        m0,
        m1,
        b':',
        s0,
        s1,
        ref rest @ ..,
    ] = text
    else {
        return None;
    };
    let nanoseconds = match rest {
        [] => 0,
        [b'.', fraction @ ..] if (1..=6).contains(&fraction.len()) => {
            number(fraction)? * 10_i32.pow(9 - fraction.len() as u32)
        }
        _ => return None,
    };
    let year = number(&[y0, y1, y2, y3])? as i16;
    let two = |tens, ones| number(&[tens, ones]).map(|number| number as i8);
    let (month, day) = (two(o0, o1)?, two(d0, d1)?);
    let utc = DateTime::new(
        year,
        month,
        day,
        two(h0, h1)?,
        two(m0, m1)?,
        two(s0, s1)?,
        nanoseconds,
    )
    .ok()?;
    Offset::UTC.to_timestamp(utc).ok()
}

/// The number that at most nine decimal digits stand for.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i32::from(digit - b'0'))
    })
}

/// Text as UTF-8; `repaired` counts those that weren't.
pub(super) fn text(bytes: &[u8], repaired: &mut usize) -> String {
    str::from_utf8(bytes).map_or_else(
        |_| {
            *repaired += 1;
            String::from_utf8_lossy(bytes).into_owned()
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> Option<i64> {
        instant(text.as_bytes()).map(Timestamp::as_microsecond)
    }

    #[test]
    fn instant_has_a_fraction_or_none() {
        assert_eq!(micros("1970-01-01 00:00:01"), Some(1_000_000));
        assert_eq!(micros("1970-01-01 00:00:01.000002"), Some(1_000_002));
        assert_eq!(micros("1970-01-01 00:00:01.5"), Some(1_500_000));
    }

    #[test]
    fn instant_of_another_shape_is_none() {
        for text in [
            "",
            "1970-01-01",
            "1970-01-01T00:00:01",
            "1970-01-01 00:00:01.",
            "1970-01-01 00:00:01.0000001",
            "1970-01-01 00:00:01+02:00",
            "1970-01-01 00:00:+1",
            "1970-13-01 00:00:01",
            "1970-01-01 25:00:01",
            "\u{661}970-01-01 00:00:01",
        ] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }
}
