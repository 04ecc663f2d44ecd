//! Any text, in any language: words lie in it in order, tokens come of words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postroom::text::{Language, Preprocessor, excerpt, for_each_word_at, is_word_character};

fuzz_target!(|input: (u8, &str)| {
    let (language, text) = input;
    let language = Language::ALL.get(usize::from(language) % 13).copied();
    let (mut end, mut n_words) = (0, 0);
    for_each_word_at(text, &mut String::new(), |word, at| {
        assert!(end <= at.start && !word.is_empty());
        assert!(text[at.clone()].chars().all(is_word_character));
        assert_eq!(word, text[at.clone()].to_lowercase());
        (end, n_words) = (at.end, n_words + 1);
    });
    let mut n_tokens = 0;
    Preprocessor::new(language).for_each_token(text, &mut String::new(), |token| {
        assert!(!token.is_empty());
        n_tokens += 1;
    });
    assert!(n_tokens <= 2 * n_words);
    assert_eq!(excerpt(text), text);
});
