//! Whether this binary has frame pointers: two known chains of calls are walked, nothing is assumed.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::hint::black_box;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::stack::{MAX_DEPTH, Stack, Unwinder};

/// Whether the chain of frame pointers holds, found by walking it, not by asking how the binary was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramePointers {
    /// Code compiled with this binary keeps them.
    pub own_code: bool,
    /// The compiled standard library keeps them: a chain that leads through it holds.
    pub standard_library: bool,
}

impl FramePointers {
    /// The fastest unwinder that finds every frame.
    pub fn unwinder(self) -> Unwinder {
        if self.own_code && self.standard_library {
            Unwinder::FramePointers
        } else {
            Unwinder::UnwindTables
        }
    }
}

/// Walks two known chains of calls, once per process, and says which held.
pub fn frame_pointers() -> FramePointers {
    static FOUND: OnceLock<FramePointers> = OnceLock::new();
    *FOUND.get_or_init(|| FramePointers {
        own_code: probe_outer(Way::Direct),
        standard_library: probe_outer(Way::ThroughStandardLibrary),
    })
}

/// How a probe gets from one function to the next.
#[derive(Clone, Copy)]
enum Way {
    Direct,
    ThroughStandardLibrary,
}

/// Code of a probe function lies within so many bytes of its start.
const PROBE_SIZE: usize = 512;

#[inline(never)]
fn probe_outer(way: Way) -> bool {
    // Hidden, and with something left to do: a call in the last place would leave no frame.
    black_box(probe_middle(black_box(way)))
}

#[inline(never)]
fn probe_middle(way: Way) -> bool {
    let probe = Probe {
        held: Cell::new(false),
    };
    match way {
        Way::Direct => probe.walk(),
        // `core::fmt::write` is compiled into the standard library and calls back.
        Way::ThroughStandardLibrary => {
            let _ = write!(Nowhere, "{}", black_box(&probe));
        }
    }
    black_box(probe.held.get())
}

struct Probe {
    held: Cell<bool>,
}

impl Probe {
    #[inline(never)]
    fn walk(&self) {
        let mut stack = Stack::empty();
        stack.capture(Unwinder::FramePointers, MAX_DEPTH);
        let is_in = |function: usize| move |&address: &usize| address.wrapping_sub(function) < PROBE_SIZE;
        let mut addresses = stack.addresses().iter();
        // One after the other, since what follows the one function in memory may be the other.
        let middle = addresses.any(is_in(probe_middle as *const () as usize));
        self.held
            .set(middle && addresses.any(is_in(probe_outer as *const () as usize)));
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.walk();
        f.write_str("walked")
    }
}

struct Nowhere;

impl fmt::Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}
