//! Where CPU time went, as sections.

use profiling_toolkit::cpu::{CpuProfile, FunctionRow};

use super::Report;
use super::table::Table;
use super::units::{count, digits, duration, percent};

/// Functions in a table.
const N_FUNCTIONS: usize = 30;

/// The weights of the samples may miss this share of the CPU time before a reader is warned.
const TOLERATED_MISS: f64 = 0.03;

/// Adds clocks, quality of the sampling, functions and the whole profile of what was done.
pub(crate) fn add(report: &mut Report, name: &str, done: &str, profile: &CpuProfile) {
    report.warnings.extend(
        warnings(profile)
            .into_iter()
            .map(|warning| format!("{done}: {warning}")),
    );
    report.facts(format!("{done}: CPU time"), clocks(profile));
    for (order, rows) in [
        (
            "in the function and in all it called",
            profile.by_cumulative(N_FUNCTIONS),
        ),
        ("in the function itself", profile.by_self(N_FUNCTIONS)),
    ] {
        report.table(
            format!("{done}: functions by time {order}"),
            function_table(&rows, profile.iterations),
        );
    }
    report.measurement(name, profile);
}

fn warnings(profile: &CpuProfile) -> Vec<String> {
    let mut warnings = Vec::new();
    let sampling = &profile.sampling;
    let ratio = profile.weight_ratio();
    if (ratio - 1.0).abs() > TOLERATED_MISS {
        warnings.push(format!(
            "the samples account for {} of the CPU time",
            percent(ratio)
        ));
    }
    if !profile.has_enough_samples() {
        let (found, asked) = (count(sampling.samples), count(sampling.min_samples));
        warnings.push(format!(
            "{found} samples where {asked} were asked for: the shares are rough"
        ));
    }
    if sampling.dropped > 0 {
        warnings.push(format!(
            "{} samples were lost: no room was left for them",
            count(sampling.dropped)
        ));
    }
    if sampling.truncated > 0 {
        warnings.push(format!(
            "{} stacks were deeper than what is kept",
            count(sampling.truncated)
        ));
    }
    warnings
}

fn clocks(profile: &CpuProfile) -> Vec<(&'static str, String)> {
    let sampling = &profile.sampling;
    let calls = profile.iterations;
    let time = |ns: u64| {
        let each = if calls > 1 {
            format!(" ({} a call)", duration(ns as f64 / calls as f64))
        } else {
            String::new()
        };
        duration(ns as f64) + &each
    };
    vec![
        (
            "calls",
            if calls > 1 {
                format!("{}, repeated for enough samples", count(calls))
            } else {
                "1".to_owned()
            },
        ),
        ("elapsed", time(profile.wall_ns)),
        (
            "CPU",
            format!(
                "{}: user {}, system {}; {} cores busy on average",
                time(profile.cpu_ns),
                duration(profile.user_ns as f64),
                duration(profile.system_ns as f64),
                digits(profile.parallelism())
            ),
        ),
        (
            "samples",
            format!(
                "{} at {} a second of CPU time ({} asked for); {} rooted, {} dropped, {} truncated",
                count(sampling.samples),
                count(sampling.rate_reached_hz.round() as u64),
                count(sampling.rate_asked_hz),
                percent(sampling.rooted as f64 / sampling.samples.max(1) as f64),
                count(sampling.dropped),
                count(sampling.truncated)
            ),
        ),
        (
            "check",
            format!(
                "the samples account for {} of the CPU time measured",
                percent(profile.weight_ratio())
            ),
        ),
        (
            "sampler",
            format!("took {} of it", percent(profile.overhead_share())),
        ),
    ]
}

fn function_table(rows: &[FunctionRow], n_calls: u64) -> Table {
    let mut table = Table::names_last(&["time", "share", "±", "samples", "function"]);
    for row in rows {
        table.row(vec![
            duration(row.ns as f64 / n_calls.max(1) as f64),
            percent(row.share),
            format!("{:.1}", (row.interval_95[1] - row.interval_95[0]) * 50.0),
            count(row.samples),
            plain(&row.function),
        ]);
    }
    table
}

/// A function's name without what stands in angle brackets, unless all of it does: generic arguments are longer
/// than the names and rarely tell more.
fn plain(function: &str) -> String {
    let mut plain = String::with_capacity(function.len());
    let (mut depth, mut rest) = (0_usize, function);
    // `<Type as Trait>::method` keeps its type.
    if let Some(inner) = rest.strip_prefix('<') {
        let end = inner.find([' ', '<', '>']).unwrap_or(inner.len());
        plain.push_str(&inner[..end]);
        (depth, rest) = (1, &inner[end..]);
    }
    let mut previous = ' ';
    for character in rest.chars() {
        match character {
            '<' => depth += 1,
            '>' if previous != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
        previous = character;
    }
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}
