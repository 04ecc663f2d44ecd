//! The archives that are measured on, made up from seeds and kept for the next run.
//!
//! Labels, and what gives them away, are those of the profiled corpus; larger archives have further words around them,
//! from a vocabulary of 50,000 made-up words whose frequencies follow Zipf's law.

#[path = "../../profiling-tests/corpus/generator.rs"]
mod generator;
#[path = "../../profiling-tests/corpus/text.rs"]
mod text;

use std::fs;
use std::path::PathBuf;

use postroom::Result;
use postroom::document::{Field, LabelId};
use postroom::store::{NewDocument, NewLabel, SqliteArchive};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use generator::Generator;

const SEED: u64 = 42;

/// Documents handed to the archive at a time.
const BATCH: usize = 500;

/// Most tags on a document.
const MOST_TAGS: usize = 4;

/// An archive to measure on.
#[expect(clippy::struct_field_names, reason = "they are numbers of three things")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corpus {
    pub(crate) n_documents: usize,
    /// About how many words a document has; none: as many as in the profiled corpus, some 50.
    pub(crate) n_words: Option<usize>,
    /// Tags that are learned; none: the 30 of the profiled corpus.
    pub(crate) n_tags: Option<usize>,
}

impl Corpus {
    /// The profiled corpus, with so many documents.
    pub(crate) const fn short(n_documents: usize) -> Self {
        Self {
            n_documents,
            n_words: None,
            n_tags: None,
        }
    }

    /// Documents of so many words.
    pub(crate) const fn long(n_documents: usize, n_words: usize) -> Self {
        Self {
            n_words: Some(n_words),
            ..Self::short(n_documents)
        }
    }

    /// The database, made unless an earlier run left it.
    pub(crate) fn database(self) -> Result<PathBuf> {
        let words = self
            .n_words
            .map_or_else(|| "short".to_owned(), |n| format!("{n}-words"));
        let tags = self.n_tags.map_or_else(String::new, |n| format!("-{n}-tags"));
        let name = format!("{}-documents-{words}{tags}-seed-{SEED}.sqlite3", self.n_documents);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        if !path.exists() {
            let unfinished = path.with_extension("unfinished");
            // What an interrupted run left; that there is nothing is the usual case.
            let _ = fs::remove_file(&unfinished);
            self.write(SqliteArchive::create(&unfinished)?)?;
            fs::rename(&unfinished, &path).expect("a file that was just written can be renamed");
        }
        Ok(path)
    }

    fn write(self, mut archive: SqliteArchive) -> Result<()> {
        let generator = Generator::new(SEED);
        for field in Field::ALL {
            if field == Field::Tags && self.n_tags.is_some() {
                continue;
            }
            for label in generator.labels(field) {
                archive.add_label(field, &label.as_new())?;
            }
        }
        for tag in 0..self.n_tags.unwrap_or(0) {
            archive.add_label(Field::Tags, &NewLabel::auto(&format!("tag {tag}")))?;
        }
        let fingerprints: Vec<String> = (0..self.n_tags.unwrap_or(0) as u64)
            .map(|tag| text::fingerprint(10_000 + tag))
            .collect();
        for first in (0..self.n_documents).step_by(BATCH) {
            self.write_batch(&mut archive, &generator, &fingerprints, first)?;
        }
        Ok(())
    }

    fn write_batch(
        self,
        archive: &mut SqliteArchive,
        generator: &Generator,
        fingerprints: &[String],
        first: usize,
    ) -> Result<()> {
        let positions = first..self.n_documents.min(first + BATCH);
        let mut documents: Vec<_> = positions
            .clone()
            .map(|position| generator.document(position))
            .collect();
        for (position, document) in positions.zip(&mut documents) {
            let rng = &mut ChaCha8Rng::seed_from_u64(SEED + 1);
            rng.set_stream(position as u64);
            if self.n_tags.is_some() {
                document.tags = some_tags(rng, fingerprints.len());
            }
            if self.n_tags.is_some() {
                for tag in &document.tags {
                    document.content.push(' ');
                    document.content.push_str(&fingerprints[tag.0 as usize - 1]);
                }
            }
            let n_words = document.content.split_whitespace().count();
            for _ in n_words..self.n_words.unwrap_or(0) {
                document.content.push(' ');
                document.content.push_str(&text::made_up_word(rng));
            }
        }
        let new: Vec<NewDocument<'_>> = documents.iter().map(generator::MadeUpDocument::as_new).collect();
        let ids = archive.add_documents(&new)?;
        let rows: Vec<_> = ids
            .into_iter()
            .zip(&documents)
            .flat_map(|(id, document)| document.tags.iter().map(move |&tag| (id, tag)))
            .collect();
        archive.add_tags(&rows)
    }
}

/// One to four different ones, or, on 15 % of the documents, none.
fn some_tags(rng: &mut ChaCha8Rng, n_tags: usize) -> Vec<LabelId> {
    if !rng.random_bool(0.85) {
        return Vec::new();
    }
    let n_chosen = rng.random_range(1..=MOST_TAGS);
    let mut tags = rand::seq::index::sample(rng, n_tags, n_chosen).into_vec();
    tags.sort_unstable();
    tags.into_iter().map(|tag| LabelId(tag as i32 + 1)).collect()
}

/// Texts that are in no archive: those behind the end of the profiled corpus of 5,000.
pub(crate) fn unseen(n_texts: usize) -> Vec<String> {
    let generator = Generator::new(SEED);
    let texts = (0..n_texts).map(|position| generator.document(5_000 + position).content);
    std::iter::once(generator.sample())
        .chain(texts)
        .take(n_texts)
        .collect()
}
