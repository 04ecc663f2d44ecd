//! What no compiler checks: every file says what it is for, no file grows without bound, the README's commands are
//! those that CI runs, every dependency has its reason.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lines before a file's unit tests; beyond that it is two files.
const MOST_LINES: usize = 400;

/// Lines of an integration test.
const MOST_TEST_LINES: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files with this ending, below the given folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<PathBuf> {
    let folders = [
        "src",
        "tests",
        "profiling-tests",
        "benches",
        "fuzz/src",
        "fuzz/fuzz_targets",
        "fuzz/examples",
    ];
    let sources: Vec<_> = folders
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
        .collect();
    assert!(sources.len() > 50, "only {} sources found", sources.len());
    sources
}

#[test]
fn every_source_opens_by_saying_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|path| !read(path).starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "no `//!` at the top: {silent:?}");
}

#[test]
fn no_source_is_too_long() {
    let tests = root().join("tests");
    let is_too_long = |path: &PathBuf| {
        let n_lines = read(path)
            .lines()
            .take_while(|line| *line != "mod tests {")
            .count();
        n_lines
            > if path.starts_with(&tests) {
                MOST_TEST_LINES
            } else {
                MOST_LINES
            }
    };
    let long: Vec<_> = sources().into_iter().filter(is_too_long).collect();
    assert!(long.is_empty(), "these are two files each: {long:?}");
}

#[test]
fn nothing_is_left_for_later() {
    // Written in halves, for this file is searched as well.
    let marks = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["to", "do!("],
        ["unimple", "mented!("],
    ]
    .map(|halves| halves.concat());
    for path in sources() {
        let source = read(&path);
        let left: Vec<_> = marks.iter().filter(|mark| source.contains(*mark)).collect();
        assert!(left.is_empty(), "{}: {left:?}", path.display());
    }
}

/// The commands in the README's fenced `sh` blocks.
fn readme_commands() -> Vec<String> {
    let readme = read("README.md");
    let blocks = readme.split("```").skip(1).step_by(2);
    let shell = blocks.filter_map(|block| block.strip_prefix("sh\n"));
    shell.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn ci_runs_both_commands_of_the_readme() {
    let (commands, ci) = (readme_commands(), read(".ci/run"));
    assert_eq!(
        commands[..2],
        ["cargo test --test profiling -- --include-ignored", "cargo test"]
    );
    assert!(
        ci.lines().any(|line| line == commands[1]),
        "the tests, word for word"
    );
    assert!(
        ci.lines().any(|line| line.ends_with(&commands[0])),
        "the main job, on a small corpus"
    );
}

#[test]
fn every_link_in_the_docs_leads_somewhere() {
    let mut pages = files(&root().join("docs"), "md");
    pages.extend(["README.md", "CHANGELOG.md", "SECURITY.md"].map(|page| root().join(page)));
    for page in pages {
        let text = read(&page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')) {
            let path = page.parent().unwrap().join(target.split('#').next().unwrap());
            assert!(path.exists(), "{}: {target}", page.display());
        }
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    for manifest in [
        "Cargo.toml",
        "profiling-tests/toolkit/Cargo.toml",
        "profiling-tests/toolkit/tests/control/Cargo.toml",
        "profiling-tests/toolkit/tests/models/Cargo.toml",
        "fuzz/Cargo.toml",
    ] {
        let text = read(manifest);
        let sections = text
            .split("\n[")
            .filter(|section| section.contains("dependencies]\n"));
        for section in sections {
            // A comment speaks for the lines that follow it, up to the next one.
            let first = section.lines().nth(1).unwrap_or("#");
            assert!(first.starts_with('#'), "{manifest}: {first}");
        }
    }
}
