//! Stacks with their values, whichever instrument they came from: what the files for other tools are made of.
//!
//! In come profiles, out goes one table of frames, value types and samples, in the order of the profile: the same
//! profile gives the same table.

use std::collections::BTreeMap;

use crate::cpu::{CpuProfile, UNSAMPLED};
use crate::memory::{AllocationStack, MemoryProfile, MemoryView};
use crate::symbols::Frame;

/// What the values of a sample are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueKind {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
}

/// A stack and its values, one a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Indices into [`StackTable::frames`], root first.
    pub(crate) frames: Vec<u32>,
    pub(crate) values: Vec<i64>,
    /// What else is known of it, by name.
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// Stacks with their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackTable {
    pub(crate) kinds: Vec<ValueKind>,
    /// Which of them a reader sees first.
    pub(crate) first_kind: usize,
    pub(crate) frames: Vec<Frame>,
    pub(crate) samples: Vec<Sample>,
    /// Elapsed time of the measurement, nanoseconds; 0 where it has none.
    pub(crate) duration_ns: u64,
    /// What stands between two samples.
    pub(crate) period: (ValueKind, i64),
}

pub(crate) const CPU_NS: ValueKind = kind("cpu", "nanoseconds");
const SAMPLES: ValueKind = kind("samples", "count");

/// The first is of blocks, the others are bytes by the view they stand for.
const ALLOC_OBJECTS: ValueKind = kind("alloc_objects", "count");

const fn kind(name: &'static str, unit: &'static str) -> ValueKind {
    ValueKind { name, unit }
}

/// The kind that holds the bytes of a view, named as in Go's heap profiles, which know no peak.
pub(crate) const fn kind_of_view(view: MemoryView) -> ValueKind {
    match view {
        MemoryView::Total => kind("alloc_space", "bytes"),
        MemoryView::LiveAtEnd => kind("inuse_space", "bytes"),
        MemoryView::AtPeak => kind("peak_space", "bytes"),
    }
}

impl StackTable {
    /// Samples and nanoseconds of CPU time.
    pub(crate) fn of_cpu(profile: &CpuProfile) -> Self {
        let frames = profile
            .functions
            .iter()
            .map(|cost| frame(&cost.function, cost.location.as_deref()));
        let samples = profile.stacks.iter().map(|stack| Sample {
            frames: stack.frames.clone(),
            values: vec![stack.samples as i64, stack.weight_ns as i64],
            labels: Vec::new(),
        });
        let mut table = Self {
            kinds: vec![SAMPLES, CPU_NS],
            first_kind: 1,
            frames: frames.collect(),
            samples: samples.collect(),
            duration_ns: profile.wall_ns,
            period: (
                CPU_NS,
                1_000_000_000 / i64::from(profile.sampling.rate_asked_hz.max(1)),
            ),
        };
        if profile.sampling.unsampled_ns > 0 {
            table.samples.push(Sample {
                frames: vec![table.frames.len() as u32],
                values: vec![0, profile.sampling.unsampled_ns as i64],
                labels: Vec::new(),
            });
            table.frames.push(frame(UNSAMPLED, None));
        }
        table
    }

    /// New blocks and bytes by each view, `first` to be seen first. Stacks end at the allocation site: what the standard
    /// library does below it, down to the allocator, would be the leaf of all of them. Live bytes are negative for blocks from before the
    /// region that were freed in it, so that the values sum to the totals of the profile.
    pub(crate) fn of_memory(profile: &MemoryProfile, first: MemoryView) -> Self {
        const VIEWS: [MemoryView; 3] = [MemoryView::Total, MemoryView::LiveAtEnd, MemoryView::AtPeak];
        let values = |stack: &AllocationStack| {
            let bytes = VIEWS.map(|view| stack.usage.bytes(view));
            std::iter::once(stack.usage.allocations as i64)
                .chain(bytes)
                .collect()
        };
        let samples = profile.stacks.iter().map(|stack| Sample {
            frames: stack.up_to_site().to_vec(),
            values: values(stack),
            labels: vec![
                ("thread", profile.threads[stack.thread as usize].name.clone()),
                ("phase", profile.phases[stack.phase as usize].name.clone()),
            ],
        });
        let first_view = VIEWS.iter().position(|&view| view == first).unwrap_or_default();
        Self {
            kinds: std::iter::once(ALLOC_OBJECTS)
                .chain(VIEWS.map(kind_of_view))
                .collect(),
            first_kind: 1 + first_view,
            frames: profile.frames.clone(),
            samples: samples.collect(),
            duration_ns: 0,
            // Every block is recorded, not one in so many bytes.
            period: (kind("space", "bytes"), 1),
        }
    }
}

/// Texts by number, each once, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct TextTable {
    numbers: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl TextTable {
    pub(crate) fn number(&mut self, text: &str) -> usize {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        self.numbers.insert(text.to_owned(), self.texts.len());
        self.texts.push(text.to_owned());
        self.texts.len() - 1
    }

    pub(crate) fn into_texts(self) -> Vec<String> {
        self.texts
    }
}

/// A frame from a function's name and its `file:line`.
fn frame(function: &str, location: Option<&str>) -> Frame {
    let (file, line) = match location.map(|location| location.rsplit_once(':').ok_or(location)) {
        Some(Ok((file, line))) if line.parse::<u32>().is_ok() => (Some(file), line.parse().ok()),
        Some(_) => (location, None),
        None => (None, None),
    };
    Frame {
        function: function.to_owned(),
        file: file.map(str::to_owned),
        line,
    }
}

#[cfg(test)]
pub(crate) mod examples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_comes_apart_into_file_and_line() {
        let parts = |location| {
            let frame = frame("f", location);
            (frame.file, frame.line)
        };
        assert_eq!(parts(Some("src/a.rs:7")), (Some("src/a.rs".to_owned()), Some(7)));
        assert_eq!(parts(Some("src/a.rs")), (Some("src/a.rs".to_owned()), None));
        assert_eq!(parts(Some("c:/a.rs")), (Some("c:/a.rs".to_owned()), None));
        assert_eq!(parts(None), (None, None));
    }

    #[test]
    fn memory_stacks_end_at_the_allocation_site() {
        let profile = examples::memory();
        let table = StackTable::of_memory(&profile, MemoryView::Total);
        let leaves: Vec<&str> = table
            .samples
            .iter()
            .map(|sample| {
                table.frames[*sample.frames.last().unwrap() as usize]
                    .function
                    .as_str()
            })
            .collect();
        assert_eq!(leaves, [crate::memory::FREED_BEFORE, "app::main", "app::keep"]);
    }

    #[test]
    fn equal_texts_share_a_number() {
        let mut texts = TextTable::default();
        assert_eq!(["b", "a", "b"].map(|text| texts.number(text)), [0, 1, 0]);
        assert_eq!(texts.into_texts(), ["b", "a"]);
    }
}
