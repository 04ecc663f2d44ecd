//! Which run a report is of, and when its scenario began.

use std::sync::LazyLock;

use jiff::{Timestamp, Unit};
use serde::Serialize;

/// Which run a report is of. Reports of one run belong together, whatever number of processes it had.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run {
    /// The same for all reports of a run.
    pub(crate) id: &'static str,
    /// When the scenario began, in UTC: `2025-11-22T12:40:07Z`.
    pub(crate) measured_at: String,
}

impl Run {
    /// This run, at this moment.
    pub(crate) fn now() -> Self {
        Self {
            id: run_id(),
            measured_at: to_the_second(Timestamp::now()).to_string(),
        }
    }
}

/// nextest, which gives each trial a process of its own, tells them all the name of the run; otherwise the process is
/// the run. Its number alone would come again.
fn run_id() -> &'static str {
    static ID: LazyLock<String> = LazyLock::new(|| {
        std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| {
            let began = to_the_second(Timestamp::now());
            format!("{began} process {}", std::process::id())
        })
    });
    &ID
}

fn to_the_second(moment: Timestamp) -> Timestamp {
    moment.round(Unit::Second).unwrap_or(moment)
}
