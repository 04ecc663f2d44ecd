//! The examples in the README and the docs: what stands between fences.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// An example.
#[derive(Debug)]
pub(crate) struct Fence {
    /// What stands after the opening backticks.
    pub(crate) info: String,
    /// None if nothing executes such examples.
    pub(crate) kind: Option<Kind>,
    /// The file that it is the content of.
    pub(crate) file: Option<String>,
    pub(crate) text: String,
}

/// What executes an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The doc tests.
    Rust,
    /// A shell.
    Shell,
    /// cron.
    Crontab,
    /// Whoever reads the file of that name.
    File,
    /// A shell that knows a server, or the server itself.
    Server,
    /// Whoever has hours, or the sets that it is about; what it names is looked up.
    ByHand,
    /// Nothing: a diagram or what a command prints.
    Text,
}

/// The examples of each page, in order, by the page's path.
pub(crate) fn pages() -> BTreeMap<String, Vec<Fence>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let pages = pages.map(|path| format!("docs/{}", path.file_name().unwrap().to_str().unwrap()));
    pages
        .chain(["README.md", "CHANGELOG.md"].map(str::to_owned))
        .map(|page| {
            let text = fs::read_to_string(root.join(&page)).unwrap();
            let fences = fences(&text);
            (page, fences)
        })
        .collect()
}

/// The lines that begin with `cargo`, each with its page.
pub(crate) fn cargo_commands() -> Vec<(String, String)> {
    let of_page = |(page, fences): (String, Vec<Fence>)| {
        let shell = fences.into_iter().filter(|fence| fence.kind == Some(Kind::Shell));
        let lines: Vec<String> = shell
            .flat_map(|fence| fence.text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        lines
            .into_iter()
            .filter(|line| line.starts_with("cargo "))
            .map(move |line| (page.clone(), line))
    };
    pages().into_iter().flat_map(of_page).collect()
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        // Indented ones, as in lists, would be examples too.
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            fences.push(Fence::new(info, &text.join("\n")));
        }
    }
    fences
}

impl Fence {
    fn new(info: &str, text: &str) -> Self {
        let mut words = info.split_whitespace();
        let (language, file) = (words.next().unwrap_or_default(), words.next());
        let kind = match (language, file) {
            ("rust", None) => Some(Kind::Rust),
            ("sh", None) => Some(Kind::Shell),
            ("crontab", None) => Some(Kind::Crontab),
            (
                "sh" | "ini" | "python",
                Some(
                    "paperless.conf" | "postroom-train.service" | "postroom-train.timer" | "post-consume.py",
                ),
            ) => Some(Kind::File),
            ("sh", Some("server")) | ("sql", None) => Some(Kind::Server),
            ("sh", Some("by-hand")) => Some(Kind::ByHand),
            ("text", None) => Some(Kind::Text),
            _ => None,
        };
        Self {
            info: info.to_owned(),
            kind,
            file: file.map(str::to_owned),
            text: text.to_owned(),
        }
    }
}
