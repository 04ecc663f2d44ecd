//! Standard error: log lines, and progress bars where somebody watches.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// What is shown beside the answer.
pub(super) struct Terminal {
    bars: Option<MultiProgress>,
}

impl Terminal {
    /// Sends the log to standard error. Bars are shown on a terminal, unless more or less than usual is to be said.
    pub(super) fn new(verbose: u8, quiet: u8) -> Self {
        let usual = verbose == 0 && quiet == 0;
        let bars = (usual && io::stderr().is_terminal())
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let level = match (verbose, quiet) {
            (0, 0) => Level::INFO,
            (1, 0) => Level::DEBUG,
            (_, 0) => Level::TRACE,
            (_, 1) => Level::WARN,
            _ => Level::ERROR,
        };
        tracing_subscriber::fmt()
            .with_max_level(level)
            .event_format(Line)
            .with_writer(BesideBars(bars.clone()))
            .init();
        Self { bars }
    }

    /// Where bars are drawn, if they are.
    pub(super) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }
}

/// One line an event: its level, unless it is what one expects to be told, its message and its fields.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str(match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG => "debug: ",
            Level::TRACE => "trace: ",
        })?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Writes to standard error, taking the bars out of the way meanwhile. What can't be written there (a closed pipe, a full
/// disk) is no reason to end: whoever logs would otherwise complain in the same place, and panic.
struct BesideBars(Option<MultiProgress>);

impl<'a> MakeWriter<'a> for BesideBars {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self.0.as_ref())
    }
}

struct LineWriter<'a>(Option<&'a MultiProgress>);

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().lock().write_all(line);
        let _ = self.0.map_or_else(write, |bars| bars.suspend(write));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}
