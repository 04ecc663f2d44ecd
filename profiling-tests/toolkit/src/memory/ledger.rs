//! The books of an open region: totals, peak, live blocks and sites, changed together.
//!
//! In come operations that have happened, with their addresses, sizes and stacks; whoever holds the ledger
//! holds its lock, so each operation is one atomic step and every sum agrees with its total at any moment.

use super::blocks::BlockTable;
use super::origin::Threads;
use super::sites::{SiteId, SiteKey, SiteTable};
use super::sizes::Sizes;
use super::stack::Stack;

/// Everything known about an open region. Sizes are in bytes, levels are relative to the region's entry.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Tells this region from an earlier one, for operations that span the boundary.
    pub(super) region: u64,
    pub(super) totals: Totals,
    /// Counts the peaks so far, each higher than the one before.
    pub(super) peak_number: u64,
    pub(super) sites: SiteTable,
    pub(super) sizes: Sizes,
    pub(super) threads: Threads,
    pub(super) largest: Option<LargestBlock>,
    /// No entry was lost.
    pub(super) complete: bool,
    blocks: BlockTable,
}

/// Running totals of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) live: i64,
    pub(super) peak: i64,
    pub(super) allocations: u64,
    pub(super) deallocations: u64,
    pub(super) reallocations: u64,
    pub(super) bytes_allocated: u64,
    pub(super) bytes_deallocated: u64,
}

/// The first block that reached the largest size of all.
#[derive(Debug, Clone, Copy)]
pub(super) struct LargestBlock {
    pub(super) size: u64,
    pub(super) site: SiteId,
}

/// A block that is being reallocated: out of the table, its bytes still live at its site.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiftedBlock {
    region: u64,
    /// `None` for a block from before the region.
    site: Option<SiteId>,
}

/// What a reallocation did, once it has succeeded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reallocation {
    pub(super) old_size: usize,
    pub(super) new_address: usize,
    pub(super) new_size: usize,
}

impl Ledger {
    /// The books of the region with this number, for at most so many sites.
    pub(super) fn new(region: u64, most_sites: usize) -> Self {
        Self {
            region,
            totals: Totals::default(),
            peak_number: 1,
            sites: SiteTable::new(most_sites),
            sizes: Sizes::new(),
            threads: Threads::new(region),
            largest: None,
            complete: true,
            blocks: BlockTable::new(),
        }
    }

    #[inline]
    pub(super) fn allocate(&mut self, address: usize, size: usize, stack: &Stack) {
        let id = self.site_of(stack);
        let site = self.sites.site_mut(id);
        site.allocations += 1;
        site.bytes_allocated += size as u64;
        site.change_live(size as i64, self.peak_number);
        self.enter(address, id);
        self.totals.allocations += 1;
        self.totals.bytes_allocated += size as u64;
        self.sizes.allocate(size);
        self.compare_with_largest(size, id);
        self.change_live(size as i64);
    }

    /// To be entered before the block is given back: from then on another thread may get its address.
    #[inline]
    pub(super) fn deallocate(&mut self, address: usize, size: usize) {
        let id = self.blocks.remove(address).unwrap_or(SiteId::FREED_BEFORE);
        self.sites
            .site_mut(id)
            .change_live(-(size as i64), self.peak_number);
        self.totals.deallocations += 1;
        self.totals.bytes_deallocated += size as u64;
        self.change_live(-(size as i64));
    }

    /// To be entered before the block is reallocated, for the same reason; [`Ledger::settle`] or
    /// [`Ledger::put_back`] must follow.
    #[inline]
    pub(super) fn lift(&mut self, address: usize) -> LiftedBlock {
        LiftedBlock {
            region: self.region,
            site: self.blocks.remove(address),
        }
    }

    /// The reallocation failed: the block is what it was.
    pub(super) fn put_back(&mut self, address: usize, lifted: LiftedBlock) {
        if let (true, Some(site)) = (lifted.region == self.region, lifted.site) {
            self.enter(address, site);
        }
    }

    /// The reallocation succeeded: all bytes move to the site of `stack`.
    #[inline]
    pub(super) fn settle(&mut self, lifted: LiftedBlock, change: Reallocation, stack: &Stack) {
        if lifted.region != self.region {
            return;
        }
        let (old_size, new_size) = (change.old_size as u64, change.new_size as u64);
        let growth = new_size.saturating_sub(old_size);
        let old_site = lifted.site.unwrap_or(SiteId::FREED_BEFORE);
        self.sites
            .site_mut(old_site)
            .change_live(-(old_size as i64), self.peak_number);
        let id = self.site_of(stack);
        let site = self.sites.site_mut(id);
        site.reallocations += 1;
        site.bytes_allocated += growth;
        site.change_live(new_size as i64, self.peak_number);
        self.enter(change.new_address, id);
        self.totals.reallocations += 1;
        self.totals.bytes_allocated += growth;
        self.totals.bytes_deallocated += old_size.saturating_sub(new_size);
        self.sizes.reallocate(change.new_size, growth);
        self.compare_with_largest(change.new_size, id);
        self.change_live(new_size as i64 - old_size as i64);
    }

    /// What the books take themselves.
    pub(super) fn size_bytes(&self) -> usize {
        self.sites.size_bytes() + self.blocks.size_bytes()
    }

    #[inline]
    fn change_live(&mut self, bytes: i64) {
        self.totals.live += bytes;
        if self.totals.live > self.totals.peak {
            self.totals.peak = self.totals.live;
            self.peak_number += 1;
        }
    }

    #[inline]
    fn compare_with_largest(&mut self, size: usize, site: SiteId) {
        if self.largest.is_none_or(|largest| largest.size < size as u64) {
            self.largest = Some(LargestBlock {
                size: size as u64,
                site,
            });
        }
    }

    /// The site of this stack, in the calling thread's name.
    #[inline]
    fn site_of(&mut self, stack: &Stack) -> SiteId {
        let key = SiteKey::new(stack, self.threads.origin());
        self.sites.find_or_insert(key).unwrap_or_else(|_| {
            self.complete = false;
            SiteId::NOT_RECORDED
        })
    }

    #[inline]
    fn enter(&mut self, address: usize, site: SiteId) {
        if self.blocks.insert(address, site).is_err() {
            self.complete = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(number: usize) -> Stack {
        Stack::from_addresses(&[number])
    }

    fn live_and_at_peak(ledger: &Ledger) -> Vec<(i64, i64)> {
        ledger
            .sites
            .iter()
            .map(|(_, site, _)| (site.live, site.live_at_peak(ledger.peak_number)))
            .collect()
    }

    #[test]
    fn sites_hold_what_was_live_at_the_peak() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.allocate(16, 100, &stack(1));
        ledger.allocate(32, 50, &stack(2));
        ledger.deallocate(16, 100);
        ledger.allocate(48, 70, &stack(3));
        assert_eq!((ledger.totals.live, ledger.totals.peak), (120, 150));
        assert_eq!(live_and_at_peak(&ledger)[2..], [(0, 100), (50, 50), (70, 0)]);
    }

    #[test]
    fn later_higher_peak_replaces_the_earlier_one() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.allocate(16, 100, &stack(1));
        ledger.deallocate(16, 100);
        ledger.allocate(32, 101, &stack(2));
        ledger.deallocate(32, 101);
        assert_eq!(ledger.totals.peak, 101);
        assert_eq!(live_and_at_peak(&ledger)[2..], [(0, 0), (0, 101)]);
    }

    #[test]
    fn block_from_before_is_charged_to_its_own_site() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.deallocate(4096, 500);
        ledger.allocate(16, 700, &stack(1));
        assert_eq!((ledger.totals.live, ledger.totals.peak), (200, 200));
        assert_eq!(live_and_at_peak(&ledger), [(-500, -500), (0, 0), (700, 700)]);
    }

    #[test]
    fn reallocation_moves_all_bytes_and_counts_growth() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.allocate(16, 100, &stack(1));
        let lifted = ledger.lift(16);
        ledger.settle(
            lifted,
            Reallocation {
                old_size: 100,
                new_address: 64,
                new_size: 160,
            },
            &stack(2),
        );
        assert_eq!(ledger.totals.bytes_allocated, 160);
        assert_eq!(live_and_at_peak(&ledger)[2..], [(0, 0), (160, 160)]);
    }

    #[test]
    fn failed_reallocation_leaves_everything_as_it_was() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.allocate(16, 100, &stack(1));
        let before = ledger.totals;
        let lifted = ledger.lift(16);
        ledger.put_back(16, lifted);
        assert_eq!(ledger.totals, before);
        ledger.deallocate(16, 100);
        assert_eq!(live_and_at_peak(&ledger)[0], (0, 0));
    }

    #[test]
    fn largest_block_is_the_first_that_reached_its_size() {
        let mut ledger = Ledger::new(0, usize::MAX);
        ledger.allocate(16, 100, &stack(1));
        ledger.allocate(32, 700, &stack(2));
        ledger.allocate(64, 700, &stack(3));
        let largest = ledger.largest.unwrap();
        assert_eq!((largest.size, largest.site), (700, SiteId(3)));
    }

    #[test]
    fn stacks_beyond_the_table_share_a_site_and_the_sums_hold() {
        let mut ledger = Ledger::new(0, 1);
        ledger.allocate(16, 100, &stack(1));
        ledger.allocate(32, 50, &stack(2));
        ledger.allocate(48, 70, &stack(3));
        ledger.deallocate(48, 70);
        assert!(!ledger.complete);
        assert_eq!(live_and_at_peak(&ledger), [(0, 0), (50, 120), (100, 100)]);
    }

    #[test]
    fn reallocation_that_began_in_another_region_is_ignored() {
        let lifted = Ledger::new(0, usize::MAX).lift(16);
        let mut ledger = Ledger::new(1, usize::MAX);
        ledger.settle(
            lifted,
            Reallocation {
                old_size: 1,
                new_address: 64,
                new_size: 9,
            },
            &stack(1),
        );
        assert_eq!(ledger.totals, Totals::default());
    }
}
