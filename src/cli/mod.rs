//! The command line: what can be asked, and which verb answers. One file a verb.
//!
//! Answers go to standard output, at most 80 columns wide or as JSON; everything else goes to standard error.

mod completions;
mod evaluate;
mod explain;
mod failure;
mod inspect;
mod interrupt;
mod key;
mod man;
mod options;
mod output;
mod predict;
mod profile;
mod progress;
mod terminal;
mod texts;
mod thresholds;
mod train;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use failure::Failure;
pub(crate) use output::harmless;
use terminal::Terminal;

/// Learns how you file your documents, and files the next one.
///
/// Reads a paperless-ngx database (read-only, while it is in use) and learns which correspondent, document type, tags
/// and storage path its documents have.
#[derive(Debug, Parser)]
#[command(
    name = "postroom",
    version,
    max_term_width = 80,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Begin with:\n  \
        postroom evaluate --db db.sqlite3\n  \
        postroom predict --db db.sqlite3 --inbox\n  \
        postroom train --db db.sqlite3 --model model.postroom\n  \
        postroom predict --model model.postroom letter.txt"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,

    /// Say more on standard error; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,

    /// Say less on standard error: only warnings; twice for nothing but errors
    #[arg(short, long, global = true, action = ArgAction::Count)]
    quiet: u8,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Train(train::Train),
    Predict(predict::Predict),
    Explain(explain::Explain),
    Evaluate(evaluate::Evaluate),
    Inspect(inspect::Inspect),
    Profile(profile::Profile),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Does what was asked.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let terminal = Terminal::new(arguments.verbose, arguments.quiet);
    interrupt::listen()?;
    match arguments.verb {
        Verb::Train(verb) => verb.run(&terminal),
        Verb::Predict(verb) => verb.run(&terminal),
        Verb::Explain(verb) => verb.run(),
        Verb::Evaluate(verb) => verb.run(&terminal),
        Verb::Inspect(verb) => verb.run(),
        Verb::Profile(verb) => verb.run(&terminal),
        Verb::Completions(verb) => verb.run(),
        Verb::Man(verb) => verb.run(),
    }
}
