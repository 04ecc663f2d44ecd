//! How far the long steps are, on stderr, where somebody is looking.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line moves by itself.
const TICK: Duration = Duration::from_millis(100);

/// Whether progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// On stderr.
    Shown,
    /// Nowhere.
    Hidden,
}

impl Progress {
    /// Shown on a terminal that can go back to the beginning of a line, unless quiet was asked for.
    pub(crate) fn on_terminal(quiet: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        if !quiet && !is_dumb && std::io::stderr().is_terminal() {
            Self::Shown
        } else {
            Self::Hidden
        }
    }

    /// A bar of `length` steps; it clears itself when finished.
    pub(crate) fn bar(self, task: &'static str, length: usize) -> ProgressBar {
        if self == Self::Hidden {
            return ProgressBar::hidden();
        }
        begin_line();
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} ({elapsed})");
        let style = style.expect("the template is constant and valid");
        ProgressBar::new(length as u64)
            .with_style(style.progress_chars("=> "))
            .with_message(task)
    }

    /// A line that changes, for a task whose length isn't known; it clears itself when finished.
    pub(crate) fn spinner(self, task: &'static str) -> ProgressBar {
        if self == Self::Hidden {
            return ProgressBar::hidden();
        }
        begin_line();
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        let style = style.expect("the template is constant and valid");
        ProgressBar::new_spinner().with_style(style).with_message(task)
    }

    /// A line that moves by itself and counts what was begun, while other processes work; it clears itself when finished.
    pub(crate) fn working(self, task: &'static str) -> ProgressBar {
        let line = self.spinner(task);
        if self == Self::Shown {
            let style = ProgressStyle::with_template("{spinner} {msg}: {pos} ({elapsed})");
            line.set_style(style.expect("the template is constant and valid"));
            line.enable_steady_tick(TICK);
        }
        line
    }
}

/// The runner's line "test … " is unfinished; what is drawn on it would wipe it out.
#[expect(clippy::print_stderr, reason = "only where somebody is looking")]
fn begin_line() {
    eprintln!();
}
