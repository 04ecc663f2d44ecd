//! From an archive to predictions and back through the model file: what the library promises as a whole.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use crate::sixty_documents::{archive, classifier, content, half_networks, networks, noon, train, trained};
use postroom::Error;
use postroom::classifier::{DocumentClassifier, Loading};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::model_file::{self, SecretKey};
use postroom::status::Status;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use sha2::{Digest, Sha256};

fn key() -> SecretKey {
    SecretKey::new("the key of these tests")
}

#[test]
fn a_trained_classifier_files_documents_as_their_owner_did() {
    let (_, classifier) = trained();
    for at in [0, 1, 2, 3, 6, 9] {
        let answer = classifier.predict(&content(at)).unwrap();
        assert_eq!(
            answer.labels().correspondent,
            (at % 4 < 3).then_some(LabelId(at as i32 % 4 + 1)),
            "document {at}"
        );
        assert_eq!(
            answer.labels().document_type,
            Some(LabelId(at as i32 % 2 + 1)),
            "document {at}"
        );
        let tags: Vec<_> = (0..2)
            .filter(|tag| at.is_multiple_of(tag + 2))
            .map(|tag| LabelId(tag as i32 + 1))
            .collect();
        assert_eq!(answer.labels().tags, tags, "document {at}");
        assert_eq!(answer.labels().storage_path, None, "no document has one");
    }
}

#[test]
fn one_answer_for_all_fields_equals_four_answers() {
    let (_, classifier) = trained();
    for at in 0..60 {
        let (content, answer) = (content(at), classifier.predict(&content(at)).unwrap());
        assert_eq!(
            answer.labels().correspondent,
            classifier.predict_correspondent(&content).unwrap()
        );
        assert_eq!(
            answer.labels().document_type,
            classifier.predict_document_type(&content).unwrap()
        );
        assert_eq!(
            answer.labels().tags[..],
            classifier.predict_tags(&content).unwrap()[..]
        );
        assert_eq!(
            answer.labels().storage_path,
            classifier.predict_storage_path(&content).unwrap()
        );
    }
}

#[test]
fn the_report_says_what_was_learned() {
    let mut classifier = classifier(TrainingParams::default());
    let training = train(&mut classifier, &archive().store).unwrap();
    let report = training.report();
    assert_eq!(
        (report.n_documents, report.n_terms),
        (60, classifier.model().unwrap().learned.terms().len())
    );
    assert!(report.n_stored >= 60 * 5);
    let fields: Vec<_> = report
        .fields
        .iter()
        .map(|field| (field.field, field.n_labels))
        .collect();
    assert_eq!(
        fields,
        [
            (Field::Tags, 2),
            (Field::Correspondent, 3),
            (Field::DocumentType, 2)
        ]
    );
    let stages: Vec<String> = report.stages.iter().map(|stage| stage.kind.to_string()).collect();
    assert_eq!(
        stages,
        [
            "check",
            "read",
            "vectorize",
            "fit tags",
            "fit correspondent",
            "fit document_type"
        ]
    );
}

#[test]
fn statuses_come_in_the_order_of_the_work() {
    let told = Mutex::new(Vec::new());
    let mut classifier = classifier(TrainingParams::default());
    let listen = |status: &Status| {
        if !matches!(status, Status::Epoch { .. } | Status::Pass { .. }) {
            told.lock().unwrap().push(status.to_string());
        }
        ControlFlow::Continue(())
    };
    classifier.train(&archive().store, &listen).unwrap();
    let mut told = told.into_inner().unwrap();
    told[3..].sort();
    assert_eq!(
        told,
        [
            "Gathering data from 60 document(s)...",
            "Read 60 of 60 document(s)",
            "Vectorizing document content...",
            "Training correspondent classifier (3 correspondent(s))...",
            "Training document type classifier (2 type(s))...",
            "Training tags classifier (2 tag(s))...",
        ]
    );
}

#[test]
fn every_number_of_threads_gives_the_same_model_file() {
    let bytes = |params: TrainingParams, n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        let mut classifier = classifier(params);
        pool.install(|| train(&mut classifier, &archive().store)).unwrap();
        model_file::to_bytes(classifier.model().unwrap(), &key())
    };
    for params in [networks(), half_networks(), TrainingParams::default()] {
        let one = bytes(params.clone(), 1);
        for n_threads in [2, 4, 8] {
            assert!(bytes(params.clone(), n_threads) == one, "{n_threads} threads");
        }
    }
}

/// Pinned on an x86-64 CPU with AVX2; the same on one without, and on 64-bit ARM. A change of the training, of the
/// model file or of the random generator changes it, on purpose or not.
#[test]
fn every_cpu_gives_the_same_model_file() {
    let expected = [
        (
            networks(),
            "937c22761b8c503ef411e6ba2e7b5f794e423cfbb320b72bf47b447087acecb5",
        ),
        (
            half_networks(),
            "ab16078e8281e2c3abc961cef37c6e0d8502c1f270ad7b49ab44e38f7290a5cb",
        ),
        (
            TrainingParams::default(),
            "0463033140b1ae38b9c3dccaca2e70c9b341a07621ded3a9ba0199f05458b391",
        ),
    ];
    for (params, sha_256) in expected {
        let mut classifier = classifier(params);
        train(&mut classifier, &archive().store).unwrap();
        let bytes = model_file::to_bytes(classifier.model().unwrap(), &key());
        let digest = Sha256::digest(bytes)
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert_eq!(
            digest,
            sha_256,
            "{}",
            classifier.model().unwrap().params.pipeline.name()
        );
    }
}

#[test]
fn another_seed_gives_another_model() {
    let (_, classifier_42) = trained();
    let mut classifier_43 = classifier(TrainingParams {
        seed: 43,
        ..TrainingParams::default()
    });
    train(&mut classifier_43, &archive().store).unwrap();
    let bytes = |classifier: &DocumentClassifier| model_file::to_bytes(classifier.model().unwrap(), &key());
    assert!(bytes(&classifier_42) != bytes(&classifier_43));
}

#[test]
fn a_loaded_model_answers_like_the_one_that_was_saved() {
    let (archive, classifier) = trained();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.postroom");
    classifier.save(&path, &key()).unwrap();
    let mut loaded = DocumentClassifier::default();
    assert_eq!(loaded.load(&path, &key()).unwrap(), Loading::Loaded);
    assert_eq!(loaded.model(), classifier.model());
    for at in 0..60 {
        assert_eq!(
            loaded.predict(&content(at)).unwrap(),
            classifier.predict(&content(at)).unwrap()
        );
    }
    assert!(
        !train(&mut loaded, &archive.store).unwrap().is_trained(),
        "a loaded model knows what it was trained on"
    );
}

#[test]
fn a_missing_file_means_that_there_is_no_model_yet() {
    let mut classifier = DocumentClassifier::default();
    assert_eq!(
        classifier.load(Path::new("no such file"), &key()).unwrap(),
        Loading::NoModelYet
    );
    assert!(matches!(classifier.predict("text"), Err(Error::NoModel)));
    assert!(matches!(
        classifier.save(Path::new("no such file"), &key()),
        Err(Error::NoModel)
    ));
}

#[test]
fn a_failed_load_leaves_the_model_as_it_was() {
    let (_, mut classifier) = trained();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.postroom");
    std::fs::write(&path, "something else").unwrap();
    let before = classifier.predict(&content(0)).unwrap();
    classifier.load(&path, &key()).unwrap_err();
    assert_eq!(classifier.predict(&content(0)).unwrap(), before);
}

#[test]
fn an_archive_without_documents_says_what_to_do() {
    let error = train(&mut DocumentClassifier::default(), &MemoryStore::new()).unwrap_err();
    assert!(matches!(error, Error::NoTrainingData));
    assert!(error.to_string().contains("No training data available."));
}

#[test]
fn an_archive_without_text_says_what_to_do() {
    let mut store = MemoryStore::new();
    let document = NewDocument {
        title: "",
        content: " . ",
        modified: noon(0),
        correspondent: None,
        document_type: None,
        storage_path: None,
    };
    store.add_documents(&[document]).unwrap();
    let error = train(&mut DocumentClassifier::default(), &store).unwrap_err();
    assert!(matches!(error, Error::NoSharedTerm { .. }), "{error}");
    let error = train(&mut classifier(networks()), &store).unwrap_err();
    assert!(matches!(error, Error::NoTermLeft { .. }), "{error}");
}

#[test]
fn one_document_is_enough_for_its_labels() {
    let mut store = MemoryStore::new();
    let sender = store.add_label(Field::Correspondent, &NewLabel::auto("only one"));
    let document = NewDocument {
        title: "",
        content: "dear customer",
        modified: noon(0),
        correspondent: Some(sender),
        document_type: None,
        storage_path: None,
    };
    store.add_documents(&[document]).unwrap();
    let mut classifier = DocumentClassifier::default();
    assert!(train(&mut classifier, &store).unwrap().is_trained());
    assert_eq!(
        classifier.predict_correspondent("anything").unwrap(),
        Some(sender)
    );
    assert!(classifier.predict_tags("anything").unwrap().is_empty());
}

#[test]
fn cancelling_at_any_time_leaves_the_model_as_it_was() {
    let (mut archive, mut classifier) = trained();
    archive.store.trash(archive.documents[0]).unwrap();
    let before = model_file::to_bytes(classifier.model().unwrap(), &key());
    for patience in [0, 1, 2, 3, 9] {
        let told = Mutex::new(0);
        let outcome = classifier.train(&archive.store, &|_| {
            let mut told = told.lock().unwrap();
            *told += 1;
            if *told > patience {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        assert!(matches!(outcome, Err(Error::Cancelled)), "after {patience}");
        assert!(
            model_file::to_bytes(classifier.model().unwrap(), &key()) == before,
            "after {patience}"
        );
    }
}

#[test]
fn a_vector_is_made_once_and_shared() {
    let (_, classifier) = trained();
    let first = classifier.vectorize(&content(0)).unwrap();
    let second = classifier.vectorize(&content(0)).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    classifier.clear_cache();
    let third = classifier.vectorize(&content(0)).unwrap();
    assert!(!std::sync::Arc::ptr_eq(&first, &third) && first == third);
}
