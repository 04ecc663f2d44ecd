//! Hands on to the library how it is being compiled: cargo tells build scripts and nobody else.

use std::env;
use std::process::Command;

/// What cargo sets for build scripts, and the name it has in `src/environment.rs`.
const PASSED_ON: [(&str, &str); 5] = [
    ("OPT_LEVEL", "TOOLKIT_OPT_LEVEL"),
    ("PROFILE", "TOOLKIT_PROFILE"),
    ("DEBUG", "TOOLKIT_DEBUG_INFO"),
    ("TARGET", "TOOLKIT_TARGET"),
    ("CARGO_ENCODED_RUSTFLAGS", "TOOLKIT_RUSTFLAGS"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTFLAGS");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    for (from, to) in PASSED_ON {
        println!("cargo::rustc-env={to}={}", env::var(from).unwrap_or_default());
    }
    println!(
        "cargo::rustc-env=TOOLKIT_RUSTC={}",
        rustc_version().unwrap_or_default()
    );
}

/// `rustc 1.95.0 (59807616e 2026-04-14)`
fn rustc_version() -> Option<String> {
    let output = Command::new(env::var_os("RUSTC")?)
        .arg("--version")
        .output()
        .ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
