//! What scenarios may cost: the table of budgets.
//!
//! Allocation counts and bytes are the same on every run with the same corpus, number of threads and build, so their
//! budgets are numbers: hard ones fail the trial. They are what was measured plus two in a hundred, for another
//! standard library or dependency; a peak on several threads has ten, for which fits overlap is up to the scheduler.
//! Times have no number here: they may not leave the noise of a baseline.

mod check;
mod linear;

use serde::Serialize;

pub(crate) use check::{Budgeting, Held, Mode};

/// What one figure of a scenario may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) scenario: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) severity: Severity,
    pub(crate) limit: Limit,
    /// What it is for.
    pub(crate) corpus: BudgetedCorpus,
}

/// What happens where a budget isn't kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// The trial fails.
    Hard,
    /// The report warns.
    Soft,
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    /// In the unit of the figure.
    AtMost(i64),
    /// Likewise, by the largest number of threads that it is for, ascending: what the parts of parallel work allocate
    /// grows with their number.
    AtMostByThreads(&'static [(usize, i64)]),
    /// Where a baseline is compared: not worse than it by more than the noise of both.
    NotWorseThanBaseline,
}

/// The corpus that a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetedCorpus {
    Any,
    Generated { n_documents: usize, seed: u64 },
}

/// The corpus without settings.
const FULL: BudgetedCorpus = BudgetedCorpus::Generated {
    n_documents: 5_000,
    seed: 42,
};

/// That of the quick runs in CI: `PROFILING_DOCS=600`.
const SMALL: BudgetedCorpus = BudgetedCorpus::Generated {
    n_documents: 600,
    seed: 42,
};

const TRAIN_MEMORY: &str = "training::train_memory";
const TRAIN_CPU: &str = "training::train_cpu";
const FILE: &str = "training::save_load_roundtrip";
const ASK_MEMORY: &str = "prediction::predict_all_four_memory";
const ASK_CPU: &str = "prediction::predict_all_four_cpu";

const fn hard(scenario: &'static str, corpus: BudgetedCorpus, figure: &'static str, limit: Limit) -> Budget {
    Budget {
        scenario,
        figure,
        severity: Severity::Hard,
        limit,
        corpus,
    }
}

const fn at_most(limit: i64) -> Limit {
    Limit::AtMost(limit)
}

/// A time, against a baseline. Soft: whether a machine is quiet enough to fail a build is for its owner to say.
const fn time(scenario: &'static str, figure: &'static str) -> Budget {
    Budget {
        scenario,
        figure,
        severity: Severity::Soft,
        limit: Limit::NotWorseThanBaseline,
        corpus: BudgetedCorpus::Any,
    }
}

// Of a training, by the number of threads that train. The counts are the same on every run.
const FULL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 19_700),
    (2, 21_100),
    (4, 23_100),
    (8, 25_900),
    (16, 30_700),
    (32, 39_000),
]);
const FULL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 27_600_000),
    (2, 29_600_000),
    (4, 30_600_000),
    (8, 32_400_000),
    (16, 35_600_000),
    (32, 37_900_000),
]);
const FULL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 7_360_000),
    (2, 9_980_000),
    (4, 13_700_000),
    (8, 13_700_000),
    (16, 13_700_000),
    (32, 13_700_000),
]);
const SMALL_ALLOCATIONS: Limit = Limit::AtMostByThreads(&[
    (1, 5_070),
    (2, 5_650),
    (4, 6_660),
    (8, 8_380),
    (16, 11_000),
    (32, 14_200),
]);
const SMALL_TOTAL: Limit = Limit::AtMostByThreads(&[
    (1, 16_900_000),
    (2, 17_400_000),
    (4, 17_800_000),
    (8, 19_000_000),
    (16, 20_100_000),
    (32, 23_100_000),
]);
const SMALL_PEAK_BYTES: Limit = Limit::AtMostByThreads(&[
    (1, 5_170_000),
    (2, 6_890_000),
    (4, 10_600_000),
    (8, 10_600_000),
    (16, 10_600_000),
    (32, 10_600_000),
]);

/// All of them.
pub(crate) fn all() -> Vec<Budget> {
    [&BUDGETS[..], &linear::BUDGETS].concat()
}

/// Those of the networks' scenarios.
static BUDGETS: [Budget; 35] = [
    hard(TRAIN_MEMORY, FULL, "train.allocations", FULL_ALLOCATIONS),
    hard(TRAIN_MEMORY, FULL, "train.allocated_bytes", FULL_TOTAL),
    hard(TRAIN_MEMORY, FULL, "train.peak_bytes", FULL_PEAK_BYTES),
    hard(TRAIN_MEMORY, FULL, "train.kept_bytes", at_most(5_200_000)),
    hard(FILE, FULL, "file.bytes", at_most(2_420_000)),
    hard(FILE, FULL, "save.peak_bytes", at_most(2_460_000)),
    hard(FILE, FULL, "save.kept_bytes", at_most(0)),
    hard(FILE, FULL, "load.peak_bytes", at_most(5_030_000)),
    hard(FILE, FULL, "load.allocations", at_most(184)),
    hard(ASK_MEMORY, FULL, "four_new.allocations", at_most(6)),
    hard(ASK_MEMORY, FULL, "four_new.allocated_bytes", at_most(1_320)),
    hard(ASK_MEMORY, FULL, "four_known.allocations", at_most(0)),
    hard(ASK_MEMORY, FULL, "once_known.allocations", at_most(0)),
    hard(TRAIN_MEMORY, SMALL, "train.allocations", SMALL_ALLOCATIONS),
    hard(TRAIN_MEMORY, SMALL, "train.allocated_bytes", SMALL_TOTAL),
    hard(TRAIN_MEMORY, SMALL, "train.peak_bytes", SMALL_PEAK_BYTES),
    hard(TRAIN_MEMORY, SMALL, "train.kept_bytes", at_most(5_170_000)),
    hard(FILE, SMALL, "file.bytes", at_most(2_470_000)),
    hard(FILE, SMALL, "save.peak_bytes", at_most(2_510_000)),
    hard(FILE, SMALL, "save.kept_bytes", at_most(0)),
    hard(FILE, SMALL, "load.peak_bytes", at_most(5_130_000)),
    hard(FILE, SMALL, "load.allocations", at_most(184)),
    hard(ASK_MEMORY, SMALL, "four_new.allocations", at_most(6)),
    hard(ASK_MEMORY, SMALL, "four_new.allocated_bytes", at_most(1_320)),
    hard(ASK_MEMORY, SMALL, "four_known.allocations", at_most(0)),
    hard(ASK_MEMORY, SMALL, "once_known.allocations", at_most(0)),
    time(TRAIN_CPU, "train.time"),
    time(TRAIN_CPU, "train.cpu_time"),
    time("training::second_train_noop", "second.time"),
    time(FILE, "load.time"),
    time(ASK_CPU, "four_new.time"),
    time(ASK_CPU, "all_at_once_new.time"),
    time(ASK_CPU, "four_known.time"),
    time(ASK_CPU, "all_at_once_known.time"),
    time("prediction::vectorize_cache_miss_vs_hit", "hit.time"),
];
