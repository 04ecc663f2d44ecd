//! `postroom evaluate --html`: the page, and what it never replaces.

use std::fs;

use crate::common::{Run, User};

fn evaluate(user: &User, page: &str) -> Run {
    user.run(&["evaluate", "--db", "db.sqlite3", "--html", page])
}

#[test]
fn page_is_written_beside_the_answer() {
    let user = User::with_archive();
    let stdout = evaluate(&user, "page.html").succeeded().stdout;
    assert!(stdout.starts_with("40 documents"), "{stdout}");
    let page = fs::read_to_string(user.path("page.html")).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.contains("City Library"),
        "{page}"
    );
}

#[test]
fn page_replaces_nothing_but_a_page() {
    let user = User::with_model();
    user.file("diary.txt", "my diary");
    let before = user.files();
    evaluate(&user, "db.sqlite3").failed_saying(&["this is the archive"]);
    for name in ["model.postroom", "diary.txt", "home/.config/postroom/secret.key"] {
        let run = evaluate(&user, name);
        run.failed_saying(&[name, "it is not an HTML page", "choose another path"]);
        assert!(!run.stderr.contains("Part 1"), "{}", run.stderr);
    }
    assert_eq!(user.files(), before);
    user.file("page.html", "");
    evaluate(&user, "page.html").succeeded();
    let page = fs::read(user.path("page.html")).unwrap();
    evaluate(&user, "page.html").succeeded();
    assert_eq!(fs::read(user.path("page.html")).unwrap(), page);
}

#[cfg(unix)]
#[test]
fn page_is_as_readable_as_any_file_of_the_users_or_as_it_was() {
    use std::os::unix::fs::PermissionsExt as _;

    let user = User::with_archive();
    let mode = |name: &str| fs::metadata(user.path(name)).unwrap().permissions().mode();
    user.file("any", "");
    evaluate(&user, "page.html").succeeded();
    assert_eq!(mode("page.html"), mode("any"));
    crate::common::set_mode(&user.path("page.html"), 0o600);
    evaluate(&user, "page.html").succeeded();
    assert_eq!(mode("page.html") & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn link_to_a_page_stays_one() {
    let user = User::with_archive();
    user.file("page.html", "");
    std::os::unix::fs::symlink("page.html", user.path("link")).unwrap();
    evaluate(&user, "link").succeeded();
    assert!(fs::symlink_metadata(user.path("link")).unwrap().is_symlink());
    assert!(
        fs::read_to_string(user.path("page.html"))
            .unwrap()
            .contains("City Library")
    );
}

/// As on a full disk: writing fails after the first bytes.
#[cfg(unix)]
#[test]
fn page_that_cannot_be_written_whole_leaves_the_last_one() {
    let user = User::with_archive();
    user.file("page.html", "<!doctype html>\nthe last one");
    let before = user.files();
    let evaluate = "evaluate --db db.sqlite3 --html page.html";
    let line = format!(
        "trap '' XFSZ; ulimit -f 1; exec {} {evaluate}",
        env!("CARGO_BIN_EXE_postroom")
    );
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(user.path(""))
        .env("HOME", user.path("home"))
        // Where lines are counted, what counts them may not fail beside the page.
        .env("LLVM_PROFILE_FILE", "/dev/null");
    Run::from(shell.output().unwrap()).failed_saying(&["cannot write page.html", "large"]);
    assert_eq!(user.files(), before);
}
