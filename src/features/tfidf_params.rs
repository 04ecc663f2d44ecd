//! What a tf-idf vectorizer can be told.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// In fewer documents than this every term stays, whatever [`TfidfParams::min_df`] says: somebody who begins has no
/// two documents of most kinds yet, and what is in one of them is all there is to learn from.
pub const FEW_DOCUMENTS: usize = 10;

/// Parameters of a [`TfidfVectorizer`](super::TfidfVectorizer).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TfidfParams {
    /// A term stays if it is in at least so many documents, from 1 (default 2); with fewer than [`FEW_DOCUMENTS`]
    /// documents, 1.
    pub min_df: u32,
    /// What counts as a term (default: words and character n-grams).
    pub terms: TfidfTerms,
    /// Characters of a character n-gram, 2 to 8 (default 4).
    pub gram_length: u8,
    /// Length of the character n-grams' part of a row where that of the words is 1, above 0 to 1,000 (default 0.7).
    /// Only the ratio matters, as the whole row is brought to unit length.
    pub gram_weight: f64,
}

/// What counts as a term.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TfidfTerms {
    /// Words: tokens.
    Words,
    /// Words, and the character n-grams inside them, which carry misread and inflected ones.
    #[default]
    WordsAndCharGrams,
}

impl Default for TfidfParams {
    fn default() -> Self {
        Self {
            min_df: 2,
            terms: TfidfTerms::default(),
            gram_length: 4,
            gram_weight: 2.0,
        }
    }
}

impl TfidfParams {
    /// The number of documents that a term has to be in, of `n_documents`.
    pub fn min_df_of(&self, n_documents: usize) -> u32 {
        if n_documents < FEW_DOCUMENTS {
            1
        } else {
            self.min_df
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |name, found, expected| {
            let of = "tf-idf vectorizer";
            Err(Error::Parameter {
                of,
                name,
                found,
                expected,
            })
        };
        if self.min_df == 0 {
            return refuse("min_df", self.min_df.to_string(), "a number of documents from 1");
        }
        if !(2..=8).contains(&self.gram_length) {
            return refuse("gram_length", self.gram_length.to_string(), "2 to 8 characters");
        }
        if !(self.gram_weight > 0.0 && self.gram_weight <= 1_000.0) {
            return refuse(
                "gram_weight",
                self.gram_weight.to_string(),
                "a number above 0, up to 1000",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_of_few_documents_stays() {
        let params = TfidfParams::default();
        assert_eq!([1, 9, 10, 5_000].map(|n| params.min_df_of(n)), [1, 1, 2, 2]);
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused_by_name() {
        let sound = TfidfParams::default();
        assert!(sound.check().is_ok());
        let mut refused = vec![
            ("min_df", TfidfParams { min_df: 0, ..sound }),
            (
                "gram_length",
                TfidfParams {
                    gram_length: 1,
                    ..sound
                },
            ),
            (
                "gram_length",
                TfidfParams {
                    gram_length: 9,
                    ..sound
                },
            ),
        ];
        for gram_weight in [0.0, -1.0, f64::NAN, f64::INFINITY, 1_001.0] {
            refused.push(("gram_weight", TfidfParams { gram_weight, ..sound }));
        }
        for (name, params) in refused {
            let message = params.check().unwrap_err().to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
