//! Many threads at once: answers while the model is replaced, the vector cache under contention, cancelled trainings.
//!
//! Nothing here waits for a clock: whoever has to wait for others waits until they have got somewhere.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod sixty_documents;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use postroom::Error;
use postroom::classifier::{DocumentClassifier, Loading};
use postroom::document::{Field, LabelIds};
use postroom::learners::mlp::MlpParams;
use postroom::model::TrainingParams;
use postroom::model_file::{self, SecretKey};
use postroom::pipelines::Pipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::predictor::Predictor;
use postroom::sparse::SparseVector;
use postroom::store::{DocumentStore, MemoryStore, NewDocument, NewLabel};
use postroom::suggestions::Suggestions;
use postroom::vector_cache::{VectorCache, VectorCacheParams};
use sixty_documents::{archive, classifier, content, noon, train};

const N_THREADS: usize = 64;

fn key() -> SecretKey {
    SecretKey::new("the key of these tests")
}

/// Texts that are asked about; each begins the name of a kind.
const KINDS: [&str; 3] = [
    "kilowatt meter tariff",
    "overdue loan shelf",
    "molar crown dental",
];

/// An archive in which every document has a label in every field, with keys from `first_key` on: of whatever two such
/// archives teach, no answer to any text is the same.
fn archive_from(first_key: i32) -> MemoryStore {
    let mut store = MemoryStore::new();
    let labels = Field::ALL.map(|field| {
        for unused in 1..first_key {
            store.add_label(field, &NewLabel::manual(&format!("unused {unused}")));
        }
        KINDS.map(|kind| store.add_label(field, &NewLabel::auto(kind)))
    });
    for at in 0..30_usize {
        let of = |field: Field| labels[field.index()][at % 3];
        let content = text(at);
        let document = NewDocument {
            title: "",
            content: &content,
            modified: noon(at as i64),
            correspondent: Some(of(Field::Correspondent)),
            document_type: Some(of(Field::DocumentType)),
            storage_path: Some(of(Field::StoragePath)),
        };
        let ids = store.add_documents(&[document]).unwrap();
        store.add_tags(&[(ids[0], of(Field::Tags))]).unwrap();
    }
    store
}

fn text(at: usize) -> String {
    format!("{} of page {} and date {}", KINDS[at % 3], at % 5, at % 7)
}

/// Two model files with nothing in common, and what each answers to each text.
struct TwoModels {
    _directory: tempfile::TempDir,
    files: [PathBuf; 2],
    answers: [Vec<Suggestions>; 2],
}

impl TwoModels {
    fn train() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = ["old", "new"].map(|name| directory.path().join(name));
        let answers = [0, 1].map(|model| {
            let mut classifier = DocumentClassifier::default();
            train(&mut classifier, &archive_from([1, 101][model])).unwrap();
            classifier.save(&files[model], &key()).unwrap();
            let texts = (0..30).map(text);
            texts.map(|text| classifier.predict(&text).unwrap()).collect()
        });
        Self {
            _directory: directory,
            files,
            answers,
        }
    }

    fn load(&self, classifier: &mut DocumentClassifier, model: usize) -> Arc<Predictor> {
        assert_eq!(
            classifier.load(&self.files[model], &key()).unwrap(),
            Loading::Loaded
        );
        classifier.predictor().unwrap()
    }

    /// Which of the models gives this whole answer, and gives it field by field as well; `None` for a mixture.
    fn source(&self, predictor: &Predictor, at: usize) -> Option<usize> {
        let answer = predictor.predict(&text(at));
        let one_by_one = Field::ALL.map(|field| predictor.predict_field(field, &text(at)));
        let whole = Field::ALL.map(|field| answer.of(field).label_ids().collect::<LabelIds>());
        let is_whole = whole == one_by_one && whole.iter().all(|labels| labels.len() == 1);
        (0..2).find(|&model| is_whole && self.answers[model][at] == answer)
    }
}

#[test]
fn every_answer_is_that_of_one_model_while_others_are_loaded_and_swapped_in() {
    const N_SWAPS: usize = 40;
    let models = TwoModels::train();
    let mut classifier = DocumentClassifier::default();
    let current = RwLock::new(models.load(&mut classifier, 0));
    let (begin, ended) = (Barrier::new(N_THREADS + 1), AtomicBool::new(false));
    let (n_answers, sources) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for thread in 0..N_THREADS {
            let (models, current, begin, ended) = (&models, &current, &begin, &ended);
            let (n_answers, sources) = (&n_answers, &sources);
            scope.spawn(move || {
                let mut found = Vec::new();
                begin.wait();
                while !ended.load(SeqCst) {
                    let predictor = Arc::clone(&current.read().unwrap());
                    found.push(models.source(&predictor, (thread + found.len()) % 30));
                    n_answers.fetch_add(1, SeqCst);
                }
                sources.lock().unwrap().extend(found);
            });
        }
        begin.wait();
        for swap in 1..=N_SWAPS {
            let answered = n_answers.load(SeqCst);
            *current.write().unwrap() = models.load(&mut classifier, swap % 2);
            // Each model answers before the next one comes.
            while n_answers.load(SeqCst) < answered + 2 * N_THREADS {
                thread::yield_now();
            }
        }
        ended.store(true, SeqCst);
    });
    let sources = sources.into_inner().unwrap();
    let n_of = |source| sources.iter().filter(|&&found| found == source).count();
    assert_eq!(n_of(None), 0, "mixtures among {} answers", sources.len());
    assert!(n_of(Some(0)) > 0 && n_of(Some(1)) > 0);
    assert!(sources.len() >= N_SWAPS * 2 * N_THREADS);
}

#[test]
fn predictor_in_hand_answers_as_before_until_its_last_owner_lets_go() {
    let models = TwoModels::train();
    let mut classifier = DocumentClassifier::default();
    assert!(matches!(classifier.predictor(), Err(Error::NoModel)));
    let old = models.load(&mut classifier, 0);
    let new = models.load(&mut classifier, 1);
    assert_eq!(
        (models.source(&old, 4), models.source(&new, 4)),
        (Some(0), Some(1))
    );
    let freed = Arc::downgrade(&old);
    drop(old);
    assert!(freed.upgrade().is_none());
}

/// A vector that tells which text it is of.
fn vector_of(text: usize) -> SparseVector {
    SparseVector::new(1_000, vec![text as u32], vec![1.0]).unwrap()
}

#[test]
fn threads_that_ask_for_one_text_at_once_share_one_vector() {
    const N_TEXTS: usize = 16;
    let cache = VectorCache::new(VectorCacheParams::default(), None, [7; 32]);
    let begin = Barrier::new(N_THREADS);
    let n_made = [const { AtomicUsize::new(0) }; N_TEXTS];
    let vectors: Vec<Vec<Arc<SparseVector>>> = thread::scope(|scope| {
        let ask = || {
            begin.wait();
            let texts = 0..N_TEXTS;
            let make = |text: usize| {
                cache.get_or_insert_with(&text.to_string(), || {
                    n_made[text].fetch_add(1, SeqCst);
                    vector_of(text)
                })
            };
            texts.map(make).collect()
        };
        let threads: Vec<_> = (0..N_THREADS).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(n_made.map(AtomicUsize::into_inner), [1; N_TEXTS]);
    for others in &vectors[1..] {
        assert!(
            vectors[0]
                .iter()
                .zip(others)
                .all(|(one, other)| Arc::ptr_eq(one, other))
        );
    }
}

/// Has all threads ask for a few texts over and over, and one of them clear the cache in between.
fn assert_right_under_contention(params: VectorCacheParams) {
    let cache = VectorCache::new(params, None, [7; 32]);
    let begin = Barrier::new(N_THREADS);
    thread::scope(|scope| {
        for thread in 0..N_THREADS {
            let (cache, begin) = (&cache, &begin);
            scope.spawn(move || {
                begin.wait();
                for round in 0..200 {
                    let text = (thread + round * 7) % 24;
                    let vector = cache.get_or_insert_with(&text.to_string(), || vector_of(text));
                    assert_eq!(*vector, vector_of(text));
                    if thread == 0 && round % 50 == 0 {
                        cache.clear();
                    }
                }
            });
        }
    });
}

#[test]
fn cache_that_throws_out_what_others_ask_for_gives_every_text_its_own_vector() {
    assert_right_under_contention(VectorCacheParams {
        max_entries: 2,
        ..VectorCacheParams::default()
    });
}

#[test]
fn cache_whose_entries_expire_at_once_gives_every_text_its_own_vector() {
    assert_right_under_contention(VectorCacheParams {
        time_to_idle: Duration::from_nanos(1),
        ..VectorCacheParams::default()
    });
}

#[test]
fn vector_that_could_not_be_made_is_made_for_the_next_who_asks() {
    let cache = VectorCache::new(VectorCacheParams::default(), None, [7; 32]);
    let failed = thread::scope(|scope| {
        let fail = || cache.get_or_insert_with("text", || panic!("as a test of the cache"));
        scope.spawn(fail).join()
    });
    assert!(failed.is_err());
    assert_eq!(*cache.get_or_insert_with("text", || vector_of(3)), vector_of(3));
}

/// Cancels a training at its first status, at its second, and so on; each time the classifier must be what it was.
/// Returns how many there are.
fn cancel_at_every_status(classifier: &mut DocumentClassifier, changed: &dyn DocumentStore) -> usize {
    let bytes = |classifier: &DocumentClassifier| model_file::to_bytes(classifier.model().unwrap(), &key());
    let answers = |classifier: &DocumentClassifier| {
        let texts = (0..60).map(content);
        texts
            .map(|text| classifier.predict(&text).unwrap())
            .collect::<Vec<_>>()
    };
    let before = (bytes(classifier), answers(classifier));
    for patience in 0.. {
        let told = AtomicUsize::new(0);
        let outcome = classifier.train(changed, &|_| {
            if told.fetch_add(1, SeqCst) == patience {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if told.into_inner() <= patience {
            assert!(outcome.unwrap().is_trained());
            return patience;
        }
        assert!(matches!(outcome, Err(Error::Cancelled)), "at status {patience}");
        assert!(
            (bytes(classifier), answers(classifier)) == before,
            "something changed by the training cancelled at status {patience}"
        );
    }
    unreachable!("a training ends")
}

/// Trains, changes the archive, cancels, and compares what the training that wasn't cancelled made with what one
/// makes that had no cancelled ones before it.
fn assert_cancelling_leaves_no_trace(params: &TrainingParams, n_statuses: usize) {
    let mut archive = archive();
    let [mut cancelled, mut undisturbed] = [(), ()].map(|()| classifier(params.clone()));
    train(&mut cancelled, &archive.store).unwrap();
    train(&mut undisturbed, &archive.store).unwrap();
    archive.store.trash(archive.documents[0]).unwrap();
    let n_told = cancel_at_every_status(&mut cancelled, &archive.store);
    assert!(n_told >= n_statuses, "{n_told}");
    train(&mut undisturbed, &archive.store).unwrap();
    assert_eq!(cancelled.model(), undisturbed.model());
}

#[test]
fn linear_training_cancelled_at_any_status_leaves_no_trace() {
    assert_cancelling_leaves_no_trace(&TrainingParams::default(), 6);
}

#[test]
fn training_of_networks_cancelled_at_any_status_leaves_no_trace() {
    let mlp = MlpParams {
        max_epochs: 4,
        ..MlpParams::default()
    };
    let pipeline = Pipeline::Mlp(MlpPipeline {
        mlp,
        ..MlpPipeline::default()
    });
    let params = TrainingParams {
        pipeline,
        ..TrainingParams::default()
    };
    assert_cancelling_leaves_no_trace(&params, 12);
}
