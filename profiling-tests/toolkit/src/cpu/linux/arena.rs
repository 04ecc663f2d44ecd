//! Where the signal handler puts its samples: one block, reserved beforehand, written without locks.
//!
//! Stacks come in from any number of threads at once; after the measurement [`Arena::samples`] gives them out
//! in the order in which their places were taken.
//!
//! ```text
//! word 0        thread slot << 48 | phase << 32 | flags << 16 | n_frames      never 0, so 0 marks the end
//! word 1        weight, nanoseconds of CPU time
//! word 2        tick
//! word 3 …      n_frames addresses, leaf first
//! ```

use super::atomic::{AtomicU64, AtomicUsize, Ordering, zeroed_words};
use crate::phase::Phase;

const HEADER_WORDS: usize = 3;
const TRUNCATED: u64 = 1 << 16;
const COMPLETE: u64 = 1 << 17;

/// A block of samples that grows until it is full.
#[derive(Debug)]
pub(super) struct Arena {
    words: Box<[AtomicU64]>,
    /// First free word; beyond the end once a sample didn't fit.
    cursor: AtomicUsize,
}

/// One sampled stack as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawSample<'frames> {
    /// Place of the thread in the sampler's table.
    pub(super) slot: usize,
    /// What the thread was busy with.
    pub(super) phase: Phase,
    /// The look at all threads that the sample is from.
    pub(super) tick: u64,
    /// CPU nanoseconds this sample stands for.
    pub(super) weight_ns: u64,
    /// The frames nearest the root are missing.
    pub(super) truncated: bool,
    /// The unwind tables say that the last frame has no caller.
    pub(super) complete: bool,
    /// Return addresses, leaf first; the leaf is the interrupted instruction plus one.
    pub(super) frames: &'frames [usize],
}

impl Arena {
    /// Reserves `bytes`; the system gives the pages, zeroed, when they are first written to.
    pub(super) fn with_bytes(bytes: usize) -> Self {
        let n_words = bytes / size_of::<AtomicU64>();
        Self {
            words: zeroed_words(n_words),
            cursor: AtomicUsize::new(0),
        }
    }

    /// Stores a sample; `false` when there is no room left. Safe inside a signal handler: it neither locks nor
    /// allocates, and a handler on another thread writes to other words.
    pub(super) fn push(&self, sample: RawSample<'_>) -> bool {
        let n_words = HEADER_WORDS + sample.frames.len();
        let start = self.cursor.fetch_add(n_words, Ordering::Relaxed);
        let Some(place) = self.words.get(start..start.saturating_add(n_words)) else {
            return false;
        };
        for (word, &address) in place[HEADER_WORDS..].iter().zip(sample.frames) {
            word.store(address as u64, Ordering::Relaxed);
        }
        place[1].store(sample.weight_ns, Ordering::Relaxed);
        let truncated = if sample.truncated { TRUNCATED } else { 0 };
        let flags = truncated | if sample.complete { COMPLETE } else { 0 };
        let phase = u64::from(sample.phase.number());
        let header = (sample.slot as u64) << 48 | phase << 32 | flags | sample.frames.len() as u64;
        place[2].store(sample.tick, Ordering::Relaxed);
        place[0].store(header, Ordering::Release);
        true
    }

    /// Calls `visit` with every sample. For after the last handler has left.
    pub(super) fn for_each(&self, mut visit: impl FnMut(RawSample<'_>)) {
        let mut frames = Vec::new();
        let mut rest = &self.words[..];
        while let [head, weight, tick, tail @ ..] = rest {
            let header = head.load(Ordering::Acquire);
            let n_frames = (header & 0xffff) as usize;
            if n_frames == 0 || n_frames > tail.len() {
                return;
            }
            frames.clear();
            frames.extend(
                tail[..n_frames]
                    .iter()
                    .map(|word| word.load(Ordering::Relaxed) as usize),
            );
            visit(RawSample {
                slot: (header >> 48) as usize,
                phase: Phase::from_number((header >> 32) as u16),
                tick: tick.load(Ordering::Relaxed),
                weight_ns: weight.load(Ordering::Relaxed),
                truncated: header & TRUNCATED != 0,
                complete: header & COMPLETE != 0,
                frames: &frames,
            });
            rest = &tail[n_frames..];
        }
    }
}
