//! What changed against a baseline, and whether the budgets were held.

use maud::{Markup, html};

use super::found::{Budget, Budgets, Change, Comparison, Found};
use super::parts::{Column, table, verdict, words};
use super::quantities::{number_or_text, relative_change};
use super::reports::Reports;

/// Every change: those that are one at once, the others on demand.
pub(super) fn comparison(reports: &Reports) -> Markup {
    let changes = compared(reports)
        .flat_map(|(found, comparison)| comparison.changes.iter().map(move |change| (found, change)));
    let (mut changed, unchanged): (Vec<_>, Vec<_>) =
        changes.partition(|(_, change)| !["within noise", "same"].contains(&words(&change.verdict).as_str()));
    // Stable: within a verdict the order of the scenarios.
    changed.sort_by_key(|(_, change)| {
        ["worse", "better"]
            .iter()
            .position(|known| *known == change.verdict)
            .unwrap_or(2)
    });
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
                    td.text { (verdict(&change.verdict)) }
                    th scope="row" { (change.figure) }
                    td { (number_or_text(&change.before, &change.unit)) }
                    td { (number_or_text(&change.after, &change.unit)) }
                    td { (change_text(change)) }
                    td.text { a href={ "#" (found.anchor()) } { (found.scenario) } }
                }
            }
        },
    )
}

/// Every budget of every scenario, open where one isn't held.
pub(super) fn budgets(reports: &Reports) -> Markup {
    const COLUMNS: [Column<'_>; 6] = [
        Column::Text("verdict"),
        Column::Text("figure"),
        Column::Text("kind"),
        Column::Number("limit"),
        Column::Number("found"),
        Column::Text("scenario"),
    ];
    let of_report = |found| Budgets::of(found).map(move |row| (found, row));
    let rows: Vec<(&Found, &Budget)> = reports.found.iter().flat_map(of_report).collect();
    let n_held = rows.iter().filter(|(_, row)| row.verdict == "held").count();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="budgets" {
                h2 #budgets { "Budgets" }
                details open[n_held < rows.len()] {
                    summary { (n_held) " of " (rows.len()) " held" }
                    (table(&COLUMNS, "Budgets", &html! {
                        @for (found, row) in &rows {
                            @let unit = found.unit_of(&row.figure);
                            tr {
                                td.text { (verdict(&row.verdict)) }
                                th scope="row" { (row.figure) }
                                td.text { (row.kind) }
                                td { (number_or_text(&row.limit, unit)) }
                                td { (number_or_text(&row.value, unit)) }
                                td.text { a href={ "#" (found.anchor()) } { (found.scenario) } }
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

fn change_text(change: &Change) -> String {
    let written = change.by.as_str().map(str::to_owned);
    written
        .or_else(|| relative_change(&change.before, &change.after))
        .unwrap_or_else(|| "–".to_owned())
}
