//! `postroom train`: what it makes, what it leaves alone, and what it says.

use std::fs;

use rusqlite::Connection;

use crate::common::{User, refuse, set_mode};

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
fn training_after_one_change_goes_on_from_the_last_model() {
    let user = User::with_model();
    let change = "UPDATE documents_document SET modified = '2024-01-31 12:00:00' WHERE id = 1";
    Connection::open(user.db())
        .unwrap()
        .execute_batch(change)
        .unwrap();
    let stdout = user.train().succeeded().stdout;
    assert!(stdout.starts_with("learned from 40 documents"), "{stdout}");
    assert!(
        stdout.contains("began from       the last model: 1 document changed since"),
        "{stdout}"
    );
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

#[test]
fn language_is_a_name_or_the_first_of_several_codes() {
    let user = User::with_archive();
    for (told, known) in [("german", "german"), ("deu+eng", "german"), ("none", "none")] {
        user.train_with(&["--language", told]).succeeded();
        let stdout = user.run(&["inspect", "model.postroom"]).succeeded().stdout;
        assert!(stdout.contains(&format!("language {known},")), "{stdout}");
    }
}

#[test]
fn language_that_is_not_known_is_wrong_usage() {
    let user = User::with_archive();
    let run = user.train_with(&["--language", "klingon"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("unknown language \"klingon\""),
        "{}",
        run.stderr
    );
}

#[test]
fn verbose_training_of_networks_logs_the_epochs_with_their_loss() {
    let run = User::with_archive()
        .train_with(&["--pipeline", "mlp", "-v"])
        .succeeded();
    assert!(
        run.stderr.contains("correspondent: epoch 1, loss "),
        "{}",
        run.stderr
    );
}

#[test]
fn half_precision_halves_the_networks_and_inspect_says_so() {
    let user = User::with_archive();
    let inspect = |user: &User| {
        user.run(&["inspect", "model.postroom", "--json"])
            .succeeded()
            .json()
    };
    user.train_with(&["--pipeline", "mlp"]).succeeded();
    let single = inspect(&user);
    let half = ["--pipeline", "mlp", "--weight-precision", "half"];
    let run = user.train_with(&half).succeeded();
    assert!(
        run.stdout.contains("learned from"),
        "another precision is news: {}",
        run.stdout
    );
    let halved = inspect(&user);
    assert_eq!(single["weight_precision"], "single");
    assert_eq!(halved["weight_precision"], "half");
    let bytes = |inspection: &serde_json::Value| inspection["bytes"].as_u64().unwrap();
    assert!(3 * bytes(&halved) < 2 * bytes(&single), "{single} {halved}");
    let text = user.run(&["inspect", "model.postroom"]).succeeded().stdout;
    assert!(text.contains("weights        half precision"), "{text}");
    let again = user.train_with(&half).succeeded();
    assert!(again.stdout.contains("unchanged"), "{}", again.stdout);
}

#[test]
fn precision_of_weights_is_for_networks() {
    let user = User::with_archive();
    let run = user.train_with(&["--weight-precision", "half"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("is for --pipeline mlp"), "{}", run.stderr);
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
    let user = User::with_archive();
    fs::create_dir(user.path("closed")).unwrap();
    refuse(&user.path("closed"));
    let run = user.run_as_anybody(&["train", "--db", "db.sqlite3", "--model", "closed/model"]);
    set_mode(&user.path("closed"), 0o700);
    if let Some(run) = run {
        run.failed_saying(&["closed/model", "ermission denied"]);
    }
}
