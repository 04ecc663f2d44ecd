//! An archive in a database whose labels announce themselves in the text, and that changes after it was learned.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::Timestamp;
use postroom::document::{DocumentId, Field, LabelId};
use postroom::model::Model;
use postroom::model_file::{self, SecretKey};
use postroom::predictor::Predictor;
use postroom::store::{DocumentStore, NewDocument, NewLabel, SqliteArchive, SqliteStore};
use postroom::train_report::{TrainReport, TrainingKind};
use postroom::trainer::{TrainOutcome, Trainer};
use postroom::vector_cache::VectorCacheParams;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;

const N_SENDERS: usize = 6;
const N_TAGS: usize = 4;

/// A document that the archive doesn't hold, and how it would be filed.
pub(crate) struct Letter {
    pub(crate) content: String,
    pub(crate) sender: Option<LabelId>,
    pub(crate) tags: Vec<LabelId>,
}

/// An archive of letters: senders and tags, a tenth of the letters without a sender.
pub(crate) struct Archive {
    directory: tempfile::TempDir,
    writer: SqliteArchive,
    rng: ChaCha8Rng,
    pub(crate) senders: Vec<LabelId>,
    pub(crate) tags: Vec<LabelId>,
    pub(crate) documents: Vec<DocumentId>,
    second: i64,
}

impl Archive {
    pub(crate) fn of(n_documents: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = SqliteArchive::create(directory.path().join("db.sqlite3")).unwrap();
        let mut add = |field, n: usize| -> Vec<LabelId> {
            (0..n)
                .map(|at| {
                    writer
                        .add_label(field, &NewLabel::auto(&format!("label {at}")))
                        .unwrap()
                })
                .collect()
        };
        let (senders, tags) = (add(Field::Correspondent, N_SENDERS), add(Field::Tags, N_TAGS));
        let mut archive = Self {
            directory,
            writer,
            rng: ChaCha8Rng::seed_from_u64(7),
            senders,
            tags,
            documents: Vec::new(),
            second: 0,
        };
        archive.add(n_documents);
        archive
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("db.sqlite3")
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(self.path()).unwrap()
    }

    /// Later than all before.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.second += 1;
        Timestamp::from_second(1_700_000_000 + self.second).unwrap()
    }

    /// Three of a sender's six words, three of each tag's, and noise.
    pub(crate) fn letter(&mut self) -> Letter {
        let sender = (!self.rng.random_bool(0.1)).then(|| self.rng.random_range(0..N_SENDERS));
        let tags: Vec<usize> = (0..N_TAGS).filter(|_| self.rng.random_bool(0.3)).collect();
        let mut words: Vec<String> = (0..25)
            .map(|_| format!("noise{}", self.rng.random_range(0..300)))
            .collect();
        let kinds = sender.iter().map(|sender| format!("sender{sender}"));
        for kind in kinds.chain(tags.iter().map(|tag| format!("tag{tag}"))) {
            words.extend((0..3).map(|_| format!("{kind}word{}", self.rng.random_range(0..6))));
        }
        Letter {
            content: words.join(" "),
            sender: sender.map(|sender| self.senders[sender]),
            tags: tags.into_iter().map(|tag| self.tags[tag]).collect(),
        }
    }

    pub(crate) fn letters(&mut self, n: usize) -> Vec<Letter> {
        (0..n).map(|_| self.letter()).collect()
    }

    pub(crate) fn add(&mut self, n_documents: usize) {
        for letter in self.letters(n_documents) {
            self.file(&letter);
        }
    }

    pub(crate) fn file(&mut self, letter: &Letter) {
        let document = NewDocument {
            title: "",
            content: &letter.content,
            modified: self.now(),
            correspondent: letter.sender,
            document_type: None,
            storage_path: None,
        };
        let id = self.writer.add_documents(&[document]).unwrap()[0];
        let tags: Vec<_> = letter.tags.iter().map(|&tag| (id, tag)).collect();
        self.writer.add_tags(&tags).unwrap();
        self.documents.push(id);
    }

    pub(crate) fn delete(&mut self, documents: std::ops::Range<usize>) {
        for id in self.documents.drain(documents) {
            self.writer.trash(id).unwrap();
        }
    }

    pub(crate) fn add_label(&mut self, field: Field, name: &str) -> LabelId {
        self.writer.add_label(field, &NewLabel::auto(name)).unwrap()
    }

    /// Puts the tag onto the document, or takes it off.
    pub(crate) fn retag(&mut self, document: usize, tag: LabelId) {
        let id = self.documents[document];
        if self.writer.remove_tag(id, tag).is_err() {
            self.writer.add_tags(&[(id, tag)]).unwrap();
        }
    }

    pub(crate) fn set_sender(&mut self, document: usize, sender: Option<LabelId>) {
        let (id, now) = (self.documents[document], self.now());
        self.writer.set_modified(id, now).unwrap();
        let sender = sender.map_or("NULL".to_owned(), |sender| sender.to_string());
        let id = id.0;
        self.run(&format!(
            "UPDATE documents_document SET correspondent_id = {sender} WHERE id = {id}"
        ));
    }

    pub(crate) fn set_content(&mut self, document: usize, content: &str) {
        let (id, now) = (self.documents[document], self.now());
        self.writer.set_modified(id, now).unwrap();
        let id = id.0;
        self.run(&format!(
            "UPDATE documents_document SET content = '{content}' WHERE id = {id}"
        ));
    }

    pub(crate) fn run(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    /// A few changes of every kind.
    pub(crate) fn change_a_little(&mut self) {
        self.add(8);
        self.delete(10..14);
        for document in 20..24 {
            self.set_sender(document, Some(self.senders[document % N_SENDERS]));
            self.retag(document + 10, self.tags[document % N_TAGS]);
            let content = self.letter().content;
            self.set_content(document + 20, &content);
        }
    }
}

/// Trains from the last model, if there is one.
pub(crate) fn train(
    trainer: &Trainer,
    store: &dyn DocumentStore,
    last: Option<&Model>,
) -> (Model, TrainReport) {
    let outcome = trainer
        .train(store, last, &|_| ControlFlow::Continue(()))
        .unwrap();
    match outcome {
        TrainOutcome::Trained { model, report } => (*model, report),
        TrainOutcome::Unchanged { .. } => panic!("something changed"),
    }
}

pub(crate) fn is_incremental(report: &TrainReport) -> bool {
    matches!(report.kind, Some(TrainingKind::Incremental { .. }))
}

pub(crate) fn predictor(model: &Model) -> Predictor {
    Predictor::new(model, VectorCacheParams::default()).unwrap()
}

/// Answers to letters: the share that is right, and those of two models that are equal.
pub(crate) fn compared(models: [&Model; 2], letters: &[Letter]) -> ([f64; 2], f64) {
    let predictors = models.map(predictor);
    let n = (2 * letters.len()) as f64;
    let (mut n_right, mut n_equal) = ([0; 2], 0);
    for letter in letters {
        for field in [Field::Correspondent, Field::Tags] {
            let expected = match field {
                Field::Tags => letter.tags.clone(),
                _ => letter.sender.into_iter().collect(),
            };
            let answers = predictors
                .each_ref()
                .map(|predictor| predictor.predict_field(field, &letter.content));
            for (n_right, answer) in n_right.iter_mut().zip(&answers) {
                *n_right += usize::from(answer[..] == expected[..]);
            }
            n_equal += usize::from(answers[0] == answers[1]);
        }
    }
    (n_right.map(|right| right as f64 / n), n_equal as f64 / n)
}

pub(crate) fn trainer() -> Trainer {
    Trainer::default()
}

pub(crate) fn bytes(model: &Model) -> Vec<u8> {
    model_file::to_bytes(model, &SecretKey::new("the key of these tests"))
}

pub(crate) fn loaded(model: &Model) -> Model {
    model_file::from_bytes(&bytes(model), &SecretKey::new("the key of these tests")).unwrap()
}

/// An archive that was learned and then changed a little.
pub(crate) fn changed() -> (Archive, Model) {
    let mut archive = Archive::of(400);
    let (model, _) = train(&trainer(), &archive.store(), None);
    archive.change_a_little();
    (archive, model)
}
