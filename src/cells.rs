//! Names and terms in the columns of a table, as wide as a terminal shows them: a letter may take two columns, or none.

use unicode_width::UnicodeWidthStr as _;

/// Characters that are looked at for each column: letters with many marks are still whole, and a name of nothing but
/// marks costs no more than any other.
const CHARS_PER_COLUMN: usize = 8;

/// The text on one line, in at most so many columns.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    let mut chars = text.chars();
    let line: String = chars
        .by_ref()
        .take(CHARS_PER_COLUMN * columns)
        .map(in_its_place)
        .collect();
    if chars.next().is_none() && line.width() <= columns {
        return line;
    }
    // Not the sum of the characters' widths: one of a sequence may change what the others take.
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|&end| line[..end].width() < columns).last();
    format!("{}…", &line[..end.unwrap_or(0)])
}

/// The text on one line, in so many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let mut cell = shortened(text, columns);
    cell.extend(std::iter::repeat_n(' ', columns.saturating_sub(cell.width())));
    cell
}

/// What would break the line, or turn what follows it around.
fn in_its_place(c: char) -> char {
    match c {
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each takes so many columns.
    const NAMES: [(&str, usize); 7] = [
        ("City Library", 12),
        ("東京電力", 8),
        ("ﾊﾝｶｸ", 4),
        ("u\u{308}berfa\u{308}llig", 10),
        ("👩‍👩‍👧‍👦 family", 9),
        ("\u{200b}\u{200b}", 0),
        ("شركة", 4),
    ];

    #[test]
    fn cell_is_as_wide_as_its_column() {
        for (name, columns) in NAMES {
            assert_eq!(name.width(), columns, "{name}");
            for width in [3, 10, 20] {
                assert_eq!(padded(name, width).width(), width, "{name}");
            }
        }
    }

    #[test]
    fn name_that_fits_is_whole() {
        for (name, columns) in NAMES {
            assert_eq!(shortened(name, columns.max(1)), name);
        }
    }

    #[test]
    fn wide_letter_is_not_halved() {
        assert_eq!(shortened("東京電力", 7), "東京電…");
        assert_eq!(shortened("東京電力", 6), "東京…");
        assert_eq!(padded("東京電力", 6), "東京… ");
    }

    #[test]
    fn letter_keeps_its_marks() {
        assert_eq!(shortened("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
    }

    #[test]
    fn name_of_nothing_but_marks_ends() {
        let marked = format!("e{}", "\u{301}".repeat(1_000_000));
        assert_eq!(padded(&marked, 4).width(), 4);
        assert!(padded(&marked, 4).chars().count() < 100);
    }

    #[test]
    fn name_turns_nothing_around() {
        assert_eq!(padded("a\u{202e}b", 4), "a\u{fffd}b ");
    }

    #[test]
    fn line_break_breaks_no_line() {
        assert_eq!(padded("City\nLibrary", 14), "City Library  ");
    }
}
