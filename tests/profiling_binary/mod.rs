//! Where the binary of the profiling tests is: cargo is asked, the path comes out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

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
