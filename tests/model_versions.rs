//! Models of every version of the format that there was, as `tests/fixtures/models` holds them: readable, or an error
//! that says to train again.
//!
//! `BLESS=1 cargo test --test model_versions` writes those of the version that this library writes. Those of another stay
//! as the library of their time wrote them, from the same archive; version 1 knew networks only.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod small_model;

use std::path::{Path, PathBuf};
use std::{env, fs};

use postroom::document::LabelId;
use postroom::model::Model;
use postroom::model_file::{self, FORMAT_VERSION, ModelFileProblem};
use postroom::pipelines::Pipeline;
use postroom::predictor::Predictor;
use postroom::vector_cache::VectorCacheParams;
use small_model::{half_networks, key, linear, model, networks};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

fn bless_if_asked(path: &Path, pipeline: Pipeline) {
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(path, model_file::to_bytes(&model(pipeline), &key())).unwrap();
    }
}

/// What is predicted doesn't depend on what this version would learn.
fn assert_answers(model: &Model) {
    let predictor = Predictor::new(model, VectorCacheParams::default()).unwrap();
    let senders = ["apple pear", "pear plum", "plum apple", "straße"].map(|content| {
        let answer = predictor.predict(content).labels();
        answer.correspondent.map(|LabelId(id)| id)
    });
    assert_eq!(senders, [Some(1), Some(2), Some(3), None]);
    let path = predictor.predict("straße").labels().storage_path;
    assert_eq!(path, Some(LabelId(1)), "every document is there");
}

#[test]
fn models_of_this_version_are_read_and_written_as_they_were() {
    for (name, pipeline) in [
        ("linear", linear()),
        ("mlp", networks()),
        ("mlp-half", half_networks()),
    ] {
        let path = folder().join(format!("{FORMAT_VERSION}-{name}.postroom"));
        bless_if_asked(&path, pipeline);
        let bytes =
            fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; BLESS=1 writes it", path.display()));
        let model = model_file::from_bytes(&bytes, &key()).unwrap_or_else(|problem| {
            panic!(
                "{}: {problem}. Raise the version of the format, then BLESS=1",
                path.display()
            )
        });
        assert_answers(&model);
        assert!(
            model_file::to_bytes(&model, &key()) == bytes,
            "{}: written otherwise than it was read",
            path.display()
        );
    }
}

#[test]
fn models_of_other_versions_say_to_train_again() {
    let mut n_read = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let version: u32 = name.split('-').next().unwrap().parse().unwrap();
        n_read += 1;
        if version == FORMAT_VERSION {
            continue;
        }
        let error = model_file::load(&path, &key()).unwrap_err();
        let is_told =
            matches!(error.problem, ModelFileProblem::Incompatible { found, .. } if found == version);
        assert!(is_told && error.to_string().contains("train again"), "{error}");
    }
    assert!(n_read >= 4, "{n_read} models");
}

/// Signed or not: the version is looked at first, for what it means to be signed may change with it.
#[test]
fn older_and_newer_numbers_say_to_train_again() {
    let sound = model_file::to_bytes(&model(linear()), &key());
    for version in [0, 1, FORMAT_VERSION + 1, u32::MAX] {
        let mut bytes = sound.clone();
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        let problem = model_file::from_bytes(&bytes, &key()).unwrap_err();
        let expected = format!(
            "format version {version} is not readable by this version, which reads {FORMAT_VERSION}; train again"
        );
        assert_eq!(problem.to_string(), expected);
    }
}
