//! What a region used, as data: totals, stacks, sites, folded lines.
//!
//! In comes the closed ledger; addresses become names here, once each. Everything is sorted by name, so the
//! same work gives the same profile wherever the code was loaded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stats_alloc::Stats;

use super::ledger::Ledger;
use super::sites::{Site, SiteId};
use super::stack::Unwinder;
use super::trim;
use crate::symbols::{Frame, Symbolizer};

/// The site that blocks from before the region are charged to, negative, when they are freed in it.
pub const FREED_BEFORE: &str = "[freed blocks from before the region]";

/// The site of allocations whose stack found no room; only in a profile that isn't complete.
pub const NOT_RECORDED: &str = "[stacks that found no room]";

/// Root of a stack that is deeper than what was recorded.
const DEEPER: &str = "[deeper]";

/// What the process allocated during a region. All sizes in bytes; see the module for the definitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryProfile {
    /// Live bytes at the end minus those at entry.
    pub live_delta_bytes: i64,
    /// Highest live bytes of the whole process above those at entry.
    pub peak_bytes: u64,
    /// New blocks.
    pub allocations: u64,
    /// Blocks given back.
    pub deallocations: u64,
    /// Blocks resized.
    pub reallocations: u64,
    /// Sizes of the new blocks plus what reallocations added.
    pub bytes_allocated: u64,
    /// Sizes of the blocks given back plus what reallocations took off.
    pub bytes_deallocated: u64,
    /// The largest size any block was allocated with or resized to.
    pub largest_block_bytes: u64,
    /// The live delta by `stats_alloc`'s counters, a second count of its own. It differs only where a request
    /// failed (counted there as if granted) or another thread was in the middle of one at either end.
    pub counters_delta_bytes: i64,
    /// Nothing was lost. Where it is false the totals hold, but some bytes are on the wrong site.
    pub complete: bool,
    /// How the stacks were found.
    pub unwinder: Unwinder,
    /// Distinct stacks deeper than `MemoryOptions::max_depth`; their root reads `[deeper]`.
    pub truncated_stacks: u64,
    /// Every distinct frame of `stacks`, sorted.
    pub frames: Vec<Frame>,
    /// Every distinct stack that allocated, sorted by its frames from the root on. Their live bytes sum to
    /// `live_delta_bytes`, at the peak to `peak_bytes`.
    pub stacks: Vec<AllocationStack>,
}

/// One distinct stack and what was allocated from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationStack {
    /// Indices into [`MemoryProfile::frames`], root first.
    pub frames: Vec<u32>,
    /// Which of them the allocation is the doing of: the innermost outside the standard library.
    pub site: u32,
    /// What was allocated.
    pub usage: Usage,
}

/// A frame and what was allocated there over all stacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationSite {
    /// Function, file and line.
    pub frame: Frame,
    /// What was allocated.
    pub usage: Usage,
}

/// What was allocated from one place. The live bytes are negative only for [`FREED_BEFORE`].
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

impl MemoryProfile {
    /// Allocation sites, the largest by `view` first, at most `n_sites`. Sites that are zero by that view
    /// are left out; [`FREED_BEFORE`] comes last.
    pub fn top_sites(&self, view: MemoryView, n_sites: usize) -> Vec<AllocationSite> {
        let mut sites: Vec<AllocationSite> = self
            .sites()
            .into_iter()
            .filter(|site| site.usage.bytes(view) != 0)
            .collect();
        // Stable: equal sites stay in the order of their names.
        sites.sort_by_key(|site| std::cmp::Reverse(site.usage.bytes(view)));
        sites.truncate(n_sites);
        sites
    }

    /// All allocation sites, sorted by function, file and line.
    pub fn sites(&self) -> Vec<AllocationSite> {
        let mut sites: BTreeMap<u32, Usage> = BTreeMap::new();
        for stack in &self.stacks {
            sites.entry(stack.site).or_default().add(stack.usage);
        }
        let with_frame = |(frame, usage)| AllocationSite {
            frame: self.frame(frame).clone(),
            usage,
        };
        sites.into_iter().map(with_frame).collect()
    }

    /// Lines `root;…;leaf bytes` for a flame graph, sorted, one for each distinct path of functions.
    ///
    /// A width can't be negative: [`FREED_BEFORE`] is left out, so the lines sum to what is live from *new*
    /// blocks.
    pub fn folded(&self, view: MemoryView) -> Vec<String> {
        let mut lines: BTreeMap<String, u64> = BTreeMap::new();
        for stack in &self.stacks {
            let Some(bytes) = u64::try_from(stack.usage.bytes(view))
                .ok()
                .filter(|&bytes| bytes > 0)
            else {
                continue;
            };
            // The separator occurs in names such as `[T; N]`.
            let names = stack
                .frames
                .iter()
                .map(|&frame| self.frame(frame).function.replace(';', ","));
            *lines.entry(names.collect::<Vec<_>>().join(";")).or_default() += bytes;
        }
        lines
            .into_iter()
            .map(|(path, bytes)| format!("{path} {bytes}"))
            .collect()
    }

    /// The frame of an index in [`AllocationStack`].
    ///
    /// # Panics
    /// If the index isn't of this profile.
    pub fn frame(&self, frame_idx: u32) -> &Frame {
        &self.frames[frame_idx as usize]
    }

    pub(super) fn new(recording: &Recording) -> Self {
        let Recording {
            ledger,
            counted,
            unwinder,
        } = recording;
        let named = name_stacks(ledger);
        let truncated_stacks = ledger.sites.iter().filter(|(_, site, _)| site.truncated).count() as u64;
        let (frames, stacks) = intern(&named);
        Self {
            live_delta_bytes: ledger.totals.live,
            peak_bytes: ledger.totals.peak.unsigned_abs(),
            allocations: ledger.totals.allocations,
            deallocations: ledger.totals.deallocations,
            reallocations: ledger.totals.reallocations,
            bytes_allocated: ledger.totals.bytes_allocated,
            bytes_deallocated: ledger.totals.bytes_deallocated,
            largest_block_bytes: ledger.totals.largest,
            counters_delta_bytes: counted.bytes_allocated as i64 - counted.bytes_deallocated as i64,
            complete: ledger.complete,
            unwinder: *unwinder,
            truncated_stacks,
            frames,
            stacks,
        }
    }
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

    fn add(&mut self, other: Self) {
        self.allocations += other.allocations;
        self.reallocations += other.reallocations;
        self.bytes_allocated += other.bytes_allocated;
        self.live_at_end_bytes += other.live_at_end_bytes;
        self.live_at_peak_bytes += other.live_at_peak_bytes;
    }

    fn of(site: &Site, peak_number: u64) -> Self {
        Self {
            allocations: site.allocations,
            reallocations: site.reallocations,
            bytes_allocated: site.bytes_allocated,
            live_at_end_bytes: site.live,
            live_at_peak_bytes: site.live_at_peak(peak_number),
        }
    }
}

/// What a closed region leaves behind.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) ledger: Ledger,
    pub(super) counted: Stats,
    pub(super) unwinder: Unwinder,
}

/// Frames, root first, and which of them is the site.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct NamedStack {
    frames: Vec<Frame>,
    site: usize,
}

/// Stacks that differ in their addresses but not in their names become one.
fn name_stacks(ledger: &Ledger) -> BTreeMap<NamedStack, Usage> {
    let mut symbolizer = Symbolizer::new();
    let mut named: BTreeMap<NamedStack, Usage> = BTreeMap::new();
    for (id, site, addresses) in ledger.sites.iter() {
        let usage = Usage::of(site, ledger.peak_number);
        if usage == Usage::default() {
            continue;
        }
        let stack = match id {
            SiteId::FREED_BEFORE => NamedStack {
                frames: vec![pseudo_frame(FREED_BEFORE)],
                site: 0,
            },
            SiteId::NOT_RECORDED => NamedStack {
                frames: vec![pseudo_frame(NOT_RECORDED)],
                site: 0,
            },
            _ => name_stack(&mut symbolizer, addresses, site.truncated),
        };
        named.entry(stack).or_default().add(usage);
    }
    named
}

fn name_stack(symbolizer: &mut Symbolizer, addresses: &[usize], truncated: bool) -> NamedStack {
    let mut frames = Vec::new();
    for &address in addresses {
        frames.extend_from_slice(symbolizer.frames(address));
    }
    let mut stack = trim::without_instrument(&frames).to_vec();
    if stack.is_empty() {
        stack.push(pseudo_frame(crate::symbols::UNKNOWN_FUNCTION));
    }
    let site_from_leaf = trim::site(&stack);
    if truncated {
        stack.push(pseudo_frame(DEEPER));
    }
    stack.reverse();
    let site = stack.len() - 1 - site_from_leaf;
    NamedStack { frames: stack, site }
}

fn pseudo_frame(name: &str) -> Frame {
    Frame {
        function: name.to_owned(),
        file: None,
        line: None,
    }
}

/// Each distinct frame once, stacks as indices: a tenth of the size as JSON.
fn intern(named: &BTreeMap<NamedStack, Usage>) -> (Vec<Frame>, Vec<AllocationStack>) {
    let distinct: BTreeSet<&Frame> = named.keys().flat_map(|stack| &stack.frames).collect();
    let frames: Vec<Frame> = distinct.into_iter().cloned().collect();
    let index_of = |frame: &Frame| frames.binary_search(frame).expect("collected above") as u32;
    let stacks = named
        .iter()
        .map(|(stack, &usage)| {
            let indices: Vec<u32> = stack.frames.iter().map(index_of).collect();
            AllocationStack {
                site: indices[stack.site],
                frames: indices,
                usage,
            }
        })
        .collect();
    (frames, stacks)
}
