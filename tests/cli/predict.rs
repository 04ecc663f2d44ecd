//! `postroom predict`: texts and documents in, names and confidences out.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{Run, User, content};

const FROM_INPUT: [&str; 4] = ["predict", "--model", "model.postroom", "-"];

fn lines(run: &Run) -> Vec<Value> {
    let lines = run.stdout.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn label<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field]["labels"][0]["name"].as_str().unwrap_or("")
}

#[test]
fn text_on_standard_input_gets_names_and_confidences() {
    let user = User::with_model();
    let stdout = user
        .run_with_input(&FROM_INPUT, content(0).as_bytes())
        .succeeded()
        .stdout;
    let sender = stdout
        .lines()
        .find(|line| line.contains("correspondent"))
        .unwrap();
    assert!(sender.contains(" %  Northwind Energy"), "{stdout}");
    assert!(
        stdout
            .lines()
            .any(|line| line.contains("storage path   100.0 %  (none)")),
        "{stdout}"
    );
}

#[test]
fn text_in_a_file_gets_the_same_answer() {
    let user = User::with_model();
    let from_input = user
        .run_with_input(&FROM_INPUT, content(1).as_bytes())
        .succeeded();
    let file = user.file("letter.txt", content(1));
    assert_eq!(user.predict(&[file]).succeeded().stdout, from_input.stdout);
}

#[test]
fn answers_about_several_files_say_which_is_whose() {
    let user = User::with_model();
    let files = [user.file("a.txt", content(0)), user.file("b.txt", content(1))];
    let stdout = user.predict(&files).succeeded().stdout;
    let heads: Vec<_> = stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, files);
}

#[test]
fn json_is_one_object_with_a_member_for_each_field() {
    let user = User::with_model();
    let answer = user
        .predict(&["--json", user.file("letter.txt", content(0))])
        .succeeded()
        .json();
    assert_eq!(answer["file"], "letter.txt");
    assert_eq!(label(&answer, "correspondent"), "Northwind Energy");
    assert_eq!(label(&answer, "document_type"), "Invoice");
    assert_eq!(answer["storage_path"]["none"], 1.0);
    assert!(answer["tags"]["labels"][0]["confidence"].as_f64().unwrap() > 0.5);
}

#[test]
fn json_of_several_files_is_an_object_a_line() {
    let user = User::with_model();
    let files = [user.file("a.txt", content(0)), user.file("b.txt", content(1))];
    let answers = lines(&user.predict(&["--json", files[0], files[1]]).succeeded());
    let found: Vec<_> = answers
        .iter()
        .map(|answer| (&answer["file"], label(answer, "correspondent")))
        .collect();
    assert_eq!(
        found,
        [
            (&"a.txt".into(), "Northwind Energy"),
            (&"b.txt".into(), "City Library")
        ]
    );
}

#[test]
fn inbox_is_the_documents_with_an_inbox_tag() {
    let user = User::with_model();
    let answers = lines(
        &user
            .predict(&["--db", "db.sqlite3", "--inbox", "--json"])
            .succeeded(),
    );
    let ids: Vec<_> = answers
        .iter()
        .map(|answer| answer["document"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, [41, 42]);
    assert_eq!(label(&answers[0], "correspondent"), "City Library");
}

#[test]
fn documents_are_asked_for_by_number() {
    let user = User::with_model();
    let stdout = user
        .predict(&["--db", "db.sqlite3", "--ids", "2,1"])
        .succeeded()
        .stdout;
    let heads: Vec<_> = stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(heads, ["document 1", "document 2"]);
}

#[test]
fn document_that_is_not_there_is_named() {
    let user = User::with_model();
    // 43 is in the trash.
    user.predict(&["--db", "db.sqlite3", "--ids", "1,43,99"])
        .failed_saying(&["there is no document 43, 99"]);
}

#[test]
fn document_that_is_not_there_is_named_before_anything_is_learned() {
    let user = User::with_archive();
    let run = user.run(&["predict", "--db", "db.sqlite3", "--ids", "1,99"]);
    run.failed_saying(&["there is no document 99"]);
    assert!(!run.stderr.contains("Gathering"), "{}", run.stderr);
}

#[test]
fn asking_about_the_inbox_leaves_everything_as_it_was() {
    let user = User::with_model();
    let before = user.files();
    user.predict(&["--db", "db.sqlite3", "--inbox"]).succeeded();
    assert_eq!(user.files(), before);
}

#[test]
fn text_that_is_not_utf_8_is_answered_and_said_so() {
    let user = User::with_model();
    let text = [b"M\xfcller ", content(0).as_bytes()].concat();
    let run = user.run_with_input(&FROM_INPUT, &text).succeeded();
    assert!(
        run.stderr.contains("warning: standard input is not UTF-8"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("Northwind Energy"), "{}", run.stdout);
}

#[test]
fn empty_text_is_answered_and_said_so() {
    let run = User::with_model().run_with_input(&FROM_INPUT, b"").succeeded();
    assert!(
        run.stderr.contains("warning: standard input has no text"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.contains("correspondent"), "{}", run.stdout);
}

#[test]
fn pdf_file_is_answered_and_warned_about() {
    let user = User::with_model();
    let run = user.predict(&[user.file("scan.pdf", "%PDF-1.7 ...")]).succeeded();
    assert!(
        run.stderr.contains("warning: scan.pdf is a PDF file"),
        "{}",
        run.stderr
    );
}

#[test]
fn text_of_ten_megabytes_is_answered() {
    let user = User::with_model();
    let text = format!("{} ", content(0)).repeat(10_000_000 / 40);
    let run = user.run_with_input(&FROM_INPUT, text.as_bytes()).succeeded();
    assert!(run.stdout.contains("Northwind Energy"), "{}", run.stdout);
}

#[test]
fn file_that_is_not_there_is_named() {
    let user = User::with_model();
    user.predict(&["nowhere.txt"])
        .failed_saying(&["cannot read nowhere.txt", "No such file"]);
}

#[test]
fn model_that_is_not_there_is_named_with_what_makes_it() {
    let user = User::with_archive();
    user.predict(&["-"])
        .failed_saying(&["model model.postroom", "no such file", "postroom train"]);
    assert!(!user.default_key().exists());
}

#[test]
fn directory_is_no_model() {
    let user = User::with_model();
    let arguments = ["predict", "--model", "home", "-"];
    user.run(&arguments)
        .failed_saying(&["model home: there is a directory or a device"]);
}

#[test]
fn prediction_makes_no_key() {
    let user = User::with_model();
    fs::remove_file(user.default_key()).unwrap();
    user.predict(&["-"])
        .failed_saying(&["no signing key", "POSTROOM_SECRET_KEY"]);
    assert!(!user.default_key().exists());
}

#[test]
fn another_key_is_refused() {
    let user = User::with_model();
    user.run_with_key("another key of sixteen", &FROM_INPUT)
        .failed_saying(&["signed with another key"]);
}

#[test]
fn changed_model_is_refused() {
    let user = User::with_model();
    let mut bytes = fs::read(user.model()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(user.model(), bytes).unwrap();
    user.predict(&["-"]).failed_saying(&["model.postroom", "corrupt"]);
}

#[test]
fn wrong_usage_has_exit_code_2() {
    let user = User::with_model();
    for arguments in [
        &[][..],
        &["letter.txt", "--db", "db.sqlite3"],
        &["--inbox"],
        &["--db", "db.sqlite3"],
        &["--db", "db.sqlite3", "--inbox", "--ids", "1"],
        &["--db", "db.sqlite3", "--ids", "one"],
        &["--nonsense"],
        &["-", "-"],
    ] {
        let run = user.predict(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    }
}

#[test]
fn reader_who_goes_away_is_not_told_about_it() {
    let user = User::with_model();
    let mut command = user.command(&["predict", "--model", "model.postroom", "--json", "-"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command answers no earlier than its input ends; by then nobody reads.
    drop(child.stdout.take());
    drop(child.stdin.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(!stderr.contains("error"), "{stderr}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
