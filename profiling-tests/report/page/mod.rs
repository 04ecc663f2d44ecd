//! The report as one page: `index.html`, which needs nothing beside it and no network.
//!
//! In come the JSON files and pictures of a directory, whoever wrote them; out goes HTML. `found` reads the files,
//! `reports` judges them, `overview`, `changes` and `scenario` write what is on the page, `picture` puts flame graphs in. Every text is escaped where it is
//! put in, by `maud`; the page's own policy forbids it to load anything.

mod changes;
mod found;
mod overview;
mod parts;
mod picture;
mod quantities;
mod reports;
mod scenario;

use std::io;
use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use found::Found;
use parts::{facts, moment};
use reports::Reports;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a browser may do on this page's behalf: show it, run its own scripts, and nothing over the network.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// The page of all reports in the directory; those of `scenarios` first, in this order.
pub(crate) fn assembled(directory: &Path, scenarios: &[&str]) -> io::Result<String> {
    let reports = Reports::read(directory, scenarios)?;
    Ok(document(&reports).into_string())
}

fn document(reports: &Reports) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { "Profile of training and prediction" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#summary" { "Skip to the summary" }
                (heading(reports))
                main {
                    (overview::notes(reports))
                    (overview::summary(reports))
                    (changes::comparison(reports))
                    (changes::budgets(reports))
                    (overview::scenario_list(reports))
                    @for report in &reports.found { (scenario::row(report, reports)) }
                    (circumstances(reports))
                }
                footer { (how_to_read()) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn heading(reports: &Reports) -> Markup {
    html! {
        header {
            div {
                h1 { "Profile of training and prediction" }
                @if let Some(newest) = reports.newest() {
                    p.muted { "Last measured " (moment(&newest.run.measured_at)) }
                }
            }
            // Shown by the script that it needs.
            button #theme type="button" hidden { "Dark" }
        }
    }
}

/// On what the newest report was measured; the rows of others say where they differ.
fn circumstances(reports: &Reports) -> Markup {
    html! {
        @if let Some(Found { circumstances, .. }) = reports.newest() {
            section aria-labelledby="circumstances" {
                h2 #circumstances { "Measured on" }
                (facts(circumstances))
            }
        }
    }
}

fn how_to_read() -> Markup {
    html! {
        p {
            "Memory is exact: every allocation of the region, a reallocation by its growth. CPU time is sampled; ± is half \
             a 95 % confidence interval, in points. Times of calls are medians with a bootstrapped 95 % interval, taken \
             with no instrument running."
        }
        p {
            "In a flame graph each box is a function, as wide as its share, on top of the one that called it. Click a box, \
             or go there with the arrow keys and press Enter, to zoom in; Escape zooms out; Ctrl-F searches while the \
             graph has the focus."
        }
    }
}
