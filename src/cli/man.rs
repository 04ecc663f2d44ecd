//! `man`: the manual, a page for the command and one for each verb.

use clap::{Args, CommandFactory as _};

use super::output::print_raw;
use super::{Arguments, Failure};

/// Print a page of the manual, for the program man
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom man > ~/.local/share/man/man1/postroom.1\n  \
    postroom man train > ~/.local/share/man/man1/postroom-train.1")]
pub(super) struct Man {
    /// The verb that the page is about [default: the command as a whole]
    #[arg(value_parser = verbs())]
    verb: Option<String>,
}

impl Man {
    /// Prints the page.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut command = Arguments::command();
        command.build();
        if let Some(verb) = self.verb.as_ref().and_then(|verb| command.find_subcommand(verb)) {
            command = verb.clone();
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        print_raw(&page)
    }
}

/// Those that the command knows; it can't be asked while it is being described.
fn verbs() -> clap::builder::PossibleValuesParser {
    [
        "train",
        "predict",
        "evaluate",
        "inspect",
        "profile",
        "completions",
        "man",
    ]
    .into()
}
