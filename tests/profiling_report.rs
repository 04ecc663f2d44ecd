//! How the profiling report writes numbers and names of functions, and its page: what is on it, what may not be, and
//! what becomes of files that are no reports.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use profiling_toolkit::flamegraph::{FlamegraphOptions, Unit, render_flamegraph};
use profiling_toolkit::folded::FoldedStacks;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../profiling-tests/report/functions.rs"]
mod functions;
#[path = "../profiling-tests/report/page/mod.rs"]
mod page;
mod profiling_run;
#[path = "../profiling-tests/report/units.rs"]
mod units;

use functions::is_plumbing;
use profiling_run::command;
use units::{bytes, count, duration, hex};

#[test]
fn thousands_are_set_apart() {
    assert_eq!(
        [0, 999, 1_000, 1_234_567].map(count),
        ["0", "999", "1,000", "1,234,567"]
    );
    assert_eq!(count(-1_000), "-1,000");
}

#[test]
fn bytes_are_exact_below_a_kibibyte_and_have_three_digits_above() {
    assert_eq!([0, 1_023, 1_024].map(bytes), ["0 B", "1023 B", "1.00 KiB"]);
    assert_eq!(
        [10_240, 1 << 27, -3_072].map(bytes),
        ["10.0 KiB", "128 MiB", "-3.00 KiB"]
    );
}

#[test]
fn durations_have_three_digits_and_their_unit() {
    let written = [0.5, 12.34, 999.0, 1_000.0, 56_700.0, 1.5e6, 2e9].map(duration);
    assert_eq!(
        written,
        [
            "0.50 ns", "12.3 ns", "999 ns", "1.00 µs", "56.7 µs", "1.50 ms", "2.00 s"
        ]
    );
}

#[test]
fn digests_keep_their_leading_zeros() {
    assert_eq!(hex(&[0x00, 0x0a, 0xff]), "000aff");
}

#[test]
fn thread_pool_and_standard_library_are_plumbing() {
    for function in [
        "rayon_core::join::join_context",
        "core::ops::function::FnOnce::call_once",
        "<core::iter::Map<I,F> as core::iter::Iterator>::fold",
        "<f64 as core::iter::traits::accum::Sum>::sum",
        "<[T]>::sort",
        "<F as rayon::Work>::run",
        "<&postroom::f::{closure#0} as core::ops::function::FnMut<(u8,)>>::call_mut",
        "<<rayon::Zip<B> as rayon::Pieces>::with::Callback<a::D> as rayon::Callback<a::G>>::callback",
        "<alloc::vec::Vec<a::B>>::push",
    ] {
        assert!(is_plumbing(function), "{function}");
    }
}

#[test]
fn own_functions_are_no_plumbing_even_for_traits_of_the_standard_library() {
    for function in [
        "postroom::train",
        "<postroom::Mlp as core::convert::From<T>>::from",
        "sqlite3_step",
        "main",
    ] {
        assert!(!is_plumbing(function), "{function}");
    }
}

/// A directory with reports in it.
struct Directory(TempDir);

impl Directory {
    fn with(reports: &[Value]) -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        for (number, report) in reports.iter().enumerate() {
            directory.add(&format!("{number}.json"), &report.to_string());
        }
        directory
    }

    fn add(&self, name: &str, content: &str) {
        fs::write(self.0.path().join(name), content).unwrap();
    }

    fn page(&self) -> String {
        page::assembled(self.0.path(), &["a::first", "a::second"]).unwrap()
    }
}

/// What a scenario leaves, with as little in it as there may be.
fn report(scenario: &str) -> Value {
    json!({
        "format_version": 2, "scenario": scenario, "about": "About it.", "headline": "1 ms for all of it",
        "run": {"id": "one", "measured_at": "2025-01-02T03:04:05Z"},
        "warnings": [], "circumstances": [["machine", "4 logical cores"]], "sections": [], "graphs": [],
        "n_threads": 4, "corpus": {"sha256": "00"}, "environment": {"rustc": "1.95"}, "measurements": {},
    })
}

fn has_row(page: &str, scenario: &str) -> bool {
    page.contains(&format!("<article id=\"{}\"", scenario.replace("::", "--")))
}

/// The flame graphs of a page, unpacked.
fn pictures(page: &str) -> Vec<String> {
    let packed = page.split("data-picture=\"").skip(1);
    packed
        .map(|rest| {
            let archive = STANDARD.decode(rest.split('"').next().unwrap()).unwrap();
            let mut picture = String::new();
            GzDecoder::new(archive.as_slice())
                .read_to_string(&mut picture)
                .unwrap();
            picture
        })
        .collect()
}

#[test]
fn page_has_a_row_for_each_report_and_names_those_that_are_missing() {
    let page = Directory::with(&[report("a::second"), report("b::other")]).page();
    assert!(has_row(&page, "a::second") && has_row(&page, "b::other"));
    assert!(page.contains("No report yet: a::first."), "{page}");
}

#[test]
fn page_of_an_empty_directory_says_that_nothing_was_measured() {
    let page = Directory::with(&[]).page();
    assert!(page.contains("No report yet: a::first, a::second."), "{page}");
}

#[test]
fn hostile_texts_stay_texts() {
    const HOSTILE: &str = "</style></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&";
    let mut hostile = report(HOSTILE);
    for key in ["about", "headline"] {
        hostile[key] = HOSTILE.into();
    }
    hostile["run"] = json!({"id": HOSTILE, "measured_at": HOSTILE});
    hostile["warnings"] = json!([HOSTILE]);
    hostile["circumstances"] = json!([[HOSTILE, HOSTILE]]);
    hostile["sections"] = json!([
        {"heading": HOSTILE, "facts": [[HOSTILE, HOSTILE]]},
        {"heading": "h", "table": {"columns": [HOSTILE], "rows": [[HOSTILE]], "name_column": 0}},
    ]);
    hostile["figures"] = json!([{"name": HOSTILE, "value": 1.5, "unit": HOSTILE}]);
    hostile["graphs"] = json!([{"title": HOSTILE, "svg": HOSTILE, "folded": HOSTILE}]);
    let directory = Directory::with(&[hostile]);
    directory.add("<img src=x>.json", "{}");
    let page = directory.page();
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    assert!(
        !page.contains("<img") && !page.contains("<script>alert"),
        "{page}"
    );
}

#[test]
fn hostile_name_of_a_function_stays_a_name_within_its_picture() {
    let mut stacks = FoldedStacks::new();
    stacks.add(["main", "</text></svg><script>alert(1)</script>"], 10);
    let options = FlamegraphOptions {
        title: "</title><script>alert(1)</script>".to_owned(),
        subtitle: String::new(),
        unit: Unit::Bytes,
    };
    let mut with_graph = report("a::first");
    with_graph["graphs"] = json!([{"title": options.title, "svg": "a.svg"}]);
    let directory = Directory::with(&[with_graph]);
    directory.add("a.svg", &render_flamegraph(&stacks, &options).unwrap());
    let page = directory.page();
    let picture = &pictures(&page)[0];
    assert!(picture.contains("&lt;script&gt;alert(1)"), "{picture}");
    assert!(!picture.contains("<script>alert"), "{picture}");
}

#[test]
fn files_of_a_graph_are_named_without_a_way_out_of_the_directory() {
    let mut leading_out = report("a::first");
    leading_out["graphs"] = json!([
        {"title": "Out", "svg": "../secret.svg", "folded": "javascript:alert(1)", "pprof": "//elsewhere/x"}
    ]);
    let directory = Directory::with(&[leading_out]);
    let page = directory.page();
    assert!(page.contains("Out: its picture is not beside the report"));
    assert!(
        !page.contains("javascript:") && !page.contains("elsewhere"),
        "{page}"
    );
}

#[test]
fn file_that_is_no_whole_report_is_left_out_with_a_note() {
    let directory = Directory::with(&[report("a::first")]);
    let whole = report("a::second").to_string();
    directory.add("half.json", &whole[..whole.len() / 2]);
    directory.add("foreign.json", "{\"name\": \"package\"}");
    directory.add("old.json", "{\"format_version\": 1}");
    directory.add("odd.json", "{\"format_version\": 2}");
    directory.add("a.speedscope.json", "{}");
    let page = directory.page();
    for name in ["half", "foreign", "old", "odd"] {
        assert!(
            page.contains(&format!("Left out: <code>{name}.json</code>")),
            "{name}: {page}"
        );
    }
    assert!(has_row(&page, "a::first") && !has_row(&page, "a::second"));
    assert!(!page.contains("speedscope"));
}

#[test]
fn report_of_another_corpus_is_marked() {
    let mut older = report("a::first");
    older["run"] = json!({"id": "earlier", "measured_at": "2024-01-02T03:04:05Z"});
    older["corpus"] = json!({"sha256": "ff"});
    let page = Directory::with(&[older, report("a::second")]).page();
    assert!(page.contains("an older report with another corpus"), "{page}");
    assert_eq!(page.matches("earlier run").count(), 1);
}

#[test]
fn figures_stand_with_unit_and_certainty_and_changes_with_their_verdict() {
    let mut compared = report("a::first");
    compared["figures"] = json!([
        {"name": "train.peak_bytes", "value": 2048, "unit": "bytes", "exact": true},
        {"name": "train", "value": 1.5e6, "unit": "ns", "exact": false, "interval_95": [1e6, 2e6]},
    ]);
    compared["comparison"] = json!({"baseline": "before", "notes": [], "changes": [
        {"figure": "train", "before": 1e6, "now": 1.5e6, "unit": "ns", "interval_95": [1.4, 1.6], "verdict": "worse"},
        {"figure": "train.peak_bytes", "before": 2048, "now": 2048, "unit": "bytes", "verdict": null},
    ]});
    compared["budgets"] = json!({"rows": [{
        "figure": "train.peak_bytes", "severity": "hard", "limit": 4096, "measured": 2048, "held": "kept", "text": "",
    }]});
    let page = Directory::with(&[compared]).page();
    let expected = [
        "2.00 KiB",
        "exact",
        "1.50 ms",
        "1.00 ms to 2.00 ms (95\u{a0}%)",
        "+50.0\u{a0}% (+40.0\u{a0}% to +60.0\u{a0}%)",
        "worse",
        "not judged",
        "1 of 1 held",
    ];
    for text in expected {
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn differences_are_shown_where_the_report_was_compared() {
    let mut report = report("a::first");
    report["graphs"] = json!([{"title": "Work", "svg": "a.svg"}]);
    let page_of = |report: &Value| {
        let directory = Directory::with(std::slice::from_ref(report));
        for name in ["a.svg", "a.diff.svg", "a.diff_before.svg"] {
            directory.add(name, "<svg height=\"10\"></svg>");
        }
        directory.page()
    };
    assert_eq!(pictures(&page_of(&report)).len(), 1);
    report["comparison"] = json!({"baseline": "before"});
    let page = page_of(&report);
    assert_eq!(pictures(&page).len(), 3);
    assert!(page.contains("Work: changes, as wide as before"), "{page}");
}

#[test]
fn failed_scenario_is_marked_in_the_list_and_in_its_row() {
    let mut failed = report("a::first");
    failed["failure"] = json!("the disk is full");
    failed["headline"] = json!("FAILED: the disk is full");
    let page = Directory::with(&[failed, report("a::second")]).page();
    assert_eq!(page.matches("<span class=\"pill bad\">failed</span>").count(), 2);
}

#[test]
fn warning_of_some_reports_says_of_which() {
    let [first, second] = ["a::first", "a::second"].map(|scenario| {
        let mut warned = report(scenario);
        warned["warnings"] = json!(["others use this machine", format!("few samples of {scenario}")]);
        warned
    });
    let page = Directory::with(&[first, second]).page();
    assert!(page.contains("<li>others use this machine</li>"), "{page}");
    for scenario in ["a::first", "a::second"] {
        let of = format!("<code>{scenario}</code></a>: few samples of {scenario}</li>");
        assert!(page.contains(&of), "{page}");
    }
}

#[test]
fn refused_comparison_says_why() {
    let mut refused = report("a::first");
    refused["comparison"] =
        json!({"baseline": "before", "refused": ["another compiler"], "changes": [], "graphs": []});
    let page = Directory::with(&[refused]).page();
    assert!(page.contains("refused. another compiler"), "{page}");
}

/// Measures a scenario in a process of its own.
fn measure(directory: &Path, scenario: &str, run: &str) {
    let arguments = ["--ignored", "--exact", scenario];
    let output = command(directory, &arguments, &[("NEXTEST_RUN_ID", run)])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// As nextest runs them.
#[test]
fn page_is_assembled_from_processes_of_one_scenario_each() {
    let directory = tempfile::tempdir().unwrap();
    let scenarios = [
        "training::vectorizer_hash_cost",
        "prediction::content_hash_overhead",
    ];
    for scenario in scenarios {
        measure(directory.path(), scenario, "the same");
    }
    let page = fs::read_to_string(directory.path().join("index.html")).unwrap();
    assert!(scenarios.iter().all(|scenario| has_row(&page, scenario)));
    assert!(!page.contains("earlier run"), "both are of one run");
    assert!(page.matches("<details class=\"picture\">").count() >= 2);
    assert!(page.contains("default-src 'none'"));
    assert_nothing_is_loaded(&page);
    for picture in pictures(&page) {
        assert_nothing_is_loaded(&picture);
    }

    measure(directory.path(), scenarios[0], "another");
    let page = fs::read_to_string(directory.path().join("index.html")).unwrap();
    assert_eq!(page.matches("earlier run").count(), 1);
}

/// Addresses are there only as names: of namespaces, and in the comments and messages of the picture's script.
fn assert_nothing_is_loaded(page: &str) {
    const NAMES: [&str; 7] = [
        "http://www.w3.org/",
        "http://github.com/jonhoo/inferno",
        "https://github.com/brendangregg/FlameGraph ",
        "http://www.brendangregg.com/flamegraphs.html ",
        "https://github.com/jonhoo/inferno/",
        "https://web.dev/avoid-large-complex-layouts",
        "http-equiv",
    ];
    for (at, _) in page.match_indices("http") {
        let rest = &page[at..];
        assert!(NAMES.iter().any(|name| rest.starts_with(name)), "{}", &rest[..60]);
    }
    for loading in ["@import", "<link rel=\"stylesheet", " src=", "url(http"] {
        assert!(!page.contains(loading), "{loading}");
    }
}

#[test]
fn every_key_of_the_json_is_described() {
    let directory = tempfile::tempdir().unwrap();
    let scenario = "training::vectorizer_hash_cost";
    measure(directory.path(), scenario, "one");
    let json = fs::read(directory.path().join("training.vectorizer_hash_cost.json")).unwrap();
    let report: Value = serde_json::from_slice(&json).unwrap();
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report-format.md");
    let manual = fs::read_to_string(manual).unwrap();
    let described = |key: &str| {
        manual
            .lines()
            .any(|line| line.starts_with(&format!("| `{key}` |")))
    };
    let keys = report.as_object().unwrap().keys();
    let silent: Vec<&String> = keys.filter(|key| !described(key)).collect();
    assert!(silent.is_empty(), "not in docs/report-format.md: {silent:?}");
    for graph_key in report["graphs"][0].as_object().unwrap().keys() {
        assert!(described(graph_key), "{graph_key} of graphs");
    }
    let in_detail = |key: &str| {
        manual
            .lines()
            .any(|line| line.starts_with('|') && line.contains(&format!("`{key}`")))
    };
    for figure_key in report["figures"][0].as_object().unwrap().keys() {
        assert!(
            in_detail(&format!("figures[].{figure_key}")),
            "{figure_key} of figures"
        );
    }
    for budgets_key in report["budgets"].as_object().unwrap().keys() {
        let key = format!("budgets.{budgets_key}");
        assert!(
            in_detail(&key) || in_detail(&(key + "[]")),
            "{budgets_key} of budgets"
        );
    }
    let version = format!("Format version: **{}**", report["format_version"]);
    assert!(manual.contains(&version), "{version}");
}

#[test]
fn files_that_a_report_names_are_there() {
    let directory = tempfile::tempdir().unwrap();
    measure(directory.path(), "prediction::content_hash_overhead", "one");
    let json = fs::read(directory.path().join("prediction.content_hash_overhead.json")).unwrap();
    let report: Value = serde_json::from_slice(&json).unwrap();
    let graph = &report["graphs"][0];
    for key in ["svg", "folded", "pprof", "speedscope"] {
        let file = directory.path().join(graph[key].as_str().unwrap());
        assert!(
            fs::metadata(&file).is_ok_and(|file| file.len() > 0),
            "{}",
            file.display()
        );
    }
    assert_eq!(
        (&graph["kind"], &graph["unit"]),
        (&json!("cpu"), &json!("nanoseconds"))
    );
}
