//! What the page opens on: what can't be trusted, what was trained, how long it took and how much memory, what changed,
//! and a line a scenario.

use maud::{Markup, html};

use super::changes::{compared, verdict_of};
use super::found::{Comparison, Found};
use super::parts::verdict;
use super::quantities::{interval_95, quantity};
use super::reports::Reports;

/// What a reader must know before the figures: warnings, files left out, reports of other circumstances.
pub(super) fn notes(reports: &Reports) -> Markup {
    let mut warnings: Vec<(&str, Vec<&Found>)> = Vec::new();
    for found in &reports.found {
        for warning in &found.warnings {
            match warnings.iter_mut().find(|(same, _)| same == warning) {
                Some((_, warned)) => warned.push(found),
                None => warnings.push((warning, vec![found])),
            }
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
                    @for (warning, warned) in warnings {
                        li {
                            // Of all of them, it is about the machine or the program.
                            @if warned.len() < reports.found.len() {
                                @for found in warned {
                                    a href={ "#" (found.anchor()) } { code { (found.scenario) } } ": "
                                }
                            }
                            (warning)
                        }
                    }
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
        changes.filter(|change| verdict_of(change) == verdict).count()
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

/// A line a scenario, each leading to its row.
pub(super) fn scenario_list(reports: &Reports) -> Markup {
    html! {
        nav aria-labelledby="scenarios" {
            h2 #scenarios { "Scenarios" }
            ol {
                @for found in &reports.found {
                    li {
                        a href={ "#" (found.anchor()) } { (found.scenario) }
                        span {
                            @if found.failure.is_some() { (verdict("failed")) " " }
                            (found.headline)
                        }
                    }
                }
            }
            @if !reports.missing.is_empty() {
                p.muted { "No report yet: " (reports.missing.join(", ")) "." }
            }
        }
    }
}
