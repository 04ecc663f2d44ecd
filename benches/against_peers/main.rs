//! Postroom beside its peers, row by row: what each costs, the ratio, the aim.
//!
//! ```text
//! cargo bench --bench against_peers                             every row, then what the machine can do at most
//! cargo bench --bench against_peers -- networks words roofline  some
//! cargo bench --bench against_peers -- --no-peers networks      ours alone
//! cargo bench --bench against_peers -- --list
//! ```
//!
//! Prints a Markdown table. Each experiment is a process of ours and then one of the peer's, on the same made-up
//! archive; resident memory is that process's own. The peers need `pip install 'scikit-learn~=1.9'`; a peer that isn't
//! there is said to be not present, and its rows have figures of ours only.

mod corpora;
mod experiments;
mod ours;
mod peer;
mod roofline;
mod rows;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use experiments::EXPERIMENTS;
use ours::Figures;
use rows::Experiment;

/// First argument of the process that measures ours: the experiment and the database follow.
const MEASURE: &str = "--measure";
const ROOFLINE: &str = "roofline";

fn main() -> ExitCode {
    // `cargo bench` passes this to every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let done = match &arguments[..] {
        [mode, name, database] if mode == MEASURE => measure(name, Path::new(database)),
        [mode] if mode == "--list" => {
            for experiment in &EXPERIMENTS {
                say(&format!("{} ({} rows)", experiment.name, experiment.rows.len()));
            }
            say(ROOFLINE);
            Ok(())
        }
        _ => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{problem}");
            ExitCode::FAILURE
        }
    }
}

fn experiment(name: &str) -> Result<&'static Experiment, String> {
    let found = EXPERIMENTS.iter().find(|experiment| experiment.name == name);
    found.ok_or_else(|| format!("there is no experiment {name:?}; --list shows them"))
}

/// What the process that measures ours does: prints figures as JSON.
fn measure(name: &str, database: &Path) -> Result<(), String> {
    let figures = (experiment(name)?.ours)(database).map_err(|error| error.to_string())?;
    say(&serde_json::to_string(&figures).expect("names and numbers are JSON"));
    Ok(())
}

fn compare(arguments: &[String]) -> Result<(), String> {
    let (options, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|it| it.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| **option != "--no-peers") {
        return Err(format!("unknown option {unknown}"));
    }
    let chosen = |name: &str| names.is_empty() || names.iter().any(|it| *it == name);
    for name in &names {
        if *name != ROOFLINE {
            experiment(name)?;
        }
    }
    say(table::HEAD);
    let (mut missing, mut answers) = (Vec::new(), Vec::new());
    for experiment in EXPERIMENTS.iter().filter(|experiment| chosen(experiment.name)) {
        let database = experiment.corpus.database().map_err(|error| error.to_string())?;
        let ours = in_a_process_of_its_own(experiment, &database)?;
        let mut peers = Figures::new();
        let asked = experiment.peers.iter().filter(|_| options.is_empty());
        for &peer in asked {
            let answered = answers.iter().find(|(of, _)| *of == (experiment.corpus, peer));
            let answer = answered.map_or_else(|| peer.ask(&database), |(_, answer)| Result::clone(answer));
            answers.push(((experiment.corpus, peer), answer.clone()));
            match answer {
                Ok(figures) => peers.extend(figures),
                Err(why) => missing.push(format!("{}: peer: {why}", experiment.name)),
            }
        }
        for row in experiment.rows {
            say(&table::line(row, &ours, Some(&peers)));
        }
    }
    for line in &missing {
        say(line);
    }
    if chosen(ROOFLINE) {
        say("\n| limit of the machine | 1 core | all cores |\n| --- | ---: | ---: |");
        for limit in roofline::limits() {
            say(&format!(
                "| {} | {:.0} {unit} | {:.0} {unit} |",
                limit.what,
                limit.one_core,
                limit.all_cores,
                unit = limit.unit
            ));
        }
    }
    Ok(())
}

fn in_a_process_of_its_own(experiment: &Experiment, database: &Path) -> Result<Figures, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(this)
        .args([MEASURE, experiment.name])
        .arg(database)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: measuring ours failed", experiment.name));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// A line on standard output, at once: the next one may take minutes.
fn say(line: &str) {
    let mut out = std::io::stdout();
    // Nobody listens any more: the run goes on, for the archives that it makes.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
