//! How large the requests were: a histogram with a class for each power of two.

use serde::{Deserialize, Serialize};

/// A class for each power of two that a size can be rounded up to.
const N_CLASSES: usize = usize::BITS as usize + 1;

/// Requests of sizes above half of `up_to_bytes` and up to it.
///
/// A reallocation is in the class of the size it asked for, with the bytes by which it grew the block, so that the
/// bytes of all classes sum to the bytes allocated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeClass {
    /// The largest size of the class, a power of two.
    pub up_to_bytes: u64,
    /// New blocks.
    pub allocations: u64,
    /// Blocks resized to such a size.
    pub reallocations: u64,
    /// Sizes of the new blocks plus what reallocations added.
    pub bytes_allocated: u64,
}

/// All classes of a region.
#[derive(Debug)]
pub(super) struct Sizes {
    classes: [SizeClass; N_CLASSES],
}

impl Sizes {
    pub(super) fn new() -> Self {
        Self {
            classes: [SizeClass::default(); N_CLASSES],
        }
    }

    #[inline]
    pub(super) fn allocate(&mut self, size: usize) {
        let class = &mut self.classes[class_of(size)];
        class.allocations += 1;
        class.bytes_allocated += size as u64;
    }

    #[inline]
    pub(super) fn reallocate(&mut self, new_size: usize, growth: u64) {
        let class = &mut self.classes[class_of(new_size)];
        class.reallocations += 1;
        class.bytes_allocated += growth;
    }

    /// The classes with requests, smallest first.
    pub(super) fn used(&self) -> Vec<SizeClass> {
        let with_bounds = self
            .classes
            .iter()
            .enumerate()
            .map(|(exponent, class)| SizeClass {
                up_to_bytes: 1_u64.checked_shl(exponent as u32).unwrap_or(u64::MAX),
                ..*class
            });
        with_bounds
            .filter(|class| class.allocations + class.reallocations > 0)
            .collect()
    }
}

/// The exponent of the power of two that the size is rounded up to.
#[inline]
fn class_of(size: usize) -> usize {
    (usize::BITS - size.saturating_sub(1).leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_are_the_largest_of_their_class() {
        let upper = |size| 1_usize << class_of(size);
        assert_eq!(
            [1, 2, 3, 4, 5, 64, 65, 1 << 40].map(upper),
            [1, 2, 4, 4, 8, 64, 128, 1 << 40]
        );
        assert!(class_of(usize::MAX) < N_CLASSES);
    }

    #[test]
    fn reallocation_counts_by_its_growth_in_the_class_of_its_new_size() {
        let mut sizes = Sizes::new();
        sizes.allocate(100);
        sizes.reallocate(300, 200);
        sizes.reallocate(10, 0);
        let used: Vec<_> = sizes
            .used()
            .iter()
            .map(|class| {
                (
                    class.up_to_bytes,
                    class.allocations,
                    class.reallocations,
                    class.bytes_allocated,
                )
            })
            .collect();
        assert_eq!(used, [(16, 0, 1, 0), (128, 1, 0, 100), (512, 0, 1, 200)]);
    }
}
