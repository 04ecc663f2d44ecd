//! What is left of a word in a language: nothing if it is a stop word, else its stem.
//!
//! In come lower-cased words, out go stems. Reproduces, for words of word characters, NLTK's
//! `word_tokenize`, stop words and `SnowballStemmer`.

use std::borrow::Cow;
use std::fmt;

use hashbrown::HashSet;
use rust_stemmers::{Algorithm, Stemmer};

use super::Language;
use super::words::has_digit;

/// Words of more bytes than this are left as they are.
///
/// The stemmers copy the whole word at each letter that they mark (every `y`, every `ß`), so that one word of 40,000
/// bytes took 40 ms, and one of ten million, as a file that is no text may hold, would take the better part of an
/// hour. No language has words of this length.
const LONGEST_STEMMED: usize = 1_000;

/// Stop words and stemmer of one language.
pub(super) struct Stems {
    stop_words: HashSet<&'static str>,
    stemmer: Stemmer,
}

impl Stems {
    pub(super) fn new(language: Language) -> Self {
        Self {
            stop_words: stop_words(language),
            stemmer: Stemmer::create(algorithm(language)),
        }
    }

    /// Calls `each` with what is left of a word: one token, none for a stop word, up to two for a contraction.
    pub(super) fn for_each_stem(&self, word: &str, mut each: impl FnMut(&str)) {
        match split_contraction(word) {
            Some(parts) => parts.into_iter().for_each(|part| self.stem(part, &mut each)),
            None => self.stem(word, &mut each),
        }
    }

    fn stem(&self, word: &str, each: &mut impl FnMut(&str)) {
        if self.stop_words.contains(word) {
            return;
        }
        // A word with a digit is a number or a code: its end is no inflection.
        let stem = if word.len() > LONGEST_STEMMED || has_digit(word) {
            Cow::Borrowed(word)
        } else {
            self.stemmer.stem(word)
        };
        if !stem.is_empty() {
            each(&stem);
        }
    }
}

impl fmt::Debug for Stems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stems")
            .field("stop_words", &self.stop_words.len())
            .finish_non_exhaustive()
    }
}

/// The contractions without an apostrophe that NLTK's tokeniser splits, in every language
/// (the Penn Treebank's `tokenizer.sed`). `gımme`: Python's case-insensitive `i`
/// matches the dotless one too.
fn split_contraction(word: &str) -> Option<[&str; 2]> {
    match word {
        "cannot" => Some(["can", "not"]),
        "gimme" => Some(["gim", "me"]),
        "gımme" => Some(["gım", "me"]),
        "gonna" => Some(["gon", "na"]),
        "gotta" => Some(["got", "ta"]),
        "lemme" => Some(["lem", "me"]),
        "wanna" => Some(["wan", "na"]),
        _ => None,
    }
}

/// NLTK's list, without the entries that no word can equal: those with an apostrophe (`don't` is `don`,
/// `t` by then, both on the list). The lists of 179 and of 198 English words differ in such entries only.
fn stop_words(language: Language) -> HashSet<&'static str> {
    let listed = stop_words::lookup(language.iso_639_1()).unwrap_or_default();
    listed
        .iter()
        .copied()
        .filter(|word| !word.contains('\''))
        .collect()
}

fn algorithm(language: Language) -> Algorithm {
    match language {
        Language::Danish => Algorithm::Danish,
        Language::Dutch => Algorithm::Dutch,
        Language::English => Algorithm::English,
        Language::Finnish => Algorithm::Finnish,
        Language::French => Algorithm::French,
        Language::German => Algorithm::German,
        Language::Italian => Algorithm::Italian,
        Language::Norwegian => Algorithm::Norwegian,
        Language::Portuguese => Algorithm::Portuguese,
        Language::Russian => Algorithm::Russian,
        Language::Spanish => Algorithm::Spanish,
        Language::Swedish => Algorithm::Swedish,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(language: Language, words: &str) -> Vec<String> {
        let stems = Stems::new(language);
        let mut found = Vec::new();
        for word in words.split(' ') {
            stems.for_each_stem(word, |stem| found.push(stem.to_owned()));
        }
        found
    }

    #[test]
    fn every_language_has_stop_words() {
        for language in Language::ALL {
            assert!(stop_words(language).len() > 50, "{language}");
        }
    }

    #[test]
    fn stop_words_are_dropped_and_other_words_stemmed() {
        assert_eq!(
            stems(Language::English, "the running of payments"),
            ["run", "payment"]
        );
    }

    #[test]
    fn halves_of_a_contraction_with_an_apostrophe_are_stop_words() {
        assert!(stems(Language::English, "don t shouldn ve ll").is_empty());
    }

    #[test]
    fn word_with_a_digit_is_left_alone() {
        assert_eq!(
            stems(Language::English, "payments2 ١payments payments²"),
            ["payments2", "١payments", "payments²"]
        );
    }

    #[test]
    fn word_too_long_for_a_word_is_left_alone() {
        for (language, ending) in [(Language::English, "payments"), (Language::German, "straßen")] {
            let longest = format!("{}{ending}", "x".repeat(LONGEST_STEMMED - ending.len()));
            let longer = format!("x{longest}");
            assert_eq!(
                stems(language, &longest)[0].len(),
                LONGEST_STEMMED - if language == Language::English { 1 } else { 2 }
            );
            assert_eq!(stems(language, &longer), [longer]);
        }
    }

    #[test]
    fn contraction_is_two_words_each_with_its_own_fate() {
        assert!(stems(Language::English, "cannot").is_empty());
        assert_eq!(stems(Language::English, "gimme wanna"), ["gim", "wan", "na"]);
        assert_eq!(stems(Language::German, "cannot"), ["can", "not"]);
    }

    #[test]
    fn every_contraction_is_split_and_nothing_else() {
        for parts in [
            ["can", "not"],
            ["gim", "me"],
            ["gım", "me"],
            ["gon", "na"],
            ["got", "ta"],
            ["lem", "me"],
            ["wan", "na"],
        ] {
            assert_eq!(split_contraction(&parts.concat()), Some(parts));
        }
        assert_eq!(split_contraction("banana"), None);
    }

    #[test]
    fn stemmer_is_that_of_the_language() {
        assert_eq!(stems(Language::German, "rechnungen häuser"), ["rechnung", "haus"]);
    }

    #[test]
    fn shown_to_whoever_debugs_is_how_many_stop_words_there_are() {
        let stems = Stems::new(Language::English);
        let shown = format!("Stems {{ stop_words: {}, .. }}", stems.stop_words.len());
        assert_eq!(format!("{stems:?}"), shown);
    }
}
