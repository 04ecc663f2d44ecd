//! What is measured of Postroom, each in a process of its own: times in seconds, memory in MiB, sizes in bytes.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use postroom::Result;
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{Field, Labels};
use postroom::features::{CountVectorizer, TfidfParams, TfidfTerms, TfidfVectorizer, TokenBags};
use postroom::learners::Targets;
use postroom::learners::linear::{self, LinearExamples, LinearParams, Scaling};
use postroom::learners::mlp::{self, MlpParams, Seed, WeightPrecision};
use postroom::model::TrainingParams;
use postroom::model_file::{self, SecretKey};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::sparse::FactoredMatrix;
use postroom::store::{DocumentStore as _, SqliteStore};
use postroom::targets::{ClassEncoder, FieldTargets};
use postroom::train_report::StageKind;
use postroom::trainer::{TrainOutcome, Trainer};
use rayon::prelude::*;

use crate::corpora::unseen;

/// Figures by name.
pub(crate) type Figures = BTreeMap<String, f64>;

/// Documents that go into the vectorizers at a time, as in a training.
const CHUNK: usize = 512;

/// Texts that predictions are measured on: fewer than the vector cache holds.
const N_TEXTS: usize = 200;

/// Without a language, as the peers are.
fn params(pipeline: Pipeline) -> TrainingParams {
    TrainingParams {
        language: None,
        pipeline,
        ..TrainingParams::default()
    }
}

fn networks() -> TrainingParams {
    params(Pipeline::Mlp(MlpPipeline::default()))
}

fn linear_recipe() -> TrainingParams {
    params(Pipeline::Linear(LinearPipeline::default()))
}

fn untrained(training: TrainingParams) -> DocumentClassifier {
    DocumentClassifier::new(ClassifierParams {
        training,
        ..ClassifierParams::default()
    })
}

/// The median of so many runs, in seconds.
fn median(n_runs: usize, mut run: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..n_runs)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[n_runs / 2]
}

fn on_threads<R: Send>(n_threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build();
    pool.expect("threads can be started").install(work)
}

/// The most memory that this process ever had resident; nothing where the system doesn't say.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}

/// Processor time that this process has used, in seconds: what a loaded machine changes least. Nothing where the system
/// doesn't say.
fn processor_seconds() -> f64 {
    /// Of all Linux that runs here.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may contain anything, in parentheses: user and system time are the 12th and 13th.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace();
    let ticks: Vec<f64> = fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    match ticks[..] {
        [user, system] => (user + system) / TICKS_A_SECOND,
        _ => f64::NAN,
    }
}

/// From the database to the model in memory.
fn train(database: &Path, params: &TrainingParams) -> Result<TrainOutcome> {
    let store = SqliteStore::open(database)?;
    Trainer::new(params.clone()).train(&store, None, &|_| ControlFlow::Continue(()))
}

/// A whole training on all cores, so many times, and its peak, which is the first one's; then on one core.
fn training(database: &Path, params: &TrainingParams, n_runs: usize, figures: &mut Figures) -> Result<()> {
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (began, used) = (Instant::now(), processor_seconds());
    let outcome = on_threads(n_cores, || train(database, params))?;
    let first = began.elapsed().as_secs_f64();
    figures.insert("processor".into(), processor_seconds() - used);
    figures.insert("peak_mib".into(), peak_mib());
    if let TrainOutcome::Trained { model, report } = &outcome {
        let vectorizing = report
            .stages
            .iter()
            .find(|stage| stage.kind == StageKind::Vectorize);
        let vectorizing = vectorizing.map_or(f64::NAN, |stage| stage.duration.as_secs_f64());
        figures.insert("vectorize".into(), vectorizing);
        figures.insert("terms".into(), report.n_terms as f64);
        figures.insert("stored".into(), report.n_stored as f64);
        let bytes = model_file::to_bytes(model, &SecretKey::new("benchmark"));
        figures.insert("model_bytes".into(), bytes.len() as f64);
    }
    drop(outcome);
    let again = |n_threads| {
        let run = || {
            black_box(train(database, params).expect("it was trained before"));
        };
        on_threads(n_threads, || median(n_runs, run))
    };
    let all = if n_runs == 1 { first } else { again(n_cores) };
    figures.insert("train".into(), all);
    if n_runs > 1 {
        figures.insert("train_one_core".into(), again(1));
    }
    Ok(())
}

/// Networks on the profiled corpus: everything that is asked of them.
pub(crate) fn networks_on_short_documents(database: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    training(database, &networks(), 7, &mut figures)?;
    let mut classifier = untrained(networks());
    let store = SqliteStore::open(database)?;
    classifier.train(&store, &|_| ControlFlow::Continue(()))?;
    figures.insert("second".into(), second_training(database, &mut classifier));
    files(&classifier, "", &mut figures)?;
    answers(&classifier, &mut figures);
    let halves = MlpPipeline {
        weight_precision: WeightPrecision::Half,
        ..MlpPipeline::default()
    };
    let mut classifier = untrained(params(Pipeline::Mlp(halves)));
    classifier.train(&store, &|_| ControlFlow::Continue(()))?;
    files(&classifier, "half_", &mut figures)?;
    Ok(figures)
}

/// The full linear recipe on the profiled corpus.
pub(crate) fn recipe_on_short_documents(database: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    training(database, &linear_recipe(), 7, &mut figures)?;
    Ok(figures)
}

/// Finding out that nothing changed.
pub(crate) fn nothing_changed(database: &Path) -> Result<Figures> {
    let mut classifier = untrained(networks());
    classifier.train(&SqliteStore::open(database)?, &|_| ControlFlow::Continue(()))?;
    let second = second_training(database, &mut classifier);
    Ok(Figures::from([("second".into(), second)]))
}

fn second_training(database: &Path, classifier: &mut DocumentClassifier) -> f64 {
    median(31, || {
        let store = SqliteStore::open(database).expect("it was opened before");
        let training = classifier.train(&store, &|_| ControlFlow::Continue(()));
        assert!(!training.expect("it was trained before").is_trained());
    })
}

fn files(classifier: &DocumentClassifier, prefix: &str, figures: &mut Figures) -> Result<()> {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
    let path = directory.path().join("model.postroom");
    let key = SecretKey::new("benchmark");
    let save = median(15, || classifier.save(&path, &key).expect("it can be saved"));
    figures.insert(format!("{prefix}save"), save);
    let model = classifier.model().ok_or(postroom::Error::NoModel)?;
    let to_bytes = median(15, || {
        black_box(model_file::to_bytes(model, &key));
    });
    figures.insert(format!("{prefix}save_without_disk"), to_bytes);
    let n_bytes = model_file::to_bytes(model, &key).len();
    figures.insert(format!("{prefix}file_bytes"), n_bytes as f64);
    let mut loaded = DocumentClassifier::default();
    let load = median(15, || {
        let _ = black_box(loaded.load(&path, &key).expect("it was just saved"));
    });
    figures.insert(format!("{prefix}load"), load);
    Ok(())
}

/// Time of a call, for texts that are new and for texts that are known.
fn answers(classifier: &DocumentClassifier, figures: &mut Figures) {
    const ASKED: &str = "there is a model";
    let texts = unseen(N_TEXTS);
    let mut measure = |name: &str, call: &dyn Fn(&str)| {
        let (mut new, mut known) = (Vec::new(), Vec::new());
        for _ in 0..21 {
            classifier.clear_cache();
            for seconds in [&mut new, &mut known] {
                let began = Instant::now();
                for text in &texts {
                    call(text);
                }
                seconds.push(began.elapsed().as_secs_f64() / N_TEXTS as f64);
            }
        }
        for (name, mut seconds) in [(format!("{name}_new"), new), (format!("{name}_known"), known)] {
            seconds.sort_by(f64::total_cmp);
            figures.insert(name, seconds[seconds.len() / 2]);
        }
    };
    measure("four", &|text| {
        black_box(classifier.predict_correspondent(text).expect(ASKED));
        black_box(classifier.predict_document_type(text).expect(ASKED));
        black_box(classifier.predict_tags(text).expect(ASKED));
        black_box(classifier.predict_storage_path(text).expect(ASKED));
    });
    measure("predict", &|text| {
        black_box(classifier.predict(text).expect(ASKED));
    });
    measure("vectorize", &|text| {
        black_box(classifier.vectorize(text).expect(ASKED));
    });
    let many = unseen(20_000);
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let all = on_threads(n_cores, || {
        median(5, || {
            classifier.clear_cache();
            many.par_iter().for_each(|text| {
                black_box(classifier.predict(text).expect(ASKED));
            });
        })
    });
    figures.insert("documents_per_second".into(), many.len() as f64 / all);
}

/// Networks on a large archive, once.
pub(crate) fn networks_on_a_large_archive(database: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    training(database, &networks(), 1, &mut figures)?;
    Ok(figures)
}

/// The full linear recipe on a large archive, once.
pub(crate) fn recipe_on_a_large_archive(database: &Path) -> Result<Figures> {
    let mut figures = Figures::new();
    training(database, &linear_recipe(), 1, &mut figures)?;
    Ok(figures)
}

/// What an archive holds, in memory.
struct Held {
    contents: Vec<String>,
    labels: Vec<Labels>,
}

impl Held {
    fn read(database: &Path) -> Result<Self> {
        let store = SqliteStore::open(database)?;
        let mut snapshot = store.snapshot()?;
        let (mut contents, mut labels) = (Vec::new(), Vec::new());
        snapshot.for_each_filing(&mut |filing| {
            labels.push(filing.labels);
            Ok(())
        })?;
        snapshot.for_each_document(&mut |document| {
            contents.push(document.content);
            Ok(())
        })?;
        Ok(Self { contents, labels })
    }

    fn targets(&self, field: Field) -> Option<Targets> {
        match ClassEncoder::fit(field, &self.labels)? {
            (_, FieldTargets::Learnable(targets)) => Some(targets),
            (_, FieldTargets::Constant) => None,
        }
    }

    /// Tf-idf of words.
    fn words(&self) -> Result<FactoredMatrix> {
        let mut collector = TokenBags::collector(None);
        self.contents
            .chunks(CHUNK)
            .for_each(|chunk| collector.push_chunk(chunk));
        let params = TfidfParams {
            terms: TfidfTerms::Words,
            ..TfidfParams::default()
        };
        Ok(TfidfVectorizer::fit(&collector.finish()?, params)?.1)
    }
}

/// The classifiers of a `LinearSVC` with its defaults, without scales, and the weights that aren't closer to zero.
fn plain_svm(matrix: &FactoredMatrix, targets: &Targets, prune_below: f64) -> Result<()> {
    let params = LinearParams {
        c: 1.0,
        positive_weight_exponent: 0.0,
        scaling: Scaling::None,
        prune_below,
        bias_feature: 1.0,
        ..LinearParams::default()
    };
    let examples = LinearExamples {
        matrix,
        targets,
        rows: None,
        start: None,
    };
    black_box(linear::fit(examples, &params, SEED, &|_| {
        ControlFlow::Continue(())
    })?);
    Ok(())
}

const SEED: Seed = Seed { seed: 42, stream: 0 };

/// Tf-idf of words, a linear support vector machine a label; four fields; from texts in memory.
pub(crate) fn words_of_short_documents(database: &Path) -> Result<Figures> {
    let held = Held::read(database)?;
    let run = || {
        let matrix = held.words().expect("there are words");
        Field::ALL.into_par_iter().for_each(|field| {
            let targets = held.targets(field).expect("every field has labels");
            plain_svm(&matrix, &targets, 0.0).expect("the parameters are in range");
        });
    };
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let all = on_threads(n_cores, || median(15, run));
    let one = on_threads(1, || median(7, run));
    Ok(Figures::from([
        ("train".into(), all),
        ("train_one_core".into(), one),
    ]))
}

/// Thousands of tags, by a network.
pub(crate) fn tags_by_network(database: &Path) -> Result<Figures> {
    let held = Held::read(database)?;
    let mut fitter = CountVectorizer::fitter(MlpPipeline::default().vectorizer, None)?;
    held.contents
        .chunks(CHUNK)
        .for_each(|chunk| fitter.push_chunk(chunk));
    let (_, matrix) = fitter.finish()?;
    let targets = held.targets(Field::Tags).expect("there are tags");
    let (began, used) = (Instant::now(), processor_seconds());
    let on_epoch = &mut |_| ControlFlow::Continue(());
    let (_, report) = mlp::fit(&matrix, &targets, &MlpParams::default(), SEED, on_epoch)?;
    Ok(Figures::from([
        ("train".into(), began.elapsed().as_secs_f64()),
        ("processor".into(), processor_seconds() - used),
        ("epochs".into(), report.n_epochs() as f64),
        ("peak_mib".into(), peak_mib()),
    ]))
}

/// Thousands of tags, by linear support vector machines on words. Weights near zero are dropped as the pipeline drops
/// them: all others, nearly every word's for every tag, would be 600 MB.
pub(crate) fn tags_by_words(database: &Path) -> Result<Figures> {
    let held = Held::read(database)?;
    let matrix = held.words()?;
    let targets = held.targets(Field::Tags).expect("there are tags");
    drop(held);
    let run = || {
        let prune_below = LinearParams::default().prune_below;
        plain_svm(&matrix, &targets, prune_below).expect("the parameters are in range");
    };
    run();
    let peak = peak_mib();
    Ok(Figures::from([
        ("train".into(), median(3, run)),
        ("peak_mib".into(), peak),
    ]))
}
