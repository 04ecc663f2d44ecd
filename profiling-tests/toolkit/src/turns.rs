//! Turns that processes take, so that their calls are timed within milliseconds of each other and nothing else runs.
//!
//! ```text
//! who starts them   take_turns: a turn for one process, then for the other, until both have ended
//! each of them      Turns::pass before each block of samples
//! ```
//! A machine changes from second to second, by what else runs on it or beside it on the same processor. Two programs
//! that are measured one after the other meet two machines; that take turns, the same one (Bakhvalov, "paired
//! benchmarking"). A process has its turn from its start on: what it does before its first block and between blocks
//! is done while the others wait, too.

use std::collections::VecDeque;
use std::io;

#[cfg(unix)]
pub use self::sockets::{Partner, Turns};
#[cfg(not(unix))]
pub use self::without::{Partner, Turns};

/// Starts processes, one after the other, and gives them turns until all have ended. `start` gets what it is to start, and
/// returns once that has its first turn.
///
/// # Errors
/// Those of `start`, and of lines that are broken otherwise than by a process's end.
pub fn take_turns<P, E: From<io::Error>>(
    processes: impl IntoIterator<Item = P>,
    mut start: impl FnMut(P) -> Result<Partner, E>,
) -> Result<(), E> {
    let mut waiting = VecDeque::new();
    for process in processes {
        let mut partner = start(process)?;
        if partner.wait()? {
            waiting.push_back(partner);
        }
    }
    while let Some(mut partner) = waiting.pop_front() {
        partner.give()?;
        if partner.wait()? {
            waiting.push_back(partner);
        }
    }
    Ok(())
}

#[cfg(unix)]
mod sockets {
    use std::io::{self, ErrorKind, Read as _, Write as _};
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::process::Stdio;
    use std::sync::Arc;

    /// What both ends send. What it means depends on who sends it.
    const TURN: [u8; 1] = [b'.'];

    /// The turns of this process. By default nobody else takes any.
    #[derive(Debug, Clone, Default)]
    pub struct Turns {
        line: Option<Arc<UnixStream>>,
    }

    impl Turns {
        /// Turns that the process which started this one gives: it has a [`Partner`] at the other end of the standard input.
        ///
        /// # Errors
        /// The standard input isn't a socket.
        pub fn over_stdin() -> io::Result<Self> {
            let line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
            // Which a terminal or a file doesn't have: nobody would answer there.
            line.local_addr()?;
            Ok(Self {
                line: Some(Arc::new(line)),
            })
        }

        /// Whether others take turns.
        pub fn are_taken(&self) -> bool {
            self.line.is_some()
        }

        /// Ends this process's turn and waits for the next one. Returns at once where nobody else takes turns, or any more.
        pub fn pass(&self) {
            if let Some(mut line) = self.line.as_deref() {
                // Who gave turns may have ended. Then all are ours.
                let _ended = line
                    .write_all(&TURN)
                    .and_then(|()| line.read_exact(&mut [0; TURN.len()]));
            }
        }
    }

    /// A process that is given its turns.
    #[derive(Debug)]
    pub struct Partner {
        line: UnixStream,
    }

    impl Partner {
        /// A partner that is still to be started, with that as its standard input and no other copy of it kept.
        ///
        /// # Errors
        /// The system has no sockets left.
        pub fn new() -> io::Result<(Self, Stdio)> {
            let (line, its_end) = UnixStream::pair()?;
            Ok((Self { line }, Stdio::from(OwnedFd::from(its_end))))
        }

        /// Waits until its turn is over; false if it has ended, or takes no turns.
        ///
        /// # Errors
        /// The line is broken otherwise than by its end.
        pub(crate) fn wait(&mut self) -> io::Result<bool> {
            match self.line.read_exact(&mut [0; TURN.len()]) {
                Ok(()) => Ok(true),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
                    ) =>
                {
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        }

        /// Gives it the next turn. One that has ended takes none, as [`Self::wait`] will tell.
        ///
        /// # Errors
        /// The line is broken otherwise than by its end.
        pub(crate) fn give(&mut self) -> io::Result<()> {
            match self.line.write_all(&TURN) {
                Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    Err(error)
                }
                _ => Ok(()),
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::Mutex;
        use std::thread;
        use std::time::Duration;

        use super::super::take_turns;
        use super::*;
        use crate::timing::{TimedCalls, TimingOptions};

        fn joined() -> (Partner, Turns) {
            let (line, its_end) = UnixStream::pair().unwrap();
            let turns = Turns {
                line: Some(Arc::new(its_end)),
            };
            (Partner { line }, turns)
        }

        /// Runs each in a thread, and has them take turns until all have ended.
        fn in_threads(work: impl Fn(char, Turns) + Sync) {
            thread::scope(|scope| {
                let start = |name| {
                    let (partner, turns) = joined();
                    let work = &work;
                    scope.spawn(move || work(name, turns));
                    Ok::<_, io::Error>(partner)
                };
                take_turns(['a', 'b'], start).unwrap();
            });
        }

        #[test]
        fn partners_are_active_in_turn() {
            let done = Mutex::new(String::new());
            in_threads(|name, turns| {
                for _ in 0..3 {
                    turns.pass();
                    done.lock().unwrap().push(name);
                }
            });
            assert_eq!(done.into_inner().unwrap(), "ababab");
        }

        #[test]
        fn blocks_are_taken_in_turn() {
            let done = Mutex::new(Vec::new());
            in_threads(|name, turns| {
                let mut calls = TimedCalls::new(TimingOptions {
                    warm_up_calls: 1,
                    blocks: 2,
                    samples_per_block: 2,
                    least_sample: Duration::ZERO,
                    turns,
                    ..TimingOptions::default()
                });
                calls.call(|| done.lock().unwrap().push(name));
                calls.measure_rest();
                let timing = calls.finish().swap_remove(0);
                assert_eq!(timing.samples.ns.len(), 4);
                assert!(timing.samples.reference_ns.is_empty());
            });
            let mut done = done.into_inner().unwrap();
            done.dedup();
            assert_eq!(done, ['a', 'b', 'a', 'b', 'a', 'b'], "warm-ups, two blocks");
        }

        #[test]
        fn nobody_waits_for_one_that_has_ended() {
            let (mut partner, turns) = joined();
            drop(turns);
            assert!(!partner.wait().unwrap());
            partner.give().unwrap();
            assert!(!partner.wait().unwrap());

            let (partner, turns) = joined();
            drop(partner);
            turns.pass();
            turns.pass();
        }

        #[test]
        fn without_partners_all_turns_are_ours() {
            let turns = Turns::default();
            assert!(!turns.are_taken());
            turns.pass();
        }
    }
}

#[cfg(not(unix))]
mod without {
    use std::io;
    use std::process::Stdio;

    /// The turns of this process: nobody else takes any.
    #[derive(Debug, Clone, Default)]
    pub struct Turns(());

    impl Turns {
        /// # Errors
        /// Always: a line to another process needs Unix.
        pub fn over_stdin() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        /// Whether others take turns.
        pub fn are_taken(&self) -> bool {
            false
        }

        /// Returns at once.
        pub fn pass(&self) {}
    }

    /// A process that takes no turns: it runs to its end.
    #[derive(Debug)]
    pub struct Partner(());

    impl Partner {
        /// A partner that is still to be started, with that as its standard input.
        ///
        /// # Errors
        /// None.
        pub fn new() -> io::Result<(Self, Stdio)> {
            Ok((Self(()), Stdio::null()))
        }

        /// False.
        ///
        /// # Errors
        /// None.
        pub(crate) fn wait(&mut self) -> io::Result<bool> {
            Ok(false)
        }

        /// Does nothing.
        ///
        /// # Errors
        /// None.
        pub(crate) fn give(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
