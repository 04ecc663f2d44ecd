//! What changed against a baseline, and what became of the budgets, as sections.

use profiling_toolkit::compare::Verdict;

use super::Report;
use super::table::Table;
use super::units::{count, percent};
use crate::baseline::{Change, Comparison};
use crate::budgets::{Budgeting, Held};

/// Adds the table of changes before all other sections, and how many there are to the headline.
pub(crate) fn add(report: &mut Report, comparison: Comparison) {
    let mut table = Table::names_first(&[
        "figure",
        "before",
        "now",
        "change",
        "95 % from",
        "to",
        "noise",
        "",
    ]);
    for change in &comparison.changes {
        table.row(row(change));
    }
    let summary = summary(&comparison);
    report.headline = format!("{}; against {}: {summary}", report.headline, comparison.baseline);
    let mut notes: Vec<(&'static str, String)> = comparison
        .notes
        .iter()
        .map(|note| ("note", note.clone()))
        .collect();
    for (what, figures) in [("new", &comparison.new), ("gone", &comparison.gone)] {
        if !figures.is_empty() {
            notes.push((what, figures.join(", ")));
        }
    }
    let n_sections = report.sections.len();
    report.table(
        format!("Against the baseline {}: {summary}", comparison.baseline),
        table,
    );
    if !notes.is_empty() {
        report.facts("Beside the comparison", notes);
    }
    report.sections.rotate_left(n_sections);
    report.comparison = Some(comparison);
}

/// Adds what became of the budgets, and warnings of the soft ones.
pub(crate) fn add_budgets(report: &mut Report, budgeting: Budgeting) {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let mut n_kept = 0;
    for row in &budgeting.rows {
        match &row.held {
            Held::Kept => n_kept += 1,
            Held::Exceeded => facts.push(("exceeded", row.text.clone())),
            Held::Refused => facts.push(("refused", row.text.clone())),
            Held::NotApplied => facts.push(("not applied", row.text.clone())),
        }
    }
    if n_kept > 0 {
        facts.insert(
            0,
            (
                "kept",
                format!("{} of {}", count(n_kept), count(budgeting.rows.len())),
            ),
        );
    }
    facts.extend(budgeting.note.iter().map(|note| ("note", note.clone())));
    if !facts.is_empty() {
        report.facts("Budgets", facts);
    }
    report.warnings.extend(budgeting.warnings());
    report.budgets = Some(budgeting);
}

fn summary(comparison: &Comparison) -> String {
    let counted = [
        (Verdict::Worse, "worse"),
        (Verdict::Better, "better"),
        (Verdict::Changed, "changed"),
    ]
    .map(|(verdict, word)| (comparison.n_of(verdict), word));
    let counted: Vec<String> = counted
        .iter()
        .filter(|(n_figures, _)| *n_figures > 0)
        .map(|(n_figures, word)| format!("{n_figures} {word}"))
        .collect();
    if counted.is_empty() {
        "no change".to_owned()
    } else {
        counted.join(", ")
    }
}

fn row(change: &Change) -> Vec<String> {
    let relative = change.ratio.unwrap_or(change.now / change.before);
    let signed = |ratio: f64| {
        if ratio.is_finite() {
            format!("{:+.1} %", (ratio - 1.0) * 100.0)
        } else {
            String::new()
        }
    };
    let [low, high] = change
        .interval_95
        .map_or_else(Default::default, |ends| ends.map(signed));
    let noise = change.noise_band.map(|[low, high]| (1.0 / low).max(high) - 1.0);
    let exactly = change.verdict == Some(Verdict::Same);
    vec![
        change.figure.clone(),
        change.unit.text(change.before),
        change.unit.text(change.now),
        if exactly { String::new() } else { signed(relative) },
        low,
        high,
        noise
            .map(|noise| format!("± {}", percent(noise)))
            .unwrap_or_default(),
        match change.verdict {
            Some(Verdict::Worse) => "worse",
            Some(Verdict::Better) => "better",
            Some(Verdict::Changed) => "changed",
            Some(Verdict::WithinNoise) => "within noise",
            Some(Verdict::Same) => "same",
            None => "not judged",
        }
        .to_owned(),
    ]
}
