//! What the page opens on: what can't be trusted, what was trained, how long it took and how much memory, what changed,
//! and a line a scenario.

use maud::{Markup, html};

use super::found::{BudgetRow, Budgets, Change, Comparison, Found, Reports};
use super::quantities::{interval_95, number_or_text, quantity, relative_change};

/// What a reader must know before the figures: warnings, files left out, reports of other circumstances.
pub(super) fn notes(reports: &Reports) -> Markup {
    let mut warnings: Vec<&str> = Vec::new();
    for warning in reports.found.iter().flat_map(|found| &found.warnings) {
        if !warnings.contains(&warning.as_str()) {
            warnings.push(warning);
        }
    }
    let incomparable: Vec<_> = reports
        .found
        .iter()
        .map(|found| (found, reports.differences(found)))
        .filter(|(_, differences)| !differences.is_empty())
        .collect();
    html! {
        @if !(warnings.is_empty() && incomparable.is_empty() && reports.skipped.is_empty()) {
            section.notes aria-labelledby="notes" {
                h2 #notes { "Before you read the figures" }
                ul {
                    @for warning in warnings { li { (warning) } }
                    @for (found, differences) in incomparable {
                        li {
                            a href={ "#" (found.anchor()) } { code { (found.scenario) } }
                            " is an older report with another " (differences.join(" and ")) ": don't compare it with the rest."
                        }
                    }
                    @for skipped in &reports.skipped {
                        li { "Left out: " code { (skipped.file) } ", " (skipped.reason) "." }
                    }
                }
            }
        }
    }
}

/// Four answers.
pub(super) fn summary(reports: &Reports) -> Markup {
    let cards = [
        ("What was trained", trained(reports)),
        ("How long it took", how_long(reports)),
        ("How much memory", how_much_memory(reports)),
        ("What changed", what_changed(reports)),
    ];
    html! {
        section #summary aria-label="Summary" tabindex="-1" {
            div.cards { @for (name, card) in cards { div.card { h2 { (name) } (card) } } }
        }
    }
}

/// A figure and what to know of it.
fn card(figure: &str, details: &[String]) -> Markup {
    html! {
        p.figure { (figure) }
        @for detail in details { p.muted { (detail) } }
    }
}

fn trained(reports: &Reports) -> Markup {
    let training = reports
        .found
        .iter()
        .find_map(|found| found.measurements.get("training"));
    let Some(training) = training else {
        return card("–", &["no training among the reports".to_owned()]);
    };
    let number = |key: &str| {
        training[key]
            .as_f64()
            .map(|n| quantity(n, "count"))
            .unwrap_or_default()
    };
    let fields = training["fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let labels = fields.iter().map(|field| {
        let name = field["field"].as_str().unwrap_or_default();
        format!("{} {}", name.replace('_', " "), field["n_labels"])
    });
    let labels: Vec<String> = labels.collect();
    card(
        &format!("{} documents", number("n_documents")),
        &[
            format!("{} terms", number("n_terms")),
            format!("Labels: {}", labels.join(", ")),
        ],
    )
}

fn how_long(reports: &Reports) -> Markup {
    let timing = reports.of("training::train_cpu").and_then(|found| {
        Some((
            found.measurements.get("train_time")?,
            found.number(["train_time", "median_ns"])?,
        ))
    });
    let Some((timing, median)) = timing else {
        return card(
            "–",
            &["not measured: no report of training::train_cpu".to_owned()],
        );
    };
    let ends = [0, 1].map(|end| timing["median_interval_95_ns"][end].as_f64().unwrap_or(f64::NAN));
    card(
        &quantity(median, "ns"),
        &[
            interval_95(ends, "ns"),
            "Median training, with no instrument running".to_owned(),
        ],
    )
}

fn how_much_memory(reports: &Reports) -> Markup {
    let train_memory = reports.of("training::train_memory");
    let bytes = |key| Some(quantity(train_memory?.number(["train", key])?, "bytes"));
    match (
        bytes("peak_bytes"),
        bytes("live_delta_bytes"),
        bytes("bytes_allocated"),
    ) {
        (Some(peak), Some(kept), Some(allocated)) => card(
            &peak,
            &[
                "At its peak, every byte counted, on the heap of Rust's allocator".to_owned(),
                format!("{kept} kept, {allocated} allocated in all"),
            ],
        ),
        _ => card(
            "–",
            &["not measured: no report of training::train_memory".to_owned()],
        ),
    }
}

fn what_changed(reports: &Reports) -> Markup {
    let comparisons: Vec<&Comparison> = compared(reports).map(|(_, comparison)| comparison).collect();
    let Some(first) = comparisons.first() else {
        let how = "PROFILING_SAVE_BASELINE saves one, PROFILING_BASELINE compares with it.";
        return card("No baseline", &[how.to_owned()]);
    };
    let n_of = |verdict: &str| {
        let changes = comparisons.iter().flat_map(|comparison| &comparison.changes);
        changes.filter(|change| words(&change.verdict) == verdict).count()
    };
    let counted = |verdicts: [&str; 2]| {
        verdicts
            .map(|verdict| format!("{} {verdict}", n_of(verdict)))
            .join(", ")
    };
    let n_refused = comparisons
        .iter()
        .filter(|comparison| !comparison.refused.is_empty())
        .count();
    let mut details = vec![
        counted(["within noise", "same"]),
        format!("Against the baseline “{}”", first.baseline),
    ];
    if n_refused > 0 {
        details.push(format!(
            "Comparisons refused: {n_refused}, with the reasons below"
        ));
    }
    card(&counted(["worse", "better"]), &details)
}

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
        html! {
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
    let rows: Vec<(&Found, &BudgetRow)> = reports.found.iter().flat_map(of_report).collect();
    let n_held = rows.iter().filter(|(_, row)| row.verdict == "held").count();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="budgets" {
                h2 #budgets { "Budgets" }
                details open[n_held < rows.len()] {
                    summary { (n_held) " of " (rows.len()) " held" }
                    (table(&COLUMNS, "Budgets", html! {
                        @for (found, row) in &rows {
                            @let unit = found.unit_of(&row.figure);
                            tr {
                                td.text { (verdict(&row.verdict)) }
                                th scope="row" { (row.figure) }
                                td.text { (row.kind) }
                                td { (number_or_text(&row.limit, unit)) }
                                td { (number_or_text(&row.found, unit)) }
                                td.text { a href={ "#" (found.anchor()) } { (found.scenario) } }
                            }
                        }
                    }))
                }
            }
        }
    }
}

/// A line a scenario, each leading to its row.
pub(super) fn scenario_list(reports: &Reports) -> Markup {
    html! {
        nav aria-labelledby="scenarios" {
            h2 #scenarios { "Scenarios" }
            ol {
                @for found in &reports.found {
                    li { a href={ "#" (found.anchor()) } { (found.scenario) } span { (found.headline) } }
                }
            }
            @if !reports.missing.is_empty() {
                p.muted { "No report yet: " (reports.missing.join(", ")) "." }
            }
        }
    }
}

fn compared(reports: &Reports) -> impl Iterator<Item = (&Found, &Comparison)> {
    reports
        .found
        .iter()
        .filter_map(|found| Some((found, found.comparison.as_ref()?)))
}

fn change_text(change: &Change) -> String {
    let written = change.change.as_str().map(str::to_owned);
    written
        .or_else(|| relative_change(&change.before, &change.after))
        .unwrap_or_else(|| "–".to_owned())
}

/// A verdict in words, and in a colour that says the same.
pub(super) fn verdict(verdict: &str) -> Markup {
    let words = words(verdict);
    let class = match words.as_str() {
        "better" | "held" => "good",
        "worse" | "exceeded" | "refused" => "bad",
        _ => "neutral",
    };
    html! { span class={ "pill " (class) } { (words) } }
}

fn words(verdict: &str) -> String {
    verdict.replace('_', " ")
}

/// The head of a column, by how its cells are aligned.
pub(super) enum Column<'head> {
    /// To the left.
    Text(&'head str),
    /// To the right.
    Number(&'head str),
}

/// A table that scrolls by itself where it is too wide.
pub(super) fn table(columns: &[Column<'_>], label: &str, rows: Markup) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(label) {
            table {
                thead {
                    tr {
                        @for column in columns {
                            @match column {
                                Column::Text(head) => th.text scope="col" { (head) },
                                Column::Number(head) => th scope="col" { (head) },
                            }
                        }
                    }
                }
                tbody { (rows) }
            }
        }
    }
}
