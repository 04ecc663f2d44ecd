//! Ctrl-C and a closed terminal, as a program meets them that was started in the foreground.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};

use signal_hook::consts::{SIGHUP, SIGINT};
use signal_hook::flag::register_conditional_default;

/// Has them end what is started from here on, even where whoever started the tests had them ignored, as a shell does for
/// what it runs in the background. An ignored signal is ignored in every process that is started, too; one that is
/// handled has its default there. Here it goes on doing what it does by default.
pub(crate) fn reach_what_is_started() {
    static HANDLED: Once = Once::new();
    HANDLED.call_once(|| {
        for signal in [SIGINT, SIGHUP] {
            register_conditional_default(signal, Arc::new(AtomicBool::new(true))).unwrap();
        }
    });
}
