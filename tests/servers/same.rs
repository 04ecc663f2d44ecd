//! The same documents, labels, hash and model as in SQLite.

use std::ops::ControlFlow;
use std::path::Path;

use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::Field;
use postroom::document::{Document, DocumentId, Filing, LabelCatalog};
use postroom::fingerprint::{Fingerprint, FingerprintBuilder};
use postroom::model::TrainingParams;
use postroom::model_file::SecretKey;
use postroom::pipelines::Pipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::store::{DocumentStore, NewDocument, NewLabel, Selection, SqliteArchive, SqliteStore};

use crate::server_common::copy::copy;
use crate::server_common::on_each_server;
use crate::shared::Genuine;

/// All that a snapshot tells.
#[derive(Debug, PartialEq)]
struct Everything {
    catalog: LabelCatalog,
    filings: Vec<Filing>,
    fingerprint: Fingerprint,
    documents: Vec<Document>,
    every_third: Vec<Document>,
}

fn everything(store: &dyn DocumentStore) -> Everything {
    let mut snapshot = store.snapshot().unwrap();
    let mut filings = Vec::new();
    let mut fingerprint = FingerprintBuilder::new();
    snapshot
        .for_each_filing(&mut |filing| {
            fingerprint.add(&filing);
            filings.push(filing);
            Ok(())
        })
        .unwrap();
    let mut documents = Vec::new();
    snapshot
        .for_each_document(&mut |document| {
            documents.push(document);
            Ok(())
        })
        .unwrap();
    // Ids that there are, that don't train, and that there aren't.
    let last = documents.last().map_or(0, |document| document.id.0);
    let ids: Vec<DocumentId> = (-1..last + 100).step_by(3).map(DocumentId).collect();
    let mut every_third = Vec::new();
    snapshot
        .for_each_document_among(&ids, &mut |document| {
            every_third.push(document);
            Ok(())
        })
        .unwrap();
    Everything {
        catalog: snapshot.label_catalog().unwrap(),
        filings,
        fingerprint: fingerprint.finish(),
        documents,
        every_third,
    }
}

fn inbox(
    for_each: impl FnOnce(&Selection, &mut dyn FnMut(Document) -> postroom::Result<()>) -> postroom::Result<()>,
) -> Vec<Document> {
    let mut found = Vec::new();
    for_each(&Selection::Inbox, &mut |document| {
        found.push(document);
        Ok(())
    })
    .unwrap();
    found
}

/// The bytes of the model file that a training ends with.
fn model(store: &dyn DocumentStore, pipeline: Pipeline) -> Vec<u8> {
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training: TrainingParams {
            pipeline,
            ..TrainingParams::default()
        },
        ..ClassifierParams::default()
    });
    let training = classifier.train(store, &|_| ControlFlow::Continue(())).unwrap();
    assert!(training.is_trained());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    classifier.save(&path, &SecretKey::new("a key")).unwrap();
    std::fs::read(path).unwrap()
}

/// The archive at `path`, copied to each server, is the same there.
fn assert_same_everywhere(path: &Path) {
    let sqlite = SqliteStore::open(path).unwrap();
    let expected = everything(&sqlite);
    assert!(expected.documents.len() > 50 && !expected.every_third.is_empty());
    let waiting = inbox(|selection, visit| sqlite.for_each_selected(selection, visit));
    on_each_server(|server| {
        let database = copy(server, path);
        let store = database.store();
        let found = everything(&store);
        assert_eq!(found.catalog, expected.catalog, "{:?}", server.kind);
        assert_eq!(found.filings, expected.filings, "{:?}", server.kind);
        assert_eq!(found.fingerprint, expected.fingerprint, "{:?}", server.kind);
        assert!(found.documents == expected.documents, "{:?}", server.kind);
        assert!(found.every_third == expected.every_third, "{:?}", server.kind);
        assert!(inbox(|selection, visit| store.for_each_selected(selection, visit)) == waiting);
    });
}

fn assert_same_model(path: &Path, pipeline: &Pipeline) {
    let expected = model(&SqliteStore::open(path).unwrap(), pipeline.clone());
    on_each_server(|server| {
        let database = copy(server, path);
        assert!(
            model(&database.store(), pipeline.clone()) == expected,
            "{:?}",
            server.kind
        );
    });
}

/// An archive of the project's own: every kind of label, inbox, trash, odd texts.
fn own_archive(path: &Path) {
    let mut archive = SqliteArchive::create(path).unwrap();
    let mut label = |field, label: &NewLabel<'_>| archive.add_label(field, label).unwrap();
    let senders = ["Bank", "Bücherei", "Émile \u{1f4ec}"]
        .map(|name| label(Field::Correspondent, &NewLabel::auto(name)));
    let by_hand = label(Field::Correspondent, &NewLabel::manual("by hand"));
    let kinds = ["Invoice", "Letter"].map(|name| label(Field::DocumentType, &NewLabel::auto(name)));
    let place = label(Field::StoragePath, &NewLabel::auto("here"));
    let tags = ["tax", "Tax ", "zebra"].map(|name| label(Field::Tags, &NewLabel::auto(name)));
    let new = label(Field::Tags, &NewLabel::inbox("new"));
    let texts = [
        "account balance statement",
        "overdue loan shelf",
        "naïve \u{1f600} 漢字\r\n\t\\ ' \" ; --",
        "",
        "\u{feff}İstanbul \u{0300}",
    ];
    for at in 0..90_usize {
        let content = format!("{} {}", texts[at % 5], ["amount payable", "kind regards"][at % 2]);
        let microseconds = if at.is_multiple_of(7) {
            0
        } else {
            at as i64 * 10_007
        };
        let documents = [NewDocument {
            title: "a title",
            content: &content,
            modified: jiff::Timestamp::from_microsecond(1_700_000_000_000_000 + microseconds).unwrap(),
            correspondent: [Some(senders[at % 3]), None, Some(by_hand)][at % 4 % 3],
            document_type: Some(kinds[at % 2]),
            storage_path: at.is_multiple_of(3).then_some(place),
        }];
        let id = archive.add_documents(&documents).unwrap()[0];
        let mut assigned: Vec<_> = tags.iter().rev().skip(at % 4).map(|&tag| (id, tag)).collect();
        if at % 11 == 10 {
            assigned.push((id, new));
        }
        archive.add_tags(&assigned).unwrap();
        if at % 13 == 12 {
            archive.trash(id).unwrap();
        }
    }
}

#[test]
fn own_archive_is_the_same_on_every_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    own_archive(&path);
    assert_same_everywhere(&path);
    assert_same_model(&path, &Pipeline::default());
    assert_same_model(&path, &Pipeline::Mlp(MlpPipeline::default()));
}

#[test]
fn genuine_archive_is_the_same_on_every_server() {
    let Some(genuine) = Genuine::unpack("paperless_small") else {
        return;
    };
    assert_same_everywhere(genuine.store.path());
    assert_same_model(genuine.store.path(), &Pipeline::default());
}

#[test]
fn seed_corpus_is_the_same_on_every_server() {
    let Some(genuine) = Genuine::unpack("paperless_seed_5000") else {
        return;
    };
    assert_same_everywhere(genuine.store.path());
    assert_same_model(genuine.store.path(), &Pipeline::default());
}
