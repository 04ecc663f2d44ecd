//! How long calls take, as one table.

use profiling_toolkit::timing::TimingSummary;

use super::table::Table;
use super::units::{count, duration};
use super::{Report, figure};

/// Timings that belong together, one a line.
#[derive(Debug)]
pub(crate) struct Timings {
    table: Table,
}

impl Timings {
    /// No lines yet.
    pub(crate) fn new() -> Self {
        let columns = [
            "",
            "median",
            "95 % from",
            "to",
            "MAD",
            "min",
            "p95",
            "samples",
            "calls",
        ];
        Self {
            table: Table::names_first(&columns),
        }
    }

    /// Adds a line, the timing with its raw samples to the report's measurements, and its median to the figures.
    pub(crate) fn add(&mut self, report: &mut Report, name: &str, done: &str, timing: &TimingSummary) {
        let [low, high] = timing.median_interval_95_ns;
        let times = [
            timing.median_ns,
            low,
            high,
            timing.mad_ns,
            timing.min_ns,
            timing.p95_ns,
        ]
        .map(duration);
        let mut row = vec![done.to_owned()];
        row.extend(times);
        row.extend([count(timing.samples.ns.len()), count(timing.calls_per_sample)]);
        self.table.row(row);
        report.measurement(name, timing);
        report.figures(figure::of_timing(name, timing));
    }

    /// The table, with no instrument running while its figures were taken.
    pub(crate) fn finish(self, report: &mut Report, heading: &str) {
        report.table(
            format!("{heading}: time of a call, no instrument running"),
            self.table,
        );
    }
}
