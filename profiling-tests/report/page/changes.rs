//! What changed against a baseline, and whether the budgets were held.

use maud::{Markup, html};

use super::found::{Budget, Budgets, Change, Comparison, Found};
use super::parts::{Column, table, verdict, words};
use super::quantities::{quantity, quantity_or_none, relative_change};
use super::reports::Reports;

/// Every change: those that are one at once, the others on demand.
pub(super) fn comparison(reports: &Reports) -> Markup {
    let changes = compared(reports)
        .flat_map(|(found, comparison)| comparison.changes.iter().map(move |change| (found, change)));
    let (mut changed, unchanged): (Vec<_>, Vec<_>) = changes
        .partition(|(_, change)| ["worse", "better", "changed"].contains(&verdict_of(change).as_str()));
    // Stable: within a verdict the order of the scenarios.
    let rank = |change| {
        ["worse", "better"]
            .iter()
            .position(|known| *known == verdict_of(change))
    };
    changed.sort_by_key(|(_, change)| rank(change).unwrap_or(2));
    let refused: Vec<_> = compared(reports)
        .filter(|(_, comparison)| !comparison.refused.is_empty())
        .collect();
    html! {
        @if compared(reports).next().is_some() {
            section aria-labelledby="changes" {
                h2 #changes { "Against the baseline" }
                @for (found, comparison) in refused {
                    p.refused { code { (found.scenario) } ": refused. " (comparison.refused.join("; ")) }
                }
                @for (found, note) in notes(reports) {
                    p.muted { code { (found.scenario) } ": " (note) }
                }
                @if !changed.is_empty() { (change_table("Changed", &changed)) }
                @if !unchanged.is_empty() {
                    details {
                        summary { "Not changed, or by no more than noise: " (unchanged.len()) }
                        (change_table("Not changed", &unchanged))
                    }
                }
            }
        }
    }
}

fn change_table(label: &str, changes: &[(&Found, &Change)]) -> Markup {
    const COLUMNS: [Column<'_>; 6] = [
        Column::Text("verdict"),
        Column::Text("figure"),
        Column::Number("before"),
        Column::Number("now"),
        Column::Number("change"),
        Column::Text("scenario"),
    ];
    table(
        &COLUMNS,
        label,
        &html! {
            @for (found, change) in changes {
                tr {
                    td.text { (verdict(&verdict_of(change))) }
                    th scope="row" { (change.figure) }
                    td { (quantity(change.before, &change.unit)) }
                    td { (quantity(change.now, &change.unit)) }
                    td { (relative_change(change)) }
                    td.text { a href={ "#" (found.anchor()) } { (found.scenario) } }
                }
            }
        },
    )
}

/// Every budget of every scenario, open where one isn't held. One that isn't for this run says nothing of it.
pub(super) fn budgets(reports: &Reports) -> Markup {
    const COLUMNS: [Column<'_>; 7] = [
        Column::Text("verdict"),
        Column::Text("figure"),
        Column::Text("kind"),
        Column::Number("limit"),
        Column::Number("measured"),
        Column::Text("scenario"),
        Column::Text("in words"),
    ];
    let of_report = |found| Budgets::of(found).map(move |row| (found, row));
    let rows: Vec<(&Found, &Budget)> = reports.found.iter().flat_map(of_report).collect();
    let n_of = |held: &str| rows.iter().filter(|(_, row)| row.held == held).count();
    let (n_kept, n_not_applied) = (n_of("kept"), n_of("not_applied"));
    let n_applied = rows.len() - n_not_applied;
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="budgets" {
                h2 #budgets { "Budgets" }
                details open[n_kept < n_applied] {
                    summary {
                        (n_kept) " of " (n_applied) " held"
                        @if n_not_applied > 0 { "; not for this run: " (n_not_applied) }
                    }
                    (table(&COLUMNS, "Budgets", &html! {
                        @for (found, row) in &rows {
                            @let unit = found.unit_of(&row.figure);
                            tr {
                                td.text { (verdict(&row.held)) }
                                th scope="row" { (row.figure) }
                                td.text { (row.severity) }
                                td { (quantity_or_none(row.limit, unit)) }
                                td { (quantity_or_none(row.measured, unit)) }
                                td.text { a href={ "#" (found.anchor()) } { (found.scenario) } }
                                td.text { (row.text) }
                            }
                        }
                    }))
                }
            }
        }
    }
}

/// Reports that were compared with a baseline.
pub(super) fn compared(reports: &Reports) -> impl Iterator<Item = (&Found, &Comparison)> {
    reports
        .found
        .iter()
        .filter_map(|found| Some((found, found.comparison.as_ref()?)))
}

fn notes(reports: &Reports) -> impl Iterator<Item = (&Found, &String)> {
    compared(reports).flat_map(|(found, comparison)| comparison.notes.iter().map(move |note| (found, note)))
}

/// In words; a figure that isn't judged has one as well.
pub(super) fn verdict_of(change: &Change) -> String {
    words(change.verdict.as_deref().unwrap_or("not judged"))
}
