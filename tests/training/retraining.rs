//! When a second training is needed, and when it isn't.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use crate::sixty_documents::{Archive, classifier, content, noon, train, trained};
use postroom::classifier::{Loading, Training};
use postroom::document::Field;
use postroom::model::TrainingParams;
use postroom::model_file::SecretKey;
use postroom::store::{NewDocument, NewLabel, SqliteArchive, SqliteStore};

#[test]
fn the_same_archive_needs_no_second_training() {
    let (archive, mut classifier) = trained();
    let second = train(&mut classifier, &archive.store).unwrap();
    assert!(matches!(second, Training::Unchanged(_)));
    assert_eq!(second.report().n_documents, 60);
}

/// Trains, changes the archive, and trains again.
fn retrains_after(change: impl FnOnce(&mut Archive)) -> bool {
    let (mut archive, mut classifier) = trained();
    change(&mut archive);
    train(&mut classifier, &archive.store).unwrap().is_trained()
}

#[test]
fn a_changed_document_needs_training() {
    assert!(retrains_after(|archive| archive
        .store
        .set_modified(archive.documents[7], noon(1_000))
        .unwrap()));
}

#[test]
fn a_tag_more_needs_training() {
    assert!(retrains_after(|archive| archive
        .store
        .add_tags(&[(archive.documents[1], archive.tags[0])])
        .unwrap()));
}

#[test]
fn a_tag_less_needs_training() {
    assert!(retrains_after(|archive| archive
        .store
        .remove_tag(archive.documents[0], archive.tags[0])
        .unwrap()));
}

#[test]
fn a_deletion_needs_training() {
    assert!(retrains_after(|archive| archive
        .store
        .trash(archive.documents[5])
        .unwrap()));
}

#[test]
fn an_undeletion_needs_training() {
    let (mut archive, mut classifier) = trained();
    archive.store.trash(archive.documents[5]).unwrap();
    assert!(train(&mut classifier, &archive.store).unwrap().is_trained());
    archive.store.restore(archive.documents[5]).unwrap();
    assert!(train(&mut classifier, &archive.store).unwrap().is_trained());
}

#[test]
fn a_new_auto_label_in_use_needs_training() {
    assert!(retrains_after(|archive| {
        let tag = archive.store.add_label(Field::Tags, &NewLabel::auto("new"));
        archive.store.add_tags(&[(archive.documents[9], tag)]).unwrap();
    }));
}

#[test]
fn a_new_auto_label_on_no_document_needs_no_training() {
    assert!(!retrains_after(|archive| {
        archive.store.add_label(Field::Tags, &NewLabel::auto("unused"));
    }));
}

#[test]
fn other_parameters_need_training() {
    let (archive, classifier) = trained();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    classifier.save(&path, &SecretKey::new("a key")).unwrap();
    let mut without_language = self::classifier(TrainingParams {
        language: None,
        ..TrainingParams::default()
    });
    assert_eq!(
        without_language.load(&path, &SecretKey::new("a key")).unwrap(),
        Loading::Loaded
    );
    assert!(train(&mut without_language, &archive.store).unwrap().is_trained());
}

#[test]
fn a_change_in_a_real_database_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3");
    let mut archive = SqliteArchive::create(&path).unwrap();
    let tag = archive.add_label(Field::Tags, &NewLabel::auto("tax")).unwrap();
    let contents: Vec<String> = (0..60).map(content).collect();
    let documents: Vec<_> = contents
        .iter()
        .enumerate()
        .map(|(at, content)| NewDocument {
            title: "scan",
            content,
            modified: noon(at as i64),
            correspondent: None,
            document_type: None,
            storage_path: None,
        })
        .collect();
    let documents = archive.add_documents(&documents).unwrap();
    archive
        .add_tags(
            &documents
                .iter()
                .step_by(2)
                .map(|&document| (document, tag))
                .collect::<Vec<_>>(),
        )
        .unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let mut classifier = classifier(TrainingParams::default());
    assert!(train(&mut classifier, &store).unwrap().is_trained());
    assert!(!train(&mut classifier, &store).unwrap().is_trained());
    archive.trash(documents[3]).unwrap();
    assert!(train(&mut classifier, &store).unwrap().is_trained());
}
