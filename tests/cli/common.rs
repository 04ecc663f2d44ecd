//! A user with an archive, a home directory of their own, and the command.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use postroom::document::{DocumentId, Field, LabelId};
use postroom::store::{NewDocument, NewLabel, SqliteArchive};
use tempfile::TempDir;

/// A name that no line has room for, with what would turn a terminal red.
pub(crate) const LONG_NAME: &str = "correspondence with authorities of every kind about everything that they might \
                                    ever want to know\u{1b}[31m";

/// A directory with an archive; home is below it.
pub(crate) struct User {
    directory: TempDir,
}

/// What a run of the command led to.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl User {
    /// Without an archive.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("home")).unwrap();
        Self { directory }
    }

    /// With an archive of forty filed documents (1 to 40), two in the inbox (41 and 42) and one in the trash (43).
    pub(crate) fn with_archive() -> Self {
        let user = Self::new();
        fill(&mut SqliteArchive::create(user.db()).unwrap());
        user
    }

    /// With an archive and a model that was trained on it.
    pub(crate) fn with_model() -> Self {
        let user = Self::with_archive();
        user.train().succeeded();
        user
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.path("db.sqlite3")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.path("model.postroom")
    }

    pub(crate) fn default_key(&self) -> PathBuf {
        self.path("home/.config/postroom/secret.key")
    }

    /// Writes a file and returns its name.
    pub(crate) fn file<'n>(&self, name: &'n str, content: impl AsRef<[u8]>) -> &'n str {
        fs::write(self.path(name), content).unwrap();
        name
    }

    /// The command in the user's directory; nothing of the tests' own environment reaches it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command
            .args(arguments)
            .current_dir(&self.directory)
            .env("HOME", self.path("home"))
            .stdin(Stdio::null());
        for inherited in [
            "COLUMNS",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "POSTROOM_SECRET_KEY",
            "POSTROOM_DB_PASSWORD",
            "POSTROOM_DB_PASSWORD_FILE",
            "XDG_CONFIG_HOME",
        ] {
            command.env_remove(inherited);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.command(arguments).output().unwrap().into()
    }

    pub(crate) fn run_with_key(&self, key: &str, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        command.env("POSTROOM_SECRET_KEY", key).output().unwrap().into()
    }

    /// Runs as a user to whom the operating system refuses what permissions say. Where that isn't who runs the tests,
    /// and no program can run another program as somebody else, says so.
    pub(crate) fn run_as_anybody(&self, arguments: &[&str]) -> Option<Run> {
        if !is_refused_nothing() {
            return Some(self.run(arguments));
        }
        // Whoever it is must get as far as to what is refused.
        for directory in ["", "home", "home/.config", "home/.config/postroom"] {
            if self.path(directory).is_dir() {
                set_mode(&self.path(directory), 0o755);
            }
        }
        let copy = tempfile::tempdir().unwrap();
        set_mode(copy.path(), 0o755);
        let program = copy.path().join("postroom");
        copy_program(env!("CARGO_BIN_EXE_postroom").as_ref(), &program);
        if self.model().exists() {
            set_mode(&self.model(), 0o644);
        }
        let mut command = self.command(&[]);
        let mut somebody = Command::new("setpriv");
        somebody
            .args([
                &format!("--reuid={NOBODY}"),
                &format!("--regid={NOBODY}"),
                "--clear-groups",
            ])
            .arg(program)
            .args(arguments)
            .current_dir(&self.directory)
            .env("HOME", self.path("home"))
            // Where coverage is measured: somebody else may not write what was counted.
            .env("LLVM_PROFILE_FILE", "/dev/null")
            .stdin(Stdio::null());
        for (name, value) in command.stdin(Stdio::null()).get_envs() {
            if value.is_none() {
                somebody.env_remove(name);
            }
        }
        match somebody.output() {
            Ok(output) => Some(output.into()),
            Err(error) => {
                not_present(&format!("setpriv, to run as another user than root ({error})"));
                None
            }
        }
    }

    /// Runs with `input` on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().into()
    }

    pub(crate) fn train(&self) -> Run {
        self.train_with(&[])
    }

    pub(crate) fn train_with(&self, more: &[&str]) -> Run {
        let usual = ["train", "--db", "db.sqlite3", "--model", "model.postroom"];
        self.run(&[&usual, more].concat())
    }

    pub(crate) fn predict(&self, more: &[&str]) -> Run {
        self.run(&[&["predict", "--model", "model.postroom"], more].concat())
    }

    /// Every file with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        collect(self.directory.path(), &mut found);
        found
    }
}

fn collect(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    /// The one line that says what is wrong, which contains every one of `parts`.
    #[track_caller]
    pub(crate) fn failed_saying(&self, parts: &[&str]) {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        let errors: Vec<&str> = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("error: "))
            .collect();
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        assert!(
            self.stderr.ends_with(&format!("{}\n", errors[0])),
            "{}",
            self.stderr
        );
        for part in parts {
            assert!(errors[0].contains(part), "no {part:?} in: {}", errors[0]);
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// The text of document `at`: what its labels go by, and a little noise.
pub(crate) fn content(at: usize) -> String {
    let sender = ["kilowatt meter tariff", "overdue loan shelf", ""][at % 3];
    let kind = ["amount payable vat", "unpaid notice again"][at % 2];
    let noise = ["please", "regards", "number", "page", "date"][at * 7 % 5];
    let tag = if at.is_multiple_of(4) { "deduct fiscal" } else { "" };
    format!("{noise} {sender} {kind} {tag}")
}

fn document(content: &str) -> NewDocument<'_> {
    NewDocument {
        title: "",
        content,
        modified: Timestamp::from_second(1_700_000_000).unwrap(),
        correspondent: None,
        document_type: None,
        storage_path: None,
    }
}

fn fill(archive: &mut SqliteArchive) {
    let labels = |archive: &mut SqliteArchive, field, names: &[&str]| -> Vec<LabelId> {
        let add = |name: &&str| archive.add_label(field, &NewLabel::auto(name)).unwrap();
        names.iter().map(add).collect()
    };
    let senders = labels(
        archive,
        Field::Correspondent,
        &["Northwind Energy", "City Library"],
    );
    let types = labels(archive, Field::DocumentType, &["Invoice", "Reminder"]);
    let tax = labels(archive, Field::Tags, &[LONG_NAME])[0];
    let inbox = archive.add_label(Field::Tags, &NewLabel::inbox("new")).unwrap();
    for at in 0..43 {
        let content = content(at);
        let filed = at < 40;
        let ids = archive
            .add_documents(&[NewDocument {
                correspondent: senders.get(at % 3).copied().filter(|_| filed),
                document_type: Some(types[at % 2]).filter(|_| filed),
                ..document(&content)
            }])
            .unwrap();
        let tag = if filed { tax } else { inbox };
        if !filed || at.is_multiple_of(4) {
            archive.add_tags(&[(ids[0], tag)]).unwrap();
        }
    }
    archive.trash(DocumentId(43)).unwrap();
}

/// An archive of six documents that all have one tag.
pub(crate) fn small_archive(path: &Path, tag: &NewLabel<'_>) {
    let mut archive = SqliteArchive::create(path).unwrap();
    let tag = archive.add_label(Field::Tags, tag).unwrap();
    let ids = archive
        .add_documents(&["one", "two", "three", "four", "five", "six"].map(document))
        .unwrap();
    let tagged: Vec<_> = ids.iter().map(|&id| (id, tag)).collect();
    archive.add_tags(&tagged).unwrap();
}

/// An archive whose tags have nothing to do with its contents, so that learning them by heart takes long: all
/// 200 epochs, five seconds on one thread, of which a test waits for the first moments.
pub(crate) fn tedious_archive(path: &Path) {
    let mut archive = SqliteArchive::create(path).unwrap();
    let tags: Vec<LabelId> = (0..60)
        .map(|tag| {
            archive
                .add_label(Field::Tags, &NewLabel::auto(&format!("tag {tag}")))
                .unwrap()
        })
        .collect();
    let mut state = 1_u64;
    // Knuth's constants (MMIX); the upper bits are the random ones.
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let contents: Vec<String> = (0..4_000)
        .map(|_| {
            let words: Vec<String> = (0..200).map(|_| format!("word{}", random(1_500))).collect();
            words.join(" ")
        })
        .collect();
    let documents: Vec<_> = contents.iter().map(|content| document(content)).collect();
    let ids = archive.add_documents(&documents).unwrap();
    let tagged: Vec<_> = ids
        .iter()
        .flat_map(|&id| tags.iter().map(move |&tag| (id, tag)))
        .filter(|_| random(4) == 0)
        .collect();
    archive.add_tags(&tagged).unwrap();
}

/// Whether the operating system refuses nothing to this user.
fn is_refused_nothing() -> bool {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "text").unwrap();
    refuse(&path);
    fs::read(&path).is_ok()
}

/// Copies a program by another process: what this one has open for writing, a child that another test starts just now would
/// have as well, and a program that somebody has open for writing can't be started.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status();
    assert!(copied.unwrap().success());
    set_mode(to, 0o755);
}

/// A user without rights, as Linux and other systems know it.
const NOBODY: &str = "65534";

/// Takes all permissions off a file.
pub(crate) fn refuse(path: &Path) {
    set_mode(path, 0);
}

#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Nothing to refuse by.
#[cfg(not(unix))]
pub(crate) fn set_mode(_: &Path, _: u32) {}

/// What a terminal would show of a command line; none where no program plays terminal.
pub(crate) fn on_a_terminal(user: &User, arguments: &str, variables: &[(&str, &str)]) -> Option<String> {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_postroom"));
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .current_dir(user.path(""))
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .env("HOME", user.path("home"))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            not_present(&format!("the program script, which plays terminal ({error})"));
            None
        }
    }
}

/// Says that a test can't be made here.
#[expect(
    clippy::print_stderr,
    reason = "a test that wasn't made must not look like one that was"
)]
pub(crate) fn not_present(what: &str) {
    eprintln!("not present: {what}");
}
