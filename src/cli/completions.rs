//! `completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::output::print_raw;
use super::{Arguments, Failure};

/// Print a script that teaches a shell to complete the command line
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    postroom completions bash > ~/.local/share/bash-completion/completions/postroom\n  \
    postroom completions fish > ~/.config/fish/completions/postroom.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "postroom", &mut script);
        print_raw(&script)
    }
}
