//! A process that saves: the same test binary, told by its environment what to do.
#![expect(clippy::print_stdout, reason = "how a child is heard")]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs, process};

use postroom::model::Model;
use postroom::model_file::{self, ModelFileError};

use crate::small_model::key;

/// The folder with the two models that are saved, and their names.
pub(crate) const SOURCE_FOLDER: &str = "sources";
pub(crate) const SOURCES: [&str; 2] = ["first", "second"];

/// Exit code of a child that couldn't save.
pub(crate) const REFUSED: i32 = 3;
/// Exit code where the fault itself couldn't be had.
pub(crate) const NOT_PERMITTED: i32 = 77;

/// Whom a child of root becomes.
pub(crate) const NOBODY: u32 = 65_534;

const ROLE: &str = "POSTROOM_TEST_ROLE";
const DIRECTORY: &str = "POSTROOM_TEST_DIRECTORY";
const READY: &str = "ready to be killed";

/// How a child saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Saves the two models in turn until it is killed.
    Forever,
    /// Saves the second.
    Once,
    /// Fills the disk and tries to save.
    OnFullDisk,
}

/// A process to be started.
pub(crate) struct Child {
    program: PathBuf,
    arguments: Vec<OsString>,
    role: Role,
    directory: PathBuf,
    is_nobody: bool,
}

impl Child {
    /// Which plays its role in `directory` instead of running `test`.
    pub(crate) fn new(role: Role, test: &str, directory: &Path) -> Self {
        Self {
            program: env::current_exe().unwrap(),
            arguments: ["--exact", test, "--nocapture", "--test-threads=1"]
                .map(OsString::from)
                .into(),
            role,
            directory: directory.to_path_buf(),
            is_nobody: false,
        }
    }

    /// Started by another program, which gets the child's command as its last arguments.
    pub(crate) fn through(mut self, command: &[&str]) -> Self {
        let own = std::iter::once(OsString::from(self.program)).chain(self.arguments);
        self.arguments = command[1..].iter().map(OsString::from).chain(own).collect();
        self.program = command[0].into();
        self
    }

    /// As a user without privileges: root becomes one, anybody else is one.
    pub(crate) fn by_nobody(mut self) -> Self {
        if is_root() {
            // The binary may lie where nobody else can reach it. It is copied by another process: what this one has
            // open for writing, a child that another test starts just now would have as well, and a program that
            // somebody has open for writing can't be started.
            let program = self.directory.join("test-binary");
            let copied = Command::new("cp").arg(&self.program).arg(&program).status();
            assert!(copied.unwrap().success());
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            self.program = program;
            self.is_nobody = true;
        }
        self
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env(ROLE, format!("{:?}", self.role))
            .env(DIRECTORY, &self.directory);
        if self.is_nobody {
            command.current_dir("/").uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Waits for its end.
    pub(crate) fn output(&self) -> Output {
        self.command().output().unwrap()
    }

    /// Returns when it has begun to save.
    pub(crate) fn start_saving(&self) -> Saving {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_ready = lines.any(|line| line.unwrap().contains(READY));
        assert!(is_ready, "the child ended before it saved");
        Saving(child)
    }
}

/// A process that saves.
pub(crate) struct Saving(process::Child);

impl Saving {
    /// By SIGKILL, which no process can do anything about.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Saving {
    /// Where the test failed before it killed the process. One that is killed already can't be killed again.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn said(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}: {stdout}{stderr}", output.status)
}

/// The owner of what this process has open.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// In a child, plays the role and never returns.
pub(crate) fn run_if_asked() {
    let Some(role) = env::var_os(ROLE) else {
        return;
    };
    let directory = PathBuf::from(env::var_os(DIRECTORY).unwrap());
    let models = SOURCES.map(|name| source(&directory, name));
    let kept = directory.join("kept/model.postroom");
    let code = match role.to_str().unwrap() {
        "Forever" => save_forever(&models, &kept),
        "Once" => report(model_file::save(&models[1], &kept, &key())),
        "OnFullDisk" => save_on_full_disk(&models, &directory.join("disk")),
        role => panic!("no such role: {role}"),
    };
    process::exit(code);
}

fn source(directory: &Path, name: &str) -> Model {
    let bytes = fs::read(directory.join(SOURCE_FOLDER).join(name)).unwrap();
    model_file::from_bytes(&bytes, &key()).unwrap()
}

fn report(saved: Result<(), ModelFileError>) -> i32 {
    match saved {
        Ok(()) => 0,
        Err(error) => {
            println!("{error}");
            REFUSED
        }
    }
}

fn save_forever(models: &[Model; 2], path: &Path) -> i32 {
    println!("\n{READY}");
    std::io::stdout().flush().unwrap();
    loop {
        for model in models {
            if let Err(error) = model_file::save(model, path, &key()) {
                println!("{error}");
                return REFUSED;
            }
        }
    }
}

/// Checked here: nobody outside the namespace sees the disk.
fn save_on_full_disk(models: &[Model; 2], disk: &Path) -> i32 {
    let path = disk.join("model.postroom");
    model_file::save(&models[0], &path, &key()).unwrap();
    let filler = disk.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    for _ in 0..20 {
        let error = model_file::save(&models[1], &path, &key()).unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
        let saved = model_file::load(&path, &key()).unwrap().unwrap();
        assert!(saved == models[0], "the model was lost");
        assert_eq!(fs::read_dir(disk).unwrap().count(), 2, "the model and the filler");
    }
    fs::remove_file(filler).unwrap();
    model_file::save(&models[1], &path, &key()).unwrap();
    let saved = model_file::load(&path, &key()).unwrap().unwrap();
    assert!(saved == models[1], "there is room again");
    0
}
