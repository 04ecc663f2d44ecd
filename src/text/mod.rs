//! From text to tokens: words, stop words, stems.
//!
//! In comes a document's content, out go its tokens, in order. Without a language a token is a word
//! (lower-cased run of word characters); with one, stop words are dropped and the rest is stemmed.

mod excerpt;
mod language;
mod stems;
mod words;

pub(crate) use excerpt::Cut;
pub use excerpt::excerpt;
pub use language::Language;
pub use words::{for_each_word, for_each_word_at, is_word_character};

use stems::Stems;

/// Turns content into tokens; shared freely between threads.
#[derive(Debug)]
pub struct Preprocessor {
    language: Option<Language>,
    stems: Option<Stems>,
}

impl Preprocessor {
    /// A preprocessor that drops the language's stop words and stems the rest; without a language, neither.
    pub fn new(language: Option<Language>) -> Self {
        Self {
            language,
            stems: language.map(Stems::new),
        }
    }

    /// The language it was made for.
    pub fn language(&self) -> Option<Language> {
        self.language
    }

    /// The tokens of `text`, joined by one space.
    pub fn preprocess(&self, text: &str) -> String {
        let mut joined = String::with_capacity(text.len());
        self.for_each_token(text, &mut String::new(), |token| {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(token);
        });
        joined
    }

    /// Calls `each` with every token of `text`, in order.
    ///
    /// `buffer` is scratch space; one that is reused spares its allocation. Without a language nothing else is
    /// allocated. With one, every word is stemmed anew, which does: whoever reads many documents goes word by
    /// word ([`for_each_word`]), and asks [`Self::for_each_token_of_word`] once for each different word.
    pub fn for_each_token(&self, text: &str, buffer: &mut String, mut each: impl FnMut(&str)) {
        for_each_word(text, buffer, |word| self.for_each_token_of_word(word, &mut each));
    }

    /// Calls `each` with the tokens of one word as [`for_each_word`] gives it: itself, nothing (a stop word), its
    /// stem, or the two halves of a contraction. They depend on the word alone, never on its neighbours.
    pub fn for_each_token_of_word(&self, word: &str, mut each: impl FnMut(&str)) {
        match &self.stems {
            Some(stems) => stems.for_each_stem(word, each),
            None => each(word),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_language_words_are_kept_as_they_are() {
        assert_eq!(
            Preprocessor::new(None).preprocess("The  Payments, cannot!"),
            "the payments cannot"
        );
    }

    #[test]
    fn with_a_language_stop_words_go_and_stems_stay() {
        let english = Preprocessor::new(Some(Language::English));
        assert_eq!(
            english.preprocess("The payments of 2024 aren't LATE invoices"),
            "payment 2024 late invoic"
        );
    }

    #[test]
    fn language_is_the_one_it_was_made_for() {
        for language in [None, Some(Language::German)] {
            assert_eq!(Preprocessor::new(language).language(), language);
        }
    }

    #[test]
    fn text_of_nothing_but_stop_words_is_empty() {
        assert_eq!(
            Preprocessor::new(Some(Language::English)).preprocess("To be, or not to be"),
            ""
        );
    }
}
