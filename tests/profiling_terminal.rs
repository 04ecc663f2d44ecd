//! What the profiling tests show where somebody is looking, and what they spare programs that read along.
//!
//! The terminal is the one that `script` opens; on it, stdout and stderr are the same.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod profiling_run;

use std::process::{Command, Stdio};

use profiling_run::{Run, command, profiling_binary};

/// A scenario for which a corpus is written and a classifier trained.
const SCENARIO: &str = "content_hash_overhead";

/// The long steps, as their progress names them.
const STEPS: [&str; 2] = ["writing the corpus", "training a classifier for the predictions"];

/// What a scenario shows on a terminal; none where there is no `script`.
#[expect(clippy::print_stderr, reason = "a test that could not be made says so")]
fn on_terminal(arguments: &str, variables: &[(&str, &str)]) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    // For its environment alone.
    let prepared = command(directory.path(), &[], variables);
    let line = format!(
        "'{}' --ignored {SCENARIO} {arguments}",
        profiling_binary().display()
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for decides_on_colour in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        script.env_remove(decides_on_colour);
    }
    script.env("TERM", "xterm");
    for (name, value) in prepared.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let Ok(output) = script.stdin(Stdio::null()).output() else {
        eprintln!("not present: script, which opens a terminal");
        return None;
    };
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}");
    Some(shown)
}

/// Whether there is `ESC [ numbers m`, which sets a colour.
fn is_coloured(shown: &str) -> bool {
    let sequences = shown.split("\u{1b}[").skip(1);
    let mut ends = sequences.filter_map(|sequence| {
        sequence
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .map(|end| &sequence[end..])
    });
    ends.any(|end| end.starts_with('m'))
}

#[test]
fn long_steps_show_their_progress_on_a_terminal() {
    let Some(shown) = on_terminal("", &[]) else {
        return;
    };
    for step in STEPS {
        assert!(shown.contains(step), "{step}: {shown}");
    }
}

#[test]
fn quiet_run_shows_no_progress() {
    let Some(shown) = on_terminal("-q", &[]) else {
        return;
    };
    for step in STEPS {
        assert!(!shown.contains(step), "{step}: {shown}");
    }
    assert!(
        shown.contains("AT A GLANCE"),
        "the report is what was asked for: {shown}"
    );
}

#[test]
fn terminal_that_cannot_move_its_cursor_shows_no_progress() {
    let Some(shown) = on_terminal("", &[("TERM", "dumb")]) else {
        return;
    };
    assert!(!shown.contains(STEPS[0]) && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn results_are_coloured_on_a_terminal_unless_no_color_is_set() {
    let Some(shown) = on_terminal("", &[]) else {
        return;
    };
    assert!(is_coloured(&shown), "nothing to switch off: {shown}");
    let shown = on_terminal("", &[("NO_COLOR", "1")]).unwrap();
    assert!(!is_coloured(&shown), "{shown}");
}

#[test]
fn pipes_get_neither_colour_nor_progress() {
    let run = Run::with(&["--ignored", SCENARIO]).succeeded();
    for text in [run.stdout(), run.stderr()] {
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(!text.contains(STEPS[0]), "{text}");
    }
}
