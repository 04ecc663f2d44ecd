//! Writes what the fuzzer starts from into `fuzz/corpus`: real models, whole, without their envelopes, and their states;
//! a report.

use std::path::Path;
use std::{fs, io};

use postroom::model::TrainingState;
use postroom::model_file;
use postroom_fuzz::reports::Reports;
use postroom_fuzz::{ENVELOPE, archive, key, pipelines, train};

fn main() -> io::Result<()> {
    for n_documents in [4, 12, 22] {
        for (at, pipeline) in pipelines().into_iter().enumerate() {
            let name = format!("{at}-{}-{n_documents}", pipeline.name());
            let trained = train(&archive(n_documents), pipeline, None).map_err(io::Error::other)?;
            let model = trained.expect("there was no model before");
            let bytes = model_file::to_bytes(&model, &key());
            seed("model_loader", &name, &bytes)?;
            seed("model_payload", &name, &bytes[ENVELOPE..])?;
            if let Some(state) = model.state.as_ref().map(TrainingState::as_bytes) {
                seed("model_state", &name, state)?;
            }
        }
    }
    let report = Reports::new().and_then(|reports| reports.seed());
    let report = report.map_err(|error| io::Error::other(error.to_string()))?;
    let alone = report.split(|&byte| byte == 0).next().unwrap_or_default();
    seed("report", "with_graph", &report)?;
    seed("report", "alone", alone)
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}
