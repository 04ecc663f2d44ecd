//! What scenarios may cost: the table of budgets.
//!
//! Allocation counts and bytes are the same on every run with the same corpus, number of threads and build, so their
//! budgets are numbers: hard ones fail the trial. They are what was measured plus two in a hundred, for another
//! standard library or dependency; a peak on several threads has ten, for which fits overlap is up to the scheduler.
//! Times have no number here: they may not leave the noise of a baseline.

mod check;

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

const fn hard(
    scenario: &'static str,
    corpus: BudgetedCorpus,
    (figure, limit): (&'static str, Limit),
) -> Budget {
    Budget {
        scenario,
        figure,
        severity: Severity::Hard,
        limit,
        corpus,
    }
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

/// All of them.
pub(crate) static BUDGETS: [Budget; 1] = [time("training::train_cpu", "train.time")];
