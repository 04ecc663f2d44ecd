//! Going on from the last training: as good as training from nothing, the same however it comes about, and given up for a
//! full training where too much changed.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::cell::Cell;
use std::ops::ControlFlow;

use crate::changing_archive::{
    Archive, bytes, changed, compared, is_incremental, loaded, predictor, train, trainer,
};
use crate::shared;
use postroom::document::{Document, DocumentId, Field, Filing, LabelCatalog, LabelId};
use postroom::error::Result;
use postroom::model::{Model, Start};
use postroom::store::{DocumentStore, Snapshot, SqliteStore};
use postroom::train_report::{FullReason, TrainingKind};
use postroom::trainer::TrainOutcome;
use rusqlite::Connection;

#[test]
fn few_changes_of_every_kind_are_learned_as_well_as_from_nothing() {
    let (mut archive, last) = changed();
    let (incremental, report) = train(&trainer(), &archive.store(), Some(&last));
    let expected = TrainingKind::Incremental {
        n_changed: 24,
        n_since_full: 24,
    };
    assert_eq!(report.kind, Some(expected));
    let (full, _) = train(&trainer(), &archive.store(), None);
    let ([right, right_of_full], equal) = compared([&incremental, &full], &archive.letters(1_000));
    assert!(
        right >= right_of_full - 0.003,
        "{right}, from nothing {right_of_full}"
    );
    assert!(equal >= 0.993, "{equal} of the answers are equal");
    assert!(right_of_full > 0.9, "{right_of_full}");
}

#[test]
fn terms_and_their_weights_are_those_of_a_full_training() {
    let (archive, last) = changed();
    let hash = |last| predictor(&train(&trainer(), &archive.store(), last).0).vectorizer_hash();
    assert_eq!(hash(Some(&last)), hash(None));
}

/// The share of the seed corpus's held-out documents whose labels are right, over all fields.
fn right_on_held_out(model: &Model, held_out: &[serde_json::Value]) -> f64 {
    let predictor = predictor(model);
    let is_right = |document: &serde_json::Value, field: Field| {
        let key = |value: &serde_json::Value| value.as_i64().map(|id| LabelId(id as i32));
        let labels = &document[format!("auto_{field}")];
        let expected: Vec<LabelId> = match labels.as_array() {
            Some(labels) => labels.iter().filter_map(key).collect(),
            None => key(labels).into_iter().collect(),
        };
        predictor.predict_field(field, document["content"].as_str().unwrap())[..] == expected
    };
    let answers = held_out
        .iter()
        .flat_map(|document| Field::ALL.map(|field| is_right(document, field)));
    answers.filter(|&right| right).count() as f64 / (4 * held_out.len()) as f64
}

#[test]
fn changes_of_the_seed_corpus_cost_no_quality() {
    let (Some(genuine), Some(held_out)) = (
        shared::Genuine::unpack("paperless_seed_5000"),
        shared::json_lines("holdout_1000.jsonl.gz"),
    ) else {
        return;
    };
    let archive = Connection::open(genuine.store.path()).unwrap();
    let run = |sql: &str| archive.execute_batch(sql).unwrap();
    run("UPDATE documents_document SET deleted_at = '2026-01-01' WHERE id % 100 = 1");
    let (last, _) = train(&trainer(), &genuine.store, None);
    run("UPDATE documents_document SET deleted_at = NULL;
         UPDATE documents_document SET deleted_at = '2026-01-01' WHERE id % 1000 = 2;
         DELETE FROM documents_document_tags WHERE document_id % 1000 = 3");
    let (incremental, report) = train(&trainer(), &genuine.store, Some(&last));
    assert!(is_incremental(&report), "{:?}", report.kind);
    let (full, _) = train(&trainer(), &genuine.store, None);
    let (right, right_of_full) = (
        right_on_held_out(&incremental, &held_out),
        right_on_held_out(&full, &held_out),
    );
    assert!(
        right >= right_of_full - 0.003,
        "{right}, from nothing {right_of_full}"
    );
}

#[test]
fn the_same_history_gives_the_same_bytes_on_any_number_of_threads() {
    let (archive, last) = changed();
    let store = archive.store();
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
        pool.unwrap()
            .install(|| bytes(&train(&trainer(), &store, Some(&last)).0))
    };
    let one = on(1);
    assert!(one == on(2) && one == on(4));
}

#[test]
fn a_history_through_the_model_file_gives_the_same_bytes() {
    let (mut archive, first) = changed();
    let (mut in_memory, mut through_file) = (first.clone(), loaded(&first));
    for _ in 0..2 {
        let next = |last: &Model| {
            let (model, report) = train(&trainer(), &archive.store(), Some(last));
            assert!(is_incremental(&report), "{:?}", report.kind);
            model
        };
        (in_memory, through_file) = (next(&in_memory), loaded(&next(&through_file)));
        assert!(bytes(&in_memory) == bytes(&through_file));
        archive.add(3);
    }
}

#[test]
fn a_full_training_that_was_asked_for_equals_a_first_one() {
    let (archive, last) = changed();
    let (last, _) = train(&trainer(), &archive.store(), Some(&last));
    let outcome = trainer().train_from(&archive.store(), Some(&last), Start::FromNothing, &|_| {
        ControlFlow::Continue(())
    });
    let Ok(TrainOutcome::Trained { model, report }) = outcome else {
        panic!("{outcome:?}")
    };
    let reason = FullReason::AskedFor;
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
    assert!(bytes(&model) == bytes(&train(&trainer(), &archive.store(), None).0));
}

#[test]
fn nothing_changed_after_an_incremental_training() {
    let (archive, last) = changed();
    let (last, _) = train(&trainer(), &archive.store(), Some(&last));
    let again = trainer().train(&archive.store(), Some(&last), &|_| ControlFlow::Continue(()));
    assert!(matches!(again, Ok(TrainOutcome::Unchanged { .. })));
}

/// Counts the contents that are read.
struct Counted<'a> {
    store: SqliteStore,
    n_read: &'a Cell<usize>,
}

struct CountedSnapshot<'a>(Box<dyn Snapshot + 'a>, &'a Cell<usize>);

impl DocumentStore for Counted<'_> {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(CountedSnapshot(self.store.snapshot()?, self.n_read)))
    }
}

impl Snapshot for CountedSnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        self.0.label_catalog()
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        self.0.for_each_filing(visit)
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        self.0.for_each_document(&mut |document| {
            self.1.set(self.1.get() + 1);
            visit(document)
        })
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        self.0.for_each_document_among(ids, &mut |document| {
            self.1.set(self.1.get() + 1);
            visit(document)
        })
    }
}

#[test]
fn contents_of_changed_documents_alone_are_read() {
    let (archive, last) = changed();
    let n_read = Cell::new(0);
    let store = Counted {
        store: archive.store(),
        n_read: &n_read,
    };
    train(&trainer(), &store, Some(&last));
    // Eight are new, four have another sender, four another content; of four others a tag changed only.
    assert_eq!(n_read.get(), 16);
}

#[test]
fn a_label_that_appears_is_learned() {
    let mut archive = Archive::of(400);
    let (last, _) = train(&trainer(), &archive.store(), None);
    let sender = archive.add_label(Field::Correspondent, "new sender");
    let tag = archive.add_label(Field::Tags, "new tag");
    for _ in 0..10 {
        let mut letter = archive.letter();
        letter.content.push_str(" quixotic zephyr marmalade");
        (letter.sender, letter.tags) = (Some(sender), vec![tag]);
        archive.file(&letter);
    }
    let (model, report) = train(&trainer(), &archive.store(), Some(&last));
    assert!(is_incremental(&report), "{:?}", report.kind);
    let predictor = predictor(&model);
    let content = "noise1 noise2 quixotic zephyr marmalade noise3";
    assert_eq!(
        predictor.predict_field(Field::Correspondent, content)[..],
        [sender]
    );
    assert_eq!(predictor.predict_field(Field::Tags, content)[..], [tag]);
    assert_eq!(model.catalog.name(Field::Tags, tag), Some("new tag"));
}

#[test]
fn a_label_that_vanishes_is_forgotten() {
    let mut archive = Archive::of(400);
    let rare = archive.add_label(Field::Correspondent, "rare");
    for document in 0..3 {
        archive.set_sender(document, Some(rare));
    }
    let (last, _) = train(&trainer(), &archive.store(), None);
    assert!(last.learned.labels(Field::Correspondent).contains(&rare));
    for document in 0..3 {
        archive.set_sender(document, Some(archive.senders[0]));
    }
    let (model, report) = train(&trainer(), &archive.store(), Some(&last));
    assert!(is_incremental(&report), "{:?}", report.kind);
    assert_eq!(model.learned.labels(Field::Correspondent), archive.senders);
}
