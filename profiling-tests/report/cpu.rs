//! Where CPU time went, as sections.

use profiling_toolkit::cpu::{
    CountersUnavailable, CpuProfile, FunctionRow, InstructionCounts, PartRow, SamplingQuality,
};
use profiling_toolkit::names::plain;
use serde::Serialize;

use super::Report;
use super::functions::is_plumbing;
use super::table::Table;
use super::units::{count, digits, duration, percent};

/// Functions in a table.
const N_FUNCTIONS: usize = 30;

/// The weights of the samples may miss this share of the CPU time before a reader is warned.
const TOLERATED_MISS: f64 = 0.03;

/// So many samples may lack a function's name, or the start of their thread, before a reader is warned.
const TOLERATED_NAMELESS: f64 = 0.05;
const TOLERATED_UNROOTED: f64 = 0.01;

/// What was measured of one piece of work.
pub(crate) struct Measured<'work> {
    /// Of the measurement, for programs.
    pub(crate) name: &'static str,
    /// What was done, for people.
    pub(crate) done: &'static str,
    pub(crate) profile: &'work CpuProfile,
    /// From a pass of their own.
    pub(crate) instructions: &'work Instructions,
}

/// Instructions of so many calls, or why they can't be counted.
#[derive(Debug, Serialize)]
pub(crate) struct Instructions {
    pub(crate) calls: u64,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

/// As the report for programs has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counts {
    Counted(InstructionCounts),
    Unavailable(CountersUnavailable),
}

/// Adds clocks, quality of the sampling, threads, phases, functions and the whole profile of what was done.
pub(crate) fn add(report: &mut Report, measured: &Measured<'_>) {
    let Measured { done, profile, .. } = *measured;
    report.warnings.extend(
        warnings(profile)
            .into_iter()
            .map(|warning| format!("{done}: {warning}")),
    );
    let mut facts = clocks(profile);
    facts.push(("instructions", instructions_line(measured.instructions)));
    facts.extend(sampling(profile));
    report.facts(format!("{done}: CPU time"), facts);

    let calls = profile.iterations;
    let heading = "threads by name, from their own clocks";
    report.table(
        format!("{done}: {heading}"),
        thread_table(&profile.by_thread(), calls),
    );
    if profile.phases.iter().any(|phase| !phase.phase.is_empty()) {
        report.table(format!("{done}: phases"), phase_table(&profile.by_phase(), calls));
    }
    let heading = "functions by time in them and all they called (rayon's, tracing's and std's left out)";
    report.table(
        format!("{done}: {heading}"),
        function_table(&by_cumulative(profile), calls),
    );
    let heading = "functions by time in themselves";
    report.table(
        format!("{done}: {heading}"),
        function_table(&profile.by_self(N_FUNCTIONS), calls),
    );
    report.measurement(measured.name, profile);
    report.measurement(format!("{}_instructions", measured.name), measured.instructions);
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
    let nameless = share_of_samples(profile, sampling.unsymbolised);
    if nameless > TOLERATED_NAMELESS {
        warnings.push(format!(
            "{} of the samples are in code without symbols: functions can't be told apart there; build with \
             strip = false and debug = 1",
            percent(nameless)
        ));
    }
    let unrooted = 1.0 - share_of_samples(profile, sampling.rooted);
    if sampling.samples > 0 && unrooted > TOLERATED_UNROOTED {
        warnings.push(format!(
            "{} of the stacks don't reach the start of their thread: times with all that was called are too low",
            percent(unrooted)
        ));
    }
    warnings
}

fn share_of_samples(profile: &CpuProfile, samples: u64) -> f64 {
    samples as f64 / profile.sampling.samples.max(1) as f64
}

fn clocks(profile: &CpuProfile) -> Vec<(&'static str, String)> {
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
    ]
}

fn instructions_line(instructions: &Instructions) -> String {
    match &instructions.counts {
        Counts::Counted(counts) => format!(
            "{} a call, {} in a clock cycle, in a pass of {} calls of their own; counted during {} of it",
            count(counts.instructions / instructions.calls.max(1)),
            digits(counts.instructions_per_cycle()),
            count(instructions.calls),
            percent(counts.counted_share)
        ),
        Counts::Unavailable(unavailable) => format!("unavailable here: {}", unavailable.reason),
    }
}

/// How far the profile can be trusted, and what it cost.
fn sampling(profile: &CpuProfile) -> Vec<(&'static str, String)> {
    let sampling = &profile.sampling;
    let each = |ns: u64| duration(ns as f64 / sampling.samples.max(1) as f64);
    vec![
        (
            "samples",
            format!(
                "{}, {} a second of CPU time ({}); {} rooted, {} without a symbol, {} dropped, {} truncated",
                count(sampling.samples),
                count(sampling.rate_reached_hz.round() as u64),
                rate_asked(sampling),
                percent(share_of_samples(profile, sampling.rooted)),
                percent(share_of_samples(profile, sampling.unsymbolised)),
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
            format!(
                "took {} of it: {} to deliver a sample, {} to take it; {}; its own thread took {} of a core beside that",
                percent(profile.overhead_share()),
                each(sampling.delivery_ns),
                each(sampling.handler_ns),
                sampling.delivery,
                percent(profile.sampler_share())
            ),
        ),
    ]
}

/// What was asked for, and what the limit of the cost left of it.
fn rate_asked(sampling: &SamplingQuality) -> String {
    let asked = count(sampling.rate_asked_hz);
    if sampling.rate_allowed_hz >= 0.99 * f64::from(sampling.rate_asked_hz) {
        return format!("{asked} asked");
    }
    let allowed = count(sampling.rate_allowed_hz.round() as u64);
    format!("{asked} asked, held back to {allowed} so as not to slow the work down")
}

/// Functions that say what is done. Some twenty of a thread pool's would stand before the first of them.
fn by_cumulative(profile: &CpuProfile) -> Vec<FunctionRow> {
    let mut rows = profile.by_cumulative(usize::MAX);
    rows.retain(|row| !is_plumbing(&row.function));
    rows.truncate(N_FUNCTIONS);
    rows
}

fn function_table(rows: &[FunctionRow], n_calls: u64) -> Table {
    let mut table = Table::names_last(&["time", "95 % interval", "share", "samples", "function"]);
    for row in rows {
        table.row(vec![
            per_call(row.ns as f64, n_calls),
            interval(row.interval_95_ns, n_calls),
            percent(row.share),
            count(row.samples),
            plain(&row.function),
        ]);
    }
    table
}

fn thread_table(rows: &[PartRow], n_calls: u64) -> Table {
    let mut table = Table::names_last(&["CPU time", "share", "samples", "threads", "name"]);
    for row in rows {
        table.row(vec![
            per_call(row.ns as f64, n_calls),
            percent(row.share),
            count(row.samples),
            count(row.n_threads),
            row.name.clone(),
        ]);
    }
    table
}

fn phase_table(rows: &[PartRow], n_calls: u64) -> Table {
    let mut table = Table::names_last(&["CPU time", "95 % interval", "share", "samples", "phase"]);
    for row in rows {
        table.row(vec![
            per_call(row.ns as f64, n_calls),
            row.interval_95_ns
                .map_or_else(String::new, |ns| interval(ns, n_calls)),
            percent(row.share),
            count(row.samples),
            if row.name.is_empty() {
                "(outside any)".to_owned()
            } else {
                row.name.clone()
            },
        ]);
    }
    table
}

fn per_call(ns: f64, n_calls: u64) -> String {
    duration(ns / n_calls.max(1) as f64)
}

fn interval([low, high]: [f64; 2], n_calls: u64) -> String {
    format!("{} – {}", per_call(low, n_calls), per_call(high, n_calls))
}
