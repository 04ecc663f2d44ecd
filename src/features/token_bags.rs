//! Documents as bags of tokens: which tokens occur in each, and how often.
//!
//! In come contents, chunk by chunk, or the bags of an earlier training and what changed since. Out goes plain data
//! that a [`TfidfVectorizer`](super::TfidfVectorizer) is fitted on and that is kept from training to training.

use rayon::prelude::*;
use tracing::Span;

use super::bag_collector::BagCollector;
use super::packed_bag::{Bag, BagWriter};
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::text::Language;

/// So many documents are packed by one thread at a stretch.
const DOCUMENTS_A_STRETCH: usize = 64;

/// The tokens of a number of documents, without their order.
///
/// A word becomes tokens by the language's stop words and stems; tokens of fewer than two characters don't count.
/// All tokens are kept, also those of a single document; each one is in some document. The same documents make
/// equal bags, however they came to be: at once, in chunks, on any number of threads, or by [`Self::updated`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBags {
    pub(super) language: Option<Language>,
    /// Ascending by code point; entries name a token by its position.
    pub(super) tokens: Vocabulary,
    /// The documents' entries, end to end; see [`Bag`].
    pub(super) packed: Vec<u8>,
    /// Where in `packed` each document ends.
    pub(super) ends: Vec<usize>,
}

/// Where [`TokenBags::updated`] finds a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BagSource {
    /// It is unchanged, and had this position among the previous documents.
    Previous(usize),
    /// It is new or changed: the next one of the fresh documents.
    Fresh,
}

impl TokenBags {
    /// Starts on documents that come in chunks.
    ///
    /// ```
    /// use postroom::features::TokenBags;
    ///
    /// let mut collector = TokenBags::collector(None);
    /// collector.push_chunk(&["due date, due date", "paid"]);
    /// collector.push_chunk(&["date"]);
    /// let bags = collector.finish()?;
    /// assert_eq!(bags.tokens().iter().collect::<Vec<_>>(), ["date", "due", "paid"]);
    /// assert_eq!(bags.document(0).collect::<Vec<_>>(), [(0, 2), (1, 2)]);
    /// # Ok::<(), postroom::Error>(())
    /// ```
    pub fn collector(language: Option<Language>) -> BagCollector {
        BagCollector::new(language)
    }

    /// The bags of `texts`.
    ///
    /// # Errors
    /// As [`BagCollector::finish`].
    pub fn of<T: AsRef<str> + Sync>(language: Option<Language>, texts: &[T]) -> Result<Self> {
        let mut collector = Self::collector(language);
        collector.push_chunk(texts);
        collector.finish()
    }

    /// The bags of the documents that `sources` lists, in that order: unchanged ones from `self`, the others
    /// from `fresh`, all of whose documents are used in turn. Equal to bags made of all contents.
    ///
    /// # Errors
    /// [`Error::InvalidTokenBags`] if both aren't of the same language, or `sources` names a document that
    /// `self` doesn't have or another number of fresh ones than there are.
    pub fn updated(&self, sources: &[BagSource], fresh: &Self) -> Result<Self> {
        self.check_sources(sources, fresh)?;
        let mut next_fresh = 0..fresh.n_documents();
        // Positions of fresh documents, resolved in order once, so that documents can be packed in any.
        let resolved: Vec<_> = sources
            .iter()
            .map(|&source| match source {
                BagSource::Previous(document) => (document, false),
                BagSource::Fresh => (next_fresh.next().unwrap_or_default(), true),
            })
            .collect();
        let mut is_used = vec![false; self.tokens.len()];
        for &(document, _) in resolved.iter().filter(|(_, is_fresh)| !is_fresh) {
            self.document(document)
                .for_each(|(token, _)| is_used[token as usize] = true);
        }
        let merged = MergedTokens::new(&self.tokens, &is_used, &fresh.tokens)?;
        let (packed, ends) = pack(sources.len(), |at, writer| {
            let (bag, numbers) = match resolved[at] {
                (document, false) => (self.document(document), &merged.of_previous),
                (document, true) => (fresh.document(document), &merged.of_fresh),
            };
            // Both maps ascend, and so do the entries.
            bag.for_each(|(token, count)| writer.push(numbers[token as usize], count));
        });
        Ok(Self {
            language: self.language,
            tokens: merged.tokens,
            packed,
            ends,
        })
    }

    fn check_sources(&self, sources: &[BagSource], fresh: &Self) -> Result<()> {
        fresh.check_language(self.language)?;
        let mut n_fresh = 0;
        for &source in sources {
            match source {
                BagSource::Previous(document) if document >= self.n_documents() => {
                    let n_documents = self.n_documents();
                    return invalid(format!("document {document} of {n_documents} is asked for"));
                }
                BagSource::Previous(_) => {}
                BagSource::Fresh => n_fresh += 1,
            }
        }
        if n_fresh != fresh.n_documents() {
            let n_given = fresh.n_documents();
            return invalid(format!(
                "{n_fresh} fresh documents are asked for, {n_given} are given"
            ));
        }
        Ok(())
    }

    pub(super) fn check_language(&self, expected: Option<Language>) -> Result<()> {
        if self.language == expected {
            return Ok(());
        }
        let name = |language: Option<Language>| language.map_or("no language", Language::name);
        let (found, expected) = (name(self.language), name(expected));
        invalid(format!("they are of {found}, expected {expected}"))
    }

    /// The language whose stop words and stems made the tokens.
    pub fn language(&self) -> Option<Language> {
        self.language
    }

    /// How many documents there are.
    pub fn n_documents(&self) -> usize {
        self.ends.len()
    }

    /// The different tokens; [`Self::document`] names a token by its position here.
    pub fn tokens(&self) -> &Vocabulary {
        &self.tokens
    }

    /// The tokens of a document and how often each occurs in it, ascending.
    ///
    /// # Panics
    /// If there is no document `i`, like the indexing of a slice.
    pub fn document(&self, i: usize) -> Bag<'_> {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Bag::new(&self.packed[start..self.ends[i]])
    }

    /// Consecutive ranges of documents, `n` at most, of about as many bytes each.
    pub(super) fn split(&self, n: usize) -> Vec<std::ops::Range<usize>> {
        let end_of = |share: usize| {
            let bytes = self.packed.len() as u128 * share as u128 / n as u128;
            self.ends.partition_point(|&end| (end as u128) < bytes)
        };
        let mut start = 0;
        (1..=n)
            .map(|share| {
                let end = if share == n {
                    self.n_documents()
                } else {
                    end_of(share).max(start)
                };
                std::mem::replace(&mut start, end)..end
            })
            .collect()
    }
}

/// The bytes of `n_documents` bags that `write` writes, and where each ends.
pub(super) fn pack(
    n_documents: usize,
    write: impl Fn(usize, &mut BagWriter<'_>) + Sync,
) -> (Vec<u8>, Vec<usize>) {
    let span = Span::current();
    let n_stretches = n_documents.div_ceil(DOCUMENTS_A_STRETCH);
    let stretches = (0..n_stretches).into_par_iter().map(|stretch| {
        let _entered = span.enter();
        let start = stretch * DOCUMENTS_A_STRETCH;
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for document in start..n_documents.min(start + DOCUMENTS_A_STRETCH) {
            write(document, &mut BagWriter::new(&mut bytes));
            ends.push(bytes.len());
        }
        (bytes, ends)
    });
    let stretches: Vec<(Vec<u8>, Vec<usize>)> = stretches.collect();
    let mut packed = Vec::with_capacity(stretches.iter().map(|(bytes, _)| bytes.len()).sum());
    let mut all_ends = Vec::with_capacity(n_documents);
    for (bytes, ends) in stretches {
        all_ends.extend(ends.iter().map(|end| packed.len() + end));
        packed.extend_from_slice(&bytes);
    }
    (packed, all_ends)
}

/// Two sorted sets of tokens as one.
struct MergedTokens {
    tokens: Vocabulary,
    /// The new position of each token; of one that isn't used, some other's.
    of_previous: Vec<u32>,
    of_fresh: Vec<u32>,
}

impl MergedTokens {
    fn new(previous: &Vocabulary, is_used: &[bool], fresh: &Vocabulary) -> Result<Self> {
        let (mut of_previous, mut of_fresh) = (vec![0; previous.len()], vec![0; fresh.len()]);
        let mut merged: Vec<&str> = Vec::with_capacity(previous.len());
        let mut used = (0..previous.len()).filter(|&i| is_used[i]).peekable();
        for (token, new) in fresh.iter().zip(&mut of_fresh) {
            while let Some(i) = used.next_if(|&i| previous.term(i) <= token) {
                of_previous[i] = merged.len() as u32;
                merged.push(previous.term(i));
            }
            if merged.last() != Some(&token) {
                merged.push(token);
            }
            *new = merged.len() as u32 - 1;
        }
        for i in used {
            of_previous[i] = merged.len() as u32;
            merged.push(previous.term(i));
        }
        Ok(Self {
            tokens: Vocabulary::new(merged)?,
            of_previous,
            of_fresh,
        })
    }
}

pub(super) fn invalid<T>(problem: String) -> Result<T> {
    Err(Error::InvalidTokenBags { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bags(texts: &[&str]) -> TokenBags {
        TokenBags::of(None, texts).unwrap()
    }

    #[test]
    fn all_tokens_are_kept_in_code_point_order() {
        let bags = bags(&["übrig due", "", "a due DATE due"]);
        assert_eq!(bags.tokens().iter().collect::<Vec<_>>(), ["date", "due", "übrig"]);
        let documents: Vec<Vec<_>> = (0..3).map(|i| bags.document(i).collect()).collect();
        assert_eq!(documents, [vec![(1, 1), (2, 1)], vec![], vec![(0, 1), (1, 2)]]);
    }

    #[test]
    fn updated_bags_equal_those_made_at_once() {
        use BagSource::{Fresh, Previous};
        let before = bags(&["due date", "paid late paid", "letter home", "late"]);
        let fresh = bags(&["aha due zzz", "home"]);
        let updated = before
            .updated(&[Previous(3), Fresh, Previous(1), Fresh], &fresh)
            .unwrap();
        assert_eq!(updated, bags(&["late", "aha due zzz", "paid late paid", "home"]));
    }

    #[test]
    fn sources_that_do_not_fit_are_refused() {
        use BagSource::{Fresh, Previous};
        let (before, none) = (bags(&["due"]), bags(&[]));
        let problem = |sources: &[BagSource], fresh| before.updated(sources, fresh).unwrap_err().to_string();
        assert!(problem(&[Previous(1)], &none).contains("document 1 of 1"));
        assert!(problem(&[Fresh], &none).contains("1 fresh documents are asked for, 0 are given"));
        assert!(problem(&[Previous(0)], &before).contains("0 fresh documents are asked for, 1 are given"));
        let german = TokenBags::of(Some(Language::German), &[""; 0]).unwrap();
        assert!(problem(&[Previous(0)], &german).contains("german"));
    }

    #[test]
    fn shares_cover_all_documents_once() {
        let bags = bags(&["due date", "", "paid", "a letter from home", ""]);
        for n in 1..8 {
            let shares = bags.split(n);
            assert_eq!(
                shares.into_iter().flatten().collect::<Vec<_>>(),
                [0, 1, 2, 3, 4],
                "{n}"
            );
        }
        assert_eq!(TokenBags::of(None, &[""; 0]).unwrap().split(2), [0..0, 0..0]);
    }
}
