//! Parts of tokens: what is left in common when text recognition misreads a letter, or an ending differs.

use std::ops::Range;

/// Calls `each` with every window of `length` characters in `token` with a space before and after it, and with the
/// bytes of `token` that the window covers; a token so short that it fits into one window is one gram.
/// ```text
/// " invoic "   → " inv" "invo" "nvoi" "voic" "oic "
/// ```
/// scikit-learn's `char_wb`. The spaces tell a beginning and an end from a middle.
///
/// `buffer` is scratch space; one that is reused spares its allocation.
pub(super) fn for_each_gram(
    token: &str,
    length: usize,
    buffer: &mut String,
    mut each: impl FnMut(&str, Range<usize>),
) {
    buffer.clear();
    buffer.extend([" ", token, " "]);
    let in_token = |start: usize, end: usize| start.saturating_sub(1)..(end - 1).min(token.len());
    let starts = buffer.char_indices().map(|(at, _)| at);
    let ends = buffer.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut ends = ends.skip(length - 1).peekable();
    if ends.peek().is_none() {
        each(buffer, 0..token.len());
    }
    for (start, end) in starts.zip(ends) {
        each(&buffer[start..end], in_token(start, end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(token: &str, length: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for_each_gram(token, length, &mut String::new(), |gram, at| {
            found.push((gram.to_owned(), token[at].to_owned()));
        });
        found
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|&(gram, part)| (gram.to_owned(), part.to_owned()))
            .collect()
    }

    #[test]
    fn windows_run_over_the_padded_token() {
        let expected = [
            (" inv", "inv"),
            ("invo", "invo"),
            ("nvoi", "nvoi"),
            ("voic", "voic"),
            ("oic ", "oic"),
        ];
        assert_eq!(grams("invoic", 4), owned(&expected));
    }

    #[test]
    fn token_of_one_window_is_one_gram() {
        assert_eq!(grams("ab", 4), owned(&[(" ab ", "ab")]));
        assert_eq!(grams("ab", 5), owned(&[(" ab ", "ab")]));
    }

    #[test]
    fn windows_are_counted_in_characters() {
        assert_eq!(grams("𐐨ß漢", 4), owned(&[(" 𐐨ß漢", "𐐨ß漢"), ("𐐨ß漢 ", "𐐨ß漢")]));
    }
}
