//! A report as text for a terminal: at most 100 columns, no colours, warnings before figures.

use super::head::Head;
use super::{Body, Report};

/// Columns of a report.
pub(crate) const WIDTH: usize = 100;

const INDENT: &str = "  ";

/// The whole of a file: the head, then the scenario.
pub(crate) fn file(head: &Head<'_>, report: &Report) -> String {
    format!("{}\n{}", head.text(), scenario(report, usize::MAX))
}

/// What came out of each scenario, a line each.
pub(crate) fn overview(headlines: &[(&'static str, String)]) -> String {
    let mut lines = vec![rule('─'), "AT A GLANCE".to_owned(), rule('─')];
    lines.extend(fact_lines(headlines));
    lines.join("\n") + "\n"
}

/// A scenario without the head; of each table so many rows.
pub(crate) fn scenario(report: &Report, most_rows: usize) -> String {
    let mut lines = vec![rule('─'), report.scenario.to_owned()];
    lines.extend(wrapped(&report.about, ""));
    lines.extend(wrapped(&format!("→ {}", report.headline), ""));
    lines.push(rule('─'));
    lines.extend(report.warnings.iter().flat_map(|warning| warning_lines(warning)));
    for section in &report.sections {
        lines.push(String::new());
        lines.extend(wrapped(&section.heading, ""));
        lines.extend(match &section.body {
            Body::Facts(facts) => fact_lines(facts),
            Body::Table(table) => table.lines(INDENT, most_rows),
        });
    }
    lines.join("\n") + "\n"
}

/// Named figures below each other.
pub(crate) fn fact_lines(facts: &[(&'static str, String)]) -> Vec<String> {
    let name_width = facts
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let hanging = " ".repeat(INDENT.len() + name_width + 2);
    let named = facts.iter().map(|(name, figure)| {
        let mut lines = wrapped(figure, &hanging);
        lines[0] = format!("{INDENT}{name:<name_width$}  {}", lines[0].trim_start());
        lines
    });
    named.flatten().collect()
}

/// A warning that isn't overlooked.
pub(crate) fn warning_lines(warning: &str) -> Vec<String> {
    wrapped(&format!("WARNING: {warning}"), "!! ")
}

/// A line across the report.
pub(crate) fn rule(character: char) -> String {
    character.to_string().repeat(WIDTH)
}

/// Lines of whole words, each after `indent`; at least one line.
fn wrapped(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = indent.to_owned();
    for word in text.split(' ') {
        let begun = line.len() > indent.len();
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{indent}{word}")));
            continue;
        }
        if begun {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
