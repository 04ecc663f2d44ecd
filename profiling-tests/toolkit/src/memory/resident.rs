//! Memory of the machine that the process holds: heap of any allocator, code, stacks, mapped files.
//!
//! The kernel's own count, beside which the heap's is put: what the program asked for is less than what the process
//! takes. Read without allocating, so that it may be asked for within a memory region.

use serde::{Deserialize, Serialize};

/// Resident memory around some work, in bytes; `None` where the system doesn't tell. The kernel counts in pages, and
/// for each core it may be some pages late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidentMemory {
    /// Before the work.
    pub before_bytes: Option<u64>,
    /// After it.
    pub after_bytes: Option<u64>,
    /// The most during it. `None` also where the kernel doesn't let its record be reset: that may be of long ago.
    pub peak_bytes: Option<u64>,
}

/// Runs `work` and says what the process held meanwhile.
pub fn observe_resident<T>(work: impl FnOnce() -> T) -> (T, ResidentMemory) {
    let peak_is_reset = system::reset_peak();
    let before_bytes = system::resident();
    let result = work();
    let observed = ResidentMemory {
        before_bytes,
        after_bytes: system::resident(),
        peak_bytes: system::peak().filter(|_| peak_is_reset),
    };
    (result, observed)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};

    /// `/proc/self/status` is about 1.5 KiB; the lines looked for come first.
    const STATUS_SIZE: usize = 4096;

    pub(super) fn resident() -> Option<u64> {
        status("VmRSS:")
    }

    pub(super) fn peak() -> Option<u64> {
        status("VmHWM:")
    }

    /// Lets the peak begin anew (proc(5), `clear_refs`, since Linux 4.0).
    pub(super) fn reset_peak() -> bool {
        let file = OpenOptions::new().write(true).open("/proc/self/clear_refs");
        file.is_ok_and(|mut file| file.write_all(b"5").is_ok())
    }

    fn status(name: &str) -> Option<u64> {
        let mut text = [0; STATUS_SIZE];
        let mut file = File::open("/proc/self/status").ok()?;
        let mut length = 0;
        while length < STATUS_SIZE {
            match file.read(&mut text[length..]).ok()? {
                0 => break,
                n_bytes => length += n_bytes,
            }
        }
        bytes_of(&text[..length], name)
    }

    /// `VmRSS:      1234 kB`
    pub(super) fn bytes_of(status: &[u8], name: &str) -> Option<u64> {
        // The process's own name is on the first line, in whatever encoding.
        let mut lines = status.split(|&byte| byte == b'\n').skip(1);
        let figure = lines.find_map(|line| line.strip_prefix(name.as_bytes()))?;
        let figure = std::str::from_utf8(figure).ok()?.trim().strip_suffix(" kB")?;
        figure.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn resident() -> Option<u64> {
        None
    }

    pub(super) fn peak() -> Option<u64> {
        None
    }

    pub(super) fn reset_peak() -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_kernels_text() {
        let status = b"Name:\tVmRSS:\xff\nVmHWM:\t  2048 kB\nVmRSS:\t    12 kB\n";
        assert_eq!(system::bytes_of(status, "VmRSS:"), Some(12 * 1024));
        assert_eq!(system::bytes_of(status, "VmHWM:"), Some(2 << 20));
        assert_eq!(system::bytes_of(status, "VmSwap:"), None);
    }
}
