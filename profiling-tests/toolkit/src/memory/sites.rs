//! What each allocation site used: a stack of code addresses with its origin in, a site out.
//!
//! A site is a distinct stack in one phase on one thread, compared address by address: two stacks with one hash
//! stay two sites. So whatever sites are added up by, stack, phase or thread, sums to the totals. The bytes that
//! were live at the region's peak are kept exactly at O(1) per operation: a site remembers under
//! which peak it last changed, and its live bytes are saved just before the first change after a new peak.

use super::origin::Origin;
use super::stack::Stack;

const INITIAL_SLOTS: usize = if cfg!(miri) { 1 << 8 } else { 1 << 13 };

/// Number of a site within its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SiteId(pub(super) u32);

impl SiteId {
    /// Blocks from before the region.
    pub(super) const FREED_BEFORE: Self = Self(0);
    /// Operations whose stack found no room in the table.
    pub(super) const NOT_RECORDED: Self = Self(1);
}

/// What tells sites apart.
#[derive(Clone, Copy)]
pub(super) struct SiteKey<'stack> {
    stack: &'stack Stack,
    origin: Origin,
    hash: u64,
}

impl<'stack> SiteKey<'stack> {
    #[inline]
    pub(super) fn new(stack: &'stack Stack, origin: Origin) -> Self {
        Self {
            stack,
            origin,
            // The phase isn't hashed: a stack is seldom in more than one.
            hash: stack.hash(u64::from(origin.thread)),
        }
    }
}

/// Sites in the order of their first use; the first two are those of [`SiteId`]'s constants.
#[derive(Debug)]
pub(super) struct SiteTable {
    slots: Vec<Slot>,
    sites: Vec<Site>,
    addresses: Vec<usize>,
    most_sites: usize,
}

/// One stack in one phase on one thread and what was allocated from it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Site {
    hash: u64,
    first_address: usize,
    depth: u32,
    pub(super) origin: Origin,
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

/// No memory for a larger table, or it is as large as it may get.
#[derive(Debug)]
pub(super) struct Full;

impl SiteTable {
    /// At most so many sites, those of [`SiteId`]'s constants not counted.
    pub(super) fn new(most_sites: usize) -> Self {
        let mut sites = Vec::with_capacity(INITIAL_SLOTS / 2);
        sites.resize(2, Site::default());
        Self {
            slots: vec![FREE; INITIAL_SLOTS],
            sites,
            addresses: Vec::with_capacity(INITIAL_SLOTS * 8),
            most_sites: most_sites.saturating_add(2),
        }
    }

    /// The site of this key, new if it wasn't seen yet.
    #[inline]
    pub(super) fn find_or_insert(&mut self, key: SiteKey<'_>) -> Result<SiteId, Full> {
        let slot = self.find(key);
        match self.slots[slot].site {
            u32::MAX => self.insert(key),
            site => Ok(SiteId(site)),
        }
    }

    #[inline]
    pub(super) fn site_mut(&mut self, site: SiteId) -> &mut Site {
        &mut self.sites[site.0 as usize]
    }

    /// Each site with its return addresses minus one, innermost first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SiteId, &Site, &[usize])> {
        self.sites
            .iter()
            .enumerate()
            .map(|(site_idx, site)| (SiteId(site_idx as u32), site, self.addresses_of(site)))
    }

    /// Live bytes of each site, in the order of [`SiteTable::iter`].
    pub(super) fn live(&self) -> Vec<i64> {
        self.sites.iter().map(|site| site.live).collect()
    }

    /// What the table takes itself.
    pub(super) fn size_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
            + self.sites.capacity() * size_of::<Site>()
            + self.addresses.capacity() * size_of::<usize>()
    }

    #[inline]
    fn addresses_of(&self, site: &Site) -> &[usize] {
        &self.addresses[site.first_address..site.first_address + site.depth as usize]
    }

    #[inline]
    fn find(&self, key: SiteKey<'_>) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = key.hash as usize & mask;
        loop {
            let entry = self.slots[slot];
            if entry.site == u32::MAX || (entry.hash == high(key.hash) && self.is_of(entry.site, key)) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[inline]
    fn is_of(&self, site: u32, key: SiteKey<'_>) -> bool {
        let site = &self.sites[site as usize];
        site.origin == key.origin
            && site.truncated == key.stack.truncated()
            && self.addresses_of(site) == key.stack.addresses()
    }

    #[cold]
    fn insert(&mut self, key: SiteKey<'_>) -> Result<SiteId, Full> {
        if self.sites.len() >= self.most_sites {
            return Err(Full);
        }
        if (self.sites.len() + 1) * 2 > self.slots.len() {
            self.grow()?;
        }
        let addresses = key.stack.addresses();
        self.sites.try_reserve(1).map_err(|_| Full)?;
        self.addresses.try_reserve(addresses.len()).map_err(|_| Full)?;
        let site = u32::try_from(self.sites.len()).map_err(|_| Full)?;
        let slot = self.find(key);
        self.slots[slot] = Slot {
            hash: high(key.hash),
            site,
        };
        self.sites.push(Site {
            hash: key.hash,
            first_address: self.addresses.len(),
            depth: addresses.len() as u32,
            origin: key.origin,
            truncated: key.stack.truncated(),
            ..Site::default()
        });
        self.addresses.extend_from_slice(addresses);
        Ok(SiteId(site))
    }

    fn grow(&mut self) -> Result<(), Full> {
        let n_slots = self.slots.len() * 2;
        let mut slots = Vec::new();
        slots.try_reserve_exact(n_slots).map_err(|_| Full)?;
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
    use crate::phase::Phase;

    fn find_or_insert(table: &mut SiteTable, addresses: &[usize], thread: u32) -> Result<SiteId, Full> {
        let origin = Origin {
            thread,
            ..Origin::default()
        };
        table.find_or_insert(SiteKey::new(&Stack::from_addresses(addresses), origin))
    }

    #[test]
    fn same_stack_is_the_same_site_after_growth() {
        let n_sites: usize = if cfg!(miri) { 500 } else { 20_000 };
        let mut table = SiteTable::new(usize::MAX);
        let mut all = || -> Vec<SiteId> {
            (0..n_sites)
                .map(|n| find_or_insert(&mut table, &[n, 7, n * 3], 0).unwrap())
                .collect()
        };
        assert_eq!(all(), all());
        assert_eq!(table.iter().count(), 2 + n_sites);
        let last = n_sites - 1;
        let (_, _, addresses) = table.iter().nth(2 + last).unwrap();
        assert_eq!(addresses, [last, 7, 3 * last]);
    }

    #[test]
    fn prefix_of_a_stack_is_another_site() {
        let mut table = SiteTable::new(usize::MAX);
        let long = find_or_insert(&mut table, &[1, 2], 0).unwrap();
        let short = find_or_insert(&mut table, &[1], 0).unwrap();
        assert_ne!(long, short);
    }

    #[test]
    fn same_stack_on_another_thread_or_in_another_phase_is_another_site() {
        let mut table = SiteTable::new(usize::MAX);
        let stack = Stack::from_addresses(&[1, 2]);
        let mut site_of = |phase, thread| {
            let key = SiteKey::new(&stack, Origin { phase, thread });
            table.find_or_insert(key).unwrap()
        };
        let phase = Phase::named("a phase of sites");
        let sites = [
            site_of(Phase::NONE, 0),
            site_of(Phase::NONE, 1),
            site_of(phase, 0),
        ];
        assert_eq!(sites, [SiteId(2), SiteId(3), SiteId(4)]);
        assert_eq!(site_of(phase, 0), SiteId(4));
    }

    #[test]
    fn full_table_takes_no_new_site_and_keeps_the_old_ones() {
        let mut table = SiteTable::new(2);
        let first = find_or_insert(&mut table, &[1], 0).unwrap();
        find_or_insert(&mut table, &[2], 0).unwrap();
        assert!(find_or_insert(&mut table, &[3], 0).is_err());
        assert_eq!(find_or_insert(&mut table, &[1], 0).unwrap(), first);
    }
}
