//! Every example in the README and the docs is executed here or by the doc tests, and none of an unknown kind is there.
//!
//! Shell examples run in a directory with a small archive, where `/path/to/` leads as well. A fence may name a file after
//! its kind (`sh paperless.conf`): the example is then what the file holds, and a test of its own uses it.
#![cfg(all(feature = "cli", unix))]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

#[path = "cli/common.rs"]
mod cli_common;
mod fences;
mod profiling_run;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use cli_common::{Run, User, content, copy_program, not_present};
use fences::{Fence, Kind, pages};

/// A user with an archive in use, texts, and the command on the `PATH` and where a build leaves it.
fn reader() -> User {
    let user = User::with_archive();
    for text in ["letter.txt", "a.txt", "b.txt"] {
        user.file(text, content(0));
    }
    for directory in ["bin", "target/release"] {
        fs::create_dir_all(user.path(directory)).unwrap();
        let postroom = user.path(directory).join("postroom");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_postroom"), postroom).unwrap();
    }
    user
}

/// A shell that finds the command.
fn shell(user: &User, script: &str) -> Command {
    let mut command = user.command(&[]);
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", &here(user, script)])
        .current_dir(user.path(""))
        .env("PATH", format!("{}:{path}", user.path("bin").display()))
        .env("HOME", user.path("home"))
        .stdin(Stdio::null());
    for (name, value) in command.stdin(Stdio::null()).get_envs() {
        if value.is_none() {
            shell.env_remove(name);
        }
    }
    shell
}

/// The example with the paths of this user.
fn here(user: &User, example: &str) -> String {
    example.replace("/path/to/", &format!("{}/", user.path("").display()))
}

#[track_caller]
fn succeeds(user: &User, script: &str) {
    let run: Run = shell(user, script).output().unwrap().into();
    assert_eq!(run.code, Some(0), "{script}\n{}{}", run.stdout, run.stderr);
}

/// What the page's fence of this name holds.
fn file(page: &str, name: &str) -> String {
    let fences = pages().remove(page).unwrap();
    let mut named = fences
        .into_iter()
        .filter(|fence| fence.file.as_deref() == Some(name));
    named.next().unwrap().text
}

#[test]
fn every_example_is_of_a_kind_that_is_executed() {
    let pages = pages();
    assert!(pages.len() > 5, "{:?}", pages.keys());
    for (page, fences) in &pages {
        for fence in fences {
            assert!(
                fence.kind.is_some(),
                "{page}: what executes this? ```{}",
                fence.info
            );
        }
    }
}

#[test]
fn every_page_with_rust_is_compiled_with_the_doc_tests() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (page, fences) in pages() {
        let has_rust = fences.iter().any(|fence| fence.kind == Some(Kind::Rust));
        let is_included = library.contains(&format!("#[doc = include_str!(\"../{page}\")]"));
        assert_eq!(has_rust, is_included, "{page}");
        // Anything after the language, such as `ignore`, could keep the example from being run.
        let is_run = |fence: &Fence| fence.kind != Some(Kind::Rust) || fence.info == "rust";
        assert!(fences.iter().all(is_run), "{page}");
    }
}

#[test]
fn diagrams_and_outputs_hold_no_commands() {
    for (page, fences) in pages() {
        for fence in fences.iter().filter(|fence| fence.kind == Some(Kind::Text)) {
            let is_command = |line: &&str| {
                ["cargo ", "postroom ", "target/", "python ", "$ "]
                    .iter()
                    .any(|start| line.starts_with(start))
            };
            assert_eq!(fence.text.lines().find(is_command), None, "{page}: mark it as sh");
        }
    }
}

#[test]
fn shell_examples_run_in_the_order_of_the_page() {
    let mut n_run = 0;
    for fences in pages().into_values() {
        let user = reader();
        for fence in fences
            .iter()
            .filter(|fence| fence.kind == Some(Kind::Shell) && fence.file.is_none())
        {
            let script: Vec<&str> = fence
                .text
                .lines()
                .filter(|line| !line.starts_with("cargo "))
                .collect();
            if !script.is_empty() {
                succeeds(&user, &script.join("\n"));
                n_run += 1;
            }
        }
    }
    assert!(n_run >= 2, "{n_run}");
}

/// Those that cost minutes are run by CI or looked up in the tree; those that choose a profiled scenario list it.
#[test]
fn cargo_commands_are_those_of_ci_or_choose_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    for (page, line) in fences::cargo_commands() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            _ if ci
                .lines()
                .any(|run| run == line || run.ends_with(&format!(" {line}"))) => {}
            [
                "cargo",
                "test",
                "--test",
                "profiling",
                "--",
                "--include-ignored",
                ref filter @ ..,
            ] => {
                lists_something(filter);
            }
            ["cargo", "nextest", "run", ref chosen @ ..] => nextest_lists_something(chosen),
            ["cargo", "test" | "bench", kind @ ("--test" | "--bench"), name, ..] => {
                let folder = if kind == "--test" { "tests" } else { "benches" };
                let sources = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
                assert!(
                    sources.iter().any(|source| root.join(source).is_file()),
                    "{page}: {line}"
                );
            }
            // The tests of the command run what this builds, optimised alike, from another directory.
            ["cargo", "build", "--release"] => {}
            ["cargo", "run", .., "--example", name] => {
                assert!(
                    root.join(format!("examples/{name}.rs")).is_file(),
                    "{page}: {line}"
                );
            }
            _ => panic!("{page}: what executes this? {line}"),
        }
    }
}

#[test]
fn examples_for_whoever_has_hours_name_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n_named = 0;
    for (page, fences) in pages() {
        for fence in fences.iter().filter(|fence| fence.kind == Some(Kind::ByHand)) {
            let words: Vec<&str> = fence.text.split_whitespace().collect();
            let scripts = words.iter().filter(|word| word.starts_with("tests/"));
            let tests = words.windows(2).filter(|pair| pair[0] == "--test");
            let scripts = scripts.map(|path| vec![(*path).to_owned()]);
            // Of the library, or of the instruments.
            let places = [
                "tests/{}.rs",
                "tests/{}/main.rs",
                "profiling-tests/toolkit/tests/{}.rs",
                "profiling-tests/toolkit/tests/{}/main.rs",
            ];
            let tests = tests.map(|pair| places.map(|place| place.replace("{}", pair[1])).to_vec());
            for paths in scripts.chain(tests) {
                assert!(
                    paths.iter().any(|path| root.join(path).is_file()),
                    "{page}: {paths:?}"
                );
                n_named += 1;
            }
        }
    }
    assert!(n_named > 0);
}

fn lists_something(filter: &[&str]) {
    let run = profiling_run::Run::with(&[&["--list", "--include-ignored"], filter].concat()).succeeded();
    assert!(run.stdout().contains(": test"), "{filter:?}: {}", run.stdout());
}

fn nextest_lists_something(chosen: &[&str]) {
    let cargo = |arguments: &[&str]| Command::new(env!("CARGO")).args(arguments).output().unwrap();
    if !cargo(&["nextest", "--version"]).status.success() {
        not_present("cargo-nextest");
        return;
    }
    let help = String::from_utf8(cargo(&["nextest", "run", "--help"]).stdout).unwrap();
    for option in chosen.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn hourly_training_by_cron_trains() {
    let user = reader();
    let fences = pages().remove("docs/paperless-ngx.md").unwrap();
    let mut tables = fences.iter().filter(|fence| fence.kind == Some(Kind::Crontab));
    let line = tables.next().unwrap().text.trim().to_owned();
    let fields: Vec<&str> = line.splitn(6, ' ').collect();
    assert!(
        fields[..5]
            .iter()
            .all(|field| *field == "*" || field.parse::<u8>().is_ok()),
        "{line}"
    );
    succeeds(&user, fields[5]);
    assert!(user.model().is_file());
    let model = fs::read(user.model()).unwrap();
    succeeds(&user, fields[5]);
    assert_eq!(fs::read(user.model()).unwrap(), model);
}

#[test]
fn hourly_training_by_systemd_trains() {
    let user = reader();
    let page = "docs/paperless-ngx.md";
    let service = file(page, "postroom-train.service");
    let command = service
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/"));
    succeeds(&user, command.unwrap());
    assert!(user.model().is_file());
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        not_present("systemd-analyze, which checks units");
        return;
    }
    let here = service.replace("/usr/local/bin", &user.path("bin").display().to_string());
    let units = [
        ("postroom-train.service", here),
        ("postroom-train.timer", file(page, "postroom-train.timer")),
    ];
    for (name, unit) in &units {
        fs::write(user.path(name), unit).unwrap();
    }
    let verified = Command::new("systemd-analyze")
        .arg("verify")
        .args(units.map(|(name, _)| user.path(name)))
        .output()
        .unwrap();
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

mod recipe {
    //! The script that paperless-ngx calls, against a server that speaks the part of its API that the script uses.

    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use serde_json::{Value, json};

    use super::*;

    /// What the script sent: method and path, the authorization, the body.
    struct Request {
        head: String,
        authorization: String,
        body: String,
    }

    fn read(stream: &TcpStream) -> Request {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            let value = |line: &String| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then(|| value.to_owned())
            };
            lines.iter().find_map(value)
        };
        let n_bytes = header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; n_bytes];
        reader.read_exact(&mut body).unwrap();
        Request {
            head: lines[0].clone(),
            authorization: header("authorization").unwrap_or_default(),
            body: String::from_utf8(body).unwrap(),
        }
    }

    /// Answers every request with the document, and returns what was asked once nobody asks any more.
    fn serve(listener: &TcpListener, document: &Value) -> Vec<Request> {
        let mut requests = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&stream);
            if request.head.starts_with("STOP") {
                break;
            }
            let body = document.to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).unwrap();
            requests.push(request);
        }
        requests
    }

    /// Runs the script as paperless-ngx does, for a document that is filed like this; what it asked of the server.
    fn consumed(document: &Value) -> Option<Vec<Request>> {
        if Command::new("python3").arg("--version").output().is_err() {
            not_present("python3");
            return None;
        }
        let user = reader();
        let page = "docs/paperless-ngx.md";
        user.train_with(&["--secret-key-file", "secret.key"]).succeeded();
        user.file("token", "abc123\n");
        fs::write(user.path("script"), file(page, "post-consume.py")).unwrap();
        copy_program(&user.path("script"), &user.path("post-consume.py"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let document = document.clone();
        let server = thread::spawn(move || serve(&listener, &document));
        let settings = file(page, "paperless.conf").replace("localhost:8000", &address.to_string());
        let script = format!("set -a\n{settings}\nDOCUMENT_ID=41\n\"$PAPERLESS_POST_CONSUME_SCRIPT\"");
        let run: Run = shell(&user, &script).output().unwrap().into();
        write!(TcpStream::connect(address).unwrap(), "STOP\r\n\r\n").unwrap();
        let requests = server.join().unwrap();
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("postroom: {"), "{}", run.stdout);
        Some(requests)
    }

    #[test]
    fn new_document_is_filed_and_keeps_its_tags() {
        let document = json!({
            "id": 41, "content": content(0), "correspondent": null, "document_type": null, "storage_path": null,
            "tags": [7],
        });
        let Some(requests) = consumed(&document) else {
            return;
        };
        let heads: Vec<&str> = requests.iter().map(|request| request.head.as_str()).collect();
        assert_eq!(
            heads,
            [
                "GET /api/documents/41/ HTTP/1.1",
                "PATCH /api/documents/41/ HTTP/1.1"
            ]
        );
        assert!(
            requests
                .iter()
                .all(|request| request.authorization == "Token abc123")
        );
        let changes: Value = serde_json::from_str(&requests[1].body).unwrap();
        assert_eq!(
            changes,
            json!({"correspondent": 1, "document_type": 1, "tags": [1, 7]})
        );
    }

    #[test]
    fn document_that_is_filed_stays_as_it_is() {
        let document = json!({
            "id": 41, "content": content(0), "correspondent": 2, "document_type": 2, "storage_path": 5,
            "tags": [1, 7],
        });
        let Some(requests) = consumed(&document) else {
            return;
        };
        assert_eq!(requests.len(), 1);
    }
}
