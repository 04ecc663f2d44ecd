//! The languages that have stop words and a stemmer.
//!
//! In comes a name or a code as settings hold it, out goes a [`Language`]. The list is the one that
//! paperless-ngx maps tesseract's codes to: what NLTK has a tokeniser, stop words and a stemmer for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A language of documents; English unless something else is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Danish, `dan`.
    Danish,
    /// Dutch, `nld`.
    Dutch,
    /// English, `eng`.
    #[default]
    English,
    /// Finnish, `fin`.
    Finnish,
    /// French, `fra`.
    French,
    /// German, `deu`.
    German,
    /// Italian, `ita`.
    Italian,
    /// Norwegian, `nor`.
    Norwegian,
    /// Portuguese, `por`.
    Portuguese,
    /// Russian, `rus`.
    Russian,
    /// Spanish, `spa`.
    Spanish,
    /// Swedish, `swe`.
    Swedish,
}

impl Language {
    /// Every language, by name.
    pub const ALL: [Self; 12] = [
        Self::Danish,
        Self::Dutch,
        Self::English,
        Self::Finnish,
        Self::French,
        Self::German,
        Self::Italian,
        Self::Norwegian,
        Self::Portuguese,
        Self::Russian,
        Self::Spanish,
        Self::Swedish,
    ];

    /// The name, in English and lower case, as NLTK knows it.
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }

    /// The ISO 639-1 code, two letters.
    pub const fn iso_639_1(self) -> &'static str {
        self.names()[1]
    }

    /// Name, ISO 639-1, then the three-letter codes: tesseract's (ISO 639-2/T), further ones of ISO 639.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Danish => &["danish", "da", "dan"],
            Self::Dutch => &["dutch", "nl", "nld", "dut"],
            Self::English => &["english", "en", "eng"],
            Self::Finnish => &["finnish", "fi", "fin"],
            Self::French => &["french", "fr", "fra", "fre"],
            Self::German => &["german", "de", "deu", "ger"],
            Self::Italian => &["italian", "it", "ita"],
            Self::Norwegian => &["norwegian", "no", "nor", "nb", "nob"],
            Self::Portuguese => &["portuguese", "pt", "por"],
            Self::Russian => &["russian", "ru", "rus"],
            Self::Spanish => &["spanish", "es", "spa"],
            Self::Swedish => &["swedish", "sv", "swe"],
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Language {
    type Err = Error;

    /// Reads a name (`german`), an ISO 639 code (`de`, `deu`) or a tesseract setting (`deu+eng`: the first counts).
    fn from_str(text: &str) -> Result<Self> {
        let wanted = text.split('+').next().unwrap_or_default().trim();
        let named = |language: &Self| {
            language
                .names()
                .iter()
                .any(|name| name.eq_ignore_ascii_case(wanted))
        };
        Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| Error::UnknownLanguage {
                found: text.to_owned(),
                expected: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_read_in_any_case() {
        for text in ["german", "de", "deu", "GER", " Deu "] {
            assert_eq!(text.parse::<Language>().unwrap(), Language::German, "{text}");
        }
    }

    #[test]
    fn first_of_several_tesseract_languages_counts() {
        assert_eq!("eng+deu".parse::<Language>().unwrap(), Language::English);
    }

    #[test]
    fn every_name_is_read_back() {
        for language in Language::ALL {
            for name in language.names() {
                assert_eq!(name.parse::<Language>().unwrap(), language);
            }
        }
    }

    #[test]
    fn shown_is_the_name_as_wide_as_asked_for() {
        assert_eq!(format!("{:>7}", Language::German), " german");
    }

    #[test]
    fn default_is_english() {
        assert_eq!(Language::default(), Language::English);
    }

    #[test]
    fn unknown_language_is_named_with_what_there_is() {
        let message = "tur".parse::<Language>().unwrap_err().to_string();
        assert!(
            message.contains("\"tur\"") && message.contains("swedish"),
            "{message}"
        );
    }
}
