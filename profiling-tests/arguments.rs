//! The command line: that of `cargo test`, as the runner understands it.

use std::ffi::OsString;

use libtest_mimic::{Arguments, FormatSetting};

/// Parses the process's arguments. Scenarios run one at a time, whatever was asked for: what they measure belongs
/// to the process, and two at once would be in each other's figures.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Arguments {
    let mut parsed = Arguments::from_iter(arguments.map(in_runners_spelling));
    parsed.test_threads = Some(1);
    parsed
}

/// Where the report of a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportOutput {
    /// After the runner's own lines.
    Stdout,
    /// Stdout belongs to a program that reads it line by line.
    Stderr,
}

impl ReportOutput {
    /// As the format of the runner's output demands.
    pub(crate) fn of(arguments: &Arguments) -> Self {
        match arguments.format {
            Some(FormatSetting::Json) => Self::Stderr,
            _ => Self::Stdout,
        }
    }
}

/// Whether any scenario may run; without either flag all of them are ignored.
pub(crate) fn asks_for_scenarios(arguments: &Arguments) -> bool {
    !arguments.list && (arguments.ignored || arguments.include_ignored)
}

/// `cargo test` knows both spellings, the runner one.
fn in_runners_spelling(argument: OsString) -> OsString {
    if argument == "--no-capture" {
        "--nocapture".into()
    } else {
        argument
    }
}
