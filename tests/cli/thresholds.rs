//! When labels are assigned: the thresholds of a training, those that are given, and those of a prediction.

use std::fs;

use serde_json::Value;

use crate::common::{Run, User, content};

const NEVER_NORTHWIND: [&str; 2] = ["--label-threshold", "correspondent:Northwind Energy=never"];

/// What is said of a text of Northwind Energy.
fn answer(user: &User, more: &[&str]) -> Value {
    let file = user.file("letter.txt", content(0));
    user.predict(&[&["--json", file], more].concat())
        .succeeded()
        .json()
}

fn correspondent(answer: &Value) -> Option<&str> {
    answer["correspondent"]["labels"][0]["name"].as_str()
}

#[track_caller]
fn is_wrong_usage(run: &Run, part: &str) {
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("error: ") && run.stderr.contains(part),
        "{}",
        run.stderr
    );
}

#[test]
fn model_says_what_its_thresholds_were_chosen_for() {
    let user = User::with_archive();
    for (aim, shown) in [
        ("f1", "f1"),
        ("precision:0.90", "precision:0.9"),
        ("accuracy", "accuracy"),
    ] {
        user.train_with(&["--threshold", aim]).succeeded();
        let inspection = user
            .run(&["inspect", "model.postroom", "--json"])
            .succeeded()
            .json();
        assert_eq!(inspection["threshold"], shown);
        let text = user.run(&["inspect", "model.postroom"]).succeeded().stdout;
        assert!(text.contains(&format!("threshold      {shown}")), "{text}");
    }
}

#[test]
fn other_thresholds_are_a_reason_to_learn_again_and_the_same_are_none() {
    let user = User::with_model();
    let precise = ["--threshold", "precision:0.9"];
    assert!(
        user.train_with(&precise)
            .succeeded()
            .stdout
            .starts_with("learned from")
    );
    assert!(
        user.train_with(&precise)
            .succeeded()
            .stdout
            .starts_with("unchanged")
    );
    assert!(
        user.train_with(&NEVER_NORTHWIND)
            .succeeded()
            .stdout
            .starts_with("learned from")
    );
}

#[test]
fn precision_that_forty_documents_cannot_prove_assigns_nothing() {
    let user = User::with_model();
    assert_eq!(correspondent(&answer(&user, &[])), Some("Northwind Energy"));
    user.train_with(&["--threshold", "precision:0.99"]).succeeded();
    assert_eq!(correspondent(&answer(&user, &[])), None);
}

#[test]
fn label_that_is_never_to_be_assigned_is_not() {
    let user = User::with_archive();
    user.train_with(&NEVER_NORTHWIND).succeeded();
    let answer = answer(&user, &[]);
    assert_eq!(correspondent(&answer), None);
    assert_eq!(
        answer["correspondent"]["runners_up"][0]["name"],
        "Northwind Energy"
    );
    let text = user.run(&["inspect", "model.postroom"]).succeeded().stdout;
    assert!(text.contains("given for 1 label"), "{text}");
}

#[test]
fn evaluation_has_the_thresholds_that_a_training_would_have() {
    let user = User::with_archive();
    let evaluate = ["evaluate", "--db", "db.sqlite3", "--json"];
    let evaluation = user
        .run(&[&evaluate[..], &NEVER_NORTHWIND].concat())
        .succeeded()
        .json();
    let fields = evaluation["fields"].as_array().unwrap();
    let field = fields
        .iter()
        .find(|field| field["field"] == "correspondent")
        .unwrap();
    let labels = field["labels"].as_array().unwrap();
    let assigned = |name: &str| &labels.iter().find(|label| label["name"] == name).unwrap()["n_assigned"];
    assert_eq!(assigned("Northwind Energy"), 0);
    assert_ne!(assigned("City Library"), 0);
}

#[test]
fn threshold_of_a_label_that_is_not_learned_is_refused() {
    let user = User::with_archive();
    let before = user.files();
    for name in ["Nobody", "city library"] {
        user.train_with(&["--label-threshold", &format!("correspondent:{name}=0.5")])
            .failed_saying(&[name, "among the 2", "matching algorithm must be \"Auto\""]);
    }
    assert_eq!(user.files(), before);
}

#[test]
fn thresholds_that_make_no_sense_are_wrong_usage() {
    let user = User::with_archive();
    let before = user.files();
    for (option, value, part) in [
        ("--threshold", "best", "expected accuracy, f1, or precision:"),
        (
            "--threshold",
            "precision:95",
            "expected accuracy, f1, or precision:",
        ),
        ("--label-threshold", "Tax", "FIELD:NAME=CONFIDENCE"),
        ("--label-threshold", "tag:Tax=0.5", "\"tag\" is no field"),
        (
            "--label-threshold",
            "tags:Tax=95",
            "a number from 0 to 1, or never",
        ),
    ] {
        is_wrong_usage(&user.train_with(&[option, value]), part);
    }
    let mlp = ["--pipeline", "mlp", "--threshold", "f1"];
    is_wrong_usage(&user.train_with(&mlp), "are for --pipeline linear");
    is_wrong_usage(
        &user.run(&[&["evaluate", "--db", "db.sqlite3"], &mlp[..]].concat()),
        "are for",
    );
    assert_eq!(user.files(), before);
}

#[test]
fn label_below_the_least_confidence_becomes_a_runner_up() {
    let user = User::with_model();
    let sure = answer(&user, &["--min-confidence", "0.5"]);
    assert_eq!(correspondent(&sure), Some("Northwind Energy"));
    let unsure = answer(&user, &["--min-confidence", "1"]);
    assert_eq!(correspondent(&unsure), None);
    assert_eq!(
        unsure["correspondent"]["runners_up"][0]["name"],
        "Northwind Energy"
    );
    is_wrong_usage(
        &user.predict(&["--min-confidence", "2", "letter.txt"]),
        "a number from 0 to 1",
    );
}

#[test]
fn without_a_model_the_archive_is_learned_and_nothing_is_kept() {
    let user = User::with_archive();
    let before = user.files();
    let learned = user
        .run(&["predict", "--db", "db.sqlite3", "--inbox", "--json"])
        .succeeded();
    assert_eq!(user.files(), before);
    user.train().succeeded();
    let inbox = user
        .predict(&["--db", "db.sqlite3", "--inbox", "--json"])
        .succeeded();
    assert_eq!(learned.stdout, inbox.stdout);
}

#[test]
fn without_a_model_a_text_alone_is_wrong_usage() {
    let user = User::with_archive();
    is_wrong_usage(&user.run(&["predict", "letter.txt"]), "--model");
    user.train().succeeded();
    let run = user.predict(&["--db", "db.sqlite3", "--inbox", "--language", "german"]);
    is_wrong_usage(&run, "cannot be used with");
    assert!(fs::exists(user.model()).unwrap());
}
