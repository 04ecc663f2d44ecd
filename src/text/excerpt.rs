//! The part of a very long text that a prediction reads.

use std::borrow::Cow;
use std::ops::Range;

/// A text of more characters than this is cut for prediction.
const LONGEST: usize = 1_200_000;
const HEAD: usize = 800_000;
const TAIL: usize = 200_000;

/// The text to predict from: the whole of it up to 1,200,000 characters, else the first 800,000, a space and
/// the last 200,000. A letter is told by its head and its foot; a book should not take a minute to be filed.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match Cut::of(text) {
        None => Cow::Borrowed(text),
        Some(cut) => Cow::Owned([&text[..cut.head_end], " ", &text[cut.tail_start..]].concat()),
    }
}

/// What an [`excerpt`] leaves out, in bytes of the whole text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    head_end: usize,
    tail_start: usize,
}

impl Cut {
    /// The cut through `text`, if it is long enough for one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        // A character is at least a byte, so that most texts are settled without counting.
        if text.len() <= LONGEST || text.chars().count() <= LONGEST {
            return None;
        }
        Some(Self {
            head_end: text.char_indices().nth(HEAD).map_or(text.len(), |(at, _)| at),
            tail_start: text.char_indices().nth_back(TAIL - 1).map_or(0, |(at, _)| at),
        })
    }

    /// Where bytes of the excerpt, which begin or end nowhere but at its words, stand in the whole text; what reaches
    /// from the head into the tail spans all that was left out.
    pub(crate) fn in_whole(&self, in_excerpt: &Range<usize>) -> Range<usize> {
        // The excerpt has one byte, the space, instead of what was left out.
        let left_out = self.tail_start - self.head_end - 1;
        let whole = |at: usize| if at > self.head_end { at + left_out } else { at };
        whole(in_excerpt.start)..whole(in_excerpt.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_greatest_length_is_whole() {
        let text = "ä".repeat(LONGEST);
        assert!(matches!(excerpt(&text), Cow::Borrowed(whole) if whole.len() == text.len()));
    }

    #[test]
    fn longer_text_is_head_space_and_tail_counted_in_characters() {
        let text = [
            "ä".repeat(HEAD),
            "-".repeat(LONGEST - HEAD - TAIL + 1),
            "ö".repeat(TAIL),
        ]
        .concat();
        assert_eq!(
            excerpt(&text),
            ["ä".repeat(HEAD), " ".into(), "ö".repeat(TAIL)].concat()
        );
    }

    #[test]
    fn what_stands_in_the_excerpt_is_found_in_the_whole() {
        let text = [
            &"ä".repeat(HEAD - 5),
            " head",
            &"-".repeat(LONGEST - HEAD - TAIL + 1),
            "tail ",
            &"ö".repeat(TAIL - 5),
        ]
        .concat();
        let (excerpt, cut) = (excerpt(&text), Cut::of(&text).unwrap());
        for word in ["head", "tail"] {
            let start = excerpt.find(word).unwrap();
            let found = cut.in_whole(&(start..start + word.len()));
            assert_eq!((found.start, &text[found]), (text.find(word).unwrap(), word));
        }
        let start = excerpt.find("head tail").unwrap();
        let spanning = &text[cut.in_whole(&(start..start + "head tail".len()))];
        assert!(spanning.starts_with("head--") && spanning.ends_with("--tail"));
    }
}
