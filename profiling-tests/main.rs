//! The profiling tests: where memory and time go when a classifier is trained and asked.
//!
//! ```text
//! arguments, environment → trials → run → files, report → exit code
//! ```
//! `cargo test --test profiling -- --include-ignored` runs everything; the nine scenarios are ignored otherwise,
//! while the trials that prove the instruments always run. `scenarios` has what is measured, `report` what becomes
//! of it, `corpus` what it is measured on; the instruments themselves are in the crate `profiling-toolkit`.

mod arguments;
mod baseline;
mod budgets;
mod corpus;
mod judgement;
mod progress;
mod report;
mod scenarios;
mod self_test;
mod session;
mod settings;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use postroom::train_report::StageKind;
use profiling_toolkit::memory::ProfilingAllocator;
use profiling_toolkit::phase::SpanPhases;

use progress::Progress;
use scenarios::{SCENARIOS, Scenario};
use session::Session;
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
    // Whoever logs decides first, and nobody did: this is the first thing that the process does with it.
    let phases = SpanPhases::of_target(StageKind::SPANS);
    tracing::subscriber::set_global_default(phases).expect("no other subscriber was set");
    let session = Arc::new(Session::new(settings, Progress::on_terminal(arguments.quiet)));
    let conclusion = libtest_mimic::run(&arguments, trials(&session));
    match session.summary() {
        Ok(Some(summary)) => show(&summary, &arguments),
        Ok(None) => {}
        Err(error) => complain(&error.to_string()),
    }
    // Returned, not exited with: the session removes the corpus when it is dropped.
    conclusion.exit_code()
}

fn trials(session: &Arc<Session>) -> Vec<Trial> {
    let mut trials = self_test::trials();
    trials.extend(
        SCENARIOS
            .iter()
            .map(|scenario| trial(scenario, Arc::clone(session))),
    );
    trials
}

fn trial(scenario: &'static Scenario, session: Arc<Session>) -> Trial {
    Trial::test(scenario.name, move || {
        session.run(scenario).map_err(|error| failed(&*error))
    })
    .with_kind("profiling")
    .with_ignored_flag(true)
}

/// The error with all that it was caused by.
fn failed(error: &dyn Error) -> Failed {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let texts: Vec<String> = std::iter::once(error)
        .chain(causes)
        .map(ToString::to_string)
        .collect();
    texts.join(": ").into()
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report of a program that reports"
)]
fn show(summary: &str, arguments: &Arguments) {
    if arguments::stdout_is_for_programs(arguments) {
        eprintln!("\n{summary}");
    } else {
        println!("\n{summary}");
    }
}

#[expect(clippy::print_stderr, reason = "nobody else tells the user")]
fn complain(problem: &str) {
    eprintln!("error: {problem}");
}
