//! A scenario's row: its numbers, its pictures beside them, and all else that it measured on demand.

use maud::{Markup, html};

use super::changes::verdict_of;
use super::found::{Body, Budgets, Change, Found, Section, Table};
use super::parts::{Column, facts, moment, table, verdict};
use super::quantities::{certainty, quantity, relative_change};
use super::reports::Reports;

/// The row of a report.
pub(super) fn row(found: &Found, reports: &Reports) -> Markup {
    let compared = found.comparison.iter().flat_map(|comparison| &comparison.graphs);
    let pictures: Vec<_> = found.graphs.iter().chain(compared).collect();
    // The pictures stand beside the numbers, one below the other; what is left of the height is below them.
    let rows = format!(
        "grid-template-rows: repeat({}, min-content) 1fr",
        pictures.len().max(1)
    );
    let beside = format!("grid-row: 1 / span {}", pictures.len().max(1) + 1);
    html! {
        article id=(found.anchor()) style=(rows) aria-labelledby={ (found.anchor()) "-name" } {
            div.numbers style=(beside) {
                h2 id={ (found.anchor()) "-name" } { (found.scenario) }
                p.muted { (found.about) }
                (age(found, reports))
                @if found.failure.is_some() { p { (verdict("failed")) } }
                p.headline { (found.headline) }
                @for warning in reports.own_warnings(found) { p.warning { "Warning: " (warning) } }
                (budget_state(found))
                (figures(found))
            }
            @for picture in pictures { (picture.markup()) }
            (everything(found))
        }
    }
}

/// Whether the report is of the newest run, and if it isn't, what that means.
fn age(found: &Found, reports: &Reports) -> Markup {
    let differences = reports.differences(found);
    html! {
        @if reports.is_earlier(found) {
            p {
                span.pill.neutral { "earlier run" } " measured " (moment(&found.run.measured_at))
                @if !differences.is_empty() {
                    " " span.pill.bad { "other " (differences.join(" and ")) }
                }
            }
        }
    }
}

fn budget_state(found: &Found) -> Markup {
    let rows = || Budgets::of(found);
    let n_of = |held: &str| rows().filter(|row| row.held == held).count();
    let state = match (n_of("exceeded"), n_of("refused"), n_of("kept")) {
        (0, 0, 0) => None,
        (0, 0, _) => Some("held"),
        (0, ..) => Some("refused"),
        _ => Some("exceeded"),
    };
    let note = found.budgets.as_ref().and_then(|budgets| budgets.note.as_ref());
    html! {
        @if let Some(state) = state { p { "Budgets: " (verdict(state)) } }
        @if let Some(note) = note { p.muted { "Budgets: " (note) } }
    }
}

fn figures(found: &Found) -> Markup {
    let changes: &[Change] = found
        .comparison
        .as_ref()
        .map_or(&[], |comparison| &comparison.changes);
    let mut columns = vec![
        Column::Text("figure"),
        Column::Number("value"),
        Column::Text("certainty"),
    ];
    if !changes.is_empty() {
        columns.push(Column::Text("against the baseline"));
    }
    html! {
        @if !found.figures.is_empty() {
            (table(&columns, &format!("Figures of {}", found.scenario), &html! {
                @for figure in &found.figures {
                    tr {
                        th scope="row" { (figure.name) }
                        td { (quantity(figure.value, &figure.unit)) }
                        td.text { (certainty(figure)) }
                        @if !changes.is_empty() {
                            td.text {
                                @if let Some(change) = changes.iter().find(|change| change.figure == figure.name) {
                                    (verdict(&verdict_of(change))) " " (relative_change(change))
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// All sections of the report. Open where there are no figures that say the most important.
fn everything(found: &Found) -> Markup {
    html! {
        details.everything open[found.figures.is_empty() && found.graphs.is_empty()] {
            summary { "All that was measured" }
            @for part in &found.sections { (section(part)) }
        }
    }
}

fn section(section: &Section) -> Markup {
    html! {
        section {
            h3 { (section.heading) }
            @match &section.body {
                Body::Facts(named) => (facts(named)),
                Body::Table(rows) => (cells(&section.heading, rows)),
            }
        }
    }
}

fn cells(heading: &str, cells: &Table) -> Markup {
    let heads = cells.columns.iter().enumerate();
    let heads = heads.map(|(column, head)| {
        if column == cells.name_column {
            Column::Text(head)
        } else {
            Column::Number(head)
        }
    });
    let columns: Vec<Column<'_>> = heads.collect();
    table(
        &columns,
        heading,
        &html! {
            @for row in &cells.rows {
                tr {
                    @for (column, cell) in row.iter().enumerate() {
                        @if column == cells.name_column { td.name { (cell) } } @else { td { (cell) } }
                    }
                }
            }
        },
    )
}
