//! Archives as large as anybody's: documents of some 327 words from a vocabulary of 50,000 that is used as languages
//! use theirs (Zipf's law), with the labels of the profiled corpus. The same for the same seed.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::path::Path;

use jiff::Timestamp;
use postroom::document::{DocumentId, Field, LabelId};
use postroom::store::{MatchingAlgorithm, NewDocument, NewLabel, SqliteArchive};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 42;
const N_WORDS: usize = 50_000;
/// Uniform, 327 in the mean.
const WORDS_A_DOCUMENT: std::ops::RangeInclusive<usize> = 54..=600;
/// Words that a label brings into the text of its documents.
const FINGERPRINT: usize = 6;
const MOST_TAGS: usize = 4;
/// Documents in memory at a time.
const CHUNK: usize = 5_000;

/// A field, its labels, how many of them are learned, and how many documents have one.
const FIELDS: [(Field, usize, usize, f64); 4] = [
    (Field::Correspondent, 40, 25, 0.80),
    (Field::DocumentType, 25, 15, 0.80),
    (Field::StoragePath, 20, 12, 0.70),
    (Field::Tags, 50, 30, 0.85),
];

/// Makes an archive of `n_documents` at `path`.
pub(crate) fn create(path: &Path, n_documents: usize) {
    let mut archive = SqliteArchive::create(path).unwrap();
    for (field, n_labels, n_auto, _) in FIELDS {
        for label in 0..n_labels {
            let matching_algorithm = if label < n_auto {
                MatchingAlgorithm::Auto
            } else {
                MatchingAlgorithm::None
            };
            let new = NewLabel {
                name: &format!("{field} {label}"),
                matching_algorithm,
                is_inbox_tag: false,
            };
            archive.add_label(field, &new).unwrap();
        }
    }
    let text = Text::new();
    for first in (0..n_documents).step_by(CHUNK) {
        let chunk = first..n_documents.min(first + CHUNK);
        let documents: Vec<MadeUp> = chunk.map(|position| text.document(position)).collect();
        add(&mut archive, &documents);
    }
}

fn add(archive: &mut SqliteArchive, documents: &[MadeUp]) {
    let new: Vec<_> = documents.iter().map(MadeUp::as_new).collect();
    let ids = archive.add_documents(&new).unwrap();
    let tagged: Vec<(DocumentId, LabelId)> = ids
        .iter()
        .zip(documents)
        .flat_map(|(&id, document)| document.labels[3].iter().map(move |&tag| (id, key(tag))))
        .collect();
    archive.add_tags(&tagged).unwrap();
}

/// Keys count up from 1.
fn key(label: usize) -> LabelId {
    LabelId(label as i32 + 1)
}

struct MadeUp {
    content: String,
    /// By the order of [`FIELDS`].
    labels: [Vec<usize>; 4],
}

impl MadeUp {
    fn as_new(&self) -> NewDocument<'_> {
        let [correspondent, document_type, storage_path] =
            [0, 1, 2].map(|field| self.labels[field].first().map(|&label| key(label)));
        NewDocument {
            title: "",
            content: &self.content,
            modified: Timestamp::constant(1_767_225_600, 0),
            correspondent,
            document_type,
            storage_path,
        }
    }
}

struct Text {
    /// How often a word of this rank or a lower one is used, the most frequent once.
    cumulated: Vec<f64>,
}

impl Text {
    fn new() -> Self {
        let cumulated = (1..=N_WORDS).scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        });
        Self {
            cumulated: cumulated.collect(),
        }
    }

    /// Depends on the seed and the position alone.
    fn document(&self, position: usize) -> MadeUp {
        let rng = &mut ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(position as u64);
        let labels = FIELDS.map(|(field, n_labels, _, probability)| {
            let n_chosen = match field {
                _ if !rng.random_bool(probability) => 0,
                Field::Tags => rng.random_range(1..=MOST_TAGS),
                _ => 1,
            };
            let mut chosen: Vec<usize> = (0..n_chosen).map(|_| rng.random_range(0..n_labels)).collect();
            chosen.sort_unstable();
            chosen.dedup();
            chosen
        });
        let mut content = String::new();
        for _ in 0..rng.random_range(WORDS_A_DOCUMENT) {
            push_word(&mut content, self.rank(rng));
        }
        for (at, chosen) in labels.iter().enumerate() {
            for label in chosen {
                for word in 0..FINGERPRINT {
                    push_word(&mut content, N_WORDS + (at * 100 + label) * FINGERPRINT + word);
                }
            }
        }
        MadeUp { content, labels }
    }

    fn rank(&self, rng: &mut ChaCha8Rng) -> usize {
        let most = self.cumulated[N_WORDS - 1];
        let drawn = rng.random_range(0.0..most);
        self.cumulated.partition_point(|&sum| sum <= drawn)
    }
}

/// Three syllables, of a hundred each: neighbours in rank have nothing in common.
fn push_word(content: &mut String, number: usize) {
    // Prime to a million: no two numbers below it give the same word.
    let mixed = number * 387_421 % 1_000_000;
    for syllable in [mixed / 10_000, mixed / 100 % 100, mixed % 100] {
        content.push(char::from(b"bcdfghjklmnpqrstvwxz"[syllable / 5]));
        content.push(char::from(b"aeiou"[syllable % 5]));
    }
    content.push(' ');
}
