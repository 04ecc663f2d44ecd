//! Names of labels in whatever script, and ones that would break lines or turn them around: tables stay tables.

use rusqlite::Connection;
use unicode_width::UnicodeWidthStr;

use crate::common::{User, content};

/// Wide, combining, of both directions, joined, of no width, with line breaks.
const NAMES: [&str; 6] = [
    "東京電力株式会社東京電力株式会社東京電力",
    "u\u{308}berfa\u{308}llig",
    "شركة \u{202e}الكهرباء 12",
    "👩‍👩‍👧‍👦 family 🔥🏳️‍🌈👩‍👩‍👧‍👦 family 🔥🏳️‍🌈",
    "\u{200b}zero\u{200b} width",
    "one\r\nline\tonly\u{1b}[2J",
];

/// An archive whose two correspondents have these names.
fn user(names: [&str; 2]) -> User {
    let user = User::with_archive();
    let archive = Connection::open(user.db()).unwrap();
    for (id, name) in [1, 2].into_iter().zip(names) {
        let rename = "UPDATE documents_correspondent SET name = ?1 WHERE id = ?2";
        assert_eq!(archive.execute(rename, (name, id)).unwrap(), 1);
    }
    drop(archive);
    user.train().succeeded();
    user.file("letter.txt", content(0));
    user
}

fn answers(user: &User) -> Vec<String> {
    let verbs = [
        &["predict", "--model", "model.postroom", "letter.txt"][..],
        &["explain", "--model", "model.postroom", "letter.txt"],
        &["evaluate", "--db", "db.sqlite3"],
        &["inspect", "model.postroom", "--labels", "--terms"],
    ];
    verbs.map(|verb| user.run(verb).succeeded().stdout).into()
}

#[test]
fn answers_fit_80_columns_and_break_no_line() {
    let lines = |answers: &[String]| {
        answers
            .iter()
            .map(|answer| answer.lines().count())
            .collect::<Vec<_>>()
    };
    let usual = lines(&answers(&user(["Northwind Energy", "City Library"])));
    for name in NAMES {
        let answers = answers(&user([name, "City Library"]));
        assert_eq!(lines(&answers), usual, "{name}: {answers:?}");
        for line in answers.iter().flat_map(|answer| answer.lines()) {
            assert!(line.width() <= 80, "{}: {line}", line.width());
            assert!(!line.contains(['\u{1b}', '\t', '\u{202e}']), "{line:?}");
        }
    }
}

#[test]
fn figures_of_labels_stand_below_each_other() {
    for name in NAMES {
        let user = user([name, "City Library"]);
        let stdout = user.run(&["evaluate", "--db", "db.sqlite3"]).succeeded().stdout;
        let (_, table) = stdout.split_once("\ncorrespondent\n").unwrap();
        let widths: Vec<usize> = table.lines().take(3).map(UnicodeWidthStr::width).collect();
        assert_eq!(widths, [widths[0]; 3], "{stdout}");
    }
}
