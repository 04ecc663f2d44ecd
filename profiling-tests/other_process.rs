//! A scenario measured by a process of its own, with this program or another build of it.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::baseline;
use crate::report::figure::Figure;
use crate::scratch::ScratchDirectory;

/// How often the process is asked whether it is done.
const POLL: Duration = Duration::from_millis(10);

/// What it says beside its report.
const OUTPUT: &str = "output.txt";

/// The process, as far as this one has to end it.
#[derive(Debug)]
enum Other {
    None,
    Running(Child),
    /// None is started any more.
    Stopped,
}

static OTHER: Mutex<Other> = Mutex::new(Other::None);

/// The scenario's figures as `program` measures them, briefly, with the settings of this process.
///
/// # Errors
/// If it can't be started, fails, or is ended by [`stop`].
pub(crate) fn measure(program: &Path, scenario: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
    let directory = ScratchDirectory::create()?;
    let output_path = directory.path().join(OUTPUT);
    let output = File::create(&output_path)?;
    let mut command = Command::new(program);
    command
        .args(["--include-ignored", "--exact", scenario])
        .env("PROFILING_DIR", directory.path())
        // What it makes up goes with this process's, however either ends.
        .env("TMPDIR", directory.path())
        .env("PROFILING_BRIEF", "on")
        .env("PROFILING_BUDGETS", "off")
        .env_remove("PROFILING_BASELINE")
        .env_remove("PROFILING_SAVE_BASELINE")
        .stdin(Stdio::null())
        .stderr(output.try_clone()?)
        .stdout(output);
    let status = run(command).map_err(|error| format!("{}: {error}", program.display()))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&fs::read(&output_path)?).into_owned();
        let reason = said.lines().find(|line| line.to_lowercase().contains("error"));
        return Err(format!("{}: {status} {}", program.display(), reason.unwrap_or_default()).into());
    }
    baseline::saved_figures(directory.path(), scenario)
}

/// Ends the process, if there is one, and lets none begin from now on: this one is about to end.
pub(crate) fn stop() {
    let before = std::mem::replace(&mut *other(), Other::Stopped);
    if let Other::Running(mut child) = before {
        // What it leaves lies in this process's directory.
        let _ended = child.kill().and_then(|()| child.wait());
    }
}

/// Runs the command to its end.
fn run(mut command: Command) -> io::Result<ExitStatus> {
    let stopped = || io::Error::new(io::ErrorKind::Interrupted, "interrupted");
    {
        let mut other = other();
        if matches!(*other, Other::Stopped) {
            return Err(stopped());
        }
        *other = Other::Running(command.spawn()?);
    }
    loop {
        thread::sleep(POLL);
        let mut other = other();
        let Other::Running(child) = &mut *other else {
            return Err(stopped());
        };
        if let Some(status) = child.try_wait()? {
            *other = Other::None;
            return Ok(status);
        }
    }
}

fn other() -> MutexGuard<'static, Other> {
    OTHER.lock().unwrap_or_else(PoisonError::into_inner)
}
