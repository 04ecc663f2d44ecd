//! Files are unpacked and decoded again.

use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;
use prost::Message as _;

use super::proto::{Profile, ValueType};
use super::{cpu_pprof, memory_pprof};
use crate::memory::MemoryView;
use crate::stack_table::examples::{cpu, memory};

fn decoded(file: &[u8]) -> Profile {
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    Profile::decode(bytes.as_slice()).unwrap()
}

fn text(profile: &Profile, number: i64) -> &str {
    &profile.string_table[number as usize]
}

fn kinds(profile: &Profile) -> Vec<String> {
    let name = |kind: &ValueType| format!("{}/{}", text(profile, kind.r#type), text(profile, kind.unit));
    profile.sample_type.iter().map(name).collect()
}

fn sums(profile: &Profile) -> Vec<i64> {
    let sum = |kind: usize| profile.sample.iter().map(|sample| sample.value[kind]).sum();
    (0..profile.sample_type.len()).map(sum).collect()
}

/// What `CheckValid` of the format's own library refuses.
fn assert_valid(profile: &Profile) {
    assert_eq!(profile.string_table[0], "");
    let locations: BTreeSet<u64> = profile.location.iter().map(|location| location.id).collect();
    let functions: BTreeSet<u64> = profile.function.iter().map(|function| function.id).collect();
    assert!(!locations.contains(&0) && !functions.contains(&0));
    assert_eq!(
        (locations.len(), functions.len()),
        (profile.location.len(), profile.function.len())
    );
    for sample in &profile.sample {
        assert_eq!(sample.value.len(), profile.sample_type.len());
        assert!(sample.location_id.iter().all(|id| locations.contains(id)));
    }
    for location in &profile.location {
        assert_eq!(location.mapping_id, profile.mapping[0].id);
        assert!(
            location
                .line
                .iter()
                .all(|line| functions.contains(&line.function_id))
        );
    }
    let texts = profile.string_table.len() as i64;
    for function in &profile.function {
        assert!(
            [function.name, function.system_name, function.filename]
                .iter()
                .all(|text| *text < texts)
        );
    }
}

#[test]
fn cpu_values_sum_to_samples_and_to_sampled_and_unsampled_time() {
    let profile = decoded(&cpu_pprof(&cpu()));
    assert_valid(&profile);
    assert_eq!(kinds(&profile), ["samples/count", "cpu/nanoseconds"]);
    assert_eq!(sums(&profile), [3, 100]);
    assert_eq!((profile.duration_nanos, profile.period), (120, 1_000_000));
    assert_eq!(text(&profile, profile.default_sample_type), "cpu");
}

#[test]
fn memory_values_sum_to_the_totals_of_the_profile() {
    let profile = decoded(&memory_pprof(&memory(), MemoryView::AtPeak));
    assert_valid(&profile);
    let expected = [
        "alloc_objects/count",
        "alloc_space/bytes",
        "inuse_space/bytes",
        "peak_space/bytes",
    ];
    assert_eq!(kinds(&profile), expected);
    assert_eq!(sums(&profile), [5, 1_200, 300, 900]);
    assert_eq!(text(&profile, profile.default_sample_type), "peak_space");
}

#[test]
fn stack_is_leaf_first_with_names_files_and_lines() {
    let profile = decoded(&cpu_pprof(&cpu()));
    let stack = &profile.sample[1].location_id;
    let frames: Vec<_> = stack
        .iter()
        .map(|id| {
            let location = &profile.location[*id as usize - 1];
            let line = &location.line[0];
            let function = &profile.function[line.function_id as usize - 1];
            let texts = [function.name, function.system_name, function.filename];
            (texts.map(|number| text(&profile, number)), line.line)
        })
        .collect();
    assert_eq!(
        frames,
        [
            (["app::T::work", "<app::T as app::U>::work", "src/work.rs"], 7),
            (["app::main", "app::main", ""], 0)
        ]
    );
}

#[test]
fn memory_samples_are_labelled_by_thread_and_phase() {
    let profile = decoded(&memory_pprof(&memory(), MemoryView::Total));
    let labels = profile.sample[1].label.iter();
    let labels: Vec<_> = labels
        .map(|label| (text(&profile, label.key), text(&profile, label.str)))
        .collect();
    assert_eq!(labels, [("thread", "main"), ("phase", "fit")]);
}

#[test]
fn same_profile_gives_the_same_bytes() {
    assert_eq!(cpu_pprof(&cpu()), cpu_pprof(&cpu()));
    let memory_file = || memory_pprof(&memory(), MemoryView::Total);
    assert_eq!(memory_file(), memory_file());
}

#[test]
fn archive_holds_no_time_of_day() {
    let file = cpu_pprof(&cpu());
    assert_eq!(file[..2], [0x1f, 0x8b]);
    assert_eq!(file[4..8], [0; 4], "the archive's own time stamp");
}
