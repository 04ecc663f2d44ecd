//! `postroom explain`: why a text is filed as it is.
#![cfg(feature = "cli")]

mod cli_common;

use cli_common::{User, content};
use serde_json::Value;

#[test]
fn every_suggested_label_is_explained_by_terms_that_sum_to_its_score() {
    let user = User::with_model();
    let file = user.file("letter.txt", content(0));
    let run = user
        .run(&["explain", "--model", "model.postroom", "--json", file])
        .succeeded();
    let explanations: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let fields: Vec<_> = explanations
        .iter()
        .map(|explanation| explanation["field"].as_str().unwrap())
        .collect();
    assert!(fields.contains(&"correspondent"), "{fields:?}");
    for explanation in explanations {
        let number = |value: &Value| value.as_f64().unwrap();
        let terms = explanation["terms"].as_array().unwrap();
        let sum: f64 = terms.iter().map(|term| number(&term["contribution"])).sum();
        let difference = sum + number(&explanation["bias"]) - number(&explanation["score"]);
        assert!(difference.abs() < 1e-3, "{explanation}");
    }
}

#[test]
fn a_label_that_is_asked_about_is_explained_though_it_is_not_suggested() {
    let user = User::with_model();
    let file = user.file("letter.txt", content(1));
    let label = ["--field", "correspondent", "--label", "Northwind Energy"];
    let arguments = [&["explain", "--model", "model.postroom", file][..], &label].concat();
    let stdout = user.run(&arguments).succeeded().stdout;
    assert!(stdout.contains("Northwind Energy"), "{stdout}");
}

#[test]
fn a_label_that_the_model_does_not_know_is_named() {
    let user = User::with_model();
    let file = user.file("letter.txt", content(1));
    let label = ["--field", "correspondent", "--label", "Nobody"];
    let arguments = [&["explain", "--model", "model.postroom", file][..], &label].concat();
    user.run(&arguments)
        .failed_saying(&["correspondent", "\"Nobody\"", "inspect"]);
}

#[test]
fn a_label_without_its_field_is_a_mistake_in_usage() {
    let user = User::with_model();
    let run = user.run(&[
        "explain",
        "--model",
        "model.postroom",
        "--label",
        "x",
        "letter.txt",
    ]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
}
