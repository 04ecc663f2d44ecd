//! What a count vectorizer can be told.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Parameters of a [`CountVectorizer`](super::CountVectorizer). The default is the reference's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CountVectorizerParams {
    /// A term stays if it is in at least this share of the documents, 0 to 1 (default 0.01).
    ///
    /// Compared as `document_frequency ≥ min_df × n_documents` in double precision, as scikit-learn does: a
    /// frequency equal to it stays.
    pub min_df: f64,
    /// What counts as a term (default: single tokens and pairs).
    pub ngrams: Ngrams,
}

/// What counts as a term.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ngrams {
    /// Single tokens.
    Unigrams,
    /// Single tokens, and pairs of neighbours joined by a space.
    #[default]
    UnigramsAndBigrams,
}

impl Ngrams {
    /// The most tokens that a term has.
    pub const fn longest(self) -> u8 {
        match self {
            Self::Unigrams => 1,
            Self::UnigramsAndBigrams => 2,
        }
    }
}

impl Default for CountVectorizerParams {
    fn default() -> Self {
        Self {
            min_df: 0.01,
            ngrams: Ngrams::default(),
        }
    }
}

impl CountVectorizerParams {
    pub(crate) fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.min_df) {
            return Ok(());
        }
        Err(Error::Parameter {
            of: "vectorizer",
            name: "min_df",
            found: self.min_df.to_string(),
            expected: "a share of the documents, 0 to 1",
        })
    }

    /// Whether a term in `document_frequency` of `n_documents` documents stays.
    pub(super) fn keeps(&self, document_frequency: u32, n_documents: usize) -> bool {
        f64::from(document_frequency) >= self.min_df * n_documents as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_frequency_equal_to_the_share_stays() {
        let params = CountVectorizerParams::default();
        assert!(params.keeps(50, 5_000) && !params.keeps(49, 5_000));
    }

    #[test]
    fn share_is_compared_in_double_precision() {
        // 0.07 × 100 is 7.000000000000001: seven documents are not enough.
        let params = CountVectorizerParams {
            min_df: 0.07,
            ..Default::default()
        };
        assert!(!params.keeps(7, 100) && params.keeps(8, 100));
    }

    #[test]
    fn share_outside_zero_to_one_is_refused() {
        for min_df in [-0.1, 1.5, f64::NAN] {
            let message = CountVectorizerParams {
                min_df,
                ..Default::default()
            }
            .check()
            .unwrap_err()
            .to_string();
            assert!(message.contains("min_df"), "{message}");
        }
    }
}
