//! What a damaged model file costs: an error of the right kind, and no more memory than its size and a constant.
//!
//! Memory is counted exactly, over the whole process, so this binary has one test, and the models come from the fixtures:
//! a training leaves threads that go to sleep at their leisure, and take memory for it.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

mod small_model;

use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use postroom::model::Model;
use postroom::model_file::{self, Description, ModelFileProblem};
use postroom::predictor::Predictor;
use postroom::vector_cache::VectorCacheParams;
use profiling_toolkit::memory::{MemoryOptions, ProfilingAllocator, measure_memory};
use sha2::Sha256;
use small_model::key;

#[global_allocator]
static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();

/// Of the envelope: see `docs/model-format.md`.
const ENVELOPE: usize = 60;
const SIGNATURE: std::ops::Range<usize> = 28..60;

/// What checking a damaged file takes, beyond the file itself: room for a path and a message.
const MESSAGE: u64 = 4 * 1024;

/// What decoding takes for each byte of a payload that somebody with the key made up, or that is looked at without a
/// key: a text of no characters is a byte there and sixteen in memory, while the list of them grows.
const TIMES_DECODED: u64 = 64;

/// A list gets room for what it says it holds, up to this, before it is read.
const AHEAD: u64 = 1024 * 1024 + 64 * 1024;

/// The most that `work` holds at once, in bytes.
fn peak_of<T>(work: impl FnOnce() -> T) -> u64 {
    let options = MemoryOptions {
        max_depth: 1,
        max_sites: 64,
        ..MemoryOptions::DEFAULT
    };
    let (_, profile) = measure_memory(options, work).unwrap();
    profile.peak_bytes
}

/// Signs whatever stands behind the envelope.
fn sign(bytes: &mut [u8]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"the key of these tests").unwrap();
    let length = (bytes.len() - ENVELOPE) as u64;
    bytes[20..28].copy_from_slice(&length.to_le_bytes());
    mac.update(&bytes[..SIGNATURE.start]);
    mac.update(&bytes[ENVELOPE..]);
    bytes[SIGNATURE].copy_from_slice(&mac.finalize().into_bytes());
}

fn sealed(payload: &[u8], envelope_of: &[u8]) -> Vec<u8> {
    let mut bytes = [&envelope_of[..ENVELOPE], payload].concat();
    sign(&mut bytes);
    bytes
}

/// What a change of the byte at this offset is to be called.
fn is_right_kind(offset: usize, problem: &ModelFileProblem) -> bool {
    use ModelFileProblem::{Corrupt, Incompatible, Truncated, WrongKey};
    match offset {
        8..12 => matches!(problem, Incompatible { .. }),
        12..20 => matches!(problem, WrongKey),
        20..28 => matches!(problem, Truncated { .. } | Corrupt(_)),
        _ => matches!(problem, Corrupt(_)),
    }
}

/// The bytes at these places changed, one at a time, in one bit and in all of them.
fn each_change(sound: &[u8], places: impl Iterator<Item = usize>, mut visit: impl FnMut(usize, &mut [u8])) {
    let mut bytes = sound.to_vec();
    for at in places {
        for flip in [1 << (at % 8), 0xff] {
            bytes[at] ^= flip;
            visit(at, &mut bytes);
            bytes.copy_from_slice(sound);
        }
    }
}

/// In memory: nothing is copied, so there is no room for more than a message.
fn changed_bytes_are_noticed_before_anything_is_decoded(sound: &[u8]) {
    let peak = peak_of(|| {
        each_change(sound, 0..sound.len(), |at, bytes| {
            let problem = model_file::from_bytes(bytes, &key()).unwrap_err();
            assert!(is_right_kind(at, &problem), "byte {at}: {problem}");
        });
        for length in 0..sound.len() {
            let problem = model_file::from_bytes(&sound[..length], &key()).unwrap_err();
            let is_truncated = matches!(problem, ModelFileProblem::Truncated { .. });
            assert!(is_truncated, "{length} bytes: {problem}");
        }
    });
    let copy = sound.len() as u64;
    assert!(peak <= copy + MESSAGE, "{peak} bytes for {copy}");
}

/// Through the file system, where the file's bytes are held as well.
fn a_damaged_file_takes_no_more_than_its_size(sound: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("model.postroom");
    let key = key();
    let mut n_tried = 0;
    let mut hold = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let peak = peak_of(|| model_file::load(&path, &key).unwrap_err());
        assert!(
            peak <= bytes.len() as u64 + MESSAGE,
            "{peak} bytes for {}",
            bytes.len()
        );
        n_tried += 1;
    };
    // A file each: every 17th of what is tried in memory above.
    each_change(sound, (0..sound.len()).step_by(17), |_, bytes| hold(bytes));
    for length in (0..sound.len()).step_by(17) {
        hold(&sound[..length]);
    }
    for claim in [1 << 60, u64::MAX] {
        let mut bytes = sound.to_vec();
        bytes[20..28].copy_from_slice(&claim.to_le_bytes());
        hold(&bytes);
    }
    assert!(n_tried > 300, "{n_tried}");
}

fn decodes_within_bounds(bytes: &[u8], decode: impl FnOnce(&[u8])) {
    let peak = peak_of(|| decode(bytes));
    let most = TIMES_DECODED * bytes.len() as u64 + AHEAD;
    assert!(peak <= most, "{peak} bytes for {}, {most} at most", bytes.len());
}

/// Whoever has the key can sign nonsense, and a description needs no key.
fn nonsense_is_bounded_as_well(sound: &[u8]) {
    let most = TIMES_DECODED * sound.len() as u64 + AHEAD;
    // In the networks' weights one place is as good as another.
    let places = (ENVELOPE..sound.len()).filter(|&at| at < ENVELOPE + 600 || at % 13 == 0);
    let peak = peak_of(|| {
        each_change(sound, places.clone(), |_, bytes| {
            let described = Description::of(bytes);
            sign(bytes);
            let is_model = is_model_or_corrupt(bytes);
            assert_eq!(is_model, described.is_ok(), "described as what it is");
        });
    });
    assert!(peak <= most, "{peak} bytes, {most} at most");
    // 2^60 of whatever stands there.
    let claim = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
    let peak = peak_of(|| {
        for at in places.clone() {
            let payload = [&sound[ENVELOPE..at], &claim, &[0; 64]].concat();
            is_model_or_corrupt(&sealed(&payload, sound));
        }
    });
    assert!(peak <= most, "{peak} bytes, {most} at most");
    // As many texts without a character as there are bytes.
    for at in places.step_by(11) {
        let count = [0x80, 0x80, 0x04];
        let payload = [&sound[ENVELOPE..at], &count, &vec![0; 70_000]].concat();
        let bytes = sealed(&payload, sound);
        decodes_within_bounds(&bytes, |bytes| {
            is_model_or_corrupt(bytes);
        });
        decodes_within_bounds(&bytes, |bytes| drop(Description::of(bytes)));
    }
}

/// Whether the bytes are a model, which then answers; anything else has to be corrupt.
fn is_model_or_corrupt(bytes: &[u8]) -> bool {
    match model_file::from_bytes(bytes, &key()) {
        Ok(model) => {
            answer(&model);
            true
        }
        Err(ModelFileProblem::Corrupt(_)) => false,
        Err(problem) => panic!("{problem}"),
    }
}

fn answer(model: &Model) {
    let predictor = Predictor::new(model, VectorCacheParams::default()).unwrap();
    predictor.predict("apple pear plum straße");
}

#[test]
fn damage_is_an_error_and_takes_no_memory() {
    for name in ["linear", "mlp", "mlp-half"] {
        let path = format!(
            "tests/fixtures/models/{}-{name}.postroom",
            model_file::FORMAT_VERSION
        );
        let sound = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(is_model_or_corrupt(&sound), "it is sound before it is damaged");
        changed_bytes_are_noticed_before_anything_is_decoded(&sound);
        a_damaged_file_takes_no_more_than_its_size(&sound);
        nonsense_is_bounded_as_well(&sound);
    }
}
