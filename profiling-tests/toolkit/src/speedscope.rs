//! Profiles as [speedscope](https://www.speedscope.app) reads them.
//!
//! In comes a profile, out goes what its file format describes
//! (<https://www.speedscope.app/file-format-schema.json>), to be serialized as JSON. Names are those a person reads;
//! what has no width, such as bytes freed from before a memory region, is left out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cpu::CpuProfile;
use crate::memory::{MemoryProfile, MemoryView};
use crate::names::plain;
use crate::stack_table::{CPU_NS, StackTable, ValueKind, kind_of_view};

/// By this text the tool knows its own format.
const SCHEMA: &str = "https://www.speedscope.app/file-format-schema.json";

const EXPORTER: &str = concat!("profiling-toolkit ", env!("CARGO_PKG_VERSION"));

/// A file for speedscope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Speedscope {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: String,
    exporter: &'static str,
    active_profile_index: usize,
    shared: Shared,
    profiles: Vec<SampledProfile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Shared {
    frames: Vec<SpeedscopeFrame>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct SpeedscopeFrame {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// Stacks, root first, with a weight each; they stand one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SampledProfile {
    r#type: &'static str,
    name: String,
    unit: &'static str,
    start_value: i64,
    end_value: i64,
    samples: Vec<Vec<usize>>,
    weights: Vec<i64>,
}

/// CPU time in nanoseconds, sampled and unsampled.
pub fn cpu_speedscope(title: &str, profile: &CpuProfile) -> Speedscope {
    Speedscope::new(title, &StackTable::of_cpu(profile), &[("CPU time", CPU_NS)])
}

/// Bytes, `view` first, then the other views.
pub fn memory_speedscope(title: &str, profile: &MemoryProfile, view: MemoryView) -> Speedscope {
    let mut views = [MemoryView::AtPeak, MemoryView::Total, MemoryView::LiveAtEnd];
    views.sort_by_key(|&other| other != view);
    let named = views.map(|view| {
        let name = match view {
            MemoryView::AtPeak => "live at the peak",
            MemoryView::Total => "allocated in all",
            MemoryView::LiveAtEnd => "live at the end",
        };
        (name, kind_of_view(view))
    });
    Speedscope::new(title, &StackTable::of_memory(profile, view), &named)
}

impl Speedscope {
    fn new(title: &str, table: &StackTable, kinds: &[(&str, ValueKind)]) -> Self {
        let mut frames = Frames::default();
        let frame_idx: Vec<usize> = table.frames.iter().map(|frame| frames.index(frame)).collect();
        let profiles = kinds
            .iter()
            .map(|&(name, kind)| sampled(title, name, kind, table, &frame_idx));
        Self {
            schema: SCHEMA,
            name: title.to_owned(),
            exporter: EXPORTER,
            active_profile_index: 0,
            profiles: profiles.collect(),
            shared: Shared {
                frames: frames.frames,
            },
        }
    }
}

fn sampled(
    title: &str,
    name: &str,
    kind: ValueKind,
    table: &StackTable,
    frame_idx: &[usize],
) -> SampledProfile {
    let value_idx = table.kinds.iter().position(|&other| other == kind);
    let value_idx = value_idx.expect("the kinds are those of the table");
    let (samples, weights): (Vec<_>, Vec<_>) = table
        .samples
        .iter()
        .filter(|sample| sample.values[value_idx] > 0)
        .map(|sample| {
            let frames = sample.frames.iter().map(|&frame| frame_idx[frame as usize]);
            (frames.collect(), sample.values[value_idx])
        })
        .unzip();
    SampledProfile {
        r#type: "sampled",
        name: format!("{title}: {name}"),
        unit: kind.unit,
        start_value: 0,
        end_value: weights.iter().sum(),
        samples,
        weights,
    }
}

/// Frames by name and place. What a person reads alike is one.
#[derive(Default)]
struct Frames {
    indices: BTreeMap<crate::symbols::Frame, usize>,
    frames: Vec<SpeedscopeFrame>,
}

impl Frames {
    fn index(&mut self, frame: &crate::symbols::Frame) -> usize {
        let read = crate::symbols::Frame {
            function: plain(&frame.function),
            ..frame.clone()
        };
        let next = self.frames.len();
        let index = *self.indices.entry(read.clone()).or_insert(next);
        if index == next {
            self.frames.push(SpeedscopeFrame {
                name: read.function,
                file: read.file,
                line: read.line,
            });
        }
        index
    }
}

#[cfg(test)]
mod tests;
