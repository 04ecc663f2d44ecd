//! Ctrl-C, in every verb: at once where nothing is lost by it; in a long piece of work the first asks it to stop and
//! the second doesn't wait for it; a file that is being written is finished first.
//!
//! ```text
//!            begin_work           Ctrl-C
//!    AtOnce ────────────→ Working ──────→ Asked
//!     │ ↑ ↑                  │             │ │
//!     │ │ └──────────────────┴─────────────┘ │
//!     │ │            end_work                │
//!     │ └────────→ Writing (no Ctrl-C)       │
//!     └──────────→ Exiting ←─────────────────┘
//!        Ctrl-C                  Ctrl-C
//! ```

use std::sync::atomic::{AtomicU8, Ordering};
use std::{process, thread};

use super::Failure;

/// Nothing is going on that a sudden end would leave half done.
const AT_ONCE: u8 = 0;
/// Work goes on that asks from time to time whether to stop.
const WORKING: u8 = 1;
/// It will hear yes.
const ASKED: u8 = 2;
/// A file is being written.
const WRITING: u8 = 3;
/// The process ends.
const EXITING: u8 = 4;

static STATE: AtomicU8 = AtomicU8::new(AT_ONCE);

/// Takes Ctrl-C from here on to the end of the process, unless whoever started it had it ignored.
pub(super) fn listen() -> Result<(), Failure> {
    match ctrlc::try_set_handler(on_ctrl_c) {
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(problem) => Err(Failure::Signals(problem)),
    }
}

/// What Ctrl-C makes of a state; none where it changes nothing.
fn pressed(state: u8) -> Option<u8> {
    match state {
        AT_ONCE | ASKED => Some(EXITING),
        WORKING => Some(ASKED),
        _ => None,
    }
}

fn on_ctrl_c() {
    match STATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, pressed) {
        Ok(WORKING) => tracing::info!("stopping; Ctrl-C again stops at once"),
        Ok(_) => {
            crate::report(&Failure::Cancelled);
            process::exit(i32::from(Failure::Cancelled.exit_code()));
        }
        Err(_) => {}
    }
}

/// From here on the work asks whether Ctrl-C was pressed.
pub(super) fn begin_work() {
    change(AT_ONCE, WORKING);
}

/// Whether Ctrl-C was pressed.
pub(super) fn received() -> bool {
    STATE.load(Ordering::Acquire) == ASKED
}

/// From here on nobody asks. Returns whether Ctrl-C was pressed.
pub(super) fn end_work() -> bool {
    let was_pressed = |state| matches!(state, WORKING | ASKED).then_some(AT_ONCE);
    match STATE.fetch_update(Ordering::AcqRel, Ordering::Acquire, was_pressed) {
        Ok(state) => state == ASKED,
        Err(_) => wait_for_the_end(),
    }
}

/// Writes files, which Ctrl-C doesn't interrupt.
pub(super) fn writing<T>(write: impl FnOnce() -> T) -> T {
    change(AT_ONCE, WRITING);
    let written = write();
    change(WRITING, AT_ONCE);
    written
}

fn change(from: u8, to: u8) {
    if STATE
        .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
        .is_err()
    {
        wait_for_the_end();
    }
}

/// Another thread is ending the process.
fn wait_for_the_end() -> ! {
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_asked_first_and_not_waited_for_then() {
        assert_eq!(pressed(WORKING), Some(ASKED));
        assert_eq!(pressed(ASKED), Some(EXITING));
    }

    #[test]
    fn what_asks_nothing_ends_at_once() {
        assert_eq!(pressed(AT_ONCE), Some(EXITING));
    }

    #[test]
    fn a_file_that_is_being_written_is_finished() {
        assert_eq!(pressed(WRITING), None);
    }
}
