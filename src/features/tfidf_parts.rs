//! What a tf-idf vectorizer consists of, checked where it comes from a file.

use sha2::{Digest, Sha256};

use super::meaning::is_counted;
use super::tfidf_params::{TfidfParams, TfidfTerms};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::text::{Language, is_word_character};

/// All that a [`TfidfVectorizer`](super::TfidfVectorizer) follows from.
#[derive(Debug, Clone, PartialEq)]
pub struct TfidfParts {
    /// The parameters of the fit.
    pub params: TfidfParams,
    /// The language whose stop words and stems made the tokens.
    pub language: Option<Language>,
    /// How many documents it was fitted on.
    pub n_documents: u32,
    /// The words: columns `0..n_words`.
    pub words: FittedTerms,
    /// The character n-grams, whose columns follow; none without [`TfidfTerms::WordsAndCharGrams`].
    pub char_grams: FittedTerms,
}

/// Terms of one kind, as a fit left them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FittedTerms {
    /// The terms, ascending by code point.
    pub vocabulary: Vocabulary,
    /// How many documents each term is in, in the order of the vocabulary.
    pub document_frequencies: Vec<u32>,
}

impl TfidfParts {
    /// How many columns there are.
    pub fn n_terms(&self) -> usize {
        self.words.vocabulary.len() + self.char_grams.vocabulary.len()
    }

    /// The terms, in the order of their columns.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &str> {
        let n_words = self.words.vocabulary.len();
        (0..self.n_terms()).map(move |column| match column.checked_sub(n_words) {
            None => self.words.vocabulary.term(column),
            Some(gram) => self.char_grams.vocabulary.term(gram),
        })
    }

    /// SHA-256 over all of it.
    ///
    /// Input: the ASCII bytes `postroom tf-idf vectorizer 1`; `min_df` (u32), the kinds of terms (u8: 1 words, 2 words
    /// and character n-grams), `gram_length` (u8), `gram_weight` (f64), the language's name or nothing, the number
    /// of documents (u32); then for each kind the number of terms (u64) and each term with its document frequency
    /// (u32). Numbers are little-endian; a text is preceded by its length in bytes (u32).
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(b"postroom tf-idf vectorizer 1");
        hasher.update(self.params.min_df.to_le_bytes());
        let kinds = match self.params.terms {
            TfidfTerms::Words => 1,
            TfidfTerms::WordsAndCharGrams => 2,
        };
        hasher.update([kinds, self.params.gram_length]);
        hasher.update(self.params.gram_weight.to_le_bytes());
        let language = self.language.map_or("", Language::name);
        hasher.update((language.len() as u32).to_le_bytes());
        hasher.update(language);
        hasher.update(self.n_documents.to_le_bytes());
        for terms in [&self.words, &self.char_grams] {
            hasher.update((terms.vocabulary.len() as u64).to_le_bytes());
            for (term, frequency) in terms.vocabulary.iter().zip(&terms.document_frequencies) {
                hasher.update((term.len() as u32).to_le_bytes());
                hasher.update(term);
                hasher.update(frequency.to_le_bytes());
            }
        }
        hasher.finalize().into()
    }

    /// Refuses what no fit can have produced.
    pub(crate) fn check(&self) -> Result<()> {
        self.params.check()?;
        if u32::try_from(self.n_terms()).is_err() {
            return invalid(format!("it has {} terms, of 2³² at most", self.n_terms()));
        }
        if self.n_terms() == 0 {
            return invalid("it has no term".into());
        }
        let length = usize::from(self.params.gram_length);
        let (has_grams, no_gram) = (
            self.params.terms == TfidfTerms::WordsAndCharGrams,
            "the vectorizer has words only",
        );
        self.check_terms("word", &self.words, |word| {
            is_word(word)
                .then_some(())
                .ok_or("a word is two or more word characters")
        })?;
        self.check_terms("character n-gram", &self.char_grams, |gram| {
            if !has_grams {
                return Err(no_gram);
            }
            is_gram(gram, length)
                .then_some(())
                .ok_or("a character n-gram is a window of a word between spaces")
        })
    }

    fn check_terms(
        &self,
        kind: &str,
        terms: &FittedTerms,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Result<()> {
        let (n_terms, n_frequencies) = (terms.vocabulary.len(), terms.document_frequencies.len());
        if n_terms != n_frequencies {
            return invalid(format!("{n_terms} {kind}s, but {n_frequencies} frequencies"));
        }
        for (position, term) in terms.vocabulary.iter().enumerate() {
            check(term).map_err(|problem| Error::InvalidVocabulary {
                position,
                term: term.to_owned(),
                problem,
            })?;
        }
        let least = self.params.min_df_of(self.n_documents as usize);
        let possible = least..=self.n_documents;
        let frequencies = terms.vocabulary.iter().zip(&terms.document_frequencies);
        for (term, frequency) in frequencies {
            if !possible.contains(frequency) {
                return invalid(format!(
                    "the {kind} {term:?} is in {frequency} documents, expected {least} to {}",
                    self.n_documents
                ));
            }
        }
        Ok(())
    }
}

fn is_word(word: &str) -> bool {
    is_counted(word) && word.chars().all(is_word_character)
}

/// Whether a token may have it as a gram: `length` characters, fewer only where that is the whole token; spaces at
/// the ends only.
fn is_gram(gram: &str, length: usize) -> bool {
    let at_start = gram.strip_prefix(' ');
    let at_end = at_start.unwrap_or(gram).strip_suffix(' ');
    let inside = at_end.or(at_start).unwrap_or(gram);
    if inside.is_empty() || !inside.chars().all(is_word_character) {
        return false;
    }
    let is_whole_token = at_start.is_some() && at_end.is_some();
    match gram.chars().count() {
        n_characters if n_characters < length => is_whole_token && is_counted(inside),
        n_characters => n_characters == length && (!is_whole_token || is_counted(inside)),
    }
}

fn invalid<T>(problem: String) -> Result<T> {
    Err(Error::InvalidTfidf { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_windows_of_padded_tokens() {
        for gram in [" inv", "invo", "oic ", " ab ", "𐐨ß漢 "] {
            assert!(is_gram(gram, 4), "{gram:?}");
        }
        for gram in [
            "", "    ", "  ab", "in v", "inv", " in", "invoi", "a-b ", "ab\0c", " a ",
        ] {
            assert!(!is_gram(gram, 4), "{gram:?}");
        }
    }

    #[test]
    fn shorter_gram_is_a_whole_token() {
        assert!(is_gram(" ab ", 5) && is_gram(" abc ", 8));
        assert!(!is_gram(" abc", 5) && !is_gram(" a ", 5));
    }

    #[test]
    fn grams_of_two_characters_may_have_a_space() {
        assert!(is_gram(" a", 2) && is_gram("a ", 2) && is_gram("ab", 2));
        assert!(!is_gram("  ", 2) && !is_gram(" a ", 3));
    }

    /// Parts that a fit on ten documents may have left.
    fn parts(words: &[(&str, u32)], char_grams: &[(&str, u32)]) -> TfidfParts {
        let terms = |terms: &[(&str, u32)]| FittedTerms {
            vocabulary: Vocabulary::new(terms.iter().map(|&(term, _)| term)).unwrap(),
            document_frequencies: terms.iter().map(|&(_, frequency)| frequency).collect(),
        };
        TfidfParts {
            params: TfidfParams::default(),
            language: None,
            n_documents: 10,
            words: terms(words),
            char_grams: terms(char_grams),
        }
    }

    fn refusal(parts: &TfidfParts) -> String {
        parts.check().unwrap_err().to_string()
    }

    #[test]
    fn sound_parts_are_accepted() {
        assert!(
            parts(&[("due", 2), ("paid", 10)], &[(" due", 2), ("due ", 10)])
                .check()
                .is_ok()
        );
    }

    #[test]
    fn frequencies_that_do_not_fit_are_refused() {
        let mut one_short = parts(&[("due", 2)], &[]);
        one_short.words.document_frequencies.clear();
        assert!(refusal(&one_short).contains("1 words, but 0 frequencies"));
        assert!(refusal(&parts(&[("due", 1)], &[])).contains("\"due\" is in 1 documents, expected 2 to 10"));
        assert!(
            refusal(&parts(&[], &[(" due", 11)])).contains("\" due\" is in 11 documents, expected 2 to 10")
        );
        let mut none = parts(&[("due", 0)], &[]);
        none.n_documents = 0;
        assert!(refusal(&none).contains("is in 0 documents, expected 1 to 0"));
    }

    #[test]
    fn terms_that_no_text_leads_to_are_refused() {
        for word in ["", "a", "a b", "due\0", "due-date"] {
            assert!(
                refusal(&parts(&[(word, 2)], &[])).contains("two or more word characters"),
                "{word:?}"
            );
        }
        for gram in ["", "    ", "due", " due ", "d ue", "du\0e"] {
            assert!(
                refusal(&parts(&[], &[(gram, 2)])).contains("a window of a word"),
                "{gram:?}"
            );
        }
        assert!(refusal(&parts(&[], &[])).contains("no term"));
    }

    #[test]
    fn grams_and_parameters_have_to_agree() {
        let mut words_only = parts(&[("due", 2)], &[(" due", 2)]);
        words_only.params.terms = TfidfTerms::Words;
        assert!(refusal(&words_only).contains("words only"));
        let mut endless = parts(&[("due", 2)], &[]);
        endless.params.gram_weight = f64::INFINITY;
        assert!(refusal(&endless).contains("gram_weight"));
    }

    #[test]
    fn hash_tells_everything_apart() {
        let base = || parts(&[("due", 2)], &[(" due", 2)]);
        let changes: [fn(&mut TfidfParts); 8] = [
            |parts| parts.params.min_df = 1,
            |parts| parts.params.gram_length = 5,
            |parts| parts.params.gram_weight = 1.0,
            |parts| parts.language = Some(Language::German),
            |parts| parts.n_documents = 11,
            |parts| parts.words.document_frequencies[0] = 3,
            |parts| parts.char_grams.document_frequencies[0] = 3,
            |parts| parts.char_grams = FittedTerms::default(),
        ];
        let mut hashes = vec![base().hash()];
        for change in changes {
            let mut changed = base();
            change(&mut changed);
            hashes.push(changed.hash());
        }
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 9);
        assert_eq!(base().hash(), base().hash());
    }
}
