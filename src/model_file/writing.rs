//! A signed model on its way to the disk: the disk takes a piece while the next one is being signed.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use super::signed::Unsigned;

/// Bytes that are signed at a time: some 0.15 ms.
const PIECE: usize = 256 * 1024;

/// Writes `model` to an empty file and signs it meanwhile. What comes last is the first piece, which the signature is in.
pub(super) fn write(file: &mut File, model: Unsigned) -> io::Result<()> {
    let signed = model.sign_in_pieces(PIECE, |at, piece| {
        file.seek(SeekFrom::Start(at as u64))?;
        file.write_all(piece)?;
        begin_to_sync(file, at, piece.len());
        Ok::<_, io::Error>(())
    })?;
    file.rewind()?;
    file.write_all(&signed[..PIECE.min(signed.len())])
}

/// Asks the system to begin with bringing these bytes to the disk, and doesn't wait for it. No promise of anything:
/// whether they got there is what the `fsync` after it says.
// PERF: a model of 2.6 MB is saved in 5.1 ms instead of 6.4. `posix_fadvise` has the system begin as well, but forget what
// it has, which may be loaded next; `fdatasync` on a thread of its own has the disk flush its cache once more.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "neither the standard library nor rustix has a call for it"
)]
fn begin_to_sync(file: &File, at: usize, n_bytes: usize) {
    use std::os::fd::AsRawFd as _;

    let (at, n_bytes) = (at.cast_signed() as i64, n_bytes.cast_signed() as i64);
    // SAFETY: the descriptor is open while `file` is borrowed; nothing in memory is read or written.
    let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), at, n_bytes, libc::SYNC_FILE_RANGE_WRITE) };
}

#[cfg(not(target_os = "linux"))]
fn begin_to_sync(_: &File, _: usize, _: usize) {}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{SecretKey, signed};
    use super::*;

    /// Shorter than a piece, a whole number of them, and a little more.
    #[test]
    fn written_in_pieces_it_is_what_it_is_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model");
        let key = SecretKey::new("a key");
        for n_bytes in [
            0,
            1,
            PIECE - 61,
            PIECE - 60,
            PIECE - 59,
            3 * PIECE - 60,
            3 * PIECE + 7,
        ] {
            let payload: Vec<u8> = (0..n_bytes).map(|at| (at * 31 % 251) as u8).collect();
            let enclose = || signed::enclose(2, &key, |envelope| [&envelope, &payload[..]].concat());
            write(&mut File::create(&path).unwrap(), enclose()).unwrap();
            let written = fs::read(&path).unwrap();
            assert!(written == enclose().sign(), "{n_bytes} bytes");
            assert!(
                signed::open(&written, 2, &key).unwrap() == payload,
                "{n_bytes} bytes"
            );
        }
    }
}
