//! The stack of whoever allocates: out comes a list of code addresses, innermost first.
//!
//! Frame pointers are followed where the binary has them (about a nanosecond a frame), else the unwind tables
//! are read (microseconds). Right for allocations, which happen at calls; a sample of an interrupted
//! instruction needs unwind tables. Addresses are return addresses minus one: inside the calling instruction.

#![expect(
    unsafe_code,
    reason = "reads the frame pointer and the chain of saved ones on the stack"
)]

use std::mem::MaybeUninit;

use serde::{Deserialize, Serialize};

use super::stack_bounds::{UNKNOWN, stack_limit};

/// Frames that a stack can hold at most.
pub const MAX_DEPTH: usize = 128;

/// How stacks are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwinder {
    /// By the chain of frame pointers.
    FramePointers,
    /// By the unwind tables, some fifty times slower.
    UnwindTables,
}

/// Code addresses of one stack, with their hash.
pub(super) struct Stack {
    // PERF: not initialised; zeroing 1 KiB would cost as much as walking the stack.
    addresses: [MaybeUninit<usize>; MAX_DEPTH],
    depth: usize,
    hash: u64,
    truncated: bool,
}

impl Stack {
    /// Room for a stack.
    // PERF: filled in place by `capture`; returned by value it would be copied, 1 KiB each time.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "see above")]
    pub(super) fn empty() -> Self {
        Self {
            addresses: [MaybeUninit::uninit(); MAX_DEPTH],
            depth: 0,
            hash: 0,
            truncated: false,
        }
    }

    /// Fills in the calling thread's stack, at most `max_depth` of the innermost frames.
    // Inlined, so that the frame pointer it starts from is that of a frame which outlives the walk.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "see above")]
    pub(super) fn capture(&mut self, unwinder: Unwinder, max_depth: usize) {
        let max_depth = max_depth.min(MAX_DEPTH);
        match unwinder {
            Unwinder::FramePointers => self.follow(frame_pointer(), max_depth),
            Unwinder::UnwindTables => self.unwind(max_depth),
        }
    }

    #[inline]
    pub(super) fn addresses(&self) -> &[usize] {
        let written = self.addresses[..self.depth].as_ptr().cast::<usize>();
        // SAFETY: the first `depth` elements are written, and the slice borrows `self`.
        unsafe { std::slice::from_raw_parts(written, self.depth) }
    }

    /// Of the stack together with a number.
    #[inline]
    pub(super) fn hash(&self, number: u64) -> u64 {
        let hash = hash_with(self.hash, number);
        // Multiplying carries upwards only: bring the well-mixed half down.
        hash ^ (hash >> 32)
    }

    /// There are frames beyond the last.
    #[inline]
    pub(super) fn truncated(&self) -> bool {
        self.truncated
    }

    /// Follows saved frame pointers as long as they rise within the thread's stack, so a register that
    /// holds something else ends the walk and can't make it read elsewhere.
    #[inline]
    fn follow(&mut self, frame: usize, max_depth: usize) {
        let limit = stack_limit();
        let here = 0_u8;
        let mut lowest = std::ptr::from_ref(&here) as usize;
        let (mut frame, mut depth, mut hash) = (frame, 0, 0);
        while frame >= lowest && frame < limit && frame.is_multiple_of(align_of::<usize>()) {
            // SAFETY: two words lie between a live local variable and the top of this thread's stack, which
            // is mapped throughout, and the address is aligned.
            let [caller, return_address] = unsafe { (frame as *const [usize; 2]).read() };
            if return_address == 0 {
                break;
            }
            if depth == max_depth {
                self.truncated = true;
                break;
            }
            self.addresses[depth].write(return_address - 1);
            hash = hash_with(hash, return_address as u64 - 1);
            depth += 1;
            lowest = frame + size_of::<[usize; 2]>();
            frame = caller;
        }
        (self.depth, self.hash) = (depth, hash);
    }

    #[cold]
    #[inline(never)]
    fn unwind(&mut self, max_depth: usize) {
        // The tables lead through frames without reading what the limit guards.
        let limit = match stack_limit() {
            UNKNOWN => usize::MAX,
            limit => limit,
        };
        let visit = |frame: &backtrace::Frame| {
            if frame.sp() as usize >= limit || frame.ip().is_null() {
                return false;
            }
            self.truncated = self.depth == max_depth;
            if !self.truncated {
                self.push(frame.ip() as usize - 1);
            }
            !self.truncated
        };
        // SAFETY: what isn't synchronised is the symbol lookup of Windows, which isn't called here.
        unsafe { backtrace::trace_unsynchronized(visit) };
    }

    fn push(&mut self, address: usize) {
        self.addresses[self.depth].write(address);
        self.depth += 1;
        self.hash = hash_with(self.hash, address as u64);
    }

    #[cfg(test)]
    pub(super) fn from_addresses(addresses: &[usize]) -> Self {
        let mut stack = Self::empty();
        for &address in addresses {
            stack.push(address);
        }
        stack
    }
}

/// The hash of Firefox's and rustc's tables: its latency hides behind the loads of the walk.
#[inline]
fn hash_with(hash: u64, number: u64) -> u64 {
    (hash.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// The value of the frame pointer register in the function that this is inlined into.
#[inline(always)]
#[expect(clippy::inline_always, reason = "of its own frame it would be of no use")]
pub(super) fn frame_pointer() -> usize {
    let frame: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies a register; touches neither memory, nor stack, nor flags.
    unsafe {
        std::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags));
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: copies a register; touches neither memory, nor stack, nor flags.
    unsafe {
        std::arch::asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags));
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        frame = 0;
    }
    frame
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::memory::frame_pointers::frame_pointers;
    use crate::memory::stack_bounds::StackBase;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the walk starts at the frame it is inlined into"
    )]
    fn captured(unwinder: Unwinder) -> Stack {
        let mut stack = Stack::empty();
        stack.capture(unwinder, MAX_DEPTH);
        stack
    }

    #[test]
    fn tables_and_frame_pointers_find_the_same_callers() {
        #[inline(never)]
        fn both() -> [Stack; 2] {
            [
                captured(Unwinder::FramePointers),
                captured(Unwinder::UnwindTables),
            ]
        }
        if frame_pointers().unwinder() == Unwinder::UnwindTables {
            eprintln!("not present: frame pointers");
            return;
        }
        let [by_pointers, by_tables] = black_box(both());
        let callers = by_pointers.addresses();
        assert!(callers.len() > 3, "{callers:x?}");
        assert!(
            by_tables
                .addresses()
                .windows(3)
                .any(|callers_too| callers_too == &callers[..3])
        );
    }

    #[test]
    fn walk_ends_at_the_stack_base() {
        #[inline(never)]
        fn with_base() -> usize {
            let _base = StackBase::at(frame_pointer());
            inner()
        }
        #[inline(never)]
        fn inner() -> usize {
            black_box(captured(Unwinder::FramePointers)).addresses().len()
        }
        if frame_pointers().own_code {
            assert_eq!(black_box(with_base()), 1);
            assert!(black_box(inner()) > 1);
        }
    }

    #[test]
    fn wrong_frame_pointer_ends_the_walk() {
        for wrong in [
            0,
            1,
            8,
            4096,
            usize::MAX - 7,
            usize::MAX,
            std::ptr::from_ref(&main_data()) as usize + 1,
        ] {
            let mut stack = Stack::empty();
            stack.follow(wrong, MAX_DEPTH);
            assert_eq!(stack.addresses(), [0_usize; 0]);
        }
    }

    fn main_data() -> [usize; 2] {
        black_box([1, 2])
    }

    #[test]
    fn stack_deeper_than_asked_for_is_marked_truncated() {
        let mut stack = Stack::empty();
        stack.capture(frame_pointers().unwinder(), 2);
        assert_eq!(stack.addresses().len(), 2);
        assert!(stack.truncated());
    }
}
