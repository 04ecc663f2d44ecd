//! Any bytes as what the last training left: a training that goes on from them ends with an error or with a model.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use postroom::Error;
use postroom::model::{Model, TrainingState};
use postroom::pipelines::Pipeline;
use postroom::store::MemoryStore;
use postroom_fuzz::{archive, pipelines, train, use_model};

/// Two documents less than now.
static LAST: LazyLock<Model> = LazyLock::new(|| {
    let [pipeline, ..] = pipelines();
    let trained = train(&archive(22), pipeline, None).expect("there is something to learn");
    trained.expect("there was no model before")
});

static NOW: LazyLock<MemoryStore> = LazyLock::new(|| archive(24));

fuzz_target!(|state: &[u8]| {
    let mut last = LAST.clone();
    last.state = Some(TrainingState::from_bytes(state.to_vec()));
    let pipeline: Pipeline = last.params.pipeline.clone();
    match train(&NOW, pipeline, Some(&last)) {
        Ok(Some(model)) => use_model(&model),
        Ok(None) => panic!("two documents are new"),
        // Weights that follow from dual variables beyond all measure.
        Err(Error::InvalidTrainingState { .. } | Error::Diverged { .. }) => {}
        Err(error) => panic!("{error}"),
    }
});
