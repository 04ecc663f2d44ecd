//! The peers: scripts that train and ask scikit-learn on the same archive, and print a JSON object.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::ours::Figures;
use crate::rows::Peer;

/// The script that trains as paperless-ngx does, and by tf-idf and linear support vector machines.
fn training_script() -> PathBuf {
    let named = std::env::var_os("POSTROOM_PEER").map(PathBuf::from);
    named
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/peer/reference_pipeline.py"))
}

impl Peer {
    /// What it finds on this archive, or why it can't.
    pub(crate) fn ask(self, database: &Path) -> Result<Figures, String> {
        let script = match self {
            Self::Training { .. } => training_script(),
            Self::Further(_) => Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer.py"),
        };
        if !script.exists() {
            return Err("not present".to_owned());
        }
        let mut command = Command::new("python3");
        // More threads of its linear algebra spin, and take the processor from whatever is measured beside.
        command
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("OMP_NUM_THREADS", "1");
        command.arg(script).arg(database);
        match self {
            Self::Training { pipeline, repeat } => {
                command.args(["--pipeline", pipeline, "--repeat", &repeat.to_string()]);
            }
            Self::Further(what) => {
                command.arg(what);
            }
        }
        let output = command
            .output()
            .map_err(|error| format!("python3 can't be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().last().unwrap_or_default();
            return Err(format!("failed: {last}"));
        }
        let found = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("no JSON came from it: {error}"))?;
        let mut figures = Figures::new();
        flatten(&found, &mut figures);
        if let Some(milliseconds) = figures.remove("predict_four_ms") {
            figures.insert("four".into(), milliseconds / 1e3);
            // Of one process.
            figures.insert("documents_per_second".into(), 1e3 / milliseconds);
        }
        Ok(figures)
    }
}

/// Every number by its own name; times are in an object of theirs.
fn flatten(found: &Value, figures: &mut Figures) {
    let Some(object) = found.as_object() else {
        return;
    };
    for (name, value) in object {
        if name == "seconds" {
            flatten(value, figures);
        } else if let Some(number) = value.as_f64() {
            figures.insert(name.clone(), number);
        }
    }
}
