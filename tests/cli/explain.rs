//! `postroom explain`: why a text is filed as it is.

use rusqlite::Connection;
use serde_json::Value;

use crate::common::{User, content};

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
fn labels_of_one_name_are_told_apart_by_their_numbers() {
    let user = User::with_archive();
    // paperless-ngx lets two owners have labels of one name.
    let rename = "UPDATE documents_correspondent SET name = 'City Library', owner_id = id";
    Connection::open(user.db())
        .unwrap()
        .execute_batch(rename)
        .unwrap();
    user.train().succeeded();
    let file = user.file("letter.txt", content(0));
    let explain = |by: [&str; 2]| {
        let usual = [
            "explain",
            "--model",
            "model.postroom",
            file,
            "--json",
            "--field",
            "correspondent",
        ];
        user.run(&[&usual[..], &by].concat())
    };
    explain(["--label", "City Library"]).failed_saying(&["several", "\"City Library\"", "--label-id: 1, 2"]);
    for id in [1, 2] {
        let explanation = explain(["--label-id", &id.to_string()]).succeeded().json();
        assert_eq!(explanation["label"], id);
    }
    explain(["--label-id", "3"]).failed_saying(&[
        "correspondent",
        "no label with number 3 among its 2",
        "inspect --labels",
    ]);
    let predicted = user.predict(&[file]).succeeded().stdout;
    assert!(predicted.contains("  City Library (number 1)\n"), "{predicted}");
    let evaluated = user.run(&["evaluate", "--db", "db.sqlite3"]).succeeded().stdout;
    for name in ["City Library (number 1) ", "City Library (number 2) "] {
        assert!(evaluated.contains(name), "{evaluated}");
    }
    let listed = user
        .run(&["inspect", "model.postroom", "--labels"])
        .succeeded()
        .stdout;
    for line in ["     1  City Library\n", "     2  City Library\n"] {
        assert!(listed.contains(line), "{listed}");
    }
}

#[test]
fn a_label_without_its_field_is_a_mistake_in_usage() {
    let user = User::with_model();
    for label in [
        &["--label", "x"][..],
        &["--label-id", "1"],
        &["--field", "tags"],
        &["--field", "tags", "--label", "x", "--label-id", "1"],
    ] {
        let usual = ["explain", "--model", "model.postroom", "letter.txt"];
        let run = user.run(&[&usual, label].concat());
        assert_eq!(run.code, Some(2), "{}", run.stderr);
    }
}
