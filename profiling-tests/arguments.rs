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

/// Whether stdout belongs to a program that reads it line by line.
pub(crate) fn stdout_is_for_programs(arguments: &Arguments) -> bool {
    arguments.format == Some(FormatSetting::Json)
}

/// `cargo test` knows both spellings, the runner one.
fn in_runners_spelling(argument: OsString) -> OsString {
    if argument == "--no-capture" {
        "--nocapture".into()
    } else {
        argument
    }
}
