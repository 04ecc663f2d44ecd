//! The terms that a vectorizer knows.

use std::ops::Range;

use crate::error::{Error, Result};

/// Terms in code-point order; the position of a term is its column.
///
/// The terms lie end to end in one string:
/// ```text
/// text  dateinvoice     ends  4 11
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    text: String,
    ends: Vec<u32>,
}

impl Vocabulary {
    /// A vocabulary of these terms.
    ///
    /// # Errors
    /// [`Error::InvalidVocabulary`] if they don't ascend strictly by code point, or are longer than 4 GiB together.
    pub fn new<'a>(terms: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut vocabulary = Self::default();
        for term in terms {
            vocabulary.push(term)?;
        }
        vocabulary.text.shrink_to_fit();
        vocabulary.ends.shrink_to_fit();
        Ok(vocabulary)
    }

    fn push(&mut self, term: &str) -> Result<()> {
        let position = self.len();
        let invalid = |problem| Error::InvalidVocabulary {
            position,
            term: term.to_owned(),
            problem,
        };
        // UTF-8 sorts as its code points do.
        if position
            .checked_sub(1)
            .is_some_and(|last| self.term(last) >= term)
        {
            return Err(invalid("terms have to ascend by code point, each one once"));
        }
        let end = u32::try_from(self.text.len() + term.len());
        self.ends
            .push(end.map_err(|_| invalid("the terms are longer than 4 GiB together"))?);
        self.text.push_str(term);
        Ok(())
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no term.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The term of column `i`.
    ///
    /// # Panics
    /// If there is no column `i`, like the indexing of a slice.
    pub fn term(&self, i: usize) -> &str {
        let place = self.place(i);
        &self.text[place.start as usize..place.end as usize]
    }

    /// All terms end to end.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the term of column `i` stands in [`Self::text`], in bytes.
    pub(super) fn place(&self, i: usize) -> Range<u32> {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        start..self.ends[i]
    }

    /// The terms in order of their columns.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|i| self.term(i))
    }

    /// The column of a term.
    pub fn position(&self, term: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.term(middle).cmp(term) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_found_at_their_column() {
        let vocabulary = Vocabulary::new(["date", "invoice", "invoice date"]).unwrap();
        assert_eq!(
            vocabulary.iter().collect::<Vec<_>>(),
            ["date", "invoice", "invoice date"]
        );
        assert_eq!(vocabulary.position("invoice"), Some(1));
        assert_eq!((vocabulary.position("a"), vocabulary.position("z")), (None, None));
    }

    #[test]
    fn order_is_that_of_code_points() {
        // UTF-16 would sort the second before the first.
        assert!(Vocabulary::new(["\u{ffdc}", "\u{10400}"]).is_ok());
    }

    #[test]
    fn repeated_and_descending_terms_are_refused() {
        for terms in [["b", "b"], ["b", "a"]] {
            let message = Vocabulary::new(terms).unwrap_err().to_string();
            assert!(
                message.contains("term 1") && message.contains("ascend"),
                "{message}"
            );
        }
    }
}
