//! The profiling tests as a program: built by cargo, run with a directory of its own and on a small corpus.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::allow_attributes,
    reason = "unused parts differ from binary to binary"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SCENARIOS: [&str; 17] = [
    "training::train_memory",
    "training::train_cpu",
    "training::second_train_noop",
    "training::vectorizer_hash_cost",
    "training::save_load_roundtrip",
    "prediction::predict_all_four_cpu",
    "prediction::predict_all_four_memory",
    "prediction::vectorize_cache_miss_vs_hit",
    "prediction::content_hash_overhead",
    "linear::train_memory",
    "linear::train_cpu",
    "linear::incremental_training",
    "linear::save_load_roundtrip",
    "linear::predict_all_four_cpu",
    "linear::predict_all_four_memory",
    "linear::explain",
    "linear::vectorize_cache_miss_vs_hit",
];

/// A run of the profiling tests with a directory of its own.
pub(crate) struct Run {
    pub(crate) directory: TempDir,
    pub(crate) output: Output,
}

impl Run {
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::in_environment(arguments, &[])
    }

    pub(crate) fn in_environment(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = command(directory.path(), arguments, variables).output().unwrap();
        Self { directory, output }
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert!(
            self.output.status.success(),
            "{}\n{}",
            self.stdout(),
            self.stderr()
        );
        self
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    /// Scenarios that left all of their files.
    pub(crate) fn measured(&self) -> Vec<&'static str> {
        let has = |scenario: &str, extension| self.file(scenario, extension).is_file();
        let all = |scenario: &&str| {
            ["txt", "json", "folded", "svg", "pb.gz", "speedscope.json"]
                .iter()
                .all(|extension| has(scenario, extension))
        };
        SCENARIOS.into_iter().filter(all).collect()
    }

    pub(crate) fn json(&self, scenario: &str) -> Value {
        serde_json::from_slice(&fs::read(self.file(scenario, "json")).unwrap()).unwrap()
    }

    pub(crate) fn file(&self, scenario: &str, extension: &str) -> PathBuf {
        self.directory
            .path()
            .join(format!("{}.{extension}", scenario.replace("::", ".")))
    }
}

/// The profiling tests on a small corpus, with this directory for reports and temporary files alike.
pub(crate) fn command(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(profiling_binary());
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("PROFILING_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env("PROFILING_DOCS", "300")
        .env("PROFILING_DIR", directory)
        .env("TMPDIR", directory)
        .envs(variables.iter().copied());
    command
}

/// The binary that `cargo test --test profiling` would run, of the same profile as this one.
///
/// There is no `CARGO_BIN_EXE_…` for tests; cargo is asked instead, which finds it built or builds it.
pub(crate) fn profiling_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // <target directory>/<profile>/deps/<this binary>
        let this = std::env::current_exe().unwrap();
        let profile_directory = this.ancestors().nth(2).unwrap();
        let profile = match profile_directory.file_name().unwrap().to_str().unwrap() {
            "debug" => "test",
            named => named,
        };
        let output = Command::new(env!("CARGO"))
            .args([
                "test",
                "--test",
                "profiling",
                "--no-run",
                "--message-format",
                "json",
                "--profile",
                profile,
            ])
            .arg("--target-dir")
            .arg(profile_directory.parent().unwrap())
            .arg("--manifest-path")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let messages = String::from_utf8(output.stdout).unwrap();
        let mut executables = messages.lines().filter_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            let is_profiling = message["target"]["name"] == "profiling";
            is_profiling.then(|| message["executable"].as_str().map(PathBuf::from))?
        });
        executables
            .next()
            .expect("cargo names the executable that it built")
    })
}
