//! What a memory region used, as sections.

use profiling_toolkit::memory::{AllocationSite, MemoryProfile, MemoryView};
use profiling_toolkit::names::brief;
use profiling_toolkit::symbols::Frame;

use super::Report;
use super::table::Table;
use super::units::{bytes, count};

/// Sites in a table.
const N_SITES: usize = 20;

/// The three orders of the allocation sites.
const VIEWS: [(MemoryView, &str); 3] = [
    (MemoryView::AtPeak, "live at the peak"),
    (MemoryView::Total, "allocated in all"),
    (MemoryView::LiveAtEnd, "live at the end"),
];

/// Adds totals, allocation sites and the whole profile of what was done.
pub(crate) fn add(report: &mut Report, name: &str, done: &str, profile: &MemoryProfile) {
    if !profile.complete {
        report.warnings.push(format!(
            "{done}: a table of the tracker overflowed, some bytes are on the wrong site"
        ));
    }
    report.facts(format!("{done}: memory, exact"), totals(profile));
    report.measurement(name, profile);
    for (view, order) in VIEWS {
        let sites = profile.top_sites(view, N_SITES);
        if sites.is_empty() {
            report.facts(format!("{done}: nothing {order}"), Vec::new());
        } else {
            report.table(
                format!("{done}: allocation sites by bytes {order}"),
                site_table(&sites, view),
            );
        }
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
        ("largest block", bytes(profile.largest_block_bytes)),
        ("sites", sums(profile)),
        (
            "not seen",
            "what C code, such as SQLite, takes from the system itself".to_owned(),
        ),
    ]
}

/// The sites against the totals: a built-in check, since they are counted apart.
fn sums(profile: &MemoryProfile) -> String {
    let sites = profile.sites();
    let sum = |view| -> i64 { sites.iter().map(|site| site.usage.bytes(view)).sum() };
    let agrees = |sum: i64, total: i64| {
        if sum == total {
            "to the byte"
        } else {
            "NOT EXACTLY"
        }
    };
    format!(
        "{}; they sum to what was kept {}, at the peak to the peak {}",
        count(sites.len()),
        agrees(sum(MemoryView::LiveAtEnd), profile.live_delta_bytes),
        agrees(sum(MemoryView::AtPeak), profile.peak_bytes as i64)
    )
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

fn place(frame: &Frame) -> String {
    match frame.location() {
        Some(location) => format!("{location} {}", brief(&frame.function)),
        None => frame.function.clone(),
    }
}

fn exact_bytes(size: impl TryInto<i128> + Copy) -> String {
    format!("{} ({} bytes)", bytes(size), count(size))
}
