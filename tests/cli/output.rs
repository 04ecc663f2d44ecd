//! What the command prints: inspections, evaluations, profiles, help; within 80 columns, and as JSON.

use std::fs;

use sha2::{Digest as _, Sha256};
use unicode_width::UnicodeWidthStr as _;

use crate::common::{LONG_NAME, Run, User, on_a_terminal};

const VERBS: [&str; 8] = [
    "train",
    "predict",
    "explain",
    "evaluate",
    "inspect",
    "profile",
    "completions",
    "man",
];

#[track_caller]
fn fits(text: &str, columns: usize) {
    for line in text.lines() {
        assert!(line.width() <= columns, "{} columns: {line}", line.width());
    }
}

/// Every verb that answers in text.
fn answers(user: &User) -> [Vec<&'static str>; 7] {
    user.train().succeeded();
    user.file("letter.txt", crate::common::content(0));
    [
        vec![
            "train",
            "--db",
            "db.sqlite3",
            "--model",
            "model.postroom",
            "--full",
        ],
        vec![
            "predict",
            "--model",
            "model.postroom",
            "--db",
            "db.sqlite3",
            "--ids",
            "1,2,3,4,5",
        ],
        vec!["predict", "--db", "db.sqlite3", "--inbox"],
        vec!["explain", "--model", "model.postroom", "letter.txt"],
        vec!["evaluate", "--db", "db.sqlite3"],
        vec!["inspect", "model.postroom", "--labels", "--terms"],
        vec!["profile", "--db", "db.sqlite3"],
    ]
}

#[test]
fn answers_fit_80_columns() {
    let user = User::with_archive();
    for arguments in answers(&user) {
        fits(&user.run(&arguments).succeeded().stdout, 80);
    }
}

#[test]
fn answers_fit_the_columns_that_there_are() {
    let user = User::with_archive();
    for arguments in answers(&user) {
        let mut command = user.command(&arguments);
        let run: Run = command.env("COLUMNS", "50").output().unwrap().into();
        fits(&run.succeeded().stdout, 50);
    }
}

#[test]
fn names_cannot_take_over_the_terminal() {
    let user = User::with_archive();
    for arguments in answers(&user) {
        let run = user.run(&arguments).succeeded();
        assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
    }
    let inspected = user.run(&["inspect", "model.postroom", "--labels"]).stdout;
    assert!(inspected.contains("\u{fffd}[31m"), "{inspected}");
}

#[test]
fn json_is_an_object_on_a_line_with_names_as_they_are() {
    let user = User::with_model();
    let run = user
        .run(&["inspect", "model.postroom", "--labels", "--terms", "--json"])
        .succeeded();
    assert_eq!(run.stdout.lines().count(), 1);
    let inspection = run.json();
    assert_eq!(inspection["labels"]["tags"][0]["name"], LONG_NAME);
    assert_eq!(
        inspection["terms"].as_array().unwrap().len() as u64,
        inspection["n_terms"].as_u64().unwrap()
    );
}

#[test]
fn inspection_needs_no_key() {
    let user = User::with_model();
    fs::remove_file(user.default_key()).unwrap();
    let stdout = user.run(&["inspect", "model.postroom"]).succeeded().stdout;
    for part in [
        "linear, language english, seed 42",
        "version 2",
        "not checked",
        "1 label\n",
        "2023-11-14 22:13:20 UTC",
    ] {
        assert!(stdout.contains(part), "no {part:?} in {stdout}");
    }
}

#[test]
fn inspection_gives_the_hash_of_the_file_and_sizes_that_sum_to_it() {
    let user = User::with_model();
    let inspection = user
        .run(&["inspect", "model.postroom", "--json"])
        .succeeded()
        .json();
    let bytes = fs::read(user.model()).unwrap();
    let digits: String = Sha256::digest(&bytes)
        .iter()
        .fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    assert_eq!(inspection["sha256"], digits);
    let parts = inspection["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part[1].as_u64().unwrap());
    assert_eq!(parts.sum::<u64>(), bytes.len() as u64);
}

#[test]
fn verification_tells_whether_the_signature_is_right() {
    let user = User::with_model();
    let right = user
        .run(&["inspect", "model.postroom", "--verify", "--json"])
        .succeeded();
    assert_eq!(right.json()["verified"], true);
    let mut bytes = fs::read(user.model()).unwrap();
    // In the signature.
    bytes[30] ^= 1;
    fs::write(user.model(), bytes).unwrap();
    user.run(&["inspect", "model.postroom"]).succeeded();
    user.run(&["inspect", "model.postroom", "--verify"])
        .failed_saying(&["model.postroom", "corrupt"]);
}

#[test]
fn inspecting_what_is_no_model_says_so() {
    let user = User::with_archive();
    user.run(&["inspect", "db.sqlite3"]).failed_saying(&[
        "db.sqlite3",
        "corrupt",
        "does not begin as a model does",
    ]);
    user.run(&["inspect", "nowhere"])
        .failed_saying(&["nowhere", "no such file", "postroom train"]);
    user.run(&["inspect", "home"])
        .failed_saying(&["home", "directory"]);
}

#[test]
fn evaluation_has_every_field_that_has_a_label() {
    let user = User::with_archive();
    let evaluation = user
        .run(&["evaluate", "--db", "db.sqlite3", "--folds", "4", "--json"])
        .succeeded()
        .json();
    assert_eq!(
        (&evaluation["n_documents"], &evaluation["n_folds"]),
        (&40.into(), &4.into())
    );
    let fields: Vec<_> = evaluation["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["field"])
        .collect();
    assert_eq!(fields, ["tags", "correspondent", "document_type"]);
}

#[test]
fn numbers_that_make_no_sense_are_wrong_usage() {
    let user = User::with_archive();
    for number in [
        ["--folds", "1"],
        ["--folds", "257"],
        ["--threads", "0"],
        ["--threads", "257"],
    ] {
        let run = user.run(&[&["evaluate", "--db", "db.sqlite3"], &number[..]].concat());
        assert_eq!(run.code, Some(2), "{number:?}: {}", run.stderr);
    }
}

#[test]
fn profile_has_the_stages_and_the_bytes_of_the_contents() {
    let user = User::with_archive();
    let cost = user
        .run(&["profile", "--db", "db.sqlite3", "--json"])
        .succeeded()
        .json();
    let bytes: usize = (0..40).map(|at| crate::common::content(at).len()).sum();
    assert_eq!(
        (&cost["n_documents"], &cost["bytes"]),
        (&40.into(), &bytes.into())
    );
    let stages: Vec<_> = cost["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage[0].as_str().unwrap())
        .collect();
    assert_eq!(stages[..3], ["check", "read", "vectorize"]);
    assert_eq!(cost["peak_resident_bytes"].is_u64(), cfg!(target_os = "linux"));
}

#[test]
fn profile_and_evaluation_write_nothing() {
    let user = User::with_archive();
    let before = user.files();
    user.run(&["profile", "--db", "db.sqlite3"]).succeeded();
    user.run(&["evaluate", "--db", "db.sqlite3"]).succeeded();
    assert_eq!(user.files(), before);
}

#[test]
fn help_of_every_verb_has_examples_and_fits_80_columns() {
    let user = User::new();
    for verb in VERBS {
        let help = user.run(&[verb, "--help"]).succeeded().stdout;
        assert!(
            help.contains("Examples:\n  postroom ") && help.contains(&format!("postroom {verb}")),
            "{help}"
        );
        fits(&help, 80);
    }
    fits(&user.run(&["--help"]).succeeded().stdout, 80);
}

#[test]
fn key_is_no_option() {
    let user = User::new();
    for verb in VERBS {
        let help = user.run(&[verb, "--help"]).succeeded().stdout;
        assert!(
            !help.contains("--secret-key ") && !help.contains("--key "),
            "{help}"
        );
    }
}

#[test]
fn every_verb_has_a_page_in_the_manual() {
    let user = User::new();
    assert!(
        user.run(&["man"])
            .succeeded()
            .stdout
            .contains("postroom\\-train(1)")
    );
    for verb in VERBS {
        let page = user.run(&["man", verb]).succeeded().stdout;
        assert!(page.contains(&format!("postroom\\-{verb}")), "{page}");
    }
}

#[test]
fn every_shell_has_its_completions() {
    let user = User::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = user.run(&["completions", shell]).succeeded().stdout;
        assert!(script.contains("secret-key-file"), "{shell}");
    }
}

/// As `postroom train … 2>&1 >log | head` does to it.
#[cfg(unix)]
#[test]
fn reader_of_the_log_who_goes_away_stops_no_work() {
    let user = User::with_archive();
    for arguments in answers(&user) {
        let (reader, log) = std::io::pipe().unwrap();
        drop(reader);
        let run: Run = user.command(&arguments).stderr(log).output().unwrap().into();
        assert!(!run.succeeded().stdout.is_empty(), "{arguments:?}");
    }
}

const RED: &str = "\u{1b}[1;31m";

#[test]
fn error_is_red_on_a_terminal() {
    if let Some(shown) = on_a_terminal(&User::new(), "inspect nowhere", &[]) {
        assert!(shown.contains(RED), "{shown:?}");
    }
}

#[test]
fn no_color_is_respected() {
    if let Some(shown) = on_a_terminal(&User::new(), "inspect nowhere", &[("NO_COLOR", "1")]) {
        assert!(
            shown.contains("error: ") && !shown.contains('\u{1b}'),
            "{shown:?}"
        );
    }
}

#[test]
fn terminal_shows_the_epochs_of_networks_with_their_loss() {
    let user = User::with_archive();
    let train = "train --db db.sqlite3 --model model.postroom --pipeline mlp";
    if let Some(shown) = on_a_terminal(&user, train, &[]) {
        let (_, after) = shown.split_once("epoch ").unwrap();
        assert!(after.contains(", loss 0."), "{shown:?}");
    }
}

#[test]
fn terminal_shows_a_bar_for_each_stage_instead_of_lines() {
    let user = User::with_archive();
    if let Some(shown) = on_a_terminal(&user, "train --db db.sqlite3 --model model.postroom", &[]) {
        for part in [
            "40 of 40",
            "vectorizing",
            "document type",
            "pass",
            "learned from 40 documents",
        ] {
            assert!(shown.contains(part), "no {part:?} in {shown:?}");
        }
        assert!(!shown.contains("Gathering data"), "{shown:?}");
    }
}
