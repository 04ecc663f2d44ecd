//! The signing key: where it comes from, who may read it, and that it is never shown.

use std::fs;

use crate::common::{User, refuse, set_mode};

const KEY: &str = "a key of sixteen bytes or more";

#[test]
fn first_training_makes_a_key_and_says_where() {
    let user = User::with_archive();
    let stderr = user.train().succeeded().stderr;
    let said = stderr.lines().find(|line| line.starts_with("made a signing key"));
    assert!(
        said.unwrap().contains("home/.config/postroom/secret.key"),
        "{stderr}"
    );
    let digits = fs::read_to_string(user.default_key()).unwrap();
    assert!(digits.len() == 65 && digits.trim_end().bytes().all(|digit| digit.is_ascii_hexdigit()));
}

#[test]
fn next_training_uses_the_key_that_is_there() {
    let user = User::with_model();
    let key = fs::read(user.default_key()).unwrap();
    let stderr = user.train_with(&["--full"]).succeeded().stderr;
    assert!(!stderr.contains("signing key"), "{stderr}");
    assert_eq!(fs::read(user.default_key()).unwrap(), key);
}

#[cfg(unix)]
#[test]
fn new_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let user = User::with_model();
    let metadata = fs::metadata(user.default_key()).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[test]
fn configuration_directory_can_be_elsewhere() {
    let user = User::with_archive();
    let mut command = user.command(&["train", "--db", "db.sqlite3", "--model", "model.postroom"]);
    assert!(
        command
            .env("XDG_CONFIG_HOME", user.path("elsewhere"))
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(user.path("elsewhere/postroom/secret.key").is_file());
}

#[test]
fn key_in_the_environment_needs_no_file() {
    let user = User::with_archive();
    let train = ["train", "--db", "db.sqlite3", "--model", "model.postroom"];
    user.run_with_key(KEY, &train).succeeded();
    assert!(!user.default_key().exists());
    user.run_with_key(KEY, &["inspect", "model.postroom", "--verify"])
        .succeeded();
}

#[test]
fn same_key_works_from_the_environment_and_from_a_file_with_a_line_break() {
    let user = User::with_archive();
    user.file("key", format!("{KEY}\n"));
    set_mode(&user.path("key"), 0o600);
    user.train_with(&["--secret-key-file", "key"]).succeeded();
    user.run_with_key(KEY, &["inspect", "model.postroom", "--verify"])
        .succeeded();
}

#[test]
fn key_file_that_is_named_comes_before_the_environment() {
    let user = User::with_archive();
    user.file("key", KEY);
    user.train_with(&["--secret-key-file", "key"]).succeeded();
    user.run_with_key(
        "another key of sixteen",
        &[
            "inspect",
            "model.postroom",
            "--verify",
            "--secret-key-file",
            "key",
        ],
    )
    .succeeded();
}

#[test]
fn key_file_that_is_named_is_made_on_first_use() {
    let user = User::with_archive();
    let stderr = user
        .train_with(&["--secret-key-file", "keys/mine"])
        .succeeded()
        .stderr;
    assert!(
        stderr.contains("made a signing key") && stderr.contains("keys/mine"),
        "{stderr}"
    );
    assert!(user.path("keys/mine").is_file());
}

#[test]
fn key_and_model_are_two_files() {
    let user = User::with_archive();
    let before = user.files();
    for key in ["model.postroom", "./home/../model.postroom"] {
        user.train_with(&["--secret-key-file", key])
            .failed_saying(&["model.postroom", "would be one file"]);
        assert_eq!(user.files(), before);
    }
}

#[test]
fn key_is_shown_nowhere() {
    let user = User::with_archive();
    let train = ["train", "--db", "db.sqlite3", "--model", "model.postroom", "-vv"];
    let verify = ["inspect", "model.postroom", "--verify", "-vv"];
    for arguments in [&train[..], &verify] {
        let run = user.run_with_key(KEY, arguments).succeeded();
        assert!(!run.stdout.contains(KEY) && !run.stderr.contains(KEY));
    }
    assert!(!String::from_utf8_lossy(&fs::read(user.model()).unwrap()).contains(KEY));
}

#[cfg(unix)]
#[test]
fn key_file_that_others_may_read_is_warned_about() {
    let user = User::with_model();
    set_mode(&user.default_key(), 0o640);
    let stderr = user.train().succeeded().stderr;
    assert!(
        stderr.contains("warning: others may read the signing key: chmod 600"),
        "{stderr}"
    );
}

#[test]
fn key_that_can_be_guessed_is_warned_about() {
    let user = User::with_archive();
    let train = ["train", "--db", "db.sqlite3", "--model", "model.postroom"];
    let stderr = user.run_with_key("hunter2", &train).succeeded().stderr;
    assert!(
        stderr.contains("warning: the signing key in POSTROOM_SECRET_KEY has fewer than 16 bytes"),
        "{stderr}"
    );
    assert!(!stderr.contains("hunter2"));
}

#[test]
fn empty_variable_is_no_key() {
    let user = User::with_model();
    user.run_with_key("", &["inspect", "model.postroom", "--verify"])
        .failed_saying(&["POSTROOM_SECRET_KEY is empty", "unset it"]);
}

#[test]
fn empty_file_is_no_key() {
    let user = User::with_archive();
    for nothing in ["", "\n"] {
        user.file("key", nothing);
        user.train_with(&["--secret-key-file", "key"])
            .failed_saying(&["signing key key: the file is empty"]);
    }
    assert!(!user.model().exists());
}

#[test]
fn directory_is_no_key() {
    let user = User::with_archive();
    user.train_with(&["--secret-key-file", "home"])
        .failed_saying(&["signing key home: ", "directory"]);
}

#[test]
fn large_file_is_no_key() {
    let user = User::with_archive();
    user.file("key", "x".repeat(70_000));
    user.train_with(&["--secret-key-file", "key"])
        .failed_saying(&["is this the file with the key?"]);
}

#[test]
fn key_that_may_not_be_read_is_named() {
    let user = User::with_model();
    refuse(&user.default_key());
    if let Some(run) = user.run_as_anybody(&["inspect", "--verify", "model.postroom"]) {
        run.failed_saying(&[
            "secret.key",
            "ermission denied",
            "give a file that this user may read",
        ]);
    }
    set_mode(&user.default_key(), 0o600);
}

#[test]
fn key_that_cannot_be_made_is_said_before_anything_is_saved() {
    let user = User::with_archive();
    user.file("home/.config", "a file where a directory belongs");
    user.train()
        .failed_saying(&["signing key", ".config/postroom/secret.key"]);
    assert!(!user.model().exists());
}
