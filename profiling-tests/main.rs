//! The profiling tests: where memory and time go when a classifier is trained and asked.
//!
//! ```text
//! arguments, environment → trials → run → files, report → exit code
//! ```
//! `cargo test --test profiling -- --include-ignored` runs everything; the scenarios are ignored otherwise,
//! while the trials that prove the instruments always run. `scenarios` has what is measured, `report` what becomes
//! of it, `corpus` what it is measured on; the instruments themselves are in the crate `profiling-toolkit`.

mod arguments;
mod baseline;
mod budgets;
mod control;
mod corpus;
mod held;
mod interruption;
mod judgement;
mod other_process;
mod preflight;
mod progress;
mod report;
mod scenarios;
mod scratch;
mod self_test;
mod session;
mod settings;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Weak};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use postroom::train_report::StageKind;
use profiling_toolkit::memory::ProfilingAllocator;
use profiling_toolkit::phase::SpanPhases;
use profiling_toolkit::turns::Turns;

use arguments::ReportOutput;
use progress::Progress;
use scenarios::{SCENARIOS, Scenario};
use session::{Session, Summary};
use settings::Settings;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

/// As the runner exits when it doesn't understand its arguments.
const WRONG_SETTING: u8 = 2;

fn main() -> ExitCode {
    let arguments = arguments::parse(std::env::args_os());
    let settings = match Settings::from_env() {
        Ok(settings) => settings,
        // Which trials there are doesn't depend on settings, and a runner that lists them can't correct any.
        Err(_) if arguments.list => Settings::default(),
        Err(error) => {
            complain(&format!(
                "{error}\n\nThe settings and their defaults:\n{}",
                settings::VARIABLES
            ));
            return ExitCode::from(WRONG_SETTING);
        }
    };
    if arguments::asks_for_scenarios(&arguments)
        && let Err(problem) = preflight::check(&settings)
    {
        complain(&problem);
        return ExitCode::from(WRONG_SETTING);
    }
    let turns = match turns(&settings) {
        Ok(turns) => turns,
        Err(problem) => {
            complain(&problem);
            return ExitCode::from(WRONG_SETTING);
        }
    };
    #[expect(
        unsafe_code,
        reason = "SQLite's settings are the process's; nobody but the process knows when it begins"
    )]
    // SAFETY: no other thread has begun yet, and no archive is open.
    unsafe {
        held::begin_to_count_sqlite();
    }
    // Whoever logs decides first, and nobody did: this is the first thing that the process does with it.
    let phases = SpanPhases::of_target(StageKind::SPANS);
    tracing::subscriber::set_global_default(phases).expect("no other subscriber was set");
    let progress = Progress::on_terminal(arguments.quiet);
    let session = Arc::new(Session::new(settings, progress, turns));
    let output = ReportOutput::of(&arguments);
    // Weakly: the session is dropped at the end, and the corpus with it.
    let interrupted = Arc::downgrade(&session);
    if let Err(error) = interruption::watch(move |signal| give_up(signal, &interrupted, output)) {
        complain(&format!("an interruption will lose the report: {error}"));
    }
    let conclusion = libtest_mimic::run(&arguments, trials(&arguments, &session));
    let shown = show(session.summary(), output);
    // Returned, not exited with: the session removes the corpus when it is dropped.
    match shown {
        Shown::Whole => conclusion.exit_code(),
        Shown::Not if conclusion.has_failed() => conclusion.exit_code(),
        Shown::Not => ExitCode::FAILURE,
    }
}

/// The turns that this process takes with another one, if the settings say that there is one.
fn turns(settings: &Settings) -> Result<Turns, String> {
    if !settings.turns {
        return Ok(Turns::default());
    }
    Turns::over_stdin().map_err(|error| {
        format!(
            "{} is for programs that a comparison started, with a socket as standard input ({error})",
            settings::TURNS
        )
    })
}

/// What the thread does that an interruption wakes, before the process ends.
fn give_up(signal: &str, session: &Weak<Session>, output: ReportOutput) {
    let Some(session) = session.upgrade() else {
        return; // All is done already.
    };
    let summary = session.summary_at_interruption();
    other_process::stop();
    for directory in scratch::remove_all() {
        complain(&format!("{} can't be removed", directory.display()));
    }
    // The line that the runner has begun isn't finished.
    complain(&format!(
        "interrupted by {signal}; what was finished is reported, what was under way isn't"
    ));
    show(summary, output);
}

fn trials(arguments: &Arguments, session: &Arc<Session>) -> Vec<Trial> {
    let scenarios = SCENARIOS.iter().chain(control::asked_for(arguments));
    let mut trials = self_test::trials();
    trials.extend(scenarios.map(|scenario| trial(scenario, Arc::clone(session))));
    trials
}

fn trial(scenario: &'static Scenario, session: Arc<Session>) -> Trial {
    let run = move || {
        if !session.is_wanted(scenario) {
            return Ok(Completion::ignored_with(
                "PROFILING_PIPELINE names another pipeline",
            ));
        }
        let ran = session.run(scenario);
        ran.map(|()| Completion::Completed)
            .map_err(|error| failed(&*error))
    };
    Trial::ignorable_test(scenario.name, run)
        .with_kind("profiling")
        .with_ignored_flag(true)
}

fn failed(error: &dyn Error) -> Failed {
    session::with_causes(error).into()
}

/// Whether the report of a run could be put together and written.
enum Shown {
    Whole,
    Not,
}

fn show(summary: Result<Option<Summary>, Box<dyn Error>>, output: ReportOutput) -> Shown {
    let summary = match summary {
        Ok(Some(summary)) => summary,
        Ok(None) => return Shown::Whole,
        Err(error) => {
            complain(&session::with_causes(&*error));
            return Shown::Not;
        }
    };
    let text = format!("\n{}\n", summary.text);
    // Nobody may be reading any more, as behind `| head`: the files have it all.
    let _unread = match output {
        ReportOutput::Stdout => io::stdout().write_all(text.as_bytes()),
        ReportOutput::Stderr => io::stderr().write_all(text.as_bytes()),
    };
    let Some(reason) = summary.unwritten else {
        return Shown::Whole;
    };
    complain(&reason);
    Shown::Not
}

/// Says it to the user, where there is somebody left to read it.
fn complain(problem: &str) {
    let _unread = writeln!(io::stderr(), "error: {problem}");
}
