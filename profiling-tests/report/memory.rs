//! What a memory region used, as sections and graphs.

use profiling_toolkit::memory::{
    AllocationChain, AllocationSite, MemoryProfile, MemoryView, NamedUsage, ResidentMemory,
};
use profiling_toolkit::names::brief;
use profiling_toolkit::symbols::{Frame, UNKNOWN_FUNCTION};

use super::Report;
use super::functions::is_plumbing;
use super::graph::Graph;
use super::table::Table;
use super::units::{bytes, count};
use crate::held::{Held, SqliteMemory};

/// Sites or call chains in a table.
const N_ROWS: usize = 20;

/// The orders of sites and call chains.
const VIEWS: [(MemoryView, &str); 3] = [
    (MemoryView::AtPeak, "live at the peak"),
    (MemoryView::Total, "allocated in all"),
    (MemoryView::LiveAtEnd, "live at the end"),
];

/// Columns that a call chain may take of a line of the report.
const CHAIN_WIDTH: usize = 76;

/// Adds totals, who allocated and where, and the whole profile of what was done.
pub(crate) fn add(report: &mut Report, name: &str, done: &str, profile: &MemoryProfile) {
    let warnings = profile.warnings();
    report
        .warnings
        .extend(warnings.iter().map(|warning| format!("{done}: {warning}")));
    report.facts(format!("{done}: memory, exact"), totals(profile));
    report.measurement(name, profile);
    if profile.bytes_allocated == 0 {
        return;
    }
    report.table(
        format!("{done}: memory by phase"),
        usage_table("phase", &profile.phases),
    );
    report.table(
        format!("{done}: memory by thread"),
        usage_table("thread", &profile.threads),
    );
    for (view, order) in VIEWS {
        let sites = profile.top_sites(view, N_ROWS);
        if sites.is_empty() {
            report.facts(format!("{done}: nothing {order}"), Vec::new());
            continue;
        }
        report.table(
            format!("{done}: allocation sites by bytes {order}"),
            site_table(&sites, view),
        );
        let chains = profile.top_chains(view, N_ROWS, |frame| is_worth_showing(&frame.function));
        report.table(
            format!("{done}: call chains by bytes {order}"),
            chain_table(profile, &chains, view),
        );
    }
    report.table(
        format!("{done}: requests by size; a reallocation by its new size, its bytes by the growth"),
        size_table(profile),
    );
}

/// Adds what the process held meanwhile.
pub(crate) fn add_held(report: &mut Report, name: &str, done: &str, profile: &MemoryProfile, held: &Held) {
    let heading = format!(
        "{done}: memory beside Rust's heap, which was {} at its peak",
        bytes(profile.peak_bytes)
    );
    let tracker = format!(
        "{}, part of resident memory only while this is measured",
        bytes(profile.tracker_bytes)
    );
    report.facts(
        heading,
        vec![
            ("SQLite's own", sqlite_line(held.sqlite)),
            ("resident in all", resident_line(&held.resident)),
            ("tracker's tables", tracker),
        ],
    );
    report.measurement(name, held);
}

/// How the flame graphs of a region are told from the scenario's others.
pub(crate) struct GraphNames {
    /// What was done, for people.
    pub(crate) title: &'static str,
    /// Suffix of the graph of the peak; empty for the scenario's main one.
    pub(crate) at_peak: &'static str,
    /// Suffix of the graph of all that was allocated.
    pub(crate) total: &'static str,
}

/// Adds the flame graphs in bytes, of the peak and of all that was allocated; of nothing there are none.
pub(crate) fn add_graphs(report: &mut Report, names: &GraphNames, profile: &MemoryProfile) {
    if profile.bytes_allocated == 0 {
        return;
    }
    let title = names.title;
    report.graphs.extend([
        Graph::of_memory(
            format!("{title}: memory at the peak"),
            profile,
            MemoryView::AtPeak,
        )
        .named(names.at_peak),
        Graph::of_memory(
            format!("{title}: memory allocated in all"),
            profile,
            MemoryView::Total,
        )
        .named(names.total),
    ]);
}

/// File, line and function.
pub(crate) fn place(frame: &Frame) -> String {
    match frame.location() {
        Some(location) => format!("{location} {}", brief(&frame.function)),
        None => frame.function.clone(),
    }
}

fn totals(profile: &MemoryProfile) -> Vec<(&'static str, String)> {
    vec![
        ("peak", exact_bytes(profile.peak_bytes)),
        ("kept", exact_bytes(profile.live_delta_bytes)),
        (
            "allocated in all",
            format!(
                "{} in {} blocks and {} reallocations, which count by their growth",
                bytes(profile.bytes_allocated),
                count(profile.allocations),
                count(profile.reallocations)
            ),
        ),
        (
            "given back",
            format!(
                "{} in {} blocks",
                bytes(profile.bytes_deallocated),
                count(profile.deallocations)
            ),
        ),
        ("largest block", largest(profile)),
        ("sites", sums(profile)),
    ]
}

fn largest(profile: &MemoryProfile) -> String {
    let Some(stack) = profile.largest_block_stack else {
        return "none".to_owned();
    };
    let stack = &profile.stacks[stack as usize];
    let size = exact_bytes(profile.largest_block_bytes);
    format!("{size} at {}", place(profile.frame(stack.site)))
}

/// Sites, phases and threads against the totals: a built-in check, since they are counted apart.
fn sums(profile: &MemoryProfile) -> String {
    let sites = profile.sites();
    let of_sites = |view| sites.iter().map(|site| site.usage.bytes(view)).sum();
    let of_names = |named: &[NamedUsage], view| named.iter().map(|named| named.usage.bytes(view)).sum();
    let agree = |view, total: i64| {
        let sums: [i64; 3] = [
            of_sites(view),
            of_names(&profile.phases, view),
            of_names(&profile.threads, view),
        ];
        if sums == [total; 3] {
            "to the byte"
        } else {
            "NOT EXACTLY"
        }
    };
    format!(
        "{}; these, phases and threads each sum to what was kept {}, at the peak to the peak {}",
        count(sites.len()),
        agree(MemoryView::LiveAtEnd, profile.live_delta_bytes),
        agree(MemoryView::AtPeak, profile.peak_bytes as i64)
    )
}

fn usage_table(of_what: &'static str, usages: &[NamedUsage]) -> Table {
    let mut table = Table::names_first(&[
        of_what,
        "at the peak",
        "at the end",
        "in all",
        "blocks",
        "reallocs",
    ]);
    for NamedUsage { name, usage } in usages {
        table.row(vec![
            name.clone(),
            bytes(usage.live_at_peak_bytes),
            bytes(usage.live_at_end_bytes),
            bytes(usage.bytes_allocated),
            count(usage.allocations),
            count(usage.reallocations),
        ]);
    }
    table
}

fn size_table(profile: &MemoryProfile) -> Table {
    let mut table = Table::names_first(&["up to", "blocks", "reallocs", "bytes in all"]);
    for class in &profile.sizes {
        table.row(vec![
            bytes(class.up_to_bytes),
            count(class.allocations),
            count(class.reallocations),
            bytes(class.bytes_allocated),
        ]);
    }
    table
}

fn site_table(sites: &[AllocationSite], view: MemoryView) -> Table {
    let mut table = Table::names_last(&["bytes", "blocks", "reallocs", "place and function"]);
    for site in sites {
        table.row(vec![
            bytes(site.usage.bytes(view)),
            count(site.usage.allocations),
            count(site.usage.reallocations),
            place(&site.frame),
        ]);
    }
    table
}

fn chain_table(profile: &MemoryProfile, chains: &[AllocationChain], view: MemoryView) -> Table {
    let mut table = Table::names_last(&["bytes", "blocks", "site ← its caller ← its caller's caller"]);
    for chain in chains {
        let frames = chain.frames.iter().map(|&frame| profile.frame(frame));
        table.row(vec![
            bytes(chain.usage.bytes(view)),
            count(chain.usage.allocations),
            chain_text(frames),
        ]);
    }
    table
}

/// As many frames as a line has room for, innermost first. A function that calls itself is said once.
fn chain_text<'profile>(frames: impl Iterator<Item = &'profile Frame>) -> String {
    const MORE: &str = " ← …";
    let mut labels: Vec<String> = frames.map(label).collect();
    labels.dedup();
    let mut text = labels[0].clone();
    for label in &labels[1..] {
        if text.chars().count() + " ← ".chars().count() + label.chars().count() + MORE.chars().count()
            > CHAIN_WIDTH
        {
            return text + MORE;
        }
        text = format!("{text} ← {label}");
    }
    text
}

/// A closure by the function that it is in: the line tells them apart.
fn label(frame: &Frame) -> String {
    let brief = brief(&frame.function);
    let function = brief.split("::{closure").next().unwrap_or(&brief);
    match frame.line {
        Some(line) => format!("{function}:{line}"),
        None => function.to_owned(),
    }
}

fn is_worth_showing(function: &str) -> bool {
    !is_plumbing(function) && function != UNKNOWN_FUNCTION
}

fn sqlite_line(sqlite: Option<SqliteMemory>) -> String {
    let Some(sqlite) = sqlite else {
        return "not counted: this SQLite keeps no memory statistics".to_owned();
    };
    format!(
        "{} before, {} at most, {} after; taken by C code, so not among the sites",
        bytes(sqlite.before_bytes),
        bytes(sqlite.peak_bytes),
        bytes(sqlite.after_bytes)
    )
}

fn resident_line(resident: &ResidentMemory) -> String {
    let figure = |size: Option<u64>| size.map_or_else(|| "unavailable here".to_owned(), bytes);
    format!(
        "{} before, {} at most, {} after; by the kernel's count, with code, stacks and what other work has left",
        figure(resident.before_bytes),
        figure(resident.peak_bytes),
        figure(resident.after_bytes)
    )
}

fn exact_bytes(size: impl TryInto<i128> + Copy) -> String {
    format!("{} ({} bytes)", bytes(size), count(size))
}
