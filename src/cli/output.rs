//! Answers on standard output: text that fits the terminal and can't take it over, or JSON.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};

use indicatif::HumanCount;
use postroom::document::Field;
use serde::Serialize;
use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr as _;

use super::Failure;

/// Columns that text fills at most, unless `COLUMNS` says otherwise.
const WIDEST: usize = 80;
/// Narrower than this nothing can be laid out.
const NARROWEST: usize = 40;

/// Prints `text`, its long lines wrapped.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let width = width();
    let mut out = io::stdout().lock();
    for line in text.lines() {
        for part in wrapped(&harmless(line), width) {
            writeln!(out, "{part}")?;
        }
    }
    Ok(out.flush()?)
}

/// Prints one object on one line.
pub(super) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut line = serde_json::to_string(value).map_err(io::Error::from)?;
    line.push('\n');
    print_raw(line.as_bytes())
}

/// Prints bytes that were made by others.
pub(super) fn print_raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// The text on one line and without what could take over a terminal or turn the reading direction: names and
/// contents come from whoever wrote to the archive.
pub(crate) fn harmless(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| if c.is_control() || turns(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The field as people call it.
pub(super) fn field_name(field: Field) -> String {
    field.name().replace('_', " ")
}

/// So many of them: `1 label`, `5,000 documents`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!(
        "{} {what}{}",
        HumanCount(number as u64),
        if number == 1 { "" } else { "s" }
    )
}

/// A share as evaluations print it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("writing to a String doesn't fail");
        digits
    })
}

fn width() -> usize {
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let own = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0).min(WIDEST));
    told.or_else(own).unwrap_or(WIDEST).max(NARROWEST)
}

/// The line in parts of at most `width` columns.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.width() <= width {
        return vec![line.to_owned()];
    }
    let indent = " ".repeat(last_column(line, width / 2));
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(line, options)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

/// Where the last of a line's columns begins, which two spaces set off; what is wrapped continues below it.
fn last_column(line: &str, most: usize) -> usize {
    let text = line.char_indices().enumerate().filter(|(column, (at, c))| {
        let before = &line[..*at];
        *column <= most && *c != ' ' && (before.ends_with("  ") || before.is_empty())
    });
    text.last().map_or(0, |(column, _)| column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_name_continues_below_itself() {
        let line = "  tags    98.1 %  a name of several words";
        assert_eq!(
            wrapped(line, 36),
            ["  tags    98.1 %  a name of several", "                  words"]
        );
    }

    #[test]
    fn name_without_spaces_is_broken() {
        let parts = wrapped(&format!("  tags  {}", "x".repeat(60)), 40);
        assert!(
            parts.len() == 2 && parts.iter().all(|part| part.chars().count() <= 40),
            "{parts:?}"
        );
    }

    #[test]
    fn wide_characters_count_twice() {
        let parts = wrapped(&"紙".repeat(30), 40);
        assert_eq!(parts[0].chars().count(), 20);
    }

    #[test]
    fn line_that_fits_stays_as_it_is() {
        // Four joined letters that take two columns.
        let family = "👩‍👩‍👧‍👦".repeat(20);
        for line in ["  a   b", &family] {
            assert_eq!(wrapped(line, 40), [line]);
        }
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(
            harmless("a\x1b[31m\nb\u{202e}c"),
            "a\u{fffd}[31m\u{fffd}b\u{fffd}c"
        );
    }
}
