//! The columns of tokens, looked up once for many documents.

use super::columns::NO_TERM;

/// The columns that one occurrence of each token adds to: its word's, if that is a term, and its character n-grams'.
#[derive(Debug, Default)]
pub(super) struct TokenColumns {
    /// Of each token, or [`NO_TERM`].
    words: Vec<u32>,
    /// Of all tokens, end to end, each as often as it occurs.
    pub(super) grams: Vec<u32>,
    /// Where in `grams` those of each token end.
    ends: Vec<usize>,
}

impl TokenColumns {
    /// Ends a token, whose n-grams were appended to `grams`.
    pub(super) fn end_token(&mut self, word: Option<u32>) {
        self.words.push(word.unwrap_or(NO_TERM));
        self.ends.push(self.grams.len());
    }

    /// Calls `each` with the columns of a token.
    #[inline]
    pub(super) fn for_each_of(&self, token: u32, mut each: impl FnMut(u32)) {
        let word = self.words[token as usize];
        if word != NO_TERM {
            each(word);
        }
        for &gram in self.grams_of(token) {
            each(gram);
        }
    }

    /// Calls `each` with the columns of all tokens, in their order.
    pub(super) fn for_each(&self, mut each: impl FnMut(u32)) {
        for token in 0..self.words.len() as u32 {
            self.for_each_of(token, &mut each);
        }
    }

    #[inline]
    pub(super) fn grams_of(&self, token: u32) -> &[u32] {
        let token = token as usize;
        let start = if token == 0 { 0 } else { self.ends[token - 1] };
        &self.grams[start..self.ends[token]]
    }

    /// Puts columns in place of numbers: a token gets what `words` gives for it, an n-gram what `column_of_gram` has,
    /// in both of which [`NO_TERM`] is none.
    pub(super) fn replace(&mut self, words: Vec<u32>, column_of_gram: &[u32]) {
        self.words = words;
        let (mut start, mut n_kept) = (0, 0);
        for end in &mut self.ends {
            for at in start..*end {
                let column = column_of_gram[self.grams[at] as usize];
                if column != NO_TERM {
                    self.grams[n_kept] = column;
                    n_kept += 1;
                }
            }
            start = std::mem::replace(end, n_kept);
        }
        self.grams.truncate(n_kept);
    }

    pub(super) fn concat(parts: &[Self]) -> Self {
        let mut whole = Self::default();
        whole
            .grams
            .reserve_exact(parts.iter().map(|part| part.grams.len()).sum());
        for part in parts {
            let start = whole.grams.len();
            whole.words.extend_from_slice(&part.words);
            whole.ends.extend(part.ends.iter().map(|end| start + end));
            whole.grams.extend_from_slice(&part.grams);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(columns: &TokenColumns, token: u32) -> Vec<u32> {
        let mut found = Vec::new();
        columns.for_each_of(token, |column| found.push(column));
        found
    }

    fn two_tokens() -> TokenColumns {
        let mut columns = TokenColumns::default();
        columns.grams.extend([0, 1, 0]);
        columns.end_token(Some(9));
        columns.grams.extend([2, 1]);
        columns.end_token(None);
        columns
    }

    #[test]
    fn word_comes_before_its_grams() {
        let columns = two_tokens();
        assert_eq!([of(&columns, 0), of(&columns, 1)], [vec![9, 0, 1, 0], vec![2, 1]]);
    }

    #[test]
    fn replaced_numbers_without_a_column_are_left_out() {
        let mut columns = two_tokens();
        columns.replace(vec![NO_TERM, 4], &[NO_TERM, 7, 8]);
        assert_eq!([of(&columns, 0), of(&columns, 1)], [vec![7], vec![4, 8, 7]]);
    }

    #[test]
    fn tokens_of_parts_follow_each_other() {
        let columns = TokenColumns::concat(&[two_tokens(), two_tokens()]);
        assert_eq!([of(&columns, 1), of(&columns, 2)], [vec![2, 1], vec![9, 0, 1, 0]]);
    }
}
