//! What the profiling tests promise on the command line, tried on the binary that `cargo test` runs.
//!
//! The corpus is small here: what is asserted is which trials run, what they write and where, not what they measure.

mod profiling_run;

use std::fs;

use profiling_run::{Run, SCENARIOS};
use serde_json::Value;

#[test]
fn list_names_all_scenarios() {
    let list = Run::with(&["--list"]).succeeded().stdout();
    for scenario in SCENARIOS {
        assert!(list.contains(&format!("[profiling] {scenario}: test")), "{list}");
    }
}

#[test]
fn terse_list_names_nothing_but_tests() {
    let list = Run::with(&["--list", "--format", "terse"]).succeeded().stdout();
    assert!(list.lines().count() >= SCENARIOS.len(), "{list}");
    assert!(list.lines().all(|line| line.ends_with(": test")), "{list}");
}

#[test]
fn without_arguments_the_scenarios_are_ignored_and_the_self_tests_run() {
    let run = Run::with(&[]).succeeded();
    let ignored = format!(" 0 failed; {} ignored;", SCENARIOS.len());
    assert!(run.stdout().contains(&ignored), "{}", run.stdout());
    assert!(
        run.stdout().contains("test             self_test::"),
        "{}",
        run.stdout()
    );
    assert!(run.measured().is_empty());
}

#[test]
fn a_pipeline_that_is_named_is_the_only_one_measured() {
    let only = |pipeline| {
        let variables = [("PROFILING_PIPELINE", pipeline)];
        Run::in_environment(&["--include-ignored", "train_memory"], &variables)
    };
    assert_eq!(only("linear").succeeded().measured(), ["linear::train_memory"]);
    assert_eq!(only("mlp").succeeded().measured(), ["training::train_memory"]);
    let unknown = only("forest");
    assert_eq!(unknown.output.status.code(), Some(2));
    assert!(unknown.stderr().contains("mlp or linear"), "{}", unknown.stderr());
}

#[test]
fn substring_selects_a_scenario() {
    let run = Run::with(&["--include-ignored", "train_cpu"]).succeeded();
    assert_eq!(run.measured(), ["training::train_cpu", "linear::train_cpu"]);
}

#[test]
fn exact_name_selects_a_scenario() {
    let run = Run::with(&[
        "--include-ignored",
        "--exact",
        "prediction::content_hash_overhead",
    ])
    .succeeded();
    assert_eq!(run.measured(), ["prediction::content_hash_overhead"]);
}

#[test]
fn skipped_scenarios_do_not_run() {
    let run = Run::with(&[
        "--ignored",
        "--skip",
        "linear",
        "--skip",
        "training",
        "--skip",
        "_cpu",
        "--skip",
        "hash",
    ])
    .succeeded();
    let expected = [
        "prediction::predict_all_four_memory",
        "prediction::vectorize_cache_miss_vs_hit",
    ];
    assert_eq!(run.measured(), expected);
}

#[test]
fn json_is_all_there_is_on_stdout() {
    let run = Run::with(&[
        "--format=json",
        "-Z",
        "unstable-options",
        "--include-ignored",
        "memory",
    ])
    .succeeded();
    for line in run.stdout().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "not JSON: {line}");
    }
    assert!(
        run.stderr().contains("training::train_memory"),
        "the report goes to stderr: {}",
        run.stderr()
    );
}

#[test]
fn both_spellings_of_no_capture_are_understood() {
    for spelling in ["--nocapture", "--no-capture"] {
        let run = Run::with(&["--ignored", spelling, "vectorizer_hash_cost"]).succeeded();
        assert_eq!(run.measured(), ["training::vectorizer_hash_cost"]);
    }
}

/// Known from the reports: each says when its scenario began and ended.
#[test]
fn eight_test_threads_still_run_one_scenario_at_a_time() {
    let run = Run::with(&["--ignored", "--test-threads=8", "hash"]).succeeded();
    let measured = run.measured();
    assert_eq!(
        measured,
        [
            "training::vectorizer_hash_cost",
            "prediction::content_hash_overhead"
        ]
    );
    let span = |scenario: &&str| {
        let span = &run.json(scenario)["span"];
        (
            span["began_ns"].as_u64().unwrap(),
            span["ended_ns"].as_u64().unwrap(),
        )
    };
    let mut spans: Vec<_> = measured.iter().map(span).collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{spans:?}");
}

#[test]
fn report_stands_after_the_results_and_fits_100_columns() {
    let run = Run::with(&["--ignored", "prediction::predict_all_four_memory"]).succeeded();
    let stdout = run.stdout();
    let (results, report) = stdout.split_once("PROFILE OF TRAINING AND PREDICTION").unwrap();
    assert!(results.contains("test result: ok. 1 passed"), "{results}");
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
    let summary = fs::read_to_string(run.directory.path().join("summary.txt")).unwrap();
    assert!(
        summary.contains("prediction::predict_all_four_memory"),
        "{summary}"
    );
}

#[test]
fn reports_say_what_they_were_measured_on() {
    let run = Run::with(&["--ignored", "vectorizer_hash_cost"]).succeeded();
    let report = run.json("training::vectorizer_hash_cost");
    assert_eq!(report["format_version"], 2);
    assert_eq!(report["corpus"]["n_documents"], 300);
    assert_eq!(report["corpus"]["sha256"].as_str().unwrap().len(), 64);
    assert!(
        report["environment"]["rustc"]
            .as_str()
            .unwrap()
            .starts_with("rustc ")
    );
    assert!(report["measurements"]["hash"]["median_ns"].as_f64().unwrap() > 0.0);
}

#[test]
fn memory_sites_in_the_report_sum_to_its_totals() {
    let run = Run::with(&["--ignored", "training::train_memory"]).succeeded();
    let profile = &run.json("training::train_memory")["measurements"]["train"];
    let sum = |field: &str| -> i64 {
        let stacks = profile["stacks"].as_array().unwrap().iter();
        stacks.map(|stack| stack["usage"][field].as_i64().unwrap()).sum()
    };
    assert_eq!(
        Some(sum("live_at_end_bytes")),
        profile["live_delta_bytes"].as_i64()
    );
    assert_eq!(Some(sum("live_at_peak_bytes")), profile["peak_bytes"].as_i64());
}

#[test]
fn thread_count_is_as_set() {
    let run = Run::in_environment(&["--ignored", "hash_cost"], &[("PROFILING_THREADS", "2")]).succeeded();
    assert_eq!(run.json("training::vectorizer_hash_cost")["n_threads"], 2);
}

#[test]
fn corpus_is_removed_at_the_end() {
    let run = Run::with(&["--ignored", "hash_cost"]).succeeded();
    let left: Vec<_> = fs::read_dir(run.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let is_report = |name: &str| {
        name.starts_with("training.vectorizer_hash_cost.") || ["summary.txt", "index.html"].contains(&name)
    };
    assert!(
        left.iter().all(|name| is_report(name.to_str().unwrap())),
        "{left:?}"
    );
}

#[test]
fn wrong_setting_is_named_and_nothing_runs() {
    for (variable, value) in [("PROFILING_DOCS", "many"), ("PROFILING_DB", "/no/such/file")] {
        let run = Run::in_environment(&["--ignored"], &[(variable, value)]);
        assert_eq!(run.output.status.code(), Some(2));
        assert!(
            run.stderr().contains(variable) && run.stderr().contains(value),
            "{}",
            run.stderr()
        );
        assert_eq!(run.stdout(), "");
    }
}

#[test]
fn list_works_whatever_the_settings_are() {
    let run = Run::in_environment(&["--list"], &[("PROFILING_DOCS", "many")]).succeeded();
    assert!(run.stdout().contains("training::train_cpu"));
}
