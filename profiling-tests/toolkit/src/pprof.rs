//! Profiles as `go tool pprof` and its like read them: gzipped `profile.proto`.
//!
//! In comes a profile, out go the bytes of a `.pb.gz` file. They hold no time of day: the same profile gives the same
//! bytes.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message as _;

use crate::cpu::CpuProfile;
use crate::memory::{MemoryProfile, MemoryView};
use crate::names::plain;
use crate::stack_table::{Sample, StackTable, TextTable, ValueKind};

mod proto;

/// CPU time: `samples/count` and `cpu/nanoseconds`, the sampled and the unsampled time.
pub fn cpu_pprof(profile: &CpuProfile) -> Vec<u8> {
    gzipped(&encoded(&StackTable::of_cpu(profile)))
}

/// Memory as in Go's heap profiles: `alloc_objects/count`, `alloc_space/bytes` and `inuse_space/bytes` (live at the
/// end), and beside them `peak_space/bytes`, each with the labels `thread` and `phase`. Objects in use aren't known stack by stack and left out. A reader opens
/// the values of `first`.
pub fn memory_pprof(profile: &MemoryProfile, first: MemoryView) -> Vec<u8> {
    gzipped(&encoded(&StackTable::of_memory(profile, first)))
}

fn encoded(table: &StackTable) -> Vec<u8> {
    let mut texts = TextTable::default();
    // The format wants the empty text first: 0 is "none" everywhere.
    let mut text = |text: &str| texts.number(text) as i64;
    text("");
    let mut value_type = |kind: ValueKind| proto::ValueType {
        r#type: text(kind.name),
        unit: text(kind.unit),
    };
    let sample_types = table.kinds.iter().map(|&kind| value_type(kind)).collect();
    let period_type = value_type(table.period.0);
    let profile = proto::Profile {
        sample_type: sample_types,
        sample: table
            .samples
            .iter()
            .map(|stack| sample(stack, &mut text))
            .collect(),
        mapping: vec![MAPPING],
        function: functions(table, &mut text),
        location: locations(table),
        duration_nanos: table.duration_ns as i64,
        period_type: Some(period_type),
        period: table.period.1,
        default_sample_type: text(table.kinds[table.first_kind].name),
        string_table: texts.into_texts(),
    };
    profile.encode_to_vec()
}

/// The whole program, named already: no reader has to look for its symbols.
const MAPPING: proto::Mapping = proto::Mapping {
    id: 1,
    has_functions: true,
    has_filenames: true,
    has_line_numbers: true,
    has_inline_frames: true,
};

/// Frames and functions are one to one; numbers begin at 1.
fn id(frame_idx: usize) -> u64 {
    frame_idx as u64 + 1
}

/// Leaf first, other than everywhere else.
fn sample(sample: &Sample, text: &mut impl FnMut(&str) -> i64) -> proto::Sample {
    let leaf_first = sample.frames.iter().rev();
    let labels = sample.labels.iter().map(|(key, value)| proto::Label {
        key: text(key),
        str: text(value),
    });
    proto::Sample {
        location_id: leaf_first.map(|&frame| id(frame as usize)).collect(),
        value: sample.values.clone(),
        label: labels.collect(),
    }
}

fn functions(table: &StackTable, text: &mut impl FnMut(&str) -> i64) -> Vec<proto::Function> {
    let frames = table.frames.iter().enumerate();
    let functions = frames.map(|(frame_idx, frame)| proto::Function {
        id: id(frame_idx),
        name: text(&plain(&frame.function)),
        system_name: text(&frame.function),
        filename: text(frame.file.as_deref().unwrap_or_default()),
    });
    functions.collect()
}

fn locations(table: &StackTable) -> Vec<proto::Location> {
    let frames = table.frames.iter().enumerate();
    let locations = frames.map(|(frame_idx, frame)| proto::Location {
        id: id(frame_idx),
        mapping_id: MAPPING.id,
        line: vec![proto::Line {
            function_id: id(frame_idx),
            line: frame.line.map_or(0, i64::from),
        }],
    });
    locations.collect()
}

/// Without a file name or a time in the head of the archive.
fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let compress = || -> io::Result<Vec<u8>> {
        let mut archive = GzEncoder::new(Vec::new(), Compression::default());
        archive.write_all(bytes)?;
        archive.finish()
    };
    compress().expect("a Vec takes every write")
}

#[cfg(test)]
mod tests;
