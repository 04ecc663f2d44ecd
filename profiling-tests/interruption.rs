//! What happens when somebody doesn't want to wait: Ctrl-C, `kill`, a terminal that is closed.
//!
//! In comes what to do then; it is done once, on a thread of its own, since a signal handler may neither lock nor
//! allocate, and the main thread may be in the middle of a training. The process ends as a shell expects it,
//! with 128 and the signal's number. A second signal ends it at once, whatever is being done.

use std::io;

/// Does `at_interruption` when the process is interrupted, with the signal's name, and ends the process. Signals that
/// whoever started the process had it ignore, as `nohup` does, stay ignored.
#[cfg(unix)]
pub(crate) fn watch(at_interruption: impl FnOnce(&'static str) + Send + 'static) -> io::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use signal_hook::flag;
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::{exit, signal_name};

    let ignored = ignored_signals();
    let watched = WATCHED.into_iter().filter(|signal| !ignored.contains(signal));
    let watched: Vec<i32> = watched.collect();
    let interrupted = Arc::new(AtomicBool::new(false));
    for &signal in &watched {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, EXIT_CODE_BASE + signal, Arc::clone(&interrupted))?;
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    let mut signals = Signals::new(watched)?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            at_interruption(signal_name(signal).unwrap_or("a signal"));
            // Not by way of destructors: other threads are using what they would take down.
            exit(EXIT_CODE_BASE + signal);
        }
    };
    thread::Builder::new()
        .name("interruption".to_owned())
        .spawn(wait)?;
    Ok(())
}

/// There are no signals here: the process ends without further ado, and the next run cleans up after it.
#[cfg(not(unix))]
pub(crate) fn watch(_at_interruption: impl FnOnce(&'static str) + Send + 'static) -> io::Result<()> {
    Ok(())
}

/// A shell's exit code for a process that a signal ended is this and the signal's number.
#[cfg(unix)]
const EXIT_CODE_BASE: i32 = 128;

#[cfg(unix)]
const WATCHED: [i32; 3] = [
    signal_hook::consts::SIGINT,
    signal_hook::consts::SIGTERM,
    signal_hook::consts::SIGHUP,
];

/// The signals of [`WATCHED`] that the process was started to ignore, as far as the system tells.
#[cfg(unix)]
fn ignored_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_ignored = |signal: &i32| mask.unwrap_or_default() >> (signal - 1) & 1 == 1;
    WATCHED.into_iter().filter(is_ignored).collect()
}
