//! Files are read again and held to the rules of the schema.

use serde_json::Value;

use super::{Speedscope, cpu_speedscope, memory_speedscope};
use crate::memory::MemoryView;
use crate::stack_table::examples::{cpu, memory};

fn read_again(file: &Speedscope) -> Value {
    serde_json::from_str(&serde_json::to_string(file).unwrap()).unwrap()
}

fn cpu_file() -> Value {
    read_again(&cpu_speedscope("Work", &cpu()))
}

fn memory_file(view: MemoryView) -> Value {
    read_again(&memory_speedscope("Work", &memory(), view))
}

/// The keys that the schema requires, with their types, and that indices and weights fit together.
#[track_caller]
fn assert_valid(file: &Value) {
    assert_eq!(
        file["$schema"],
        "https://www.speedscope.app/file-format-schema.json"
    );
    let frames = file["shared"]["frames"].as_array().unwrap();
    for frame in frames {
        assert!(frame["name"].is_string());
        assert!(frame.get("file").is_none_or(Value::is_string));
        assert!(frame.get("line").is_none_or(Value::is_u64));
    }
    let profiles = file["profiles"].as_array().unwrap();
    assert!(file["activeProfileIndex"].as_u64().unwrap() < profiles.len() as u64);
    for profile in profiles {
        assert_eq!(profile["type"], "sampled");
        assert!(profile["name"].is_string());
        let units = [
            "bytes",
            "microseconds",
            "milliseconds",
            "nanoseconds",
            "none",
            "seconds",
        ];
        assert!(units.contains(&profile["unit"].as_str().unwrap()));
        let weights = profile["weights"].as_array().unwrap();
        let samples = profile["samples"].as_array().unwrap();
        assert_eq!(samples.len(), weights.len());
        let indices = samples.iter().flat_map(|sample| sample.as_array().unwrap());
        for index in indices {
            assert!((index.as_u64().unwrap() as usize) < frames.len());
        }
        let sum: u64 = weights.iter().map(|weight| weight.as_u64().unwrap()).sum();
        assert_eq!(
            (profile["startValue"].as_u64(), profile["endValue"].as_u64()),
            (Some(0), Some(sum))
        );
    }
}

#[test]
fn cpu_file_keeps_the_schema() {
    assert_valid(&cpu_file());
}

#[test]
fn memory_file_keeps_the_schema() {
    assert_valid(&memory_file(MemoryView::Total));
}

#[test]
fn cpu_weights_sum_to_sampled_and_unsampled_time() {
    assert_eq!(cpu_file()["profiles"][0]["endValue"], 100);
}

#[test]
fn memory_has_each_view_the_asked_one_first() {
    let file = memory_file(MemoryView::Total);
    let profiles = file["profiles"].as_array().unwrap();
    let found: Vec<_> = profiles
        .iter()
        .map(|profile| {
            (
                profile["name"].as_str().unwrap(),
                profile["endValue"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Work: allocated in all", 1_200),
        ("Work: live at the peak", 900),
        // Without the 100 bytes from before, which were freed.
        ("Work: live at the end", 400),
    ];
    assert_eq!(found, expected);
}

#[test]
fn stacks_are_root_first_with_names_that_people_read() {
    let file = cpu_file();
    let stack = file["profiles"][0]["samples"][1].as_array().unwrap();
    let names: Vec<_> = stack
        .iter()
        .map(|index| {
            file["shared"]["frames"][index.as_u64().unwrap() as usize]["name"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(names, ["app::main", "app::T::work"]);
}

#[test]
fn same_profile_gives_the_same_text() {
    let file = || serde_json::to_string(&cpu_speedscope("Work", &cpu())).unwrap();
    assert_eq!(file(), file());
}
