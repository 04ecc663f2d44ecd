//! What a region used, as data: totals, sizes, threads, phases, stacks, sites, folded lines.
//!
//! In comes a closed region. Everything is sorted by name, so the same work gives the same profile wherever the code
//! was loaded.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::region::Recording;
use super::resolve::{NOT_RECORDED, ResolvedSite, ResolvedSites};
use super::sizes::SizeClass;
use super::stack::Unwinder;
use super::usage::{MemoryView, NamedUsage, Usage};
use crate::symbols::Frame;

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
    /// Which of `stacks` was the first to ask for that size; `None` where nobody asked for anything.
    pub largest_block_stack: Option<u32>,
    /// All requests by their size, smallest first. Blocks, reallocations and bytes sum to the totals above.
    pub sizes: Vec<SizeClass>,
    /// The live delta by `stats_alloc`'s counters, a second count of its own. It differs only where a request
    /// failed (counted there as if granted) or another thread was in the middle of one at either end.
    pub counters_delta_bytes: i64,
    /// Nothing was lost. Where it is false the totals hold, but some bytes are on the wrong site.
    pub complete: bool,
    /// What the tracker's own tables took at the end; in no other figure here, but in the process's resident memory.
    pub tracker_bytes: u64,
    /// How the stacks were found.
    pub unwinder: Unwinder,
    /// Sites whose stack is deeper than `MemoryOptions::max_depth`; their root reads `[deeper]`.
    pub truncated_stacks: u64,
    /// Every distinct frame of `stacks`, sorted.
    pub frames: Vec<Frame>,
    /// What the threads of each name allocated, sorted by name. Like that of `phases` and `stacks` their usage sums
    /// to the totals, live bytes to `live_delta_bytes`, at the peak to `peak_bytes`; a block is charged to whoever
    /// allocated or last resized it, whoever frees it.
    pub threads: Vec<NamedUsage>,
    /// What was allocated in each phase, sorted by name.
    pub phases: Vec<NamedUsage>,
    /// Every distinct stack that allocated, in each phase and on each thread, sorted by its frames from the root on.
    pub stacks: Vec<AllocationStack>,
}

/// One distinct stack in one phase on the threads of one name, and what was allocated from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationStack {
    /// Indices into [`MemoryProfile::frames`], root first.
    pub frames: Vec<u32>,
    /// Which of them the allocation is the doing of: the innermost outside the standard library.
    pub site: u32,
    /// Index into [`MemoryProfile::phases`].
    pub phase: u32,
    /// Index into [`MemoryProfile::threads`].
    pub thread: u32,
    /// What was allocated.
    pub usage: Usage,
}

impl AllocationStack {
    /// The frames from the root to the innermost that is the allocation site: what the standard library does below it
    /// is that site's doing.
    pub fn up_to_site(&self) -> &[u32] {
        let site = self.frames.iter().rposition(|&frame| frame == self.site);
        site.map_or(&self.frames, |site| &self.frames[..=site])
    }
}

/// A call chain and what was allocated below it over all phases and threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationChain {
    /// Indices into [`MemoryProfile::frames`], from the site outwards.
    pub frames: Vec<u32>,
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

impl MemoryProfile {
    /// Allocation sites, the largest by `view` first, at most `n_sites`. Sites that are zero by that view
    /// are left out; [`FREED_BEFORE`](super::FREED_BEFORE) comes last.
    pub fn top_sites(&self, view: MemoryView, n_sites: usize) -> Vec<AllocationSite> {
        let mut sites: Vec<AllocationSite> = self
            .sites()
            .into_iter()
            .filter(|site| site.usage.bytes(view) != 0)
            .collect();
        // Stable: equal sites stay in the order of their names.
        sites.sort_by_key(|site| Reverse(site.usage.bytes(view)));
        sites.truncate(n_sites);
        sites
    }

    /// Call chains, the largest by `view` first, at most `n_chains`; those that are zero by it are left out. Of each
    /// stack the frames are taken that are `worth_showing`, from the site outwards, the site in any case: stacks that
    /// differ in others only are one chain.
    pub fn top_chains(
        &self,
        view: MemoryView,
        n_chains: usize,
        worth_showing: impl Fn(&Frame) -> bool,
    ) -> Vec<AllocationChain> {
        let worth_showing: Vec<bool> = self.frames.iter().map(worth_showing).collect();
        let mut chains: BTreeMap<Vec<u32>, Usage> = BTreeMap::new();
        for stack in &self.stacks {
            let from_site = stack
                .frames
                .iter()
                .rev()
                .skip_while(|&&frame| frame != stack.site);
            let outwards = from_site.skip(1).filter(|&&frame| worth_showing[frame as usize]);
            let chain = std::iter::once(&stack.site).chain(outwards).copied().collect();
            chains.entry(chain).or_default().add(stack.usage);
        }
        let mut chains: Vec<_> = chains
            .into_iter()
            .map(|(frames, usage)| AllocationChain { frames, usage })
            .filter(|chain| chain.usage.bytes(view) != 0)
            .collect();
        // Stable: equal chains stay in the order of their names.
        chains.sort_by_key(|chain| Reverse(chain.usage.bytes(view)));
        chains.truncate(n_chains);
        chains
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
    /// A width can't be negative: [`FREED_BEFORE`](super::FREED_BEFORE) is left out, so the lines sum to what is live from *new*
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

    /// What spoils the profile, in whole sentences; empty if nothing does.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.complete {
            let lost = self.threads.iter().find(|thread| thread.name == NOT_RECORDED);
            let lost = lost.map_or(0, |lost| lost.usage.bytes_allocated);
            warnings.push(format!(
                "a table of the memory tracker overflowed: the totals hold, but {lost} of {} bytes allocated have no \
                 site, no phase and no thread; raise MemoryOptions::max_sites",
                self.bytes_allocated
            ));
        }
        if self.truncated_stacks > 0 {
            warnings.push(format!(
                "the stacks of {} sites are deeper than MemoryOptions::max_depth; their root reads [deeper]",
                self.truncated_stacks
            ));
        }
        warnings
    }

    pub(super) fn new(recording: &Recording) -> Self {
        let Recording {
            ledger,
            counters_delta,
            unwinder,
        } = recording;
        let ResolvedSites {
            frames,
            threads,
            phases,
            sites,
        } = ResolvedSites::of(ledger);
        let largest_site = ledger
            .largest
            .and_then(|largest| sites[largest.site.0 as usize].clone());
        let mut stacks: BTreeMap<ResolvedSite, Usage> = BTreeMap::new();
        for (resolved, (_, site, _)) in sites.into_iter().zip(ledger.sites.iter()) {
            if let Some(resolved) = resolved {
                let usage = Usage::of(site, ledger.peak_number);
                stacks.entry(resolved).or_default().add(usage);
            }
        }
        let position = |site| stacks.keys().position(|stack| *stack == site);
        Self {
            live_delta_bytes: ledger.totals.live,
            peak_bytes: ledger.totals.peak.unsigned_abs(),
            allocations: ledger.totals.allocations,
            deallocations: ledger.totals.deallocations,
            reallocations: ledger.totals.reallocations,
            bytes_allocated: ledger.totals.bytes_allocated,
            bytes_deallocated: ledger.totals.bytes_deallocated,
            largest_block_bytes: ledger.largest.map_or(0, |largest| largest.size),
            largest_block_stack: largest_site.and_then(position).map(|stack| stack as u32),
            sizes: ledger.sizes.used(),
            counters_delta_bytes: *counters_delta,
            complete: ledger.complete,
            tracker_bytes: ledger.size_bytes() as u64,
            unwinder: *unwinder,
            truncated_stacks: ledger.sites.iter().filter(|(_, site, _)| site.truncated).count() as u64,
            threads: usage_by(threads, &stacks, |stack| stack.thread),
            phases: usage_by(phases, &stacks, |stack| stack.phase),
            frames,
            stacks: stacks.into_iter().map(AllocationStack::from).collect(),
        }
    }
}

impl From<(ResolvedSite, Usage)> for AllocationStack {
    fn from((stack, usage): (ResolvedSite, Usage)) -> Self {
        Self {
            frames: stack.frames,
            site: stack.site,
            phase: stack.phase,
            thread: stack.thread,
            usage,
        }
    }
}

/// Adds the stacks up by one of their indices into `names`.
fn usage_by(
    names: Vec<String>,
    stacks: &BTreeMap<ResolvedSite, Usage>,
    index: impl Fn(&ResolvedSite) -> u32,
) -> Vec<NamedUsage> {
    let mut usages = vec![Usage::default(); names.len()];
    for (stack, &usage) in stacks {
        usages[index(stack) as usize].add(usage);
    }
    let named = names.into_iter().zip(usages);
    named.map(|(name, usage)| NamedUsage { name, usage }).collect()
}
