//! A block of bytes of which every operation is visible, unlike those of a `Vec`.

#![expect(unsafe_code, reason = "allocates by layout, to script sizes exactly")]

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::hint::black_box;

/// Owned bytes, uninitialised.
pub(crate) struct Block {
    pub(crate) start: *mut u8,
    pub(crate) layout: Layout,
}

// SAFETY: it owns its memory.
unsafe impl Send for Block {}

impl Block {
    #[inline(never)]
    pub(crate) fn new(size: usize) -> Self {
        let layout = Layout::from_size_align(size, 8).unwrap();
        // SAFETY: sizes in these tests aren't zero.
        let start = black_box(unsafe { alloc(layout) });
        assert!(!start.is_null());
        Self { start, layout }
    }

    #[inline(never)]
    pub(crate) fn resize(&mut self, size: usize) {
        // SAFETY: the block is of this layout, and the size isn't zero.
        let start = black_box(unsafe { realloc(self.start, self.layout, size) });
        assert!(!start.is_null());
        self.start = start;
        self.layout = Layout::from_size_align(size, 8).unwrap();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the block is of this layout.
        unsafe { dealloc(black_box(self.start), self.layout) };
    }
}
