//! The files of a run: each is written beside its place and renamed over it, so that it is whole or not there.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::head::Head;
use super::{Report, json, page, text};

/// All scenarios whose reports are in the directory, in one text.
const SUMMARY: &str = "summary.txt";

/// The same as a page.
const PAGE: &str = "index.html";

/// Writes a scenario's files: for each of its graphs folded stacks, a picture and what other tools read, then text and
/// JSON. The JSON comes last, for it names the others.
pub(crate) fn write(directory: &Path, head: &Head<'_>, report: &Report) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory)
        .map_err(|error| format!("cannot create {} (PROFILING_DIR): {error}", directory.display()))?;
    let stem = stem(report.scenario);
    for graph in &report.graphs {
        let files = graph.files(&stem);
        put(directory, &files.folded, graph.folded().as_bytes())?;
        put(directory, &files.svg, graph.svg()?.as_bytes())?;
        for compared in ["diff", "diff_before"] {
            // That of an earlier run says nothing of this one.
            let _none = fs::remove_file(directory.join(format!("{}.{compared}.svg", graph.stem(&stem))));
        }
        put(directory, &files.pprof, &graph.pprof)?;
        put(
            directory,
            &files.speedscope,
            &serde_json::to_vec(&graph.speedscope)?,
        )?;
    }
    put(
        directory,
        &format!("{stem}.txt"),
        text::file(head, report).as_bytes(),
    )?;
    let json = json::file(head, report, &stem);
    put(directory, &format!("{stem}.json"), json.as_bytes())
}

/// Removes what an earlier run left of a scenario that has failed: those pictures would be taken for its own.
pub(crate) fn remove(directory: &Path, scenario: &str) {
    let of_scenario = stem(scenario) + ".";
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&of_scenario)) {
        let _left = fs::remove_file(entry.path());
    }
}

/// Puts the reports of all scenarios that are in the directory together, in this order, as text and as a page. Where
/// each trial has a process of its own, none of them knows all.
pub(crate) fn write_summary(directory: &Path, scenarios: &[&str]) -> Result<(), Box<dyn Error>> {
    let read = |scenario: &&str| fs::read_to_string(directory.join(format!("{}.txt", stem(scenario)))).ok();
    let texts: Vec<String> = scenarios.iter().filter_map(read).collect();
    if texts.is_empty() {
        return Ok(());
    }
    put(directory, SUMMARY, texts.join("\n").as_bytes())?;
    put(directory, PAGE, page::assembled(directory, scenarios)?.as_bytes())
}

/// `training::train_cpu` as the name of a file.
pub(crate) fn stem(scenario: &str) -> String {
    scenario.replace("::", ".")
}

/// Writes a file beside its place and renames it over it.
pub(crate) fn put(directory: &Path, name: &str, content: &[u8]) -> Result<(), Box<dyn Error>> {
    let write = || -> io::Result<()> {
        // An ordinary file's permissions, not those of a private temporary one.
        let mut file = tempfile::Builder::new().make_in(directory, |path| fs::File::create_new(path))?;
        file.write_all(content)?;
        file.persist(directory.join(name))?;
        Ok(())
    };
    Ok(write().map_err(|error| format!("cannot write {}: {error}", directory.join(name).display()))?)
}
