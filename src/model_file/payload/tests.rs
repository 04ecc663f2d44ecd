//! What both pipelines have in their payload, each field in turn made into what no training writes.

use jiff::Timestamp;

use super::super::tests as whole;
use super::super::{FORMAT_VERSION, SecretKey, from_bytes, signed};
use super::*;

/// Trained once a process: a test damages hundreds of copies.
pub(super) fn mlp_model() -> Model {
    static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(whole::model);
    MODEL.clone()
}

pub(super) fn half_model() -> Model {
    static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(whole::half_model);
    MODEL.clone()
}

pub(super) fn linear_model() -> Model {
    static MODEL: std::sync::LazyLock<Model> = std::sync::LazyLock::new(whole::linear_model);
    MODEL.clone()
}

/// That the payload, signed with the right key, is said to be corrupt, and why.
#[track_caller]
pub(super) fn assert_corrupt(payload: &Payload<'_>, expected: &str) {
    let key = SecretKey::new("the right key");
    let sealed = signed::enclose(FORMAT_VERSION, &key, |envelope| payload.append_to(envelope)).sign();
    match from_bytes(&sealed, &key) {
        Err(ModelFileProblem::Corrupt(problem)) => {
            assert!(
                problem.contains(expected),
                "{problem:?} does not say {expected:?}"
            );
        }
        Err(problem) => panic!("{problem:?} instead of: {expected}"),
        Ok(_) => panic!("it was loaded, although: {expected}"),
    }
}

/// Of params the pipelines' tests have the rest; language, seed and label hash can be whatever decodes, the state is
/// bytes to whoever loads it.
fn corrupt(expected: &str, damage: impl Fn(&mut Payload<'_>)) {
    for model in [mlp_model(), half_model(), linear_model()] {
        let mut payload = Payload::of(&model);
        damage(&mut payload);
        assert_corrupt(&payload, expected);
    }
}

#[test]
fn what_is_damaged_below_is_sound_before() {
    for model in [mlp_model(), half_model(), linear_model()] {
        assert_eq!(decode(&Payload::of(&model).append_to(Vec::new())).unwrap(), model);
    }
}

#[test]
fn number_of_documents() {
    for n_documents in [0, 1 << 32, 1 << 60, u64::MAX] {
        corrupt(&format!("trained on {n_documents} documents"), |payload| {
            payload.n_documents = n_documents;
        });
    }
}

#[test]
fn last_change() {
    corrupt("no document was ever changed", |payload| {
        payload.fingerprint.last_change = None;
    });
}

#[test]
fn names() {
    for field in Field::ALL {
        corrupt(&format!("{field}: its labels and their names"), |payload| {
            payload.names[field.index()].push("one too many");
        });
        corrupt(&format!("{field}: its labels and their names"), |payload| {
            payload.names[field.index()].clear();
        });
    }
}

#[test]
fn what_another_pipeline_learned() {
    let (networks, halves, linear) = (mlp_model(), half_model(), linear_model());
    for (mut payload, other) in [
        (Payload::of(&networks), Payload::of(&linear)),
        (Payload::of(&linear), Payload::of(&networks)),
        (Payload::of(&halves), Payload::of(&linear)),
        (Payload::of(&linear), Payload::of(&halves)),
    ] {
        payload.learned = other.learned;
        assert_corrupt(&payload, "those of another pipeline");
    }
}

/// Language and variants out of their range: bytes that can't be written through the types.
#[test]
fn variants_that_there_are_none_of() {
    for model in [mlp_model(), half_model(), linear_model()] {
        let sound = Payload::of(&model).append_to(Vec::new());
        // An option (0 or 1), the language, the pipeline.
        assert_eq!(sound[0], 1);
        for (at, variant) in [(0, 2), (1, 0x7f), (2, 3)] {
            let mut damaged = sound.clone();
            damaged[at] = variant;
            assert!(
                matches!(decode(&damaged), Err(ModelFileProblem::Corrupt(_))),
                "{at}"
            );
        }
    }
}

#[test]
fn a_time_beyond_the_calendar() {
    let latest = Timestamp::MAX.as_second() * 1_000_000;
    let mut model = linear_model();
    model.fingerprint.last_change = Some(Timestamp::from_microsecond(latest).unwrap());
    let sound = Payload::of(&model).append_to(Vec::new());
    assert_eq!(decode(&sound).unwrap(), model);
    let [written, beyond] = [latest, latest + 1].map(|time| postcard::to_stdvec(&time).unwrap());
    assert_eq!(written.len(), beyond.len());
    let mut places = sound.windows(written.len());
    let at = places.position(|window| window == written).unwrap();
    let mut damaged = sound.clone();
    damaged[at..at + beyond.len()].copy_from_slice(&beyond);
    assert!(matches!(decode(&damaged), Err(ModelFileProblem::Corrupt(_))));
}
