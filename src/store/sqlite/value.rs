//! Single values of a database and what they mean here; those that mean nothing become errors that name the row.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use rusqlite::types::ValueRef;

use crate::document::{DocumentId, LabelId};
use crate::error::ArchiveProblem;

/// Labels are hashed as 32 bits, with -1 for none.
pub(in crate::store) fn label_key(table: &'static str, id: i64) -> Result<LabelId, ArchiveProblem> {
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

/// When a document was last changed.
pub(super) fn modified(value: ValueRef<'_>, document: DocumentId) -> Result<Timestamp, ArchiveProblem> {
    let text = value.as_str().ok();
    text.and_then(|text| instant(text.as_bytes()))
        .ok_or_else(|| ArchiveProblem::Value {
            table: "documents_document",
            column: "modified",
            id: document.0,
            expected: "a time in UTC as YYYY-MM-DD HH:MM:SS, with or without a fraction of a second",
            found: text.map_or_else(|| format!("{:?}", value.data_type()), |text| format!("{text:?}")),
        })
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

/// A document's text. No content is empty text; bytes are read as the UTF-8 they hold.
pub(super) fn content(
    value: ValueRef<'_>,
    document: DocumentId,
    repaired: &mut usize,
) -> Result<String, ArchiveProblem> {
    let bytes = match value {
        ValueRef::Null => &[],
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Integer(_) | ValueRef::Real(_) => {
            return Err(ArchiveProblem::Value {
                table: "documents_document",
                column: "content",
                id: document.0,
                expected: "text",
                found: format!("{:?}", value.data_type()),
            });
        }
    };
    Ok(str::from_utf8(bytes).map_or_else(
        |_| {
            *repaired += 1;
            String::from_utf8_lossy(bytes).into_owned()
        },
        str::to_owned,
    ))
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
