//! What the page is made of: tables, named texts, verdicts, times.

use maud::{Markup, html};

/// A verdict in words, and in a colour that says the same.
pub(super) fn verdict(verdict: &str) -> Markup {
    let words = words(verdict);
    let class = match words.as_str() {
        "better" | "held" | "kept" => "good",
        "worse" | "exceeded" | "refused" | "failed" => "bad",
        _ => "neutral",
    };
    html! { span class={ "pill " (class) } { (words) } }
}

/// `within_noise` as words.
pub(super) fn words(verdict: &str) -> String {
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
pub(super) fn table(columns: &[Column<'_>], label: &str, rows: &Markup) -> Markup {
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

/// Named texts below each other.
pub(super) fn facts(facts: &[(String, String)]) -> Markup {
    html! {
        dl { @for (name, text) in facts { div { dt { (name) } dd { (text) } } } }
    }
}

/// A time in UTC as people read it.
pub(super) fn moment(timestamp: &str) -> Markup {
    let read = timestamp.replacen('T', " ", 1).replace('Z', " UTC");
    html! { time datetime=(timestamp) { (read) } }
}
