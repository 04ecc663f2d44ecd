//! Any bytes as a model file, whose signature the fuzzer can't make: an error, and nothing is decoded but a description.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postroom::model_file::{self, Description, ModelFileProblem};
use postroom_fuzz::key;

fuzz_target!(|bytes: &[u8]| {
    // The seeds are sound, and the fuzzer may try them as they are.
    let loaded = model_file::from_bytes(bytes, &key());
    match Description::of(bytes) {
        Ok(description) => {
            let sum: u64 = description.parts.iter().map(|part| part.bytes).sum();
            assert_eq!(sum, bytes.len() as u64);
        }
        Err(ModelFileProblem::WrongKey | ModelFileProblem::Io { .. }) => {
            panic!("a description needs no key and no file")
        }
        Err(_) => assert!(loaded.is_err(), "what can be loaded can be described"),
    }
});
