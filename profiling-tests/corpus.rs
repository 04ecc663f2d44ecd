//! The archive that every scenario measures on: made up once per process, or somebody's own.
//!
//! In come the settings; out goes a real archive with paperless-ngx's tables, in SQLite if it is made up, its digest, a sample content
//! and further documents that weren't trained on. What was made up is removed when the corpus is dropped.

mod digest;
mod generator;
mod text;

use std::error::Error;
use std::path::Path;

use postroom::document::{Field, LabelId, Labels};
use postroom::store::{Archive, DocumentStore, Location, MemoryStore, NewDocument, Password, SqliteArchive};
use serde::Serialize;

use crate::progress::Progress;
use crate::scratch::ScratchDirectory;
use crate::settings::Settings;
use generator::{Generator, MadeUpDocument};

pub(crate) use digest::{CorpusDigest, corpus_digest};

/// Documents handed to the archive at a time: as many as it writes in one transaction.
const DOCUMENT_BATCH: usize = 500;

/// Tag rows handed to the archive at a time.
const TAG_BATCH: usize = 1_000;

/// Documents beside the trained ones, to predict.
const N_HELD_OUT: usize = 1_000;

/// An archive to measure on.
#[derive(Debug)]
pub(crate) struct Corpus {
    store: Archive,
    facts: CorpusFacts,
    sample: String,
    held_out: Vec<HeldOut>,
    /// Removed with everything in it.
    _directory: Option<ScratchDirectory>,
}

/// What a report says about the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CorpusFacts {
    /// Where it comes from.
    pub(crate) source: Source,
    /// Documents that train.
    pub(crate) n_documents: usize,
    /// Bytes in their contents.
    pub(crate) content_bytes: u64,
    /// Labels that are learned, in the order of [`Field::ALL`].
    pub(crate) n_labels: [usize; 4],
    /// Of documents and labels.
    pub(crate) sha256: String,
}

/// Where a corpus comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum Source {
    /// Made up from a seed.
    Generated {
        /// The seed.
        seed: u64,
    },
    /// An archive of `PROFILING_DB`.
    Archive {
        /// Name of the file, or URL on a server.
        file: String,
    },
}

/// A document to predict.
#[derive(Debug, Clone)]
pub(crate) struct HeldOut {
    pub(crate) content: String,
    /// How it should be filed; none if it is one of the trained documents, where that would say nothing.
    pub(crate) expected: Option<Labels>,
}

impl Corpus {
    /// Makes the corpus up, or opens the archive that the settings name.
    pub(crate) fn prepare(settings: &Settings, progress: Progress) -> Result<Self, Box<dyn Error>> {
        match &settings.archive {
            Some(location) => Self::of_archive(location),
            None => Self::make_up(settings, progress),
        }
    }

    /// The archive. Opened anew for every training, as a program would.
    pub(crate) fn store(&self) -> &Archive {
        &self.store
    }

    /// What a report says about it.
    pub(crate) fn facts(&self) -> &CorpusFacts {
        &self.facts
    }

    /// A content that predictions are measured on.
    pub(crate) fn sample(&self) -> &str {
        &self.sample
    }

    /// Further documents.
    pub(crate) fn held_out(&self) -> &[HeldOut] {
        &self.held_out
    }

    fn make_up(settings: &Settings, progress: Progress) -> Result<Self, Box<dyn Error>> {
        let generator = Generator::new(settings.seed);
        let directory = ScratchDirectory::create()
            .map_err(|error| format!("cannot create a directory for the corpus: {error}"))?;
        let path = directory.path().join("db.sqlite3");
        write_archive(&path, &generator, settings.n_documents, progress)?;
        let held_out = (0..N_HELD_OUT).map(|position| generator.document(settings.n_documents + position));
        let store = open(&path.into())?;
        Ok(Self {
            facts: CorpusFacts::read(&store, Source::Generated { seed: settings.seed })?,
            store,
            sample: generator.sample(),
            held_out: held_out
                .map(|document| HeldOut::from_made_up(document, &generator))
                .collect(),
            _directory: Some(directory),
        })
    }

    fn of_archive(location: &Location) -> Result<Self, Box<dyn Error>> {
        let store = open(location)?;
        let file = match location {
            Location::File(path) => path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            Location::Server(address) => address.to_string(),
        };
        let facts = CorpusFacts::read(&store, Source::Archive { file })?;
        let held_out = spread_out(&store, facts.n_documents)?;
        let sample = held_out
            .iter()
            .map(|document| &document.content)
            .find(|content| !content.is_empty());
        let sample = sample
            .ok_or_else(|| format!("{location} has no document with text to predict"))?
            .clone();
        Ok(Self {
            store,
            facts,
            sample,
            held_out,
            _directory: None,
        })
    }
}

/// Opens an archive, with the password from the environment if it is on a server.
pub(crate) fn open(location: &Location) -> Result<Archive, Box<dyn Error>> {
    let password = match location {
        Location::File(_) => None,
        Location::Server(_) => Password::from_environment()?,
    };
    Ok(Archive::open(location, password)?)
}

impl CorpusFacts {
    fn read(store: &Archive, source: Source) -> postroom::Result<Self> {
        let catalog = store.snapshot()?.label_catalog()?;
        let CorpusDigest {
            sha256,
            n_documents,
            content_bytes,
        } = corpus_digest(store)?;
        Ok(Self {
            source,
            n_documents,
            content_bytes,
            n_labels: Field::ALL.map(|field| catalog.of(field).len()),
            sha256,
        })
    }
}

impl HeldOut {
    fn from_made_up(document: MadeUpDocument, generator: &Generator) -> Self {
        let learned = |field, label: &LabelId| generator.labels(field)[label.0 as usize - 1].is_auto;
        let one = |field, label: Option<LabelId>| label.filter(|label| learned(field, label));
        let expected = Labels {
            correspondent: one(Field::Correspondent, document.correspondent),
            document_type: one(Field::DocumentType, document.document_type),
            storage_path: one(Field::StoragePath, document.storage_path),
            tags: document
                .tags
                .iter()
                .copied()
                .filter(|tag| learned(Field::Tags, tag))
                .collect(),
        };
        Self {
            content: document.content,
            expected: Some(expected),
        }
    }
}

/// Writes a made-up archive to a new file: labels one by one, documents and tag rows in batches.
fn write_archive(
    path: &Path,
    generator: &Generator,
    n_documents: usize,
    progress: Progress,
) -> postroom::Result<()> {
    let mut archive = SqliteArchive::create(path)?;
    for field in Field::ALL {
        for label in generator.labels(field) {
            archive.add_label(field, &label.as_new())?;
        }
    }
    let bar = progress.bar("writing the corpus", n_documents);
    let mut tag_rows = Vec::with_capacity(TAG_BATCH);
    for start in (0..n_documents).step_by(DOCUMENT_BATCH) {
        let end = n_documents.min(start + DOCUMENT_BATCH);
        let documents: Vec<MadeUpDocument> = (start..end)
            .map(|position| generator.document(position))
            .collect();
        let ids = archive.add_documents(&documents.iter().map(MadeUpDocument::as_new).collect::<Vec<_>>())?;
        for (document, id) in documents.iter().zip(ids) {
            tag_rows.extend(document.tags.iter().map(|&tag| (id, tag)));
        }
        let full_batches = tag_rows.len() - tag_rows.len() % TAG_BATCH;
        archive.add_tags(&tag_rows[..full_batches])?;
        tag_rows.drain(..full_batches);
        bar.inc(documents.len() as u64);
    }
    bar.finish_and_clear();
    archive.add_tags(&tag_rows)
}

/// The same archive in memory, for the tests of the corpus.
pub(crate) fn in_memory(seed: u64, n_documents: usize) -> postroom::Result<MemoryStore> {
    let generator = Generator::new(seed);
    let mut store = MemoryStore::new();
    for field in Field::ALL {
        for label in generator.labels(field) {
            store.add_label(field, &label.as_new());
        }
    }
    let documents: Vec<MadeUpDocument> = (0..n_documents)
        .map(|position| generator.document(position))
        .collect();
    let new: Vec<NewDocument<'_>> = documents.iter().map(MadeUpDocument::as_new).collect();
    for (id, document) in store.add_documents(&new)?.into_iter().zip(&documents) {
        let rows: Vec<_> = document.tags.iter().map(|&tag| (id, tag)).collect();
        store.add_tags(&rows)?;
    }
    Ok(store)
}

/// Documents of an archive at even distances.
fn spread_out(store: &Archive, n_documents: usize) -> postroom::Result<Vec<HeldOut>> {
    let distance = n_documents.div_ceil(N_HELD_OUT).max(1);
    let (mut position, mut chosen) = (0, Vec::new());
    store.snapshot()?.for_each_document(&mut |document| {
        if position % distance == 0 {
            chosen.push(HeldOut {
                content: document.content,
                expected: None,
            });
        }
        position += 1;
        Ok(())
    })?;
    Ok(chosen)
}
