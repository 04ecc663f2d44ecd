//! Work and memory grow as the text does, whatever the text is.
//!
//! No clock: what is compared are the bytes that are allocated, and held at most, for so much text and for twice as
//! much. Whatever copies a text once a letter allocates four times as much for twice the text.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use postroom::classifier::DocumentClassifier;
use postroom::document::{AutoLabel, Document, DocumentId, Field, Filing, LabelCatalog, LabelId, Labels};
use postroom::error::Result;
use postroom::features::{CountVectorizer, CountVectorizerParams, TfidfParams, TfidfVectorizer, TokenBags};
use postroom::store::{DocumentStore, Snapshot};
use postroom::text::{Language, Preprocessor, for_each_word};
use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};
use rayon::ThreadPoolBuilder;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

const MIB: u64 = 1 << 20;

/// What work takes, in bytes.
#[derive(Debug, Clone, Copy)]
struct Taken {
    allocated: u64,
    peak: u64,
}

/// Held by each test from its first line on: what is counted is the process's.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Measures on one thread.
fn taken<R: Send>(work: impl FnOnce() -> R + Send) -> Taken {
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let options = MemoryOptions {
        max_depth: 1,
        ..MemoryOptions::default()
    };
    let (_, memory) = measure_memory(options, || pool.install(work)).unwrap();
    Taken {
        allocated: memory.bytes_allocated,
        peak: memory.peak_bytes,
    }
}

/// Twice the work may take twice as much, a tenth more, and a megabyte for tables that double.
fn assert_linear(what: &str, once: Taken, twice: Taken) {
    let is_linear = |once: u64, twice: u64| twice <= once * 2 + once / 5 + MIB;
    assert!(
        is_linear(once.allocated, twice.allocated) && is_linear(once.peak, twice.peak),
        "{what}: {once:?}, of twice the text {twice:?}"
    );
}

/// Repeated, these are words of letters that stemmers mark, characters of more than one lower case, marks, no words.
const PIECES: [&str; 16] = [
    "y",
    "ay",
    "uau",
    "quy",
    "ii",
    "ß",
    "é",
    "ñ",
    "ё",
    "Σ",
    "ΣʰΣ",
    "İ",
    "e\u{301}",
    "\0",
    "\u{10fffd}",
    "𝔘",
];

fn of_length(piece: &str, n_bytes: usize) -> String {
    piece.repeat(n_bytes / piece.len())
}

/// Longer than any word that is stemmed, so that what is linear has begun.
const BYTES: usize = 30_000;

#[test]
fn words_of_any_length_are_preprocessed_in_linear_work() {
    let _alone = alone();
    for language in Language::ALL {
        let preprocessor = Preprocessor::new(Some(language));
        for piece in PIECES {
            let texts = [1, 2].map(|times| of_length(piece, times * BYTES));
            let [once, twice] = texts
                .each_ref()
                .map(|text| taken(|| preprocessor.preprocess(text)));
            assert_linear(&format!("{language}, {piece:?}"), once, twice);
        }
    }
}

#[test]
fn words_of_a_line_of_ten_megabytes_are_looked_at_without_copying_it() {
    let _alone = alone();
    let line = "Northwind energy, 12 kWh; ".repeat(10_000_000 / 26);
    let mut n_words = 0;
    let taken = taken(|| for_each_word(&line, &mut String::new(), |_| n_words += 1));
    assert_eq!(n_words, 4 * (10_000_000 / 26));
    assert!(taken.allocated < 10_000, "{taken:?}");
}

/// A text of so many words, no two of them equal.
fn different_words(n: usize) -> String {
    let mut text = String::with_capacity(12 * n);
    for n in 0..n {
        write!(text, "word{n:07} ").unwrap();
    }
    text
}

#[test]
fn a_million_different_words_are_counted_in_linear_memory() {
    let _alone = alone();
    let params = CountVectorizerParams {
        min_df: 0.0,
        ..CountVectorizerParams::default()
    };
    let [once, twice] = [500_000, 1_000_000].map(|n| {
        let text = different_words(n);
        let fit =
            || CountVectorizer::fit_transform(params, Some(Language::English), &[text.as_str()]).unwrap();
        taken(fit)
    });
    assert_linear("counts", once, twice);
    assert!(twice.peak < 60 * 12_000_000, "{twice:?} for 12 MB of text");
}

#[test]
fn a_million_different_words_are_weighed_in_linear_memory() {
    let _alone = alone();
    let [once, twice] = [500_000, 1_000_000].map(|n| {
        let text = different_words(n);
        taken(|| {
            let bags = TokenBags::of(Some(Language::English), &[text.as_str()]).unwrap();
            TfidfVectorizer::fit(&bags, TfidfParams::default()).unwrap()
        })
    });
    assert_linear("tf-idf", once, twice);
    assert!(twice.peak < 60 * 12_000_000, "{twice:?} for 12 MB of text");
}

/// Documents that are made when they are read: so many, of so many bytes each.
struct MadeUp {
    n_documents: i64,
    bytes: usize,
}

impl MadeUp {
    fn document(&self, id: i64) -> Document {
        let kind = if id % 2 == 0 { "invoice" } else { "reminder" };
        let mut content = String::with_capacity(self.bytes + 32);
        content.push_str("letter of kind ");
        content.push_str(kind);
        content.extend(std::iter::repeat_n(' ', self.bytes));
        Document {
            id: DocumentId(id),
            content,
        }
    }
}

impl DocumentStore for MadeUp {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(MadeUpSnapshot(self)))
    }
}

struct MadeUpSnapshot<'s>(&'s MadeUp);

impl Snapshot for MadeUpSnapshot<'_> {
    fn label_catalog(&mut self) -> Result<LabelCatalog> {
        let mut catalog = LabelCatalog::default();
        let labels = [1, 2].map(|id| AutoLabel {
            id: LabelId(id),
            name: id.to_string(),
        });
        catalog.set(Field::DocumentType, labels.to_vec());
        Ok(catalog)
    }

    fn for_each_filing(&mut self, visit: &mut dyn FnMut(Filing) -> Result<()>) -> Result<()> {
        (1..=self.0.n_documents).try_for_each(|id| {
            visit(Filing {
                id: DocumentId(id),
                modified: Timestamp::UNIX_EPOCH,
                labels: Labels {
                    document_type: Some(LabelId(1 + (id % 2) as i32)),
                    ..Labels::default()
                },
            })
        })
    }

    fn for_each_document(&mut self, visit: &mut dyn FnMut(Document) -> Result<()>) -> Result<()> {
        (1..=self.0.n_documents).try_for_each(|id| visit(self.0.document(id)))
    }

    fn for_each_document_among(
        &mut self,
        ids: &[DocumentId],
        visit: &mut dyn FnMut(Document) -> Result<()>,
    ) -> Result<()> {
        ids.iter().try_for_each(|id| visit(self.0.document(id.0)))
    }
}

#[test]
fn training_holds_few_long_documents_at_a_time() {
    let _alone = alone();
    let store = MadeUp {
        n_documents: 100,
        bytes: 4 * MIB as usize,
    };
    let taken = taken(|| {
        let mut classifier = DocumentClassifier::default();
        let trained = classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
        assert!(trained.is_trained());
    });
    // Four or five of the hundred.
    assert!(taken.peak < 40 * MIB, "{taken:?}");
}

#[test]
fn prediction_reads_no_more_of_a_text_than_its_excerpt() {
    let _alone = alone();
    let store = MadeUp {
        n_documents: 20,
        bytes: 0,
    };
    let mut classifier = DocumentClassifier::default();
    classifier.train(&store, &|_| ControlFlow::Continue(())).unwrap();
    let [once, twice] = [1, 2].map(|times| {
        let text = different_words(times * 1_000_000);
        taken(|| classifier.predict(&text).unwrap())
    });
    assert!(
        twice.allocated < once.allocated + MIB && twice.peak < once.peak + MIB,
        "{once:?}, of twice the text {twice:?}"
    );
    assert!(once.peak < 20 * MIB, "{once:?}");
}
