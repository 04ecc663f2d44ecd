//! What one thread hands to another: samples through the arena, the bounds of its stack to a signal handler.

use std::ops::Range;

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::thread;

use self::arena::{Arena, RawSample};
use self::stack_bounds::StackBounds;
use crate::checked;
use crate::phase::Phase;

#[path = "../../../src/cpu/linux/arena.rs"]
mod arena;

#[path = "../../../src/cpu/linux/stack_bounds.rs"]
mod stack_bounds;

mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};

    pub(super) fn zeroed_words(n_words: usize) -> Box<[AtomicU64]> {
        (0..n_words).map(|_| AtomicU64::new(0)).collect()
    }
}

/// The sample of a thread: whichever of its words is looked at, it is this thread's.
fn sample(thread: usize, frames: &[usize]) -> RawSample<'_> {
    RawSample {
        slot: thread,
        phase: Phase::from_number(thread as u16),
        tick: thread as u64,
        weight_ns: thread as u64,
        truncated: false,
        complete: true,
        frames,
    }
}

fn whole_samples(arena: &Arena) -> usize {
    let mut n_samples = 0;
    arena.for_each(|found| {
        n_samples += 1;
        let thread = found.slot;
        assert_eq!(found, sample(thread, &vec![thread; thread]));
    });
    n_samples
}

/// Two threads store samples while a third reads: it finds whole ones only, and in the end all that there was room for.
///
/// # Panics
/// If it isn't so.
pub fn samples_are_whole() {
    // Of four and five words; a byte less than nine words is room for one of them.
    for (n_bytes, n_kept) in [(9 * 8, 2), (9 * 8 - 1, 1)] {
        // Beyond three switches of a thread that could go on nothing new comes, and it takes minutes.
        checked(3, move || {
            let arena = Arc::new(Arena::with_bytes(n_bytes));
            let pushing = [1, 2].map(|number| {
                let arena = Arc::clone(&arena);
                thread::spawn(move || arena.push(sample(number, &vec![number; number])))
            });
            assert!(whole_samples(&arena) <= n_kept);
            let stored = pushing.map(|thread| thread.join().expect("pushing doesn't panic"));
            assert_eq!(stored.iter().filter(|&&stored| stored).count(), n_kept);
        });
    }
}

fn bounds() -> StackBounds {
    StackBounds {
        version: AtomicUsize::new(0),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
    }
}

/// The sampler replaces a stack's bounds, and replaces them again by ones that begin where the first did: whatever the
/// handler finds is one mapping.
///
/// # Panics
/// If it isn't so.
pub fn bounds_are_of_one_mapping() {
    const MAPPINGS: [Range<usize>; 4] = [0..0, 10..20, 50..90, 10..30];
    checked(4, || {
        let bounds = Arc::new(bounds());
        let sampler = {
            let bounds = Arc::clone(&bounds);
            thread::spawn(move || MAPPINGS[1..].iter().for_each(|mapping| bounds.set(mapping)))
        };
        if let Some(found) = bounds.get() {
            assert!(MAPPINGS.contains(&found), "{found:?}");
        }
        sampler.join().expect("the sampler doesn't panic");
    });
}

/// Once the sampler has told the thread that there are new bounds, it finds those.
///
/// # Panics
/// If it isn't so.
pub fn thread_finds_what_it_was_given_last() {
    checked(4, || {
        let bounds = Arc::new(bounds());
        let sampler = {
            let bounds = Arc::clone(&bounds);
            thread::spawn(move || bounds.set(&(10..20)))
        };
        sampler.join().expect("the sampler doesn't panic");
        assert_eq!(bounds.get(), Some(10..20));
    });
}
