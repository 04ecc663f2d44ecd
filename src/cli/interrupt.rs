//! Ctrl-C: the first asks the work to stop, the second doesn't wait for it.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Failure;

static RECEIVED: AtomicBool = AtomicBool::new(false);

/// Takes Ctrl-C from here on to the end of the process.
pub(super) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if RECEIVED.swap(true, Ordering::Relaxed) {
            // A file that is being replaced is renamed into place or isn't: nothing is left half done.
            process::exit(i32::from(Failure::Cancelled.exit_code()));
        }
        tracing::info!("stopping; Ctrl-C again stops at once");
    })
    .map_err(Failure::Signals)
}

/// Whether Ctrl-C was pressed.
pub(super) fn received() -> bool {
    RECEIVED.load(Ordering::Relaxed)
}
