//! Which site each live block belongs to: block address in, site out.
//!
//! Open addressing with linear probing and, on removal, backward shift: no tombstones, so a table that sees
//! billions of operations is as fast at the end as at the start. Allocates only to grow.

use super::sites::SiteId;

const INITIAL_SLOTS: usize = if cfg!(miri) { 1 << 8 } else { 1 << 16 };
/// 2⁶⁴ divided by the golden ratio (Knuth, TAOCP 3, 6.4): spreads addresses, whose low bits are alike.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Live blocks of a region.
#[derive(Debug)]
pub(super) struct BlockTable {
    slots: Vec<Slot>,
    n_blocks: usize,
    shift: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    /// 0 where the slot is free: no block has that address.
    address: usize,
    site: SiteId,
}

const FREE: Slot = Slot {
    address: 0,
    site: SiteId::FREED_BEFORE,
};

/// A block couldn't be entered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No memory for a larger table.
    NoMemory,
    /// The address is of a block that is alive already; the entry now holds the new site.
    Duplicate,
}

impl BlockTable {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![FREE; INITIAL_SLOTS],
            n_blocks: 0,
            shift: shift_for(INITIAL_SLOTS),
        }
    }

    pub(super) fn insert(&mut self, address: usize, site: SiteId) -> Result<(), Refused> {
        // Two thirds full: linear probing needs two probes for a hit, five for a miss (Knuth, ibid.).
        if (self.n_blocks + 1) * 3 > self.slots.len() * 2 {
            self.grow()?;
        }
        let slot = self.find(address);
        let was = self.slots[slot].address;
        self.slots[slot] = Slot { address, site };
        if was == address {
            return Err(Refused::Duplicate);
        }
        self.n_blocks += 1;
        Ok(())
    }

    /// The site of the block, which is forgotten; `None` for a block that isn't of this region.
    pub(super) fn remove(&mut self, address: usize) -> Option<SiteId> {
        let mut hole = self.find(address);
        if self.slots[hole].address != address {
            return None;
        }
        let site = self.slots[hole].site;
        let mask = self.slots.len() - 1;
        let mut next = (hole + 1) & mask;
        while self.slots[next].address != 0 {
            // An entry may move into the hole unless that lies before its home slot.
            let home = self.home(self.slots[next].address);
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.slots[hole] = FREE;
        self.n_blocks -= 1;
        Some(site)
    }

    /// What the table takes itself.
    pub(super) fn size_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    /// The slot that holds `address`, or the free one where it would go.
    #[inline]
    fn find(&self, address: usize) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.home(address);
        while self.slots[slot].address != address && self.slots[slot].address != 0 {
            slot = (slot + 1) & mask;
        }
        slot
    }

    #[inline]
    fn home(&self, address: usize) -> usize {
        ((address as u64).wrapping_mul(GOLDEN) >> self.shift) as usize
    }

    fn grow(&mut self) -> Result<(), Refused> {
        let n_slots = self.slots.len() * 2;
        let mut slots = Vec::new();
        slots.try_reserve_exact(n_slots).map_err(|_| Refused::NoMemory)?;
        slots.resize(n_slots, FREE);
        let old = std::mem::replace(&mut self.slots, slots);
        self.shift = shift_for(n_slots);
        for entry in old.into_iter().filter(|entry| entry.address != 0) {
            let slot = self.find(entry.address);
            self.slots[slot] = entry;
        }
        Ok(())
    }
}

/// The top bits of the product choose the slot.
const fn shift_for(n_slots: usize) -> u32 {
    u64::BITS - n_slots.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn agrees_with_a_hash_map_over_random_operations_and_growth() {
        let mut table = BlockTable::new();
        let mut model = HashMap::new();
        let mut random = 1_u64;
        let (n_steps, n_addresses) = if cfg!(miri) {
            (4_000, 1_500)
        } else {
            (400_000, 150_000)
        };
        for step in 0..n_steps {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let address = 16 * (1 + (random >> 33) as usize % n_addresses);
            if random >> 63 == 0 && !model.contains_key(&address) {
                model.insert(address, SiteId(step));
                table.insert(address, SiteId(step)).unwrap();
            } else {
                assert_eq!(table.remove(address), model.remove(&address));
            }
        }
        assert_eq!(table.n_blocks, model.len());
        for (address, site) in model {
            assert_eq!(table.remove(address), Some(site));
        }
    }

    #[test]
    fn table_grows_past_its_first_size() {
        let mut table = BlockTable::new();
        for block in 1..=INITIAL_SLOTS {
            table.insert(block * 16, SiteId(block as u32)).unwrap();
        }
        assert!(table.slots.len() > INITIAL_SLOTS);
        assert!((1..=INITIAL_SLOTS).all(|block| table.remove(block * 16) == Some(SiteId(block as u32))));
    }

    #[test]
    fn address_entered_twice_is_reported() {
        let mut table = BlockTable::new();
        table.insert(16, SiteId(2)).unwrap();
        assert_eq!(table.insert(16, SiteId(3)), Err(Refused::Duplicate));
        assert_eq!(table.remove(16), Some(SiteId(3)));
        assert_eq!(table.remove(16), None);
    }
}
