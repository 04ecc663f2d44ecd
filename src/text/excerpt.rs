//! The part of a very long text that a prediction reads.

use std::borrow::Cow;

/// A text of more characters than this is cut for prediction.
const LONGEST: usize = 1_200_000;
const HEAD: usize = 800_000;
const TAIL: usize = 200_000;

/// The text to predict from: the whole of it up to 1,200,000 characters, else the first 800,000, a space and
/// the last 200,000. A letter is told by its head and its foot; a book should not take a minute to be filed.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    // A character is at least a byte, so that most texts are settled without counting.
    if text.len() <= LONGEST || text.chars().count() <= LONGEST {
        return Cow::Borrowed(text);
    }
    let head_end = text.char_indices().nth(HEAD).map_or(text.len(), |(at, _)| at);
    let tail_start = text.char_indices().nth_back(TAIL - 1).map_or(0, |(at, _)| at);
    Cow::Owned([&text[..head_end], " ", &text[tail_start..]].concat())
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
}
