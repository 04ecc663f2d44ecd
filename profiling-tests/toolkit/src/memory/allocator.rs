//! The global allocator that observes: requests go through `stats_alloc` to the system, what happened goes
//! into the ledger of the open region.
//!
//! ```text
//!     no region              region open
//!  request ─► System      request ─► stats_alloc ─► System
//!                            └─► stack ─► Ledger (one lock, one step)
//! ```
//! `stats_alloc` therefore counts within regions only, and its allocated − deallocated bytes are negative
//! where more blocks from before are freed than new ones kept. It is the independent second count of the
//! delta.

#![expect(unsafe_code, reason = "implements GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use super::ledger::{Ledger, Reallocation};
use super::stack::{Stack, Unwinder};

/// The system's allocator, observed while a memory region is open.
///
/// ```
/// use profiling_toolkit::memory::ProfilingAllocator;
///
/// #[global_allocator]
/// static GLOBAL: ProfilingAllocator = ProfilingAllocator::new();
/// ```
#[derive(Debug, Default)]
pub struct ProfilingAllocator;

impl ProfilingAllocator {
    /// Switched off until a region opens.
    pub const fn new() -> Self {
        Self
    }
}

/// Whether this binary's global allocator is a [`ProfilingAllocator`], found by allocating, once.
pub fn allocator_installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(probe)
}

/// How the stacks of a region are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct StackSettings {
    pub(super) unwinder: Unwinder,
    pub(super) max_depth: usize,
}

/// From here on every request is observed.
pub(super) fn open(ledger: Ledger, stacks: StackSettings) {
    *lock() = Some(ledger);
    MAX_DEPTH.store(stacks.max_depth, Ordering::Relaxed);
    let unwinding = if stacks.unwinder == Unwinder::UnwindTables {
        UNWIND_TABLES
    } else {
        OFF
    };
    MODE.fetch_or(REGION | unwinding, Ordering::SeqCst);
}

/// From here on none is, and the ledger is the caller's. `None` if no region is open.
pub(super) fn close() -> Option<Ledger> {
    let ledger = lock().take();
    MODE.fetch_and(!(REGION | UNWIND_TABLES), Ordering::SeqCst);
    ledger
}

/// Live bytes of each of the open region's sites so far; taking stock isn't observed. `None` if no region is open.
pub(super) fn live_by_site() -> Option<Vec<i64>> {
    let observing = Observing::begin()?;
    let live = with_ledger(|ledger| ledger.sites.live());
    drop(observing);
    live
}

/// Bits of what is done with a request; none outside regions.
static MODE: AtomicU8 = AtomicU8::new(OFF);
const OFF: u8 = 0;
const REGION: u8 = 1;
const UNWIND_TABLES: u8 = 2;
const PROBE: u8 = 4;

static MAX_DEPTH: AtomicUsize = AtomicUsize::new(0);
static LEDGER: Mutex<Option<Ledger>> = Mutex::new(None);
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

thread_local! {
    // `const` and without a destructor: reading it neither allocates nor registers anything.
    static ROLE: Cell<Role> = const { Cell::new(Role::Program) };
}

/// Whose request the thread is making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Program,
    /// The instrument's own: growth of its tables, needs of the unwinder. Not observed.
    Instrument,
    /// That of the test whether the allocator is installed.
    Probe,
    ProbeAnswered,
}

// SAFETY: every method passes its arguments on to the system's allocator and returns its answer; what is
// recorded around that neither touches the block nor unwinds.
unsafe impl GlobalAlloc for ProfilingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if MODE.load(Ordering::Relaxed) == OFF {
            // SAFETY: the caller keeps this method's contract, which is that of `System`.
            return unsafe { System.alloc(layout) };
        }
        // SAFETY: as above.
        observe_new(
            layout,
            || unsafe { System.alloc(layout) },
            || unsafe { COUNTED.alloc(layout) },
        )
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if MODE.load(Ordering::Relaxed) == OFF {
            // SAFETY: the caller keeps this method's contract, which is that of `System`.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: as above.
        observe_new(
            layout,
            || unsafe { System.alloc_zeroed(layout) },
            || unsafe { COUNTED.alloc_zeroed(layout) },
        )
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if MODE.load(Ordering::Relaxed) != OFF
            && let Some(_observing) = Observing::begin()
        {
            with_ledger(|ledger| ledger.deallocate(block as usize, layout.size()));
            // SAFETY: the caller keeps this method's contract, which is that of `System`.
            return unsafe { COUNTED.dealloc(block, layout) };
        }
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if MODE.load(Ordering::Relaxed) == OFF {
            // SAFETY: the caller keeps this method's contract, which is that of `System`.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        let Some(_observing) = Observing::begin() else {
            // SAFETY: as above.
            return unsafe { System.realloc(block, layout, new_size) };
        };
        let mut stack = Stack::empty();
        capture(&mut stack);
        let lifted = with_ledger(|ledger| ledger.lift(block as usize));
        // SAFETY: as above.
        let moved = unsafe { COUNTED.realloc(block, layout, new_size) };
        if let Some(lifted) = lifted {
            let change = Reallocation {
                old_size: layout.size(),
                new_address: moved as usize,
                new_size,
            };
            with_ledger(|ledger| {
                if moved.is_null() {
                    ledger.put_back(block as usize, lifted);
                } else {
                    ledger.settle(lifted, change, &stack);
                }
            });
        }
        moved
    }
}

/// A request for a new block: recorded once it is granted, so that nobody can free it before.
#[inline]
fn observe_new(
    layout: Layout,
    unseen: impl FnOnce() -> *mut u8,
    counted: impl FnOnce() -> *mut u8,
) -> *mut u8 {
    let Some(_observing) = Observing::begin() else {
        return unseen();
    };
    let block = counted();
    if !block.is_null() {
        let mut stack = Stack::empty();
        capture(&mut stack);
        with_ledger(|ledger| ledger.allocate(block as usize, layout.size(), &stack));
    }
    block
}

/// While it lives, the thread's requests are the instrument's.
struct Observing;

impl Observing {
    /// `None` if the request isn't the program's or no region is open.
    #[inline]
    fn begin() -> Option<Self> {
        match ROLE.get() {
            Role::Program if MODE.load(Ordering::Relaxed) & REGION != 0 => {
                ROLE.set(Role::Instrument);
                Some(Self)
            }
            Role::Probe => {
                ROLE.set(Role::ProbeAnswered);
                None
            }
            _ => None,
        }
    }
}

impl Drop for Observing {
    #[inline]
    fn drop(&mut self) {
        ROLE.set(Role::Program);
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "the walk starts from the frame it is inlined into"
)]
fn capture(stack: &mut Stack) {
    let tables = MODE.load(Ordering::Relaxed) & UNWIND_TABLES != 0;
    let unwinder = if tables {
        Unwinder::UnwindTables
    } else {
        Unwinder::FramePointers
    };
    stack.capture(unwinder, MAX_DEPTH.load(Ordering::Relaxed));
}

#[inline]
fn with_ledger<T>(record: impl FnOnce(&mut Ledger) -> T) -> Option<T> {
    lock().as_mut().map(record)
}

#[inline]
fn lock() -> MutexGuard<'static, Option<Ledger>> {
    // The ledger's operations don't panic; if one ever did, its totals would still be the best there is.
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn probe() -> bool {
    let layout = Layout::new::<[u64; 3]>();
    ROLE.set(Role::Probe);
    MODE.fetch_or(PROBE, Ordering::SeqCst);
    // SAFETY: the layout's size isn't zero. Called directly and hidden, the request can't be optimised away.
    let block = black_box(unsafe { std::alloc::alloc(black_box(layout)) });
    MODE.fetch_and(!PROBE, Ordering::SeqCst);
    let answered = ROLE.replace(Role::Program) == Role::ProbeAnswered;
    if !block.is_null() {
        // SAFETY: allocated above, with this layout.
        unsafe { std::alloc::dealloc(block, layout) };
    }
    answered
}
