//! What the scenarios of one process share: settings, corpus, a trained classifier, and the turn to measure.
//!
//! The corpus and the classifier are made by the first scenario that asks for them, before it measures anything; the
//! runner may list or skip scenarios without either. The corpus's files are removed when the session is dropped.
//! A scenario that fails or panics leaves a report all the same, of what it had found by then.

use std::any::Any;
use std::error::Error;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::LinearPipeline;
use postroom::pipelines::mlp::MlpPipeline;
use postroom::status::Status;
use profiling_toolkit::cpu::{CpuOptions, register_current_thread};
use profiling_toolkit::environment::Environment;
use profiling_toolkit::timing::TimingOptions;
use profiling_toolkit::turns::Turns;

use crate::budgets;
use crate::corpus::Corpus;
use crate::judgement::Judge;
use crate::other_process;
use crate::progress::Progress;
use crate::report::head::Head;
use crate::report::{Report, Span, files, text};
use crate::scenarios::{SCENARIOS, Scenario};
use crate::settings::{PipelineName, Settings};

/// Blocks of samples in a brief run.
const BRIEF_BLOCKS: u32 = 3;

/// Blocks of samples beside those of another program, samples in each, and the time after which no further one is begun:
/// many, since processes take longer to get ready than to be measured.
const BLOCKS_IN_TURN: u32 = 30;
const SAMPLES_IN_TURN: u32 = 25;
const TIME_IN_TURN: Duration = Duration::from_secs(2);

/// What the scenarios of one process share.
#[derive(Debug)]
pub(crate) struct Session {
    settings: Settings,
    progress: Progress,
    turns: Turns,
    threads: OnceCell<usize>,
    environment: OnceCell<Environment>,
    corpus: OnceCell<Corpus>,
    /// By [`PipelineName`].
    classifiers: [OnceCell<DocumentClassifier>; 2],
    /// What is measured belongs to the process: one scenario at a time, whatever the runner does.
    turn: Mutex<()>,
    /// The scenarios that are finished, in that order.
    finished: Mutex<Vec<Finished>>,
}

/// The report of a run.
#[derive(Debug)]
pub(crate) struct Summary {
    /// For a terminal.
    pub(crate) text: String,
    /// Why the one beside the files isn't up to date, if it isn't.
    pub(crate) unwritten: Option<String>,
}

/// A scenario that was run, as the terminal shows it.
#[derive(Debug)]
struct Finished {
    name: &'static str,
    headline: String,
    text: String,
}

impl Session {
    /// A session that has made nothing yet.
    pub(crate) fn new(settings: Settings, progress: Progress, turns: Turns) -> Self {
        Self {
            settings,
            progress,
            turns,
            threads: OnceCell::new(),
            environment: OnceCell::new(),
            corpus: OnceCell::new(),
            classifiers: [const { OnceCell::new() }; 2],
            turn: Mutex::new(()),
            finished: Mutex::new(Vec::new()),
        }
    }

    /// Whether the settings leave the scenario's pipeline in.
    pub(crate) fn is_wanted(&self, scenario: &Scenario) -> bool {
        self.settings
            .pipeline
            .is_none_or(|pipeline| pipeline == scenario.pipeline)
    }

    /// Runs a scenario and writes its files, those of one that goes wrong as well.
    ///
    /// # Panics
    /// When the scenario does.
    pub(crate) fn run(&self, scenario: &Scenario) -> Result<(), Box<dyn Error>> {
        let turn = unpoisoned(&self.turn);
        let budgets = budgets::all();
        let line = OnceCell::new();
        let measure_with = |programs: [&Path; 2]| {
            let line = line.get_or_init(|| {
                self.progress
                    .working("measuring side by side with the baseline's program")
            });
            line.inc(1);
            other_process::measure_in_turn(programs, scenario.name)
        };
        let judge = Judge::new(self.head()?, &budgets, scenario.name, &measure_with)?;
        let mut report = Report::new(scenario.name, scenario.about);
        let subject = Subject {
            session: self,
            pipeline: scenario.pipeline,
        };
        let began_ns = elapsed_ns();
        // What it leaves half done is its report, which says so.
        let measured = catch_unwind(AssertUnwindSafe(|| (scenario.measure)(&subject, &mut report)));
        report.span = Span {
            process: std::process::id(),
            began_ns,
            ended_ns: elapsed_ns(),
        };
        match &measured {
            Ok(Ok(())) => {}
            Ok(Err(error)) => report.fail(&with_causes(&**error)),
            Err(panic) => report.fail(&format!("panicked: {}", panic_message(&**panic))),
        }
        judge.compare(&mut report);
        let finished = self.finish(scenario, &judge, report);
        if let Some(line) = line.get() {
            line.finish_and_clear();
        }
        drop(turn);
        match measured {
            Ok(Ok(())) => finished,
            Ok(Err(error)) => Err(error),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Judges a report and writes the scenario's files. An interruption comes before or after.
    fn finish(
        &self,
        scenario: &Scenario,
        judge: &Judge<'_>,
        mut report: Report,
    ) -> Result<(), Box<dyn Error>> {
        let mut finished = unpoisoned(&self.finished);
        if report.failure.is_some() {
            files::remove(&self.settings.directory, scenario.name);
        }
        let written = judge.conclude(&mut report);
        let verdict = Judge::verdict(&report);
        // Where the disk is full, the terminal has what was found all the same.
        finished.push(Finished {
            name: scenario.name,
            text: text::scenario(&report, scenario.rows_in_terminal),
            headline: report.headline,
        });
        written.and(verdict)
    }

    /// The corpus.
    fn corpus(&self) -> Result<&Corpus, Box<dyn Error>> {
        self.corpus
            .get_or_try_init(|| Corpus::prepare(&self.settings, self.progress))
    }

    /// The report of all that was run; none if nothing was. Also brings the summary beside the files up to date.
    pub(crate) fn summary(&self) -> Result<Option<Summary>, Box<dyn Error>> {
        self.summary_of(&unpoisoned(&self.finished))
    }

    /// The same, after which no scenario finishes any more: the process is about to end, and whoever tries waits for
    /// that.
    pub(crate) fn summary_at_interruption(&self) -> Result<Option<Summary>, Box<dyn Error>> {
        let finished = unpoisoned(&self.finished);
        let summary = self.summary_of(&finished);
        std::mem::forget(finished);
        summary
    }

    fn summary_of(&self, finished: &[Finished]) -> Result<Option<Summary>, Box<dyn Error>> {
        if finished.is_empty() {
            return Ok(None);
        }
        let directory = &self.settings.directory;
        let written = files::write_summary(directory, &SCENARIOS.each_ref().map(|scenario| scenario.name));
        let mut summary = self.head()?.text();
        let overview: Vec<_> = finished
            .iter()
            .map(|scenario| (scenario.name, scenario.headline.clone()))
            .collect();
        write!(summary, "\n{}", text::overview(&overview)).expect("a String takes every write");
        for Finished { text, .. } in finished {
            write!(summary, "\n{text}").expect("a String takes every write");
        }
        write!(
            summary,
            "\nReports, measurements and flame graphs: {}",
            directory.display()
        )?;
        Ok(Some(Summary {
            text: summary,
            unwritten: written.err().map(|error| with_causes(&*error)),
        }))
    }

    fn head(&self) -> Result<Head<'_>, Box<dyn Error>> {
        Ok(Head {
            n_threads: *self
                .threads
                .get_or_try_init(|| start_threads(self.settings.n_threads))?,
            corpus: self.corpus()?.facts(),
            environment: self.environment.get_or_init(Environment::capture),
            settings: &self.settings,
        })
    }
}

/// What a scenario measures: a pipeline, on what the session shares.
#[derive(Debug)]
pub(crate) struct Subject<'session> {
    session: &'session Session,
    pipeline: PipelineName,
}

impl<'session> Subject<'session> {
    /// The corpus.
    pub(crate) fn corpus(&self) -> Result<&'session Corpus, Box<dyn Error>> {
        self.session.corpus()
    }

    /// Threads that train.
    pub(crate) fn n_threads(&self) -> Result<usize, Box<dyn Error>> {
        Ok(self.session.head()?.n_threads)
    }

    /// How calls are timed.
    pub(crate) fn timing(&self) -> TimingOptions {
        let options = TimingOptions::default();
        if self.session.turns.are_taken() {
            TimingOptions {
                blocks: BLOCKS_IN_TURN,
                samples_per_block: SAMPLES_IN_TURN,
                time_limit: TIME_IN_TURN,
                least_blocks: BRIEF_BLOCKS,
                turns: self.session.turns.clone(),
                ..options
            }
        } else if self.session.settings.brief {
            TimingOptions {
                blocks: BRIEF_BLOCKS,
                least_blocks: BRIEF_BLOCKS,
                ..options
            }
        } else {
            options
        }
    }

    /// How calls are sampled: such as are over within microseconds are repeated.
    pub(crate) fn sampling(&self) -> CpuOptions {
        CpuOptions {
            min_samples: if self.session.settings.brief { 1 } else { 1_000 },
            ..CpuOptions::default()
        }
    }

    /// A classifier without a model. Its pipeline is named, not the library's default: figures, budgets and baselines
    /// are those of one.
    pub(crate) fn untrained(&self) -> DocumentClassifier {
        let pipeline = match self.pipeline {
            PipelineName::Mlp => Pipeline::Mlp(MlpPipeline::default()),
            PipelineName::Linear => Pipeline::Linear(LinearPipeline::default()),
        };
        DocumentClassifier::new(ClassifierParams {
            training: TrainingParams {
                pipeline,
                ..TrainingParams::default()
            },
            ..ClassifierParams::default()
        })
    }

    /// A classifier trained on the corpus, shared by scenarios that only ask it.
    pub(crate) fn classifier(&self) -> Result<&'session DocumentClassifier, Box<dyn Error>> {
        let session = self.session;
        session.classifiers[self.pipeline as usize].get_or_try_init(|| {
            let store = session.corpus()?.store();
            let mut classifier = self.untrained();
            let line = session
                .progress
                .spinner("training a classifier for the predictions");
            let told = classifier.train(store, &|status: &Status| {
                line.tick();
                line.set_message(status.to_string());
                ControlFlow::Continue(())
            });
            line.finish_and_clear();
            told?;
            Ok(classifier)
        })
    }
}

/// An error with all that it was caused by.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let texts = std::iter::once(error).chain(causes).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}

/// What was given to `panic!`, which is text unless somebody went out of their way.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied())
        .unwrap_or("without a message")
}

/// Time since it was first asked for.
fn elapsed_ns() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}

/// Starts the threads that train, so that no measured region pays for them, and returns their number.
fn start_threads(n_threads: Option<usize>) -> Result<usize, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads.unwrap_or_default())
        .thread_name(|index| format!("train-{index}"))
        .start_handler(|_| register_current_thread())
        .build_global()?;
    // Each of them has run once: what a thread sets up at its start is done.
    rayon::broadcast(|_| ());
    Ok(rayon::current_num_threads())
}

/// A scenario that panicked leaves nothing half done behind these locks.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
