//! Documents as sequences of token numbers, and how many documents each token is in.
//!
//! Each [`Part`] belongs to one thread while documents pass by; [`merge`] brings their numbers together.

use rayon::prelude::*;
use tracing::Span;

use super::interner::Interner;
use super::meaning::{Meaning, for_each_counted_token, is_counted, is_own_token};
use super::seen::Seen;
use crate::text::{Preprocessor, for_each_word};

/// The documents that fell to one thread.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Different words, and the code of each one's [`Meaning`]; empty where words are their own tokens.
    words: Interner,
    meanings: Vec<u32>,
    tokens: TokenTable,
    /// Every document's tokens, end to end.
    sequence: Vec<u32>,
    /// Where in `sequence` each document ends.
    ends: Vec<usize>,
    word_buffer: String,
    token_buffer: String,
}

impl Part {
    pub(super) fn push_document(&mut self, preprocessor: &Preprocessor, content: &str) {
        let mut word_buffer = std::mem::take(&mut self.word_buffer);
        for_each_word(content, &mut word_buffer, |word| {
            self.push_word(preprocessor, word);
        });
        self.word_buffer = word_buffer;
        self.ends.push(self.sequence.len());
    }

    fn push_word(&mut self, preprocessor: &Preprocessor, word: &str) {
        if is_own_token(preprocessor, word) {
            if is_counted(word) {
                self.push_token(word);
            }
            return;
        }
        match self.meaning(preprocessor, word) {
            Meaning::Dropped => {}
            Meaning::Token(number) => self.push_number(number),
            Meaning::Several => {
                let mut buffer = std::mem::take(&mut self.token_buffer);
                for_each_counted_token(preprocessor, word, &mut buffer, |token| self.push_token(token));
                self.token_buffer = buffer;
            }
        }
    }

    fn meaning(&mut self, preprocessor: &Preprocessor, word: &str) -> Meaning {
        let word_idx = self.words.intern(word) as usize;
        if let Some(&code) = self.meanings.get(word_idx) {
            return Meaning::from_code(code);
        }
        let meaning = Meaning::of(preprocessor, word, |token| self.tokens.number(token));
        self.meanings.push(meaning.code());
        meaning
    }

    fn push_token(&mut self, token: &str) {
        let number = self.tokens.number(token);
        self.push_number(number);
    }

    fn push_number(&mut self, number: u32) {
        self.tokens.seen[number as usize].see(self.ends.len() as u32);
        self.sequence.push(number);
    }
}

/// Different tokens, and how many documents each is in.
#[derive(Debug, Default)]
pub(super) struct TokenTable {
    pub(super) strings: Interner,
    pub(super) seen: Vec<Seen>,
}

impl TokenTable {
    fn number(&mut self, token: &str) -> u32 {
        let number = self.strings.intern(token);
        if number as usize == self.seen.len() {
            self.seen.push(Seen::NEVER);
        }
        number
    }
}

/// The documents of one part, once its tokens have been numbered together with those of the other parts.
#[derive(Debug)]
pub(super) struct PartSequence {
    tokens: Vec<u32>,
    ends: Vec<usize>,
    /// The common number of each number in `tokens`.
    numbers: Vec<u32>,
}

impl PartSequence {
    /// The tokens of each document.
    pub(super) fn documents(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| &self.tokens[start..end])
    }

    /// Replaces each token's number by what `value_of_token` has for its common number.
    pub(super) fn replace(&mut self, value_of_token: &[u32]) {
        for token in &mut self.tokens {
            *token = value_of_token[self.numbers[*token as usize] as usize];
        }
        self.numbers = Vec::new();
    }
}

/// Numbers the tokens of all parts together and adds up their frequencies.
///
/// The common numbers depend on how the documents were shared out; the order of the terms must not.
pub(super) fn merge(parts: Vec<Part>) -> (Vec<PartSequence>, TokenTable) {
    let mut common = TokenTable::default();
    let mut sequences = Vec::with_capacity(parts.len());
    for part in parts {
        let numbers = if sequences.is_empty() {
            common = part.tokens;
            (0..common.strings.len() as u32).collect()
        } else {
            add(&mut common, &part.tokens)
        };
        sequences.push(PartSequence {
            tokens: part.sequence,
            ends: part.ends,
            numbers,
        });
    }
    (sequences, common)
}

/// Adds `table` to `common`; returns the common number of each of its tokens.
fn add(common: &mut TokenTable, table: &TokenTable) -> Vec<u32> {
    let numbers = 0..table.strings.len() as u32;
    let into_common = |number: u32| {
        let in_common = common.number(table.strings.string(number));
        common.seen[in_common as usize].frequency += table.seen[number as usize].frequency;
        in_common
    };
    numbers.map(into_common).collect()
}

/// Replaces token numbers in every part, see [`PartSequence::replace`].
pub(super) fn replace_all(sequences: &mut [PartSequence], value_of_token: &[u32]) {
    let span = Span::current();
    sequences
        .par_iter_mut()
        .for_each(|sequence| span.in_scope(|| sequence.replace(value_of_token)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(documents: &[&str]) -> Part {
        let mut part = Part::default();
        for text in documents {
            part.push_document(&Preprocessor::new(None), text);
        }
        part
    }

    fn frequencies(tokens: &TokenTable) -> Vec<u32> {
        tokens.seen.iter().map(|seen| seen.frequency).collect()
    }

    #[test]
    fn token_counts_once_a_document() {
        let part = part(&["due due date", "due"]);
        assert_eq!(frequencies(&part.tokens), [2, 1]);
        assert_eq!((part.sequence, part.ends), (vec![0, 0, 1, 0], vec![3, 4]));
    }

    #[test]
    fn single_characters_leave_no_token() {
        assert_eq!(part(&["a b due ä c"]).sequence, [0]);
    }

    #[test]
    fn merged_parts_share_numbers_and_add_up_frequencies() {
        let (mut sequences, tokens) = merge(vec![part(&["due date"]), part(&["date paid", ""])]);
        assert_eq!(frequencies(&tokens), [1, 2, 1]);
        replace_all(&mut sequences, &[10, 11, 12]);
        assert_eq!(
            (&sequences[0].tokens, &sequences[1].tokens),
            (&vec![10, 11], &vec![11, 12])
        );
        assert_eq!(sequences[1].ends, [2, 2]);
    }
}
