//! The command with archives on servers: answers as from a file, one clear line where there is none, and a password
//! that nobody sees.

use std::fs;
use std::net::TcpListener;
use std::process::Command;

use crate::common::{Run, User};
use crate::fences::Kind;
use crate::server_common::copy::copy;
use crate::server_common::{Database, PASSWORD, on_each_server};

const KEY: &str = "a key of more than sixteen bytes";

/// Runs with the password in the environment, and with as much on standard error as there can be.
fn run(user: &User, arguments: &[&str]) -> Run {
    let mut command = user.command(&[arguments, &["-vv"]].concat());
    command
        .env("POSTROOM_DB_PASSWORD", PASSWORD)
        .env("POSTROOM_SECRET_KEY", KEY);
    let run: Run = command.output().unwrap().into();
    assert!(!shows(&run, PASSWORD), "{}{}", run.stdout, run.stderr);
    run
}

fn shows(run: &Run, secret: &str) -> bool {
    run.stdout.contains(secret) || run.stderr.contains(secret)
}

/// The verbs that read an archive.
fn verbs(url: &str) -> [Vec<&str>; 3] {
    [
        vec!["train", "--model", "model.postroom", "--db", url],
        vec!["evaluate", "--db", url],
        vec!["profile", "--db", url],
    ]
}

#[track_caller]
fn every_verb_fails(user: &User, url: &str, parts: &[&str]) {
    let before = user.files();
    for verb in verbs(url) {
        run(user, &verb).failed_saying(parts);
    }
    assert_eq!(user.files(), before);
}

#[test]
fn answers_are_those_from_a_file() {
    let user = User::with_archive();
    let train = ["train", "--model", "model.postroom", "--db"];
    let evaluate = ["evaluate", "--json", "--folds", "2", "--db"];
    let predict = [
        "predict",
        "--model",
        "model.postroom",
        "--json",
        "--inbox",
        "--db",
    ];
    let with = |verb: &[&str], db: &str| run(&user, &[verb, &[db]].concat()).succeeded();
    with(&train, "db.sqlite3");
    let model = fs::read(user.model()).unwrap();
    let [evaluated, predicted] = [&evaluate[..], &predict].map(|verb| with(verb, "db.sqlite3").stdout);
    on_each_server(|server| {
        let database = copy(server, &user.db());
        let url = database.url();
        fs::remove_file(user.model()).unwrap();
        assert!(with(&train, &url).stdout.starts_with("learned from 40 documents"));
        assert!(fs::read(user.model()).unwrap() == model);
        assert!(with(&train, &url).stdout.starts_with("unchanged"));
        assert_eq!(with(&evaluate, &url).stdout, evaluated);
        assert_eq!(with(&predict, &url).stdout, predicted);
        assert_eq!(
            with(&["profile", "--json", "--db"], &url).json()["n_documents"],
            40
        );
        let missing = [
            "predict",
            "--model",
            "model.postroom",
            "--ids",
            "1,99",
            "--db",
            &url,
        ];
        run(&user, &missing).failed_saying(&[&url, "there is no document 99"]);
    });
}

/// The pages' examples of this kind.
fn examples(page: &str) -> Vec<String> {
    let fences = crate::fences::pages().remove(page).unwrap();
    let for_servers = fences
        .into_iter()
        .filter(|fence| fence.kind == Some(Kind::Server));
    for_servers.map(|fence| fence.text).collect()
}

#[test]
fn example_of_the_readme_evaluates() {
    const URL: &str = "postgres://paperless@localhost:5432/paperless";
    const SECRET: &str = "/run/secrets/db_password";
    on_each_server(|server| {
        let user = User::with_archive();
        let database = copy(server, &user.db());
        user.file("secret", format!("{PASSWORD}\n"));
        let [example] = examples("README.md").try_into().unwrap();
        for part in [URL, SECRET, "target/release/postroom"] {
            assert!(example.contains(part), "{part}: {example}");
        }
        let script = example
            .replace(URL, &database.url())
            .replace(SECRET, "secret")
            .replace("target/release/postroom", env!("CARGO_BIN_EXE_postroom"));
        let mut shell = Command::new("sh");
        shell.args(["-euc", &script]).current_dir(user.path(""));
        let run: Run = shell.output().unwrap().into();
        run.succeeded();
    });
}

/// A user who may do no more than the page grants can learn.
#[test]
fn example_of_a_user_who_only_reads_suffices() {
    let [sql] = examples("docs/servers.md").try_into().unwrap();
    let (postgres, mariadb) = sql.split_once("-- MariaDB").unwrap();
    on_each_server(|server| {
        let user = User::with_archive();
        let database = copy(server, &user.db());
        let own = database.user("reader");
        let grant = server
            .kind
            .choose(postgres, mariadb)
            .replace("'…'", &format!("'{PASSWORD}'"))
            .replace("paperless.*", &format!("{}.*", database.name))
            .replace("ROLE postroom", &format!("ROLE {own}"))
            .replace("USER postroom", &format!("USER {own}"))
            .replace("TO postroom", &format!("TO {own}"));
        assert!(!grant.contains("postroom"), "{grant}");
        database.run(&grant);
        run(&user, &["profile", "--db", &database.url_of(&own)]).succeeded();
    });
}

#[test]
fn password_may_be_in_a_file() {
    on_each_server(|server| {
        let user = User::with_archive();
        let database = copy(server, &user.db());
        user.file("secret", format!("{PASSWORD}\n"));
        let profile = |file| -> Run {
            let mut command = user.command(&["profile", "--db", &database.url()]);
            command
                .env("POSTROOM_DB_PASSWORD_FILE", file)
                .output()
                .unwrap()
                .into()
        };
        profile("secret").succeeded();
        profile("no/such/file").failed_saying(&["POSTROOM_DB_PASSWORD_FILE is no/such/file", "may read"]);
    });
}

#[test]
fn wrong_password_says_where_it_is_taken_from() {
    on_each_server(|server| {
        let database = Database::with_tables(server);
        let user = User::new();
        for verb in verbs(&database.url()) {
            let mut command = user.command(&[&verb[..], &["-vv"]].concat());
            let run: Run = command
                .env("POSTROOM_DB_PASSWORD", "hunter2")
                .output()
                .unwrap()
                .into();
            assert!(!shows(&run, "hunter2"), "{}", run.stderr);
            run.failed_saying(&[
                &database.url(),
                "refuses the user or the password",
                "the value of POSTROOM_DB_PASSWORD, or in the file that POSTROOM_DB_PASSWORD_FILE names",
            ]);
        }
    });
}

#[test]
fn password_in_a_url_is_wrong_usage_and_not_repeated() {
    let user = User::new();
    for url in ["postgres://u:hunter2@h/d", "mysql://u:hunter2@h:1/d"] {
        let predict = vec!["predict", "--model", "model.postroom", "--inbox", "--db", url];
        for verb in verbs(url).into_iter().chain([predict]) {
            let run = user.run(&verb);
            assert_eq!(run.code, Some(2), "{}", run.stderr);
            assert!(!shows(&run, "hunter2"), "{}", run.stderr);
            assert!(run.stderr.contains("set POSTROOM_DB_PASSWORD"), "{}", run.stderr);
        }
    }
}

#[test]
fn url_of_something_else_says_what_is_expected() {
    let user = User::new();
    for (url, expected) in [
        ("oracle://u@h/d", "begins with postgres:// or mariadb://"),
        ("postgres://h/d", "expected postgres://user@host:port/database"),
        ("mariadb://u@h", "no valid database"),
        ("postgres://u@h/d?sslmode=require", "options after ? aren't taken"),
    ] {
        let run = user.run(&["evaluate", "--db", url]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[test]
fn server_that_is_down_is_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for scheme in ["postgres", "mariadb"] {
        let url = format!("{scheme}://paperless@127.0.0.1:{port}/paperless");
        every_verb_fails(
            &User::new(),
            &url,
            &[&url, "no such server answers", "check that it runs"],
        );
    }
}

#[test]
fn host_without_an_address_is_one_line() {
    for url in [
        "postgres://u@no-such-host.invalid/d",
        "mariadb://u@no-such-host.invalid/d",
    ] {
        every_verb_fails(
            &User::new(),
            url,
            &["no machine of that name is known", "check the name"],
        );
    }
}

#[test]
fn database_that_is_no_archive_is_one_line() {
    on_each_server(|server| {
        let user = User::new();
        let database = Database::empty(server);
        let fails = |parts: &[&str]| every_verb_fails(&user, &database.url(), parts);
        fails(&["belongs to another program", "documents_document"]);
        let elsewhere = database.url_to("elsewhere");
        every_verb_fails(&user, &elsewhere, &["there is no such database"]);
    });
}

#[test]
fn archive_that_there_is_nothing_to_learn_from_is_one_line() {
    on_each_server(|server| {
        let user = User::new();
        let database = Database::with_tables(server);
        let fails = |parts: &[&str]| every_verb_fails(&user, &database.url(), parts);
        fails(&["no label is assigned automatically"]);
        database.run("INSERT INTO documents_tag (id, name, is_inbox_tag, matching_algorithm) VALUES (1, 'tax', false, 6)");
        fails(&["No training data available"]);
        let stranger = database.add_user(
            "_stranger",
            server.kind.choose("", "GRANT SELECT ON mysql.db TO {user}"),
        );
        let parts = server
            .kind
            .choose("may not read table documents_document", "may not use it");
        every_verb_fails(&user, &database.url_of(&stranger), &[parts]);
    });
}
