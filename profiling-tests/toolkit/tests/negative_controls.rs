//! A program that is built wrongly is told so, and what it measures is right or refused: never a zero.
//!
//! `control`, a package beside this file, is built twice, each time with nothing of the toolkit's tests: as
//! cargo does by default, and with `RUSTFLAGS` in the environment. The first build takes 45 seconds of CPU time, later
//! ones a second.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use profiling_toolkit::environment::Environment;
use profiling_toolkit::symbols::UNKNOWN_FUNCTION;

/// A way to build the program.
struct Build {
    name: &'static str,
    /// Replaces the flags of `.cargo/config.toml`.
    rustflags: Option<&'static str>,
    /// Changes to cargo's profile.
    profile: &'static [&'static str],
}

/// As `cargo build` does where nobody says otherwise.
const UNOPTIMISED: Build = Build {
    name: "unoptimised",
    rustflags: None,
    profile: &[],
};

/// With flags that somebody set in the environment, for whatever purpose, in place of the project's.
const OTHER_FLAGS: Build = Build {
    name: "other-flags",
    rustflags: Some("-Cforce-frame-pointers=no"),
    profile: &[
        "profile.dev.opt-level=1",
        "profile.dev.debug-assertions=false",
        "profile.dev.overflow-checks=false",
        // What is asked for is that of the toolkit and the program; the rest is built faster without.
        "profile.dev.package.'*'.opt-level=0",
    ],
};

/// For both: what runs while building is built once.
const SHARED_PROFILE: [&str; 6] = [
    "profile.dev.debug=1",
    "profile.dev.incremental=false",
    // A fifth of the disk space.
    "profile.dev.package.'*'.debug=0",
    "profile.dev.build-override.debug=0",
    "profile.dev.build-override.debug-assertions=false",
    "profile.dev.build-override.overflow-checks=false",
];

const PROGRAM: &str = "profiling-control";
const WITHOUT_ALLOCATOR: &str = "profiling-control-bare";

impl Build {
    /// A copy of the program, built this way.
    fn program(&self, name: &str) -> Program {
        // <target directory>/<profile>/deps/<this binary>
        let this = std::env::current_exe().unwrap();
        let directory = this.ancestors().nth(3).unwrap().join("controls");
        fs::create_dir_all(&directory).unwrap();
        let program = Program::beside(&directory.join(self.name));
        // The next build goes to the same place, and may be another process's.
        let lock = File::create(directory.join("lock")).unwrap();
        lock.lock().unwrap();
        let target = Environment::capture().target;
        self.run_cargo(&directory, &target);
        fs::copy(directory.join(&target).join("debug").join(name), &program.0).unwrap();
        program
    }

    fn run_cargo(&self, directory: &Path, target: &str) {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        // With a target named, the flags are those of the program alone, and not of what runs while building.
        cargo
            .current_dir(workspace)
            .args([
                "build",
                "--package",
                PROGRAM,
                "--offline",
                "--locked",
                "--target",
                target,
            ])
            .arg("--target-dir")
            .arg(directory);
        for change in SHARED_PROFILE.iter().chain(self.profile) {
            cargo.args(["--config", change]);
        }
        for inherited in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
            cargo.env_remove(inherited);
        }
        cargo.envs(self.rustflags.map(|flags| ("RUSTFLAGS", flags)));
        let built = cargo.output().unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
    }
}

/// What a program printed, by name.
struct Findings(Vec<(String, String)>);

impl Findings {
    /// All but the one of a machine that others use, which any of them may bear.
    fn warnings(&self) -> Vec<&str> {
        let warnings = self.0.iter().filter(|(name, _)| name == "warning");
        let of_the_build = warnings.filter(|(_, text)| !text.starts_with("others use this machine"));
        of_the_build.map(|(_, text)| text.as_str()).collect()
    }

    #[track_caller]
    fn value(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(found, _)| found == name);
        &found.unwrap_or_else(|| panic!("no {name} in {:?}", self.0)).1
    }

    #[track_caller]
    fn assert_warned_of(&self, what: &str) {
        let warnings = self.warnings();
        assert!(
            warnings.iter().any(|warning| warning.contains(what)),
            "{warnings:?}"
        );
    }

    /// Whatever was wrong with the build, this is right.
    #[track_caller]
    fn assert_figures(&self) {
        assert_eq!(self.value("peak_bytes"), "1000000");
        assert_ne!(self.value("cpu_samples"), "0");
    }

    #[track_caller]
    fn assert_names(&self) {
        assert!(self.value("site").ends_with("::known_block"), "{:?}", self.0);
        assert!(self.value("function").ends_with("::known_work"), "{:?}", self.0);
    }
}

/// A file that can be run, of one test alone; removed when dropped.
struct Program(PathBuf);

impl Program {
    /// A new file whose name begins as this one's.
    fn beside(path: &Path) -> Self {
        static PROGRAMS: AtomicU32 = AtomicU32::new(0);
        let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
        Self(path.with_extension(format!("{}-{number}", std::process::id())))
    }

    /// A copy that `strip` has been at; none where there is no `strip`.
    #[expect(clippy::print_stderr, reason = "a test that could not be made says so")]
    fn stripped(&self, option: &str) -> Option<Self> {
        let stripped = Self::beside(&self.0);
        let mut strip = Command::new("strip");
        let Ok(output) = strip.arg(option).arg("-o").arg(&stripped.0).arg(&self.0).output() else {
            eprintln!("not present: strip");
            return None;
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Some(stripped)
    }

    /// What it prints.
    fn run(&self) -> Findings {
        let output = Command::new(&self.0).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {stderr}", self.0.display());
        let lines = String::from_utf8(output.stdout).unwrap();
        let named = lines.lines().map(|line| line.split_once(": ").unwrap());
        Findings(
            named
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _none = fs::remove_file(&self.0);
    }
}

#[test]
fn unoptimised_program_is_told_so_and_of_its_checks() {
    let findings = UNOPTIMISED.program(PROGRAM).run();
    let warnings = findings.warnings();
    let expected = [
        "not optimised (opt-level 0)",
        "debug assertions are on",
        "overflow checks are on",
    ];
    assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
    for (warning, expected) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(expected), "{warning}");
    }
    findings.assert_figures();
    findings.assert_names();
}

#[test]
fn program_without_frame_pointers_is_told_so_with_the_flags_that_replaced_the_projects() {
    let findings = OTHER_FLAGS.program(PROGRAM).run();
    let warnings = findings.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].starts_with("this binary has no frame pointers"),
        "{warnings:?}"
    );
    assert!(
        warnings[0].contains("in force: \"-Cforce-frame-pointers=no\""),
        "{warnings:?}"
    );
    findings.assert_figures();
    findings.assert_names();
}

#[test]
fn stripped_program_is_told_so_and_its_figures_hold() {
    let Some(program) = OTHER_FLAGS.program(PROGRAM).stripped("--strip-all") else {
        return;
    };
    let findings = program.run();
    findings.assert_warned_of("the binary is stripped");
    findings.assert_figures();
    for name in ["site", "function"] {
        let found = findings.value(name);
        assert!(found.starts_with(UNKNOWN_FUNCTION), "{found}");
    }
}

#[test]
fn program_without_debug_information_is_told_so_and_its_functions_keep_their_names() {
    let Some(program) = OTHER_FLAGS.program(PROGRAM).stripped("--strip-debug") else {
        return;
    };
    let findings = program.run();
    findings.assert_warned_of("functions have no files and lines");
    findings.assert_figures();
    findings.assert_names();
}

#[test]
fn program_without_the_allocator_is_told_so_and_refused() {
    let findings = UNOPTIMISED.program(WITHOUT_ALLOCATOR).run();
    let warnings = findings.warnings();
    assert!(
        warnings[0].starts_with("memory can't be measured"),
        "{warnings:?}"
    );
    assert!(findings.value("memory_refused").contains("#[global_allocator]"));
    assert!(
        findings.0.iter().all(|(name, _)| name != "peak_bytes"),
        "{:?}",
        findings.0
    );
    assert_ne!(findings.value("cpu_samples"), "0");
}
