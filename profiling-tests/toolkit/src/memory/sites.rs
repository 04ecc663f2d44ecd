//! What each allocation site used: a stack of code addresses in, a site out.
//!
//! A site is a distinct stack, compared address by address: two stacks with one hash stay two sites. The
//! bytes that were live at the region's peak are kept exactly at O(1) per operation: a site remembers under
//! which peak it last changed, and its live bytes are saved just before the first change after a new peak.

use super::stack::Stack;

const INITIAL_SLOTS: usize = 1 << 13;

/// Number of a site within its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SiteId(pub(super) u32);

impl SiteId {
    /// Blocks from before the region.
    pub(super) const FREED_BEFORE: Self = Self(0);
    /// Operations whose stack found no room in the table.
    pub(super) const NOT_RECORDED: Self = Self(1);
}

/// Sites in the order of their first use; the first two are those of [`SiteId`]'s constants.
#[derive(Debug)]
pub(super) struct SiteTable {
    slots: Vec<Slot>,
    sites: Vec<Site>,
    addresses: Vec<usize>,
}

/// One stack and what was allocated from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Site {
    hash: u64,
    first_address: usize,
    depth: usize,
    /// The stack was deeper than what was recorded.
    pub(super) truncated: bool,
    pub(super) allocations: u64,
    pub(super) reallocations: u64,
    pub(super) bytes_allocated: u64,
    pub(super) live: i64,
    live_at_peak: i64,
    peak_seen: u64,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: u32,
    /// `u32::MAX` where the slot is free.
    site: u32,
}

const FREE: Slot = Slot {
    hash: 0,
    site: u32::MAX,
};

/// No memory for a larger table.
#[derive(Debug)]
pub(super) struct NoMemory;

impl SiteTable {
    pub(super) fn new() -> Self {
        let mut sites = Vec::with_capacity(INITIAL_SLOTS / 2);
        sites.resize(2, Site::default());
        Self {
            slots: vec![FREE; INITIAL_SLOTS],
            sites,
            addresses: Vec::with_capacity(INITIAL_SLOTS * 8),
        }
    }

    /// The site of this stack, new if it wasn't seen yet.
    #[inline]
    pub(super) fn find_or_insert(&mut self, stack: &Stack) -> Result<SiteId, NoMemory> {
        let slot = self.find(stack);
        match self.slots[slot].site {
            u32::MAX => self.insert(stack),
            site => Ok(SiteId(site)),
        }
    }

    #[inline]
    pub(super) fn site_mut(&mut self, site: SiteId) -> &mut Site {
        &mut self.sites[site.0 as usize]
    }

    /// Each site with its return addresses minus one, innermost first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SiteId, &Site, &[usize])> {
        self.sites.iter().enumerate().map(|(site_idx, site)| {
            let end = site.first_address + site.depth;
            (
                SiteId(site_idx as u32),
                site,
                &self.addresses[site.first_address..end],
            )
        })
    }

    #[inline]
    fn find(&self, stack: &Stack) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = stack.hash() as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry.site == u32::MAX || (entry.hash == high(stack.hash()) && self.is_of(entry.site, stack)) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[inline]
    fn is_of(&self, site: u32, stack: &Stack) -> bool {
        let site = &self.sites[site as usize];
        let end = site.first_address + site.depth;
        site.truncated == stack.truncated() && self.addresses[site.first_address..end] == *stack.addresses()
    }

    #[cold]
    fn insert(&mut self, stack: &Stack) -> Result<SiteId, NoMemory> {
        if (self.sites.len() + 1) * 2 > self.slots.len() {
            self.grow()?;
        }
        self.sites.try_reserve(1).map_err(|_| NoMemory)?;
        self.addresses
            .try_reserve(stack.addresses().len())
            .map_err(|_| NoMemory)?;
        let site = u32::try_from(self.sites.len()).map_err(|_| NoMemory)?;
        let slot = self.find(stack);
        self.slots[slot] = Slot {
            hash: high(stack.hash()),
            site,
        };
        self.sites.push(Site {
            hash: stack.hash(),
            first_address: self.addresses.len(),
            depth: stack.addresses().len(),
            truncated: stack.truncated(),
            ..Site::default()
        });
        self.addresses.extend_from_slice(stack.addresses());
        Ok(SiteId(site))
    }

    fn grow(&mut self) -> Result<(), NoMemory> {
        let n_slots = self.slots.len() * 2;
        let mut slots = Vec::new();
        slots.try_reserve_exact(n_slots).map_err(|_| NoMemory)?;
        slots.resize(n_slots, FREE);
        for (site_idx, site) in self.sites.iter().enumerate().skip(2) {
            let mut slot = site.hash as usize & (n_slots - 1);
            while slots[slot].site != u32::MAX {
                slot = (slot + 1) & (n_slots - 1);
            }
            slots[slot] = Slot {
                hash: high(site.hash),
                site: site_idx as u32,
            };
        }
        self.slots = slots;
        Ok(())
    }
}

impl Site {
    /// Adds to the live bytes, after saving them if a peak was reached since the last change.
    #[inline]
    pub(super) fn change_live(&mut self, bytes: i64, peak_number: u64) {
        if self.peak_seen != peak_number {
            self.live_at_peak = self.live;
            self.peak_seen = peak_number;
        }
        self.live += bytes;
    }

    /// Live bytes at the moment of the peak `peak_number`, which is the latest.
    pub(super) fn live_at_peak(&self, peak_number: u64) -> i64 {
        if self.peak_seen == peak_number {
            self.live_at_peak
        } else {
            self.live
        }
    }
}

/// The low bits choose the slot, so the high ones tell entries of neighbouring slots apart.
const fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_stack_is_the_same_site_after_growth() {
        let mut table = SiteTable::new();
        let stack_of = |number: usize| Stack::from_addresses(&[number, 7, number * 3]);
        let first: Vec<SiteId> = (0..20_000)
            .map(|n| table.find_or_insert(&stack_of(n)).unwrap())
            .collect();
        let second: Vec<SiteId> = (0..20_000)
            .map(|n| table.find_or_insert(&stack_of(n)).unwrap())
            .collect();
        assert_eq!(first, second);
        assert_eq!(table.iter().count(), 20_002);
        let (_, _, addresses) = table.iter().nth(2 + 19_999).unwrap();
        assert_eq!(addresses, [19_999, 7, 59_997]);
    }

    #[test]
    fn prefix_of_a_stack_is_another_site() {
        let mut table = SiteTable::new();
        let long = table.find_or_insert(&Stack::from_addresses(&[1, 2])).unwrap();
        let short = table.find_or_insert(&Stack::from_addresses(&[1])).unwrap();
        assert_ne!(long, short);
    }
}
