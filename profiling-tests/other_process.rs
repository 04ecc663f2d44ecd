//! A scenario measured by two processes that take turns, each with this program or another build of it.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use profiling_toolkit::turns::{Partner, take_turns};

use crate::baseline;
use crate::report::figure::Figure;
use crate::scratch::ScratchDirectory;
use crate::settings;

/// How often a process that takes no turn any more is asked whether it has ended.
const POLL: Duration = Duration::from_millis(10);

/// What it says beside its report.
const OUTPUT: &str = "output.txt";

/// The processes, as far as this one has to end them.
#[derive(Debug)]
struct Others {
    running: Vec<Child>,
    /// None is started any more.
    are_stopped: bool,
}

static OTHERS: Mutex<Others> = Mutex::new(Others {
    running: Vec::new(),
    are_stopped: false,
});

/// The scenario's figures as both programs measure them, in turn, with the settings of this process.
///
/// # Errors
/// If one can't be started, fails, or is ended by [`stop`].
pub(crate) fn measure_in_turn(
    programs: [&Path; 2],
    scenario: &str,
) -> Result<[Vec<Figure>; 2], Box<dyn Error>> {
    let measuring = [Measuring::new(programs[0])?, Measuring::new(programs[1])?];
    let mut processes = Vec::new();
    take_turns(&measuring, |measuring| -> Result<Partner, Box<dyn Error>> {
        let (process, partner) = measuring.start(scenario)?;
        processes.push(process);
        Ok(partner)
    })?;
    for (measuring, process) in measuring.iter().zip(&processes) {
        measuring.succeeded(process.end()?)?;
    }
    let [first, second] = measuring.map(|measuring| measuring.figures(scenario));
    Ok([first?, second?])
}

/// Ends the processes, if there are any, and lets none begin from now on: this one is about to end.
pub(crate) fn stop() {
    let mut others = others();
    others.are_stopped = true;
    for child in &mut others.running {
        // What it leaves lies in this process's directory.
        let _ended = child.kill().and_then(|()| child.wait());
    }
}

/// A program that measures, and where it leaves what it finds.
struct Measuring<'a> {
    program: &'a Path,
    directory: ScratchDirectory,
}

impl<'a> Measuring<'a> {
    fn new(program: &'a Path) -> Result<Self, Box<dyn Error>> {
        let directory = ScratchDirectory::create()?;
        Ok(Self { program, directory })
    }

    fn start(&self, scenario: &str) -> Result<(Process, Partner), Box<dyn Error>> {
        let directory = self.directory.path();
        let output = File::create(directory.join(OUTPUT))?;
        let (partner, line) = Partner::new()?;
        let mut command = Command::new(self.program);
        command
            .args(["--include-ignored", "--exact", scenario])
            .env("PROFILING_DIR", directory)
            // What it makes up goes with this process's, however either ends.
            .env("TMPDIR", directory)
            .env("PROFILING_BRIEF", "on")
            .env(settings::TURNS, "on")
            .env("PROFILING_BUDGETS", "off")
            .env_remove("PROFILING_BASELINE")
            .env_remove("PROFILING_SAVE_BASELINE")
            .stdin(line)
            .stderr(output.try_clone()?)
            .stdout(output);
        match Process::start(command) {
            Ok(process) => Ok((process, partner)),
            Err(error) => Err(format!("{}: {error}", self.program.display()).into()),
        }
    }

    fn succeeded(&self, status: ExitStatus) -> Result<(), Box<dyn Error>> {
        if status.success() {
            return Ok(());
        }
        let output = fs::read(self.directory.path().join(OUTPUT))?;
        let said = String::from_utf8_lossy(&output);
        let reason = said.lines().find(|line| line.to_lowercase().contains("error"));
        Err(format!(
            "{}: {status} {}",
            self.program.display(),
            reason.unwrap_or_default()
        )
        .into())
    }

    fn figures(&self, scenario: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
        baseline::saved_figures(self.directory.path(), scenario)
    }
}

/// One of the [`OTHERS`], which ends with its owner at the latest.
struct Process {
    id: u32,
}

impl Process {
    fn start(mut command: Command) -> io::Result<Self> {
        let mut others = others();
        if others.are_stopped {
            return Err(interrupted());
        }
        let child = command.spawn()?;
        let id = child.id();
        others.running.push(child);
        Ok(Self { id })
    }

    /// Waits for its end.
    fn end(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.try_end()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
    }

    fn try_end(&self) -> io::Result<Option<ExitStatus>> {
        let mut others = others();
        if others.are_stopped {
            return Err(interrupted());
        }
        let place = others.place_of(self.id).expect("it is there until it has ended");
        if others.running[place].try_wait()?.is_none() {
            return Ok(None);
        }
        others.running.swap_remove(place).wait().map(Some)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut others = others();
        if let Some(place) = others.place_of(self.id) {
            let mut child = others.running.swap_remove(place);
            let _ended = child.kill().and_then(|()| child.wait());
        }
    }
}

impl Others {
    fn place_of(&self, id: u32) -> Option<usize> {
        self.running.iter().position(|child| child.id() == id)
    }
}

fn interrupted() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "interrupted")
}

fn others() -> MutexGuard<'static, Others> {
    OTHERS.lock().unwrap_or_else(PoisonError::into_inner)
}
