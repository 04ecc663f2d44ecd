//! Ctrl-C: every verb ends with what a shell expects and leaves every file as it was.
//!
//! No test races a clock: each waits until the command says, or shows by opening a pipe, that it is at work.

use std::env;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::common::{Run, User, content, tedious_archive};

const CANCELLED: &str = "error: cancelled; everything is as it was before\n";

/// The command at work, and what it says.
struct Working {
    child: Child,
    log: BufReader<ChildStderr>,
    stderr: String,
}

impl Working {
    fn start(user: &User, arguments: &[&str]) -> Self {
        crate::signals::reach_what_is_started();
        let mut command = user.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let stderr = String::new();
        Self { child, log, stderr }
    }

    fn until_it_says(mut self, part: &str) -> Self {
        while !self.stderr.contains(part) {
            let n_bytes = self.log.read_line(&mut self.stderr).unwrap();
            assert!(n_bytes > 0, "no {part:?} in {}", self.stderr);
        }
        self
    }

    /// Nothing comes through the pipe; its end is given back, for with its fall the text would end.
    fn until_it_reads(&mut self, user: &User, pipe: &str) -> File {
        let (opened, reads) = mpsc::channel();
        let path = user.path(pipe);
        // Blocks until somebody reads.
        thread::spawn(move || opened.send(File::options().write(true).open(path).unwrap()));
        loop {
            match reads.recv_timeout(Duration::from_millis(20)) {
                Ok(end) => return end,
                Err(_) => assert_eq!(self.child.try_wait().unwrap(), None, "it ended without reading"),
            }
        }
    }

    fn press_ctrl_c(self) -> Self {
        // A shell always has `kill`; a minimal system may have no program of that name.
        let interrupt = format!("kill -INT {}", self.child.id());
        let status = Command::new("sh").args(["-c", &interrupt]).status().unwrap();
        assert!(status.success());
        self
    }

    fn end(mut self) -> Run {
        self.log.read_to_string(&mut self.stderr).unwrap();
        let mut run = Run::from(self.child.wait_with_output().unwrap());
        run.stderr = self.stderr;
        run
    }
}

#[track_caller]
fn was_cancelled(run: &Run) {
    assert_eq!(run.code, Some(130), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.ends_with(CANCELLED), "{}", run.stderr);
}

fn pipe(user: &User, name: &str) {
    let status = Command::new("mkfifo").arg(user.path(name)).status().unwrap();
    assert!(status.success());
}

#[test]
fn every_verb_that_learns_is_cancelled() {
    let user = User::with_model();
    tedious_archive(&user.path("tedious.sqlite3"));
    let before = user.files();
    for verb in [
        &["train", "--model", "model.postroom", "--threads", "1"][..],
        &["evaluate", "--html", "page.html", "--threads", "1"],
        &["profile", "--threads", "1"],
        &["predict", "--inbox"],
    ] {
        let arguments = [verb, &["--db", "tedious.sqlite3"]].concat();
        let working = Working::start(&user, &arguments).until_it_says("Training tags classifier");
        was_cancelled(&working.press_ctrl_c().end());
        assert_eq!(user.files(), before, "{verb:?}");
    }
}

#[test]
fn second_ctrl_c_leaves_the_old_model_as_well() {
    let user = User::with_model();
    tedious_archive(&user.path("tedious.sqlite3"));
    let before = user.files();
    let train = [
        "train",
        "--db",
        "tedious.sqlite3",
        "--model",
        "model.postroom",
        "--threads",
        "1",
    ];
    let working = Working::start(&user, &train).until_it_says("Training tags classifier");
    let working = working.press_ctrl_c().until_it_says("Ctrl-C again stops at once");
    // By now it may have ended by itself, which gives the same answer.
    was_cancelled(&working.press_ctrl_c().end());
    assert_eq!(user.files(), before);
}

#[test]
fn prediction_of_many_texts_ends_in_the_middle() {
    let user = User::with_model();
    let file = user.file("a.txt", content(0));
    pipe(&user, "pipe");
    let arguments = ["predict", "--model", "model.postroom", file, "pipe", file];
    let mut working = Working::start(&user, &arguments);
    let _end = working.until_it_reads(&user, "pipe");
    let run = working.press_ctrl_c().end();
    was_cancelled(&run);
    // The first was answered, the others weren't.
    assert_eq!(run.stdout.matches("correspondent").count(), 1, "{}", run.stdout);
}

#[test]
fn explanation_ends_while_it_reads_the_text() {
    let user = User::with_model();
    pipe(&user, "pipe");
    let mut working = Working::start(&user, &["explain", "--model", "model.postroom", "pipe"]);
    let _end = working.until_it_reads(&user, "pipe");
    was_cancelled(&working.press_ctrl_c().end());
}

#[test]
fn ctrl_c_that_was_to_be_ignored_stays_ignored() {
    let user = User::with_model();
    pipe(&user, "pipe");
    // As a shell does for what it runs in the background.
    let line = format!(
        "trap '' INT; exec {} explain --model model.postroom pipe",
        env!("CARGO_BIN_EXE_postroom")
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &line])
        .current_dir(user.path(""))
        .env("HOME", user.path("home"))
        .env_remove("XDG_CONFIG_HOME")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let stderr = String::new();
    let mut working = Working { child, log, stderr };
    let end = working.until_it_reads(&user, "pipe");
    let working = working.press_ctrl_c();
    drop(end);
    let run = working.end();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// So does a shell for what it runs in the background, and not every test runner is in the foreground.
#[test]
fn these_tests_pass_where_ctrl_c_was_to_be_ignored() {
    let mut tests = Command::new("sh");
    tests.args([
        "-c",
        "trap '' INT; exec \"$0\" --exact interrupt::explanation_ends_while_it_reads_the_text",
    ]);
    let tests: Run = tests.arg(env::current_exe().unwrap()).output().unwrap().into();
    assert!(tests.stdout.contains("1 passed; 0 failed"), "{}", tests.stdout);
}
