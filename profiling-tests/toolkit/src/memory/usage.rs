//! What was allocated from one place, whatever a place is: a stack, a line, a thread, a phase.

use serde::{Deserialize, Serialize};

use super::sites::Site;

/// What was allocated from one place. The live bytes are negative only for
/// [`FREED_BEFORE`](super::FREED_BEFORE).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// New blocks.
    pub allocations: u64,
    /// Blocks resized from here.
    pub reallocations: u64,
    /// Sizes of the new blocks plus what reallocations added.
    pub bytes_allocated: u64,
    /// Live bytes at the end of the region.
    pub live_at_end_bytes: i64,
    /// Live bytes at the moment of the region's peak.
    pub live_at_peak_bytes: i64,
}

/// What was allocated on the threads of one name or in one phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedUsage {
    /// The name.
    pub name: String,
    /// What was allocated.
    pub usage: Usage,
}

/// What allocation sites are ranked by and flame graphs are wide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryView {
    /// Live bytes at the peak: what to shrink for a smaller process.
    AtPeak,
    /// Bytes allocated in all: what to avoid for less allocator work.
    Total,
    /// Live bytes at the end: what was kept, or leaked.
    LiveAtEnd,
}

impl Usage {
    /// The bytes of one view.
    pub fn bytes(self, view: MemoryView) -> i64 {
        match view {
            MemoryView::AtPeak => self.live_at_peak_bytes,
            MemoryView::Total => self.bytes_allocated as i64,
            MemoryView::LiveAtEnd => self.live_at_end_bytes,
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.reallocations += other.reallocations;
        self.bytes_allocated += other.bytes_allocated;
        self.live_at_end_bytes += other.live_at_end_bytes;
        self.live_at_peak_bytes += other.live_at_peak_bytes;
    }

    pub(super) fn of(site: &Site, peak_number: u64) -> Self {
        Self {
            allocations: site.allocations,
            reallocations: site.reallocations,
            bytes_allocated: site.bytes_allocated,
            live_at_end_bytes: site.live,
            live_at_peak_bytes: site.live_at_peak(peak_number),
        }
    }
}
