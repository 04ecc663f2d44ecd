//! Documents that nothing is known about get no label, however frequent one label is, and documents with real signal keep
//! theirs: with and without documents that have no label to learn from.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::ops::ControlFlow;

use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, LabelId};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::store::{MemoryStore, NewDocument, NewLabel};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SYLLABLES: [&str; 20] = [
    "ba", "ko", "ri", "tem", "sul", "na", "dor", "vi", "pel", "gu", "mar", "zen", "lo", "fi", "tras", "ock",
    "une", "wi", "der", "ham",
];
/// Words that announce a label.
const N_SIGNS: usize = 6;
/// The share of the labelled documents that the first label has.
const DOMINANT: f64 = 0.6;
const N_TESTS: usize = 500;
const N_AMBIGUOUS: usize = 300;

/// An archive in which one correspondent dominates.
#[derive(Debug, Clone, Copy)]
struct Case {
    n_documents: usize,
    n_labels: usize,
    /// Words without a meaning: how many there are, and how many a document has of them.
    n_fillers: usize,
    fillers_of_document: (usize, usize),
    /// How steeply the fillers' frequencies fall (Zipf's exponent).
    zipf: f64,
    /// The share of the documents that have no label, and no sign of one.
    unlabelled: f64,
}

const STANDARD: Case = Case {
    n_documents: 500,
    n_labels: 10,
    n_fillers: 800,
    fillers_of_document: (30, 80),
    zipf: 1.0,
    unlabelled: 0.0,
};

/// Draws documents of a case.
struct Generator {
    case: Case,
    rng: ChaCha8Rng,
    fillers: Vec<(String, f64)>,
    signs: Vec<Vec<String>>,
}

impl Generator {
    fn new(case: Case, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n_words = case.n_fillers + case.n_labels * N_SIGNS;
        let mut words = Vec::with_capacity(n_words);
        while words.len() < n_words {
            let n_syllables = rng.random_range(2..=4);
            let word: String = (0..n_syllables)
                .map(|_| *SYLLABLES.choose(&mut rng).unwrap())
                .collect();
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let signs = words.split_off(case.n_fillers);
        let rank = 1..;
        Self {
            case,
            rng,
            fillers: words
                .into_iter()
                .zip(rank.map(|rank: i32| f64::from(rank).powf(-case.zipf)))
                .collect(),
            signs: signs.chunks(N_SIGNS).map(<[String]>::to_vec).collect(),
        }
    }

    fn label(&mut self) -> usize {
        if self.rng.random_bool(DOMINANT) {
            0
        } else {
            self.rng.random_range(1..self.case.n_labels)
        }
    }

    fn document(&mut self, label: Option<usize>) -> String {
        let (fewest, most) = self.case.fillers_of_document;
        let n_fillers = self.rng.random_range(fewest..=most);
        let mut words: Vec<&str> = (0..n_fillers)
            .map(|_| {
                self.fillers
                    .choose_weighted(&mut self.rng, |filler| filler.1)
                    .unwrap()
                    .0
                    .as_str()
            })
            .collect();
        words.extend(
            label
                .iter()
                .flat_map(|&label| &self.signs[label])
                .map(String::as_str),
        );
        words.shuffle(&mut self.rng);
        words.join(" ")
    }
}

/// Shares of the test documents.
#[derive(Debug)]
struct Outcome {
    /// Of those with signs of a label: that label.
    right: f64,
    /// Of those without: the dominant label, none.
    dominant: f64,
    none: f64,
}

fn outcome(case: Case, seed: u64) -> Outcome {
    let mut generator = Generator::new(case, seed);
    let mut store = MemoryStore::new();
    let labels: Vec<LabelId> = (0..case.n_labels)
        .map(|at| store.add_label(Field::Correspondent, &NewLabel::auto(&format!("sender {at}"))))
        .collect();
    for _ in 0..case.n_documents {
        let label = if generator.rng.random_bool(case.unlabelled) {
            None
        } else {
            Some(generator.label())
        };
        let document = NewDocument {
            title: "",
            content: &generator.document(label),
            modified: jiff::Timestamp::UNIX_EPOCH,
            correspondent: label.map(|label| labels[label]),
            document_type: None,
            storage_path: None,
        };
        store.add_documents(&[document]).unwrap();
    }
    let training = TrainingParams {
        pipeline: Pipeline::Linear(LinearPipeline::default()),
        ..TrainingParams::default()
    };
    let mut classifier = DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    });
    classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
    let mut share = |n: usize, hit: &mut dyn FnMut(&mut Generator, &DocumentClassifier) -> bool| {
        (0..n).filter(|_| hit(&mut generator, &classifier)).count() as f64 / n as f64
    };
    let right = share(N_TESTS, &mut |generator, classifier| {
        let label = generator.label();
        let content = generator.document(Some(label));
        classifier.predict_correspondent(&content).unwrap() == Some(labels[label])
    });
    let mut answers = Vec::new();
    share(N_AMBIGUOUS, &mut |generator, classifier| {
        let content = generator.document(None);
        answers.push(classifier.predict_correspondent(&content).unwrap());
        true
    });
    let of_ambiguous =
        |answer| answers.iter().filter(|&&found| found == answer).count() as f64 / answers.len() as f64;
    Outcome {
        right,
        dominant: of_ambiguous(Some(labels[0])),
        none: of_ambiguous(None),
    }
}

/// The mean over three archives.
fn holds(case: Case) {
    let outcomes: Vec<Outcome> = (1..=3).map(|seed| outcome(case, seed)).collect();
    let mean = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64;
    let (right, dominant, none) = (
        mean(|outcome| outcome.right),
        mean(|outcome| outcome.dominant),
        mean(|outcome| outcome.none),
    );
    assert!(right >= 0.99, "{right} with signal are right: {case:?}");
    assert!(
        dominant <= 0.08,
        "{dominant} of the ambiguous get the dominant label: {case:?}"
    );
    assert!(none >= 0.90, "{none} of the ambiguous get none: {case:?}");
}

/// The same with documents to learn from that have no label.
fn holds_with_and_without_unlabelled(case: Case) {
    for unlabelled in [0.0, 0.02, 0.15] {
        holds(Case { unlabelled, ..case });
    }
}

#[test]
fn ordinary_archive() {
    holds_with_and_without_unlabelled(STANDARD);
}

#[test]
fn small_vocabulary_and_short_documents() {
    let case = Case {
        n_fillers: 180,
        fillers_of_document: (12, 30),
        zipf: 0.0,
        ..STANDARD
    };
    holds_with_and_without_unlabelled(case);
}

#[test]
fn few_documents() {
    holds_with_and_without_unlabelled(Case {
        n_documents: 150,
        ..STANDARD
    });
}

#[test]
fn many_documents() {
    holds_with_and_without_unlabelled(Case {
        n_documents: 2_000,
        ..STANDARD
    });
}

#[test]
fn many_labels() {
    holds_with_and_without_unlabelled(Case {
        n_labels: 30,
        n_documents: 1_000,
        ..STANDARD
    });
}

#[test]
fn large_flat_vocabulary() {
    holds_with_and_without_unlabelled(Case {
        n_fillers: 3_000,
        zipf: 0.5,
        ..STANDARD
    });
}
