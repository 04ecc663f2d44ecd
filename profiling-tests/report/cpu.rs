//! Where CPU time went, as sections.

use profiling_toolkit::cpu::{CpuProfile, FunctionRow};
use profiling_toolkit::names::plain;

use super::Report;
use super::functions::is_plumbing;
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
    let heading = "functions by time in them and all they called (rayon's and std's left out)";
    report.table(
        format!("{done}: {heading}"),
        function_table(&by_cumulative(profile), profile.iterations),
    );
    let heading = "functions by time in themselves";
    report.table(
        format!("{done}: {heading}"),
        function_table(&profile.by_self(N_FUNCTIONS), profile.iterations),
    );
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
                "{}, {} a second of CPU time ({} asked); {} rooted, {} dropped, {} truncated",
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

/// Functions that say what is done. Some twenty of a thread pool's would stand before the first of them.
fn by_cumulative(profile: &CpuProfile) -> Vec<FunctionRow> {
    let mut rows = profile.by_cumulative(usize::MAX);
    rows.retain(|row| !is_plumbing(&row.function));
    rows.truncate(N_FUNCTIONS);
    rows
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
