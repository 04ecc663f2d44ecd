//! Whole models through bytes: what comes back, and what never does.

mod models;

use super::*;
use crate::document::{Field, LabelId};
use crate::learners::mlp::OutputActivation;
use crate::pipelines::PipelineModel;
use crate::pipelines::linear::{LinearField, LinearModel, OneLabel};
use crate::pipelines::mlp::{FieldClassifier, Learner, MlpModel};
use crate::predictor::Predictor;
use crate::targets::ClassEncoder;
use crate::vector_cache::VectorCacheParams;
pub(super) use models::{half_model, linear_model, model};

fn key() -> SecretKey {
    SecretKey::new("the key of these tests")
}

fn learned(model: &mut Model) -> &mut MlpModel {
    match &mut model.learned {
        PipelineModel::Mlp(learned) => learned,
        PipelineModel::Linear(_) => panic!("networks were trained"),
    }
}

fn mlp(model: &mut Model, field: Field) -> &mut crate::learners::mlp::Mlp {
    match &mut learned(model).classifiers[field.index()]
        .as_mut()
        .unwrap()
        .learner
    {
        Learner::Mlp(mlp) => mlp,
        Learner::Constant => panic!("{field} has something to choose"),
    }
}

/// What is said of a model that was damaged by `damage` and then signed with the right key.
fn problem_after(damage: impl FnOnce(&mut Model)) -> String {
    let mut model = model();
    damage(&mut model);
    let problem = from_bytes(&to_bytes(&model, &key()), &key()).unwrap_err();
    assert!(matches!(problem, ModelFileProblem::Corrupt(_)), "{problem:?}");
    problem.to_string()
}

/// What is said of a payload that was signed with the right key.
fn problem_of(payload: &[u8]) -> ModelFileProblem {
    let sealed = signed::enclose(FORMAT_VERSION, &key(), |envelope| [&envelope, payload].concat()).sign();
    let problem = from_bytes(&sealed, &key()).unwrap_err();
    assert!(matches!(problem, ModelFileProblem::Corrupt(_)), "{problem:?}");
    problem
}

fn payload_of(model: &Model) -> Vec<u8> {
    payload::encode(model, Vec::new())
}

fn assert_says(problem: &str, expected: &str) {
    assert!(
        problem.contains(expected),
        "{problem:?} does not say {expected:?}"
    );
}

#[test]
fn a_model_comes_back_equal() {
    for model in [model(), half_model(), linear_model()] {
        assert_eq!(from_bytes(&to_bytes(&model, &key()), &key()).unwrap(), model);
    }
}

#[test]
fn a_saved_model_is_read_and_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model");
    assert_eq!(read(&path).unwrap(), None);
    assert_eq!(load(&path, &key()).unwrap(), None);
    save(&model(), &path, &key()).unwrap();
    assert_eq!(read(&path).unwrap(), Some(to_bytes(&model(), &key())));
    assert_eq!(load(&path, &key()).unwrap(), Some(model()));
}

#[test]
fn a_linear_payload_cut_anywhere_is_corrupt() {
    let payload = payload_of(&linear_model());
    for length in 0..payload.len() {
        problem_of(&payload[..length]);
    }
}

#[test]
fn an_absurd_length_in_a_linear_payload_is_corrupt() {
    // The state is bytes to whoever loads a model: any of the right number will do.
    let payload = payload_of(&Model {
        state: None,
        ..linear_model()
    });
    for at in 0..payload.len() {
        let claim = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
        problem_of(&[&payload[..at], &claim].concat());
    }
}

#[test]
fn a_damaged_linear_payload_is_corrupt_or_another_model_but_never_a_panic() {
    let payload = payload_of(&linear_model());
    for at in 0..payload.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = payload.clone();
            damaged[at] ^= flip;
            let sealed = signed::enclose(FORMAT_VERSION, &key(), |envelope| {
                [&envelope, &damaged[..]].concat()
            })
            .sign();
            if let Ok(model) = from_bytes(&sealed, &key()) {
                let predictor = Predictor::new(&model, VectorCacheParams::default()).unwrap();
                predictor.predict("apple pear plum");
            }
        }
    }
}

/// What is said of a linear model that was damaged by `damage` and then signed with the right key.
fn linear_problem_after(damage: impl FnOnce(&mut LinearModel)) -> String {
    let mut model = linear_model();
    match &mut model.learned {
        PipelineModel::Linear(learned) => damage(learned),
        PipelineModel::Mlp(_) => panic!("linear classifiers were trained"),
    }
    let problem = from_bytes(&to_bytes(&model, &key()), &key()).unwrap_err();
    assert!(matches!(problem, ModelFileProblem::Corrupt(_)), "{problem:?}");
    problem.to_string()
}

fn correspondents(learned: &mut LinearModel) -> &mut OneLabel {
    match &mut learned.fields[Field::Correspondent.index()] {
        Some(LinearField::OneLabel(field)) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_of_a_linear_field_that_do_not_fit_are_corrupt() {
    type Damage = fn(&mut OneLabel);
    let damages: [(&str, Damage); 6] = [
        ("not in ascending order", |field| field.labels.reverse()),
        ("numbers of documents differ", |field| field.n_positives.push(1)),
        ("calibration does not fit", |field| {
            field.calibration.weights.push(0.0);
        }),
        ("calibration does not fit", |field| {
            field.calibration.intercept = f64::NAN;
        }),
        ("another number of weights", |field| field.thresholds.push(0.5)),
        ("a floor is not a number", |field| field.floors[0] = f32::NAN),
    ];
    for (expected, damage) in damages {
        let problem = linear_problem_after(|learned| damage(correspondents(learned)));
        assert_says(&problem, "correspondent: ");
        assert_says(&problem, expected);
    }
}

#[test]
fn linear_fields_in_each_others_place_are_corrupt() {
    let problem = linear_problem_after(|learned| learned.fields.swap(0, 1));
    assert_says(&problem, "one label where there can be several");
}

#[test]
fn the_catalog_names_the_labels_in_use() {
    let model = from_bytes(&to_bytes(&model(), &key()), &key()).unwrap();
    assert_eq!(model.catalog.name(Field::Correspondent, LabelId(2)), Some("Ben"));
    assert_eq!(model.catalog.of(Field::Tags).len(), 2);
}

#[test]
fn every_flipped_byte_and_every_length_is_an_error() {
    let bytes = to_bytes(&model(), &key());
    // Every byte of the envelope and of the payload's beginning, then every 97th: the signature covers all alike.
    for at in (0..400).chain((400..bytes.len()).step_by(97)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x55;
        assert!(from_bytes(&flipped, &key()).is_err(), "byte {at}");
    }
    for length in (0..400).chain((400..bytes.len()).step_by(97)) {
        let problem = from_bytes(&bytes[..length], &key()).unwrap_err();
        assert!(
            matches!(problem, ModelFileProblem::Truncated { .. }),
            "{length} bytes: {problem}"
        );
    }
}

#[test]
fn signed_nonsense_is_corrupt() {
    for payload in [&b""[..], b"nonsense", &[0xff; 64]] {
        assert_says(&problem_of(payload).to_string(), "cannot be decoded");
    }
}

#[test]
fn a_signed_payload_cut_anywhere_is_corrupt() {
    for payload in [model(), half_model()].map(|model| payload_of(&model)) {
        for length in 0..600 {
            problem_of(&payload[..length]);
        }
    }
}

#[test]
fn an_absurd_length_is_corrupt() {
    // Every position of a valid payload in turn claims 2^60 of whatever follows there.
    for payload in [model(), half_model()].map(|model| payload_of(&model)) {
        for at in 0..200 {
            let claim = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
            problem_of(&[&payload[..at], &claim].concat());
        }
    }
}

#[test]
fn something_after_the_payload_is_corrupt() {
    let payload = [payload_of(&model()), vec![0]].concat();
    assert_says(&problem_of(&payload).to_string(), "1 bytes follow its payload");
}

#[test]
fn a_weight_that_is_not_a_number_is_corrupt() {
    let problem = problem_after(|model| mlp(model, Field::Tags).hidden_weights[(0, 0)] = f32::NAN);
    assert_says(&problem, "tags: a weight is not a number");
}

#[test]
fn a_missing_weight_is_corrupt() {
    let problem = problem_after(|model| mlp(model, Field::Correspondent).hidden_bias = vec![0.0; 99].into());
    assert_says(&problem, "correspondent: it has another number of weights");
}

#[test]
fn an_output_too_many_is_corrupt() {
    let problem = problem_after(|model| mlp(model, Field::Correspondent).output_bias = vec![0.0; 4].into());
    assert_says(&problem, "correspondent: it has another number of weights");
}

#[test]
fn the_wrong_activation_is_corrupt() {
    let problem = problem_after(|model| mlp(model, Field::Tags).activation = OutputActivation::Softmax);
    assert_says(&problem, "activation does not fit");
}

#[test]
fn classes_out_of_order_are_corrupt() {
    let problem = problem_after(|model| {
        let classes = ClassEncoder::OneOf(vec![Some(LabelId(2)), Some(LabelId(1))]);
        learned(model).classifiers[Field::Correspondent.index()] = Some(FieldClassifier {
            classes,
            learner: Learner::Constant,
        });
    });
    assert_says(&problem, "not in ascending order");
}

#[test]
fn a_single_tag_is_a_class_like_others() {
    let mut model = model();
    let tag = model.catalog.of(Field::Tags)[0].clone();
    learned(&mut model).classifiers[Field::Tags.index()] = Some(FieldClassifier {
        classes: ClassEncoder::OneOf(vec![Some(tag.id)]),
        learner: Learner::Constant,
    });
    model.catalog.set(Field::Tags, vec![tag]);
    assert_eq!(from_bytes(&to_bytes(&model, &key()), &key()).unwrap(), model);
}

#[test]
fn a_classifier_without_labels_is_corrupt() {
    for classes in [ClassEncoder::OneOf(vec![None]), ClassEncoder::OneOf(vec![])] {
        let problem = problem_after(|model| {
            learned(model).classifiers[0] = Some(FieldClassifier {
                classes,
                learner: Learner::Constant,
            });
        });
        assert_says(&problem, "no label to assign");
    }
}

#[test]
fn several_labels_where_there_is_one_are_corrupt() {
    let problem = problem_after(|model| {
        let classes = ClassEncoder::AnyOf(vec![LabelId(1), LabelId(2)]);
        learned(model).classifiers[Field::StoragePath.index()] = Some(FieldClassifier {
            classes,
            learner: Learner::Constant,
        });
    });
    assert_says(&problem, "storage_path: several labels");
}

#[test]
fn nothing_to_choose_with_is_corrupt() {
    let problem = problem_after(|model| {
        learned(model).classifiers[Field::Tags.index()]
            .as_mut()
            .unwrap()
            .learner = Learner::Constant;
    });
    assert_says(&problem, "nothing to choose among");
}

#[test]
fn an_error_names_the_file_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.postroom");
    std::fs::write(&path, "POSTROOM").unwrap();
    let message = load(&path, &key()).unwrap_err().to_string();
    assert_says(&message, "model.postroom");
    assert_says(
        &message,
        "60 bytes were expected, 8 are there; restore a copy or train again",
    );
}

#[test]
fn a_directory_is_an_error_not_a_missing_model() {
    let directory = tempfile::tempdir().unwrap();
    let problem = load(directory.path(), &key()).unwrap_err().problem;
    assert!(matches!(problem, ModelFileProblem::NotAFile), "{problem:?}");
}

#[test]
fn description_without_the_key_is_that_of_the_model() {
    let (model, key) = (model(), key());
    let description = Description::of(&to_bytes(&model, &key)).unwrap();
    assert_eq!(description.params, model.params);
    assert_eq!(description.fingerprint, model.fingerprint);
    assert_eq!(description.catalog, model.catalog);
    assert_eq!(description.n_documents, model.n_documents);
    assert!(description.terms.iter().eq(model.learned.terms()));
    assert_eq!(description.key_id, key.id());
}

#[test]
fn described_parts_sum_to_the_file() {
    let terms = ["vocabulary", "vocabulary", "words"];
    for (model, terms) in [model(), half_model(), linear_model()].iter().zip(terms) {
        let bytes = to_bytes(model, &key());
        let parts = Description::of(&bytes).unwrap().parts;
        assert!(parts.iter().any(|part| part.name == terms), "{parts:?}");
        assert_eq!(
            parts.iter().map(|part| part.bytes).sum::<u64>(),
            bytes.len() as u64
        );
    }
}

/// Whoever changed the file can have changed anything: it is described or it isn't, and nothing worse.
#[test]
fn any_bytes_have_a_description_or_a_problem() {
    let sound = to_bytes(&model(), &key());
    for length in 0..sound.len().min(400) {
        assert!(Description::of(&sound[..length]).is_err());
    }
    let payload = signed::Envelope::BYTES;
    for at in (payload..payload + 300).chain((payload..sound.len()).step_by(97)) {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] = value;
            let described = Description::of(&bytes);
            assert!(described.is_ok() || matches!(described, Err(ModelFileProblem::Corrupt(_))));
        }
    }
}
