//! `postroom train`: what it makes, what it leaves alone, and what it says.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod cli_common;

use std::fs;

use cli_common::{User, is_refused_nothing, refuse, set_mode};

#[test]
fn training_says_what_it_learned() {
    let user = User::with_archive();
    let stdout = user.train().succeeded().stdout;
    for part in [
        "learned from 40 documents",
        "tags             1 label",
        "correspondent    2 labels",
        "document type    2 labels",
        "storage path     nothing to learn",
        "vocabulary",
        "model.postroom",
        "signing key",
        "(new; keep a",
    ] {
        assert!(stdout.contains(part), "no {part:?} in {stdout}");
    }
}

#[test]
fn stages_are_logged_where_nobody_watches() {
    let stderr = User::with_archive().train().succeeded().stderr;
    assert!(stderr.contains("Gathering data from 40 document(s)"), "{stderr}");
    assert!(stderr.contains("Training correspondent classifier"), "{stderr}");
}

#[test]
fn quiet_training_logs_nothing() {
    let user = User::with_archive();
    assert_eq!(user.train_with(&["-q"]).succeeded().stderr, "");
}

#[test]
fn verbose_training_logs_the_passes() {
    let stderr = User::with_archive().train_with(&["-v"]).succeeded().stderr;
    assert!(stderr.contains("correspondent: pass 1, "), "{stderr}");
}

#[test]
fn unchanged_archive_is_not_learned_again() {
    let user = User::with_model();
    let before = user.files();
    let stdout = user.train().succeeded().stdout;
    assert!(stdout.starts_with("unchanged: 40 documents"), "{stdout}");
    assert_eq!(user.files(), before);
}

#[test]
fn full_training_learns_the_same_again() {
    let user = User::with_model();
    let before = user.files();
    let stdout = user.train_with(&["--full"]).succeeded().stdout;
    assert!(stdout.starts_with("learned from 40 documents"), "{stdout}");
    assert_eq!(user.files(), before);
}

#[test]
fn number_of_threads_does_not_change_the_model() {
    let user = User::with_model();
    let before = user.files();
    user.train_with(&["--full", "--threads", "1"]).succeeded();
    assert_eq!(user.files(), before);
}

#[test]
fn another_language_is_a_reason_to_learn_again() {
    let user = User::with_model();
    let stdout = user.train_with(&["--language", "none"]).succeeded().stdout;
    assert!(stdout.starts_with("learned from 40 documents"), "{stdout}");
}

/// Changes the model's bytes.
fn edit(user: &User, edit: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(user.model()).unwrap();
    edit(&mut bytes);
    fs::write(user.model(), bytes).unwrap();
}

#[test]
fn model_of_another_version_is_replaced_and_said_so() {
    let user = User::with_model();
    edit(&user, |bytes| bytes[8] = 1);
    let run = user.train().succeeded();
    assert!(
        run.stderr
            .contains("warning: the previous model has format version 1"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.starts_with("learned from"), "{}", run.stdout);
}

#[test]
fn corrupt_model_is_kept_until_full_replaces_it() {
    let user = User::with_model();
    edit(&user, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let before = user.files();
    user.train()
        .failed_saying(&["model.postroom", "corrupt", "train --full"]);
    assert_eq!(user.files(), before);
    user.train_with(&["--full"]).succeeded();
    user.train().succeeded();
}

#[test]
fn truncated_model_is_kept_until_full_replaces_it() {
    let user = User::with_model();
    edit(&user, |bytes| bytes.truncate(100));
    let before = user.files();
    user.train().failed_saying(&["truncated", "train --full"]);
    assert_eq!(user.files(), before);
    user.train_with(&["--full"]).succeeded();
}

#[test]
fn model_of_another_key_is_kept_until_full_replaces_it() {
    let user = User::with_model();
    let before = user.files();
    let train = ["train", "--db", "db.sqlite3", "--model", "model.postroom"];
    user.run_with_key("another key of sixteen", &train)
        .failed_saying(&["another key", "train --full"]);
    assert_eq!(user.files(), before);
    user.run_with_key("another key of sixteen", &[&train[..], &["--full"]].concat())
        .succeeded();
}

#[test]
fn model_without_its_key_is_kept_and_no_key_is_made() {
    let user = User::with_model();
    fs::remove_file(user.default_key()).unwrap();
    let before = user.files();
    user.train()
        .failed_saying(&["no signing key", "secret.key", "POSTROOM_SECRET_KEY", "--full"]);
    assert_eq!(user.files(), before);
}

#[test]
fn file_that_is_no_model_is_never_replaced() {
    let user = User::with_archive();
    user.file("model.postroom", "my diary");
    for more in [&[][..], &["--full"]] {
        user.train_with(more).failed_saying(&["it is not a model"]);
    }
    assert_eq!(fs::read(user.model()).unwrap(), b"my diary");
}

#[test]
fn archive_is_never_taken_for_the_model() {
    let user = User::with_archive();
    let before = user.files();
    for name in ["db.sqlite3", "./home/../db.sqlite3"] {
        user.run(&["train", "--db", "db.sqlite3", "--model", name, "--full"])
            .failed_saying(&["this is the archive"]);
    }
    assert_eq!(user.files(), before);
}

#[test]
fn place_for_the_model_is_checked_before_the_work() {
    let user = User::with_archive();
    for (name, problem) in [("nowhere/model", "No such file"), ("home", "directory")] {
        let run = user.run(&["train", "--db", "db.sqlite3", "--model", name]);
        run.failed_saying(&[name, problem, "choose another path"]);
        assert!(!run.stderr.contains("Gathering"), "{}", run.stderr);
    }
    assert!(!user.default_key().exists());
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_never_replaced() {
    let user = User::with_archive();
    let _socket = std::os::unix::net::UnixListener::bind(user.path("socket")).unwrap();
    user.run(&["train", "--db", "db.sqlite3", "--model", "socket", "--full"])
        .failed_saying(&["socket", "it is a device or a pipe"]);
}

#[test]
fn directory_that_may_not_be_written_to_is_said_before_the_work() {
    if is_refused_nothing() {
        return;
    }
    let user = User::with_archive();
    fs::create_dir(user.path("closed")).unwrap();
    refuse(&user.path("closed"));
    let run = user.run(&["train", "--db", "db.sqlite3", "--model", "closed/model"]);
    set_mode(&user.path("closed"), 0o700);
    run.failed_saying(&["closed/model", "ermission denied"]);
}

#[cfg(unix)]
mod ctrl_c {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::process::{Command, Stdio};

    use super::{User, fs};
    use crate::cli_common::{Run, tedious_archive};

    /// Presses Ctrl-C when `verb` has begun to learn.
    fn interrupted(user: &User, arguments: &[&str]) -> Run {
        let mut command = user.command(&[arguments, &["--threads", "1"]].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut stderr = String::new();
        while !stderr.contains("Training tags classifier") {
            assert!(log.read_line(&mut stderr).unwrap() > 0, "{stderr}");
        }
        // A shell always has `kill`; a minimal system may have no program of that name.
        let interrupt = format!("kill -INT {}", child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &interrupt])
                .status()
                .unwrap()
                .success()
        );
        log.read_to_string(&mut stderr).unwrap();
        let mut run = Run::from(child.wait_with_output().unwrap());
        run.stderr = stderr;
        run
    }

    #[test]
    fn cancels_a_training_and_keeps_the_old_model() {
        let user = User::with_model();
        tedious_archive(&user.path("tedious.sqlite3"));
        let before = user.files();
        let run = interrupted(
            &user,
            &["train", "--db", "tedious.sqlite3", "--model", "model.postroom"],
        );
        assert_eq!(run.code, Some(130), "{}", run.stderr);
        assert!(
            run.stderr
                .ends_with("error: cancelled; everything is as it was before\n"),
            "{}",
            run.stderr
        );
        assert_eq!(user.files(), before);
    }

    #[test]
    fn cancels_an_evaluation_without_a_page() {
        let user = User::new();
        tedious_archive(&user.db());
        let run = interrupted(&user, &["evaluate", "--db", "db.sqlite3", "--html", "page.html"]);
        assert_eq!(run.code, Some(130), "{}", run.stderr);
        assert!(!fs::exists(user.path("page.html")).unwrap());
    }
}
