//! What grew while work was repeated, as sections.

use profiling_toolkit::memory::{Growth, LeakReport, SiteGrowth};

use super::Report;
use super::memory::place;
use super::table::Table;
use super::units::{bytes, count};

/// Adds the verdict, the sites that grew, and a warning for each that leaks.
pub(crate) fn add(report: &mut Report, name: &str, done: &str, leaks: &LeakReport) {
    for leak in leaks.leaks() {
        report.warnings.push(format!(
            "{done}: {} an iteration stay allocated at {}",
            bytes(leak.bytes_per_iteration()),
            place(&leak.frame)
        ));
    }
    if !leaks.complete {
        report.warnings.push(format!(
            "{done}: a table of the memory tracker overflowed, a leak may bear the wrong name"
        ));
    }
    report.facts(format!("{done}: leak check"), facts(leaks));
    if !leaks.sites.is_empty() {
        report.table(format!("{done}: sites that grew"), table(&leaks.sites));
    }
    report.measurement(name, leaks);
}

fn facts(leaks: &LeakReport) -> Vec<(&'static str, String)> {
    let n_leaks = leaks.leaks().count();
    let verdict = if n_leaks == 0 {
        "none: no site grows with every iteration".to_owned()
    } else {
        format!("{} sites grow with every iteration", count(n_leaks))
    };
    let total: i64 = leaks.growth_bytes.iter().sum();
    vec![
        ("leaks", verdict),
        (
            "iterations",
            format!(
                "{} after {} to warm up",
                count(leaks.iterations),
                count(leaks.warm_ups)
            ),
        ),
        (
            "growth",
            format!(
                "{} over all of them, {} in the last",
                bytes(total),
                bytes(last(&leaks.growth_bytes))
            ),
        ),
    ]
}

fn table(sites: &[SiteGrowth]) -> Table {
    let mut table = Table::names_last(&["an iteration", "in all", "verdict", "place and function"]);
    for site in sites {
        let (an_iteration, verdict) = match site.growth {
            Growth::Leak => (bytes(site.bytes_per_iteration()), "leak"),
            // No iteration is like another.
            Growth::InSteps => (String::new(), "in steps"),
        };
        table.row(vec![
            an_iteration,
            bytes(site.total_bytes()),
            verdict.to_owned(),
            place(&site.frame),
        ]);
    }
    table
}

fn last(growth_bytes: &[i64]) -> i64 {
    growth_bytes.last().copied().unwrap_or_default()
}
