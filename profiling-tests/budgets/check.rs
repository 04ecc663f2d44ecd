//! Reads the table of budgets: figures of a scenario come in, what became of each budget goes out.

use profiling_toolkit::compare::Verdict;
use serde::Serialize;

use super::{Budget, BudgetedCorpus, Limit, Severity};
use crate::baseline::Comparison;
use crate::corpus::Source;
use crate::report::Report;
use crate::report::figure::Figure;
use crate::report::head::Head;
use crate::report::units::{bytes, count};

/// Whether budgets are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    On,
    /// For exploring: nothing fails, and the report says so.
    Off,
}

/// What became of the budgets of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Budgeting {
    pub(crate) mode: Mode,
    /// Why none is checked, if none is.
    pub(crate) note: Option<String>,
    pub(crate) rows: Vec<Row>,
}

/// What became of one budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) figure: &'static str,
    pub(crate) severity: Severity,
    /// None where the limit is a baseline's.
    pub(crate) limit: Option<f64>,
    /// None if it wasn't measured.
    pub(crate) measured: Option<f64>,
    pub(crate) held: Held,
    /// The same in words.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Held {
    Kept,
    Exceeded,
    /// It can't be said: what was measured can't be relied on, or wasn't measured.
    Refused,
    /// It isn't for this run.
    NotApplied,
}

impl Budgeting {
    /// Holds a report's figures to the budgets of its scenario.
    pub(crate) fn check(budgets: &[Budget], head: &Head<'_>, report: &Report) -> Self {
        let mode = head.settings.budgets;
        let of_scenario: Vec<&Budget> = budgets
            .iter()
            .filter(|budget| budget.scenario == report.scenario)
            .collect();
        let note = match (mode, of_scenario.is_empty()) {
            (_, true) => Some("this scenario has none".to_owned()),
            (Mode::Off, _) => Some("not checked: PROFILING_BUDGETS is off".to_owned()),
            (Mode::On, _) => not_for(&of_scenario, head),
        };
        let checked = if note.is_some() { Vec::new() } else { of_scenario };
        let rows = checked
            .iter()
            .filter(|budget| budget.corpus.is(head))
            .map(|budget| Row::of(budget, head, report));
        Self {
            mode,
            note,
            rows: rows.collect(),
        }
    }

    /// What a reader must know: soft budgets that aren't kept.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.not_kept(Severity::Soft);
        if self.mode == Mode::Off {
            warnings.extend(self.note.iter().map(|note| format!("budgets are {note}")));
        }
        warnings
    }

    /// Why the scenario fails; none if all hard budgets are kept.
    pub(crate) fn failure(&self) -> Option<String> {
        let not_kept = self.not_kept(Severity::Hard);
        (!not_kept.is_empty()).then(|| {
            format!(
                "{}. The report is written; the limits are in profiling-tests/budgets.rs, PROFILING_BUDGETS=off \
                 leaves them out",
                not_kept.join("; ")
            )
        })
    }

    fn not_kept(&self, severity: Severity) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| row.severity == severity);
        rows.filter_map(|row| match row.held {
            Held::Exceeded => Some(format!("over budget: {}", row.text)),
            Held::Refused => Some(format!("budget not checked: {}", row.text)),
            Held::Kept | Held::NotApplied => None,
        })
        .collect()
    }
}

impl Row {
    fn of(budget: &Budget, head: &Head<'_>, report: &Report) -> Self {
        let figure = report.figures.iter().find(|figure| figure.name == budget.figure);
        let (limit, held, text) = match figure {
            None => (
                None,
                Held::Refused,
                format!("{} was not measured, so nothing is known of it", budget.figure),
            ),
            Some(Figure {
                unreliable: Some(reason),
                ..
            }) => (
                None,
                Held::Refused,
                format!("{} can't be relied on, {reason}", budget.figure),
            ),
            Some(figure) => match budget.limit {
                Limit::AtMost(limit) => at_most(figure, limit as f64, head),
                Limit::AtMostByThreads(limits) => by_threads(figure, limits, head),
                Limit::NotWorseThanBaseline => not_worse(figure, report.comparison.as_ref()),
            },
        };
        Self {
            figure: budget.figure,
            severity: budget.severity,
            limit,
            measured: figure.map(|figure| figure.value),
            held,
            text,
        }
    }
}

type Judged = (Option<f64>, Held, String);

fn at_most(figure: &Figure, limit: f64, head: &Head<'_>) -> Judged {
    let held = if figure.value <= limit {
        Held::Kept
    } else {
        Held::Exceeded
    };
    let text = format!(
        "{} is {}, the budget {} (corpus of {} documents, {} of text; {} threads)",
        figure.name,
        figure.unit.exact_text(figure.value),
        figure.unit.exact_text(limit),
        count(head.corpus.n_documents),
        bytes(head.corpus.content_bytes),
        head.n_threads
    );
    (Some(limit), held, text)
}

/// The limit of the next number of threads that the table has.
fn by_threads(figure: &Figure, limits: &[(usize, i64)], head: &Head<'_>) -> Judged {
    match limits.iter().find(|(n_threads, _)| head.n_threads <= *n_threads) {
        Some(&(_, limit)) => at_most(figure, limit as f64, head),
        None => (
            None,
            Held::NotApplied,
            format!("{} has no budget for {} threads", figure.name, head.n_threads),
        ),
    }
}

fn not_worse(figure: &Figure, comparison: Option<&Comparison>) -> Judged {
    let Some(change) = comparison.and_then(|comparison| comparison.of(&figure.name)) else {
        return (
            None,
            Held::NotApplied,
            format!("{} is held to a baseline, and none is compared", figure.name),
        );
    };
    let held = match change.verdict {
        Some(Verdict::Worse) => Held::Exceeded,
        Some(_) => Held::Kept,
        None => Held::Refused,
    };
    let text = format!(
        "{} is {}, {} in the baseline",
        figure.name,
        figure.text(),
        figure.unit.text(change.before)
    );
    (None, held, text)
}

/// Why none of the budgets is for this run; none if some are.
fn not_for(budgets: &[&Budget], head: &Head<'_>) -> Option<String> {
    if budgets.iter().any(|budget| budget.corpus.is(head)) {
        return None;
    }
    let corpus = match &head.corpus.source {
        Source::Archive { file } => format!("the archive {file}"),
        Source::Generated { seed } => format!("{} documents of seed {seed}", count(head.corpus.n_documents)),
    };
    Some(format!("not applied: they are for other corpora than {corpus}"))
}

impl BudgetedCorpus {
    fn is(self, head: &Head<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Generated { n_documents, seed } => {
                head.corpus.n_documents == n_documents && head.corpus.source == Source::Generated { seed }
            }
        }
    }
}
