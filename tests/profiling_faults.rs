//! What the profiling tests promise when something goes wrong: an interruption, a panic, an error, a full disk.
//!
//! Whatever ends a run, reports that were finished are whole, and temporary files don't stay.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod profiling_run;
#[cfg(unix)]
mod signals;

use std::fs::{self, File};
use std::io::{PipeWriter, Write as _};
#[cfg(target_os = "linux")]
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use profiling_run::{Run, command};
use serde_json::Value;
use tempfile::TempDir;

/// So many documents take longer to write than a signal takes to arrive.
const MANY: (&str, &str) = ("PROFILING_DOCS", "400000");

/// Gives up on something that must happen. Far longer than it takes anywhere.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the names of scratch directories begin with.
const SCRATCH: &str = "postroom-profiling-";

/// A run that is under way.
struct Running {
    directory: TempDir,
    child: Child,
}

impl Running {
    fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_with(arguments, variables, None)
    }

    /// Its output goes to files, since nobody empties a pipe meanwhile; stderr elsewhere if given.
    fn start_with(arguments: &[&str], variables: &[(&str, &str)], stderr: Option<PipeWriter>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = |name| File::create(directory.path().join(name)).unwrap();
        let to_file = file("stderr");
        let child = command(directory.path(), arguments, variables)
            .stdout(file("stdout"))
            .stderr(stderr.map_or_else(|| Stdio::from(to_file), Stdio::from))
            .spawn()
            .unwrap();
        Self { directory, child }
    }

    /// A run that is writing its corpus.
    fn writing_a_corpus() -> Self {
        let mut running = Self::start(&["--ignored", "training::train_memory"], &[MANY]);
        running.wait_for(|directory| {
            scratch_directories(directory).iter().any(|scratch| {
                let size = |name| fs::metadata(scratch.join(name)).map_or(0, |file| file.len());
                size("db.sqlite3") > 1 << 20
            })
        });
        running
    }

    #[track_caller]
    fn wait_for(&mut self, has_happened: impl Fn(&Path) -> bool) {
        let start = Instant::now();
        while !has_happened(self.directory.path()) {
            assert_eq!(self.child.try_wait().unwrap(), None, "{}", self.text("stderr"));
            assert!(start.elapsed() < PATIENCE, "{}", self.text("stderr"));
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it goes on: {}", self.text("stderr"));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only where an assertion has failed before its end; where it has ended there is nothing to kill.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn scratch_directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    let is_scratch = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(SCRATCH);
    entries.filter(is_scratch).collect()
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_the_corpus_is_written_leaves_nothing_behind() {
    signals::reach_what_is_started();
    let mut run = Running::writing_a_corpus();
    run.signal("INT");
    assert_eq!(run.end().code(), Some(130));
    let mut left: Vec<_> = fs::read_dir(run.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["stderr", "stdout"]);
    assert!(
        run.text("stderr").contains("interrupted by SIGINT"),
        "{}",
        run.text("stderr")
    );
}

#[cfg(unix)]
#[test]
fn other_ways_of_ending_a_run_have_their_own_exit_codes() {
    signals::reach_what_is_started();
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let mut run = Running::writing_a_corpus();
        run.signal(signal);
        assert_eq!(run.end().code(), Some(code));
        assert_eq!(
            scratch_directories(run.directory.path()),
            [""; 0].map(PathBuf::from)
        );
    }
}

#[cfg(unix)]
#[test]
fn interrupted_run_reports_what_was_finished() {
    let mut run = Running::start(&["--ignored", "training"], &[("PROFILING_DOCS", "1000")]);
    run.wait_for(|directory| directory.join("training.train_memory.svg").exists());
    run.signal("TERM");
    assert_eq!(run.end().code(), Some(143));

    let stdout = run.text("stdout");
    assert!(!stdout.contains("test result"), "it went on: {stdout}");
    let (_, report) = stdout.split_once("AT A GLANCE").expect("the report");
    assert!(report.contains("training::train_memory"), "{report}");
    assert!(run.directory.path().join("summary.txt").exists());
    assert_whole_reports(run.directory.path());
    assert_eq!(
        scratch_directories(run.directory.path()),
        [""; 0].map(PathBuf::from)
    );
}

/// The baseline's program is one that never ends.
#[cfg(target_os = "linux")]
#[test]
fn interrupted_comparison_ends_the_program_that_it_compares_with() {
    let saved = Run::in_environment(
        &["--ignored", "content_hash"],
        &[("PROFILING_SAVE_BASELINE", "main")],
    )
    .succeeded();
    let program = saved.directory.path().join("baselines/main/program");
    let pid = saved.directory.path().join("pid");
    fs::remove_file(&program).unwrap();
    let script = format!("#!/bin/sh\necho $$ > '{}'\nexec sleep 1000\n", pid.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();

    let reports = saved.directory.path().to_str().unwrap();
    let variables = [("PROFILING_BASELINE", "main"), ("PROFILING_DIR", reports)];
    let mut run = Running::start(&["--ignored", "content_hash"], &variables);
    run.wait_for(|_| fs::read_to_string(&pid).is_ok_and(|pid| pid.ends_with('\n')));
    run.signal("TERM");
    assert_eq!(run.end().code(), Some(143), "{}", run.text("stderr"));
    assert_eq!(
        scratch_directories(run.directory.path()),
        [""; 0].map(PathBuf::from)
    );
    let pid = fs::read_to_string(pid).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid} goes on");
}

/// Each scenario has all of its files or none, and each of them can be read.
fn assert_whole_reports(directory: &Path) {
    let mut n_reports = 0;
    for scenario in profiling_run::SCENARIOS {
        let file = |extension| directory.join(format!("{}.{extension}", scenario.replace("::", ".")));
        let present = ["txt", "json", "folded", "svg"].map(|extension| file(extension).exists());
        assert!(
            present == [true; 4] || present == [false; 4],
            "{scenario}: {present:?}"
        );
        if present[0] {
            let json: Value = serde_json::from_slice(&fs::read(file("json")).unwrap()).unwrap();
            assert_eq!(json["scenario"], scenario);
            let svg = fs::read_to_string(file("svg")).unwrap();
            assert!(svg.trim_end().ends_with("</svg>"), "{scenario}");
            n_reports += 1;
        }
    }
    assert!(n_reports > 0, "nothing was finished");
    let names = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let unfinished: Vec<_> = names
        .filter(|name| name.to_str().unwrap().starts_with(".tmp"))
        .collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

/// The first one's report can't be written here: its pipe is full, and nobody reads it.
#[cfg(target_os = "linux")]
#[test]
fn second_signal_ends_a_run_at_once_that_is_stuck_in_ending() {
    let (_reader, mut writer) = std::io::pipe().unwrap();
    let stderr = writer.try_clone().unwrap();
    thread::spawn(move || while writer.write_all(&[b' '; 4096]).is_ok() {});
    let mut run = Running::start_with(&["--ignored", "training::train_memory"], &[MANY], Some(stderr));
    run.wait_for(|directory| !scratch_directories(directory).is_empty());
    run.signal("TERM");
    run.wait_for(|directory| scratch_directories(directory).is_empty());
    run.signal("TERM");
    assert_eq!(run.end().code(), Some(143));
}

/// `kill -9` can't be seen coming. The lock tells the dead process's corpus from one that is in use.
#[cfg(target_os = "linux")]
#[test]
fn corpus_of_a_killed_run_is_removed_by_the_next_one_and_a_living_ones_is_not() {
    let mut killed = Running::writing_a_corpus();
    killed.signal("KILL");
    assert_eq!(killed.end().code(), None);
    let shared = killed.directory.path();
    let left = scratch_directories(shared);
    assert_eq!(left.len(), 1, "{left:?}");

    let living = shared.join(format!("{SCRATCH}1-living"));
    fs::create_dir(&living).unwrap();
    let lock = File::create(living.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let foreign = shared.join(format!("{SCRATCH}without-a-lock"));
    fs::create_dir(&foreign).unwrap();

    let next = command(shared, &["--ignored", "hash_cost"], &[])
        .output()
        .unwrap();
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
    let mut left = scratch_directories(shared);
    left.sort();
    assert_eq!(left, [living, foreign]);
}

/// All three controls in one run: what the first two leave behind, the third one meets.
fn controls() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| Run::with(&["--include-ignored", "control::"]))
}

#[test]
fn panicking_scenario_reports_its_message_and_what_it_had_found() {
    let run = controls();
    assert_eq!(run.output.status.code(), Some(101));
    let stdout = run.stdout();
    assert!(stdout.contains("---- control::panics ----"), "{stdout}");
    assert!(stdout.contains("on purpose, within both instruments"), "{stdout}");

    let report = run.json("control::panics");
    assert_eq!(report["failure"], "panicked: on purpose, within both instruments");
    assert_eq!(report["measurements"]["block"]["peak_bytes"], 12_345);
    let text = fs::read_to_string(run.file("control::panics", "txt")).unwrap();
    assert!(
        text.contains("it failed, and what follows is what it had found"),
        "{text}"
    );
    assert!(run.file("control::panics", "svg").is_file());
}

#[test]
fn failing_scenario_reports_its_error_and_what_it_had_found() {
    let run = controls();
    let report = run.json("control::fails");
    let failure = report["failure"].as_str().unwrap();
    assert!(failure.contains("no/such/archive.sqlite3"), "{failure}");
    assert_eq!(report["measurements"]["block"]["peak_bytes"], 12_345);
    assert!(
        run.stdout().contains("---- control::fails ----"),
        "{}",
        run.stdout()
    );
}

#[test]
fn scenarios_after_a_failed_one_measure_as_ever() {
    let run = controls();
    assert!(
        run.stdout().contains("test result: FAILED. 1 passed; 2 failed"),
        "{}",
        run.stdout()
    );
    let report = run.json("control::measures");
    assert_eq!(report["failure"], Value::Null);
    assert_eq!(report["measurements"]["block"]["peak_bytes"], 12_345);
}

#[test]
fn failed_scenario_loses_the_pictures_of_an_earlier_run() {
    let directory = tempfile::tempdir().unwrap();
    let earlier = directory.path().join("control.fails.earlier.svg");
    fs::write(&earlier, "<svg/>").unwrap();
    let status = command(directory.path(), &["--include-ignored", "control::fails"], &[])
        .output()
        .unwrap()
        .status;
    assert_eq!(status.code(), Some(101));
    assert!(directory.path().join("control.fails.svg").exists());
    assert!(!earlier.exists());
}

#[test]
fn controls_are_in_no_list_and_in_no_run_that_does_not_name_them() {
    for arguments in [
        &["--list"][..],
        &["--list", "--ignored"],
        &["--include-ignored", "control"],
    ] {
        let run = Run::with(arguments).succeeded();
        assert!(!run.stdout().contains("control::"), "{}", run.stdout());
    }
}
