//! The files of a run: each is written beside its place and renamed over it, so that it is whole or not there.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::graph::Graph;
use super::head::Head;
use super::{Report, json, text};

/// All scenarios whose reports are in the directory, in one text.
const SUMMARY: &str = "summary.txt";

/// Writes a scenario's files: text, JSON, and a folded and an SVG file for each of its graphs.
pub(crate) fn write(directory: &Path, head: &Head<'_>, report: &Report) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory)
        .map_err(|error| format!("cannot create {} (PROFILING_DIR): {error}", directory.display()))?;
    let stem = stem(report.scenario);
    put(directory, &format!("{stem}.txt"), &text::file(head, report))?;
    put(directory, &format!("{stem}.json"), &json::file(head, report))?;
    for graph in &report.graphs {
        let stem = graph_stem(report.scenario, graph);
        put(directory, &format!("{stem}.folded"), &graph.folded())?;
        put(directory, &format!("{stem}.svg"), &graph.svg()?)?;
    }
    Ok(())
}

/// Puts the texts of all scenarios that are in the directory together, in this order. Where each trial has a process
/// of its own, none of them knows all.
pub(crate) fn write_summary(directory: &Path, scenarios: &[&str]) -> Result<(), Box<dyn Error>> {
    let read = |scenario: &&str| fs::read_to_string(directory.join(format!("{}.txt", stem(scenario)))).ok();
    let texts: Vec<String> = scenarios.iter().filter_map(read).collect();
    put(directory, SUMMARY, &texts.join("\n"))
}

/// A graph's files without their endings.
pub(crate) fn graph_stem(scenario: &str, graph: &Graph) -> String {
    if graph.suffix.is_empty() {
        stem(scenario)
    } else {
        format!("{}.{}", stem(scenario), graph.suffix)
    }
}

/// `training::train_cpu` as the name of a file.
pub(crate) fn stem(scenario: &str) -> String {
    scenario.replace("::", ".")
}

/// Writes a file beside its place and renames it over it.
pub(crate) fn put(directory: &Path, name: &str, content: &str) -> Result<(), Box<dyn Error>> {
    let write = || -> io::Result<()> {
        // An ordinary file's permissions, not those of a private temporary one.
        let mut file = tempfile::Builder::new().make_in(directory, |path| fs::File::create_new(path))?;
        file.write_all(content.as_bytes())?;
        file.persist(directory.join(name))?;
        Ok(())
    };
    Ok(write().map_err(|error| format!("cannot write {}: {error}", directory.join(name).display()))?)
}
