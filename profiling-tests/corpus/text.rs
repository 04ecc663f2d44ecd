//! The words of the corpus: fingerprints that tell labels apart, and paragraphs that don't.
//!
//! `fake`'s Latin has 182 distinct words: a corpus of it alone never grows a vocabulary. So a paragraph is one
//! sentence of Latin, one of names and company text, and one of made-up words with a Zipf tail. Most made-up words
//! and nearly all word pairs are too rare to become terms, as in real archives.

use std::fmt::Write as _;
use std::sync::LazyLock;

use fake::Fake;
use fake::faker::company::en::{BsAdj, BsNoun, BsVerb, Buzzword, BuzzwordTail, CompanyName};
use fake::faker::lorem::en::Word;
use fake::faker::name::en::{FirstName, LastName};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Words that give a label away.
const FINGERPRINT_WORDS: usize = 6;

/// Shorter words may be stop words.
const SHORTEST_FINGERPRINT_WORD: usize = 4;

/// Distinct made-up words; about every ninth is seen in 5,000 documents.
const MADE_UP_WORDS: usize = 50_000;

/// Six distinct words, company words and last names mixed, from the label's own generator.
pub(super) fn fingerprint(seed: u64) -> String {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut words: Vec<String> = Vec::with_capacity(FINGERPRINT_WORDS);
    while words.len() < FINGERPRINT_WORDS {
        let word = if words.len().is_multiple_of(2) {
            business_word(rng)
        } else {
            last_name(rng)
        };
        let word = word.to_lowercase();
        let plain =
            word.len() >= SHORTEST_FINGERPRINT_WORD && word.bytes().all(|byte| byte.is_ascii_lowercase());
        if plain && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// Three sentences.
pub(super) fn paragraph(rng: &mut ChaCha8Rng) -> String {
    let (latin, made_up) = (rng.random_range(5..9), rng.random_range(5..9));
    let mut text = sentence((0..latin).map(|_| Word().fake_with_rng::<&str, _>(rng)));
    write!(
        text,
        " {} {} of {} will {} {} {}. ",
        FirstName().fake_with_rng::<&str, _>(rng),
        last_name(rng),
        CompanyName().fake_with_rng::<String, _>(rng),
        BsVerb().fake_with_rng::<&str, _>(rng),
        BsAdj().fake_with_rng::<&str, _>(rng),
        BsNoun().fake_with_rng::<&str, _>(rng),
    )
    .expect("a String takes every write");
    let words: Vec<String> = (0..made_up).map(|_| made_up_word(rng)).collect();
    text.push_str(&sentence(words.iter().map(String::as_str)));
    text
}

/// A title of three words.
pub(super) fn title(rng: &mut ChaCha8Rng) -> String {
    sentence((0..3).map(|_| Word().fake_with_rng::<&str, _>(rng)))
}

/// Words as a sentence.
fn sentence<'word>(words: impl Iterator<Item = &'word str>) -> String {
    let mut sentence = words.collect::<Vec<_>>().join(" ");
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence.push('.');
    sentence
}

fn last_name(rng: &mut impl Rng) -> &'static str {
    LastName().fake_with_rng(rng)
}

fn business_word(rng: &mut impl Rng) -> &'static str {
    match rng.random_range(0..4) {
        0 => Word().fake_with_rng(rng),
        1 => Buzzword().fake_with_rng(rng),
        2 => BuzzwordTail().fake_with_rng(rng),
        _ => BsNoun().fake_with_rng(rng),
    }
}

/// A made-up word, the first ones by far the most often: Zipf's law, as Mandelbrot corrected it.
pub(super) fn made_up_word(rng: &mut impl Rng) -> String {
    static CUMULATIVE: LazyLock<Vec<f64>> = LazyLock::new(|| {
        let weights = (0..MADE_UP_WORDS).map(|rank| 1.0 / (rank as f64 + 2.7));
        weights
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect()
    });
    let total = CUMULATIVE[MADE_UP_WORDS - 1];
    let at = rng.random::<f64>() * total;
    spell(
        CUMULATIVE
            .partition_point(|&cumulative| cumulative <= at)
            .min(MADE_UP_WORDS - 1),
    )
}

/// The made-up word of a rank: three syllables of two letters. Ranks are spread first, so that neighbours in
/// frequency don't look alike; different ranks stay different words.
fn spell(rank: usize) -> String {
    const CONSONANTS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
    const VOWELS: &[u8; 5] = b"aeiou";
    const SYLLABLES: usize = CONSONANTS.len() * VOWELS.len();
    // Coprime to the million words of three syllables.
    let mut rest = rank * 618_033 % SYLLABLES.pow(3);
    let mut word = String::with_capacity(6);
    for _ in 0..3 {
        let syllable = rest % SYLLABLES;
        word.push(char::from(CONSONANTS[syllable / VOWELS.len()]));
        word.push(char::from(VOWELS[syllable % VOWELS.len()]));
        rest /= SYLLABLES;
    }
    word
}
