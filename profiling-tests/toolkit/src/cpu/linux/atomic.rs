//! The atomics of what is shared without locks. `tests/models` puts those of a model checker in their place.

#![expect(
    unsafe_code,
    reason = "a zeroed block comes from the system untouched; filling it would commit 128 MiB"
)]

pub(super) use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
pub(super) use std::thread::yield_now;

/// A block of zeros whose pages the system gives when they are first written to.
pub(super) fn zeroed_words(n_words: usize) -> Box<[AtomicU64]> {
    let words = Box::<[AtomicU64]>::new_zeroed_slice(n_words);
    // SAFETY: an AtomicU64 has the representation of a u64, for which all bits zero is a value.
    unsafe { words.assume_init() }
}
