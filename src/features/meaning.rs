//! What a word comes to once stop words, stems and the vectorizer's own reading have had their say.

use crate::text::{Preprocessor, for_each_word};

/// What a word comes to; it depends on the word alone, so that it is worked out once for each different word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A stop word, or nothing of two characters or more: its neighbours are each other's neighbours.
    Dropped,
    /// One token, by its number.
    Token(u32),
    /// More than one token (`İstanbul` falls apart, a contraction is split); rare enough to do anew each time.
    Several,
}

impl Meaning {
    const DROPPED: u32 = u32::MAX - 1;
    const SEVERAL: u32 = u32::MAX - 2;

    /// Works out what `word` comes to; `number` numbers tokens.
    pub(super) fn of(preprocessor: &Preprocessor, word: &str, mut number: impl FnMut(&str) -> u32) -> Self {
        let mut meaning = Self::Dropped;
        for_each_counted_token(preprocessor, word, &mut String::new(), |token| {
            meaning = match meaning {
                Self::Dropped => Self::Token(number(token)),
                Self::Token(_) | Self::Several => Self::Several,
            };
        });
        meaning
    }

    /// The meaning as one number, to be stored by the thousand.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Dropped => Self::DROPPED,
            Self::Several => Self::SEVERAL,
            Self::Token(number) => number,
        }
    }

    pub(super) fn from_code(code: u32) -> Self {
        match code {
            Self::DROPPED => Self::Dropped,
            Self::SEVERAL => Self::Several,
            number => Self::Token(number),
        }
    }
}

/// Whether every word of its kind is a token as it stands: then looking up its [`Meaning`] is a detour.
pub(super) fn is_own_token(preprocessor: &Preprocessor, word: &str) -> bool {
    preprocessor.language().is_none() && word.is_ascii()
}

/// Whether a token counts: a single character is too little to tell documents apart.
pub(super) fn is_counted(token: &str) -> bool {
    token.chars().nth(1).is_some()
}

/// Calls `each` with the tokens of `word` that count.
///
/// The reference's vectorizer reads the preprocessed text once more: it lower-cases it and takes runs of word
/// characters, so that `i̇stanbul`, whose dot is a mark, becomes `i`, which doesn't count, and `stanbul`.
pub(super) fn for_each_counted_token(
    preprocessor: &Preprocessor,
    word: &str,
    buffer: &mut String,
    mut each: impl FnMut(&str),
) {
    preprocessor.for_each_token_of_word(word, |token| {
        for_each_word(token, buffer, |token| {
            if is_counted(token) {
                each(token);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    fn meaning(word: &str) -> Meaning {
        Meaning::of(&Preprocessor::new(Some(Language::English)), word, |token| {
            token.len() as u32
        })
    }

    #[test]
    fn stop_word_and_single_character_are_dropped() {
        assert_eq!(
            [meaning("the"), meaning("b"), meaning("é")],
            [Meaning::Dropped; 3]
        );
    }

    #[test]
    fn word_is_the_token_of_its_stem() {
        assert_eq!(meaning("payments"), Meaning::Token("payment".len() as u32));
    }

    #[test]
    fn two_tokens_are_several() {
        assert_eq!(meaning("wanna"), Meaning::Several);
        assert_eq!(meaning("ist\u{307}anbul"), Meaning::Several);
    }

    #[test]
    fn single_characters_of_a_word_that_falls_apart_are_dropped() {
        assert_eq!(meaning("i\u{307}stanbul"), Meaning::Token("stanbul".len() as u32));
    }

    #[test]
    fn code_leads_back_to_the_meaning() {
        for meaning in [
            Meaning::Dropped,
            Meaning::Several,
            Meaning::Token(0),
            Meaning::Token(u32::MAX),
        ] {
            assert_eq!(Meaning::from_code(meaning.code()), meaning);
        }
    }
}
