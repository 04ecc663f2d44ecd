//! The command `postroom`: arguments in, an exit code out. Everything else is below [`cli`].

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Arguments, Failure};

fn main() -> ExitCode {
    match cli::run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Says what went wrong in one line; whoever closed the pipe that they read from doesn't want to know.
fn report(failure: &Failure) {
    if failure.is_broken_pipe() {
        return;
    }
    let line = cli::harmless(&failure.chain());
    // Where even standard error is gone there is nobody left to tell.
    let _ = writeln!(anstream::stderr(), "\x1b[1;31merror:\x1b[0m {line}");
}
