//! Places that the profiling tests can't read from or write to: said in a line, before anything is measured.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod profiling_run;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::Timestamp;
use postroom::document::Field;
use postroom::store::{NewDocument, NewLabel, SqliteArchive};
use profiling_run::{Run, command};

/// Nothing runs, the exit code is that of wrong arguments, and stderr has one line, with these words in it.
#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "no {word:?} in {stderr}");
    }
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// A path as a variable of the environment has it.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Two senders that announce themselves in the text.
fn small_archive(directory: &Path) -> PathBuf {
    let path = directory.join("archive.sqlite3");
    let mut archive = SqliteArchive::create(&path).unwrap();
    let senders = ["library", "energy"].map(|name| {
        archive
            .add_label(Field::Correspondent, &NewLabel::auto(name))
            .unwrap()
    });
    let contents: Vec<String> = (0..40)
        .map(|n| format!("{} letter {n}", ["overdue loan", "meter tariff"][n % 2]))
        .collect();
    let documents: Vec<NewDocument<'_>> = contents
        .iter()
        .enumerate()
        .map(|(n, content)| NewDocument {
            title: "letter",
            content,
            modified: Timestamp::UNIX_EPOCH,
            correspondent: Some(senders[n % 2]),
            document_type: None,
            storage_path: None,
        })
        .collect();
    archive.add_documents(&documents).unwrap();
    path
}

#[test]
fn directory_that_cannot_be_made_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    // Not even root can make this one.
    let below_a_file = file.join("reports");
    let run = Run::in_environment(&["--ignored"], &[("PROFILING_DIR", text(&below_a_file))]);
    assert_refused(&run.output, &["PROFILING_DIR", text(&below_a_file)]);
}

#[test]
fn directory_is_left_alone_by_a_run_without_scenarios() {
    let directory = tempfile::tempdir().unwrap();
    let reports = directory.path().join("reports");
    Run::in_environment(&[], &[("PROFILING_DIR", text(&reports))]).succeeded();
    assert!(!reports.exists());
}

#[test]
fn file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes.txt");
    fs::write(
        &file,
        "not a database, but long enough to be taken for one ".repeat(20),
    )
    .unwrap();
    let run = Run::in_environment(&["--ignored"], &[("PROFILING_DB", text(&file))]);
    assert_refused(&run.output, &["PROFILING_DB", text(&file)]);
}

#[test]
fn foreign_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("foreign.sqlite3");
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .unwrap();
    drop(foreign);
    let run = Run::in_environment(&["--ignored"], &[("PROFILING_DB", text(&file))]);
    assert_refused(&run.output, &["PROFILING_DB", text(&file), "documents_document"]);
}

#[test]
fn directory_for_a_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let run = Run::in_environment(&["--ignored"], &[("PROFILING_DB", text(directory.path()))]);
    assert_eq!(run.output.status.code(), Some(2));
    assert!(
        run.stderr().starts_with("error: PROFILING_DB is "),
        "{}",
        run.stderr()
    );
    assert!(run.stdout().is_empty());
}

#[test]
fn password_in_a_url_is_refused_and_not_repeated() {
    let run = Run::in_environment(&["--ignored"], &[("PROFILING_DB", "postgres://u:hunter2@h/d")]);
    assert_eq!(run.output.status.code(), Some(2));
    let stderr = run.stderr();
    assert!(stderr.contains("PROFILING_DB"), "{stderr}");
    assert!(
        stderr.contains("POSTROOM_DB_PASSWORD") && !stderr.contains("hunter2"),
        "{stderr}"
    );
}

/// A limit to the size of files stands in for a full disk: creating them works, filling them doesn't.
#[cfg(target_os = "linux")]
#[test]
fn full_disk_fails_the_scenario_and_leaves_no_half_of_a_file() {
    let (place, reports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = small_archive(place.path());
    let prepared = command(
        reports.path(),
        &[],
        &[("PROFILING_DB", text(&archive)), ("TMPDIR", text(place.path()))],
    );
    // Blocks of 512 bytes or, in some shells, of 1,024.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 4; exec '{}' --ignored training::train_memory",
        prepared.get_program().to_str().unwrap()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]);
    for (name, value) in prepared.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        stdout.contains("test result: FAILED. 0 passed; 1 failed"),
        "{stdout}"
    );
    let problems = stdout.lines().filter(|line| line.contains("cannot write "));
    let [problem] = problems.collect::<Vec<_>>()[..] else {
        panic!("not one line: {stdout}");
    };
    assert!(problem.contains(text(reports.path())), "{problem}");
    assert!(
        stdout.contains("AT A GLANCE"),
        "what was measured is shown all the same: {stdout}"
    );
    for entry in fs::read_dir(reports.path()).unwrap() {
        let file = entry.unwrap().path();
        assert!(!text(&file).contains(".tmp"), "{}", file.display());
        let content = fs::read_to_string(&file).unwrap();
        assert!(content.ends_with('\n'), "{} is cut off", file.display());
    }
}
