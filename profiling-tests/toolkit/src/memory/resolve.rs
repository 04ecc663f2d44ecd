//! Names for what a region recorded: a closed ledger in, its sites out in words.
//!
//! Addresses become names here, once each, and nothing that goes out depends on where the code was loaded or in
//! which order threads came: frames, stacks, threads and phases are numbered in the order of their names.

use std::collections::{BTreeSet, HashMap};

use super::ledger::Ledger;
use super::origin::Origin;
use super::sites::{Site, SiteId};
use super::trim;
use super::usage::Usage;
use crate::symbols::{Frame, Symbolizer, UNKNOWN_FUNCTION};

/// The site that blocks from before the region are charged to, negative, when they are freed in it; also a thread
/// and a phase of theirs.
pub const FREED_BEFORE: &str = "[freed blocks from before the region]";

/// The site of allocations whose stack found no room; only in a profile that isn't complete. Also a thread and a
/// phase of theirs.
pub const NOT_RECORDED: &str = "[stacks that found no room]";

/// What the phase of a thread is called that is in none.
pub const NO_PHASE: &str = "[no phase]";

/// Root of a stack that is deeper than what was recorded.
const DEEPER: &str = "[deeper]";

/// All sites of a ledger in words.
#[derive(Debug)]
pub(super) struct ResolvedSites {
    /// Every distinct frame, sorted.
    pub(super) frames: Vec<Frame>,
    /// Every distinct name of a thread, sorted.
    pub(super) threads: Vec<String>,
    /// Every distinct name of a phase, sorted.
    pub(super) phases: Vec<String>,
    /// In the order of [`SiteTable::iter`](super::sites::SiteTable::iter); `None` where nothing was charged to a site.
    pub(super) sites: Vec<Option<ResolvedSite>>,
}

/// A site by indices into the lists of [`ResolvedSites`]. Sites that differ in their addresses only are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ResolvedSite {
    /// Root first.
    pub(super) frames: Vec<u32>,
    /// The frame that the allocation is the doing of.
    pub(super) site: u32,
    pub(super) phase: u32,
    pub(super) thread: u32,
}

impl ResolvedSites {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut stacks = StackNames::default();
        let named: Vec<Option<NamedSite<'_>>> = ledger
            .sites
            .iter()
            .map(|(id, site, addresses)| {
                let is_used = Usage::of(site, ledger.peak_number) != Usage::default();
                is_used.then(|| stacks.name_site(ledger, id, site, addresses))
            })
            .collect();
        let threads = sorted(named.iter().flatten().map(|site| site.thread));
        let phases = sorted(named.iter().flatten().map(|site| site.phase));
        let (frames, ranks) = stacks.ranked();
        let resolve = |site: NamedSite<'_>| ResolvedSite {
            frames: site.frames.iter().map(|&frame| ranks[frame as usize]).collect(),
            site: ranks[site.site as usize],
            phase: index_of(&phases, site.phase),
            thread: index_of(&threads, site.thread),
        };
        Self {
            frames,
            sites: named.into_iter().map(|site| site.map(resolve)).collect(),
            threads,
            phases,
        }
    }
}

/// A site whose frames are numbered in the order in which they turned up.
struct NamedSite<'ledger> {
    frames: Vec<u32>,
    site: u32,
    phase: &'ledger str,
    thread: &'ledger str,
}

fn sorted<'name>(names: impl Iterator<Item = &'name str>) -> Vec<String> {
    let distinct: BTreeSet<&str> = names.collect();
    distinct.into_iter().map(str::to_owned).collect()
}

fn index_of(sorted: &[String], name: &str) -> u32 {
    let position = sorted.binary_search_by(|known| known.as_str().cmp(name));
    position.expect("collected from the same names") as u32
}

/// The phase and the thread of a site. Those of [`SiteId`]'s constants are nobody's.
fn origin_names(ledger: &Ledger, id: SiteId, origin: Origin) -> (&str, &str) {
    match id {
        SiteId::FREED_BEFORE => (FREED_BEFORE, FREED_BEFORE),
        SiteId::NOT_RECORDED => (NOT_RECORDED, NOT_RECORDED),
        _ => {
            let phase = origin.phase.name();
            let phase = if phase.is_empty() { NO_PHASE } else { phase };
            (phase, ledger.threads.name(origin.thread))
        }
    }
}

/// Stacks as indices of frames that are numbered in the order in which they turn up.
#[derive(Default)]
struct StackNames {
    symbolizer: Symbolizer,
    numbers: HashMap<Frame, u32>,
}

impl StackNames {
    fn name_site<'ledger>(
        &mut self,
        ledger: &'ledger Ledger,
        id: SiteId,
        site: &Site,
        addresses: &[usize],
    ) -> NamedSite<'ledger> {
        let (phase, thread) = origin_names(ledger, id, site.origin);
        let (frames, site) = match id {
            SiteId::FREED_BEFORE | SiteId::NOT_RECORDED => self.pseudo(thread),
            _ => self.name(addresses, site.truncated),
        };
        NamedSite {
            frames,
            site,
            phase,
            thread,
        }
    }

    /// The frames of a stack, root first, and which of them is the site.
    fn name(&mut self, addresses: &[usize], truncated: bool) -> (Vec<u32>, u32) {
        let mut frames = Vec::new();
        for &address in addresses {
            frames.extend_from_slice(self.symbolizer.frames(address));
        }
        let stack = trim::without_instrument(&frames);
        if stack.is_empty() {
            return self.pseudo(UNKNOWN_FUNCTION);
        }
        let site = self.number(&stack[trim::site(stack)]);
        let root = truncated.then(|| self.number(&pseudo_frame(DEEPER)));
        let frames = stack.iter().rev().map(|frame| self.number(frame));
        (root.into_iter().chain(frames).collect(), site)
    }

    /// A stack of one frame that is no function.
    fn pseudo(&mut self, name: &str) -> (Vec<u32>, u32) {
        let frame = self.number(&pseudo_frame(name));
        (vec![frame], frame)
    }

    fn number(&mut self, frame: &Frame) -> u32 {
        if let Some(&number) = self.numbers.get(frame) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(frame.clone(), number);
        number
    }

    /// The frames, sorted, and the rank of each number.
    fn ranked(self) -> (Vec<Frame>, Vec<u32>) {
        let mut numbered: Vec<(Frame, u32)> = self.numbers.into_iter().collect();
        numbered.sort();
        let mut ranks = vec![0; numbered.len()];
        for (rank, (_, number)) in (0..).zip(&numbered) {
            ranks[*number as usize] = rank;
        }
        (numbered.into_iter().map(|(frame, _)| frame).collect(), ranks)
    }
}

fn pseudo_frame(name: &str) -> Frame {
    Frame {
        function: name.to_owned(),
        file: None,
        line: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_sorted() {
        let names = sorted(["b", "a", "b", "c"].into_iter());
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(index_of(&names, "b"), 1);
    }

    #[test]
    fn frames_are_ranked_in_their_order() {
        let mut stacks = StackNames::default();
        let [b, a] = ["b", "a"].map(|name| stacks.pseudo(name).1);
        assert_eq!((b, a), (0, 1));
        let (frames, ranks) = stacks.ranked();
        assert_eq!(frames[0].function, "a");
        assert_eq!(ranks, [1, 0]);
    }
}
