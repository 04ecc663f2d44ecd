//! Any bytes as a payload, signed with the right key: corrupt, or a model that answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postroom::model_file::{self, ModelFileProblem};
use postroom_fuzz::{key, signed, use_model};

fuzz_target!(|payload: &[u8]| {
    match model_file::from_bytes(&signed(payload), &key()) {
        Ok(model) => use_model(&model),
        Err(ModelFileProblem::Corrupt(_)) => {}
        Err(problem) => panic!("signed, and yet {problem}"),
    }
});
