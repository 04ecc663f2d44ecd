//! Words: runs of word characters, lower-cased, as Python sees both.
//!
//! In comes a text, out go its words one by one. A word character is what Python's `\w` matches: a letter
//! (L*), a number (N*) or an underscore. A combining mark splits a word, which it doesn't in the `regex`
//! crate or for `char::is_alphanumeric`. Lower-casing is `str.lower()`: the full mappings (`İ` becomes two
//! characters) and the rule of the final sigma, which Rust's `str::to_lowercase` shares.

use std::ops::Range;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Whether Python's `\w` matches the character.
///
/// Of the characters that Unicode assigned after version 15.1 (Python 3.13), those that version 16 knows
/// as letters or numbers are word characters; Python takes them for unassigned until it knows them.
pub fn is_word_character(c: char) -> bool {
    use GeneralCategory as Category;
    if c.is_ascii() {
        return LOWER[c as usize] != NOT_A_WORD_BYTE;
    }
    matches!(
        get_general_category(c),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
            | Category::DecimalNumber
            | Category::LetterNumber
            | Category::OtherNumber
    )
}

/// Whether the word has a character that Python's `\d` matches: a decimal digit of any script, but not `²` or `½`.
pub(super) fn has_digit(word: &str) -> bool {
    word.chars().any(|c| {
        c.is_ascii_digit() || (!c.is_ascii() && get_general_category(c) == GeneralCategory::DecimalNumber)
    })
}

/// Calls `each` with every word of `text`, in order, lower-cased.
///
/// `buffer` holds a word that differs from its spelling in the text; one that is reused spares its allocation.
pub fn for_each_word(text: &str, buffer: &mut String, mut each: impl FnMut(&str)) {
    for_each_word_at(text, buffer, |word, _| each(word));
}

/// Calls `each` with every word of `text` as [`for_each_word`] does, and with the bytes of `text` where it stands.
pub fn for_each_word_at(text: &str, buffer: &mut String, mut each: impl FnMut(&str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii() && LOWER[bytes[at] as usize] == NOT_A_WORD_BYTE {
            at += 1;
            continue;
        }
        let ascii = AsciiRun::starting_at(bytes, at);
        let reaches_beyond_ascii = bytes.get(ascii.end).is_some_and(|byte| !byte.is_ascii());
        let end = if reaches_beyond_ascii {
            ascii.end + word_length(&text[ascii.end..])
        } else {
            ascii.end
        };
        let word = &text[at..end];
        if word.is_empty() {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        } else if end == ascii.end && ascii.is_lower {
            each(word, at..end);
        } else {
            lower_into(word, buffer);
            each(buffer, at..end);
        }
        at = at.max(end);
    }
}

/// The word bytes from some position up to the first byte that isn't one.
struct AsciiRun {
    end: usize,
    is_lower: bool,
}

impl AsciiRun {
    fn starting_at(bytes: &[u8], start: usize) -> Self {
        let mut run = Self {
            end: start,
            is_lower: true,
        };
        while let Some(&byte) = bytes.get(run.end) {
            let lower = LOWER[byte as usize];
            if lower == NOT_A_WORD_BYTE {
                break;
            }
            run.is_lower &= lower == byte;
            run.end += 1;
        }
        run
    }
}

/// Bytes of the word characters at the start of `text`.
fn word_length(text: &str) -> usize {
    text.find(|c| !is_word_character(c)).unwrap_or(text.len())
}

/// Replaces `buffer` by the lower-cased word.
fn lower_into(word: &str, buffer: &mut String) {
    buffer.clear();
    if word.is_ascii() {
        buffer.push_str(word);
        buffer.make_ascii_lowercase();
    } else if word.contains('Σ') {
        // The only letter whose lower case depends on its neighbours; std knows the rule.
        buffer.push_str(&word.to_lowercase());
    } else {
        buffer.extend(word.chars().flat_map(char::to_lowercase));
    }
}

const NOT_A_WORD_BYTE: u8 = 0;

/// The lower case of each ASCII word character; of every other byte, [`NOT_A_WORD_BYTE`].
static LOWER: [u8; 256] = {
    let mut table = [NOT_A_WORD_BYTE; 256];
    let mut byte = 0;
    while byte < table.len() {
        let c = byte as u8;
        if c.is_ascii_alphanumeric() || c == b'_' {
            table[byte] = c.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for_each_word(text, &mut String::new(), |word| found.push(word.to_owned()));
        found
    }

    #[test]
    fn words_are_given_with_where_they_stand() {
        let text = "  Due ÄRZTE\u{301}x, İstanbul";
        let mut found = Vec::new();
        for_each_word_at(text, &mut String::new(), |word, at| {
            found.push((word.to_owned(), &text[at]));
        });
        let expected = [
            ("due", "Due"),
            ("ärzte", "ÄRZTE"),
            ("x", "x"),
            ("i\u{307}stanbul", "İstanbul"),
        ];
        assert_eq!(found, expected.map(|(word, spelled)| (word.to_owned(), spelled)));
    }

    #[test]
    fn words_are_lower_case_runs_of_letters_digits_and_underscores() {
        assert_eq!(
            words("  Invoice No_7: 12,50 EUR."),
            ["invoice", "no_7", "12", "50", "eur"]
        );
    }

    #[test]
    fn word_may_start_in_ascii_and_go_on_beyond() {
        assert_eq!(
            words("STRAẞE fällig Ölöl naïve"),
            ["straße", "fällig", "ölöl", "naïve"]
        );
    }

    #[test]
    fn combining_mark_splits_a_word() {
        assert_eq!(words("cafe\u{301}s कि"), ["cafe", "s", "क"]);
    }

    #[test]
    fn numbers_of_every_kind_are_word_characters() {
        assert_eq!(words("x² ½ Ⅷ ⑨ ١٢"), ["x²", "½", "ⅷ", "⑨", "١٢"]);
    }

    #[test]
    fn dotted_capital_i_becomes_two_characters() {
        assert_eq!(words("İstanbul"), ["i\u{307}stanbul"]);
    }

    #[test]
    fn sigma_is_final_at_the_end_of_a_word_only() {
        assert_eq!(words("ΟΔΟΣ ΣΟΦΟΣ Σ"), ["οδος", "σοφος", "σ"]);
    }

    #[test]
    fn joiners_and_symbols_split_words_beyond_ascii() {
        assert_eq!(words("a\u{200d}b 👩‍💻ok€9"), ["a", "b", "ok", "9"]);
    }

    #[test]
    fn supplementary_planes_have_words() {
        assert_eq!(words("𝔘𝔫𝔦 𐐀𐐁"), ["𝔘𝔫𝔦", "𐐨𐐩"]);
    }

    #[test]
    fn text_without_words_has_none() {
        assert!(words("").is_empty());
        assert!(words(" — €\u{301}").is_empty());
    }

    #[test]
    fn lower_casing_twice_changes_nothing() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let once = c.to_lowercase().collect::<String>();
            assert_eq!(once.to_lowercase(), once, "{c:?}");
        }
    }

    #[test]
    fn digit_is_a_decimal_digit_of_any_script() {
        assert!(has_digit("a7") && has_digit("١"));
        assert!(!has_digit("x²½ⅷ"));
    }
}
