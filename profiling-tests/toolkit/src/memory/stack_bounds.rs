//! How far up the calling thread's stack may be read: up to its top, or to the frame that opened the region.

#![expect(unsafe_code, reason = "asks the system for the bounds of the thread's stack")]

use std::cell::Cell;

/// While it lives, walks of this thread end at the frame that made it.
pub(super) struct StackBase {
    limit_before: usize,
}

impl StackBase {
    /// Frames whose pointer is `frame` or higher are left out.
    #[inline]
    pub(super) fn at(frame: usize) -> Self {
        let limit_before = stack_limit();
        if frame != 0 && frame < limit_before {
            STACK_LIMIT.set(frame);
        }
        Self { limit_before }
    }
}

impl Drop for StackBase {
    fn drop(&mut self) {
        STACK_LIMIT.set(self.limit_before);
    }
}

/// Frame records at this address or above aren't to be read.
#[inline]
pub(super) fn stack_limit() -> usize {
    match STACK_LIMIT.get() {
        0 => find_stack_limit(),
        limit => limit,
    }
}

#[cold]
fn find_stack_limit() -> usize {
    // A frame record is two words; 1 where the bounds are unknown, so that nothing is ever read.
    let limit = stack_top().map_or(1, |top| top.saturating_sub(size_of::<[usize; 2]>()) + 1);
    STACK_LIMIT.set(limit);
    limit
}

/// One past the highest address of the calling thread's stack.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn stack_top() -> Option<usize> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: names the calling thread, which is alive.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: `attributes` has room for what is written.
    if unsafe { libc::pthread_getattr_np(thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the call above returned 0, so it initialised the attributes.
    let status = unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size) };
    // SAFETY: initialised, and destroyed once.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    (status == 0).then(|| lowest as usize + size)
}

/// One past the highest address of the calling thread's stack.
#[cfg(target_vendor = "apple")]
fn stack_top() -> Option<usize> {
    // SAFETY: names the calling thread, which is alive.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: `thread` is a live thread. Despite its name this is the end the stack grows from.
    Some(unsafe { libc::pthread_get_stackaddr_np(thread) } as usize)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn stack_top() -> Option<usize> {
    None
}

thread_local! {
    /// Frame records at this address or above aren't read; 0 before the first walk of the thread.
    // `const` and without a destructor: reading it neither allocates nor registers anything.
    static STACK_LIMIT: Cell<usize> = const { Cell::new(0) };
}
