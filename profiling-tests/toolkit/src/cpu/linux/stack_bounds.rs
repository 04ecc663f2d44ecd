//! The mapping in which a thread's stack lies: written by the sampler, read in the thread's signal handler.
//!
//! A sequence lock: a reader that finds the same even version before and after has read the two bounds of one mapping
//! (Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", MSPC 2012). The handler can't wait for
//! the writer, which it may have interrupted; it does without.

use std::ops::Range;

use super::atomic::Ordering::{Acquire, Relaxed, Release};
use super::atomic::{AtomicUsize, fence};

/// Bounds that are read and replaced together.
#[derive(Debug)]
pub(super) struct StackBounds {
    /// Odd while the bounds are being replaced.
    pub(super) version: AtomicUsize,
    pub(super) start: AtomicUsize,
    pub(super) end: AtomicUsize,
}

impl StackBounds {
    /// The bounds, unless they are being replaced.
    pub(super) fn get(&self) -> Option<Range<usize>> {
        let version = self.version.load(Acquire);
        let bounds = self.start.load(Relaxed)..self.end.load(Relaxed);
        fence(Acquire);
        let is_one_mapping = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
        is_one_mapping.then_some(bounds)
    }

    /// Replaces the bounds; one thread at a time.
    pub(super) fn set(&self, mapping: &Range<usize>) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        self.start.store(mapping.start, Relaxed);
        self.end.store(mapping.end, Relaxed);
        self.version.store(version.wrapping_add(2), Release);
    }
}
