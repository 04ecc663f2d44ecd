//! The sampler on Linux: one timer per thread, stacks unwound in the signal handler.
//!
//! In comes [`CpuOptions`], out goes a [`Recording`] of raw addresses that [`resolve`] turns into a profile:
//! `roster` (threads) → `slots`, `timers` → `handler` → `unwind` → `arena` → `resolve`.

mod arena;
mod clock;
mod handler;
mod resolve;
mod roster;
mod slots;
mod timers;
mod unwind;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arena::Arena;
use clock::{ThreadId, Usage};
use roster::RecordedThread;
use unwind::Stack;

use super::options::{CpuError, CpuOptions};
use super::profile::CpuProfile;

/// A measurement under way. Dropped without [`finish`](Self::finish), it stops sampling and forgets.
#[derive(Debug)]
pub(super) struct Session {
    options: CpuOptions,
    arena: Arc<Arena>,
    scanner: Scanner,
    start: Clocks,
}

/// Everything a measurement recorded, before it is given names.
#[derive(Debug)]
struct Recording {
    arena: Arc<Arena>,
    threads: Vec<RecordedThread>,
    start: Clocks,
    end: Clocks,
    iterations: u64,
}

impl Session {
    /// Starts sampling every thread of the process.
    ///
    /// # Errors
    /// When a timer can't be created or the signal is taken.
    pub(super) fn start(options: &CpuOptions) -> Result<Self, CpuError> {
        handler::install()?;
        // The first unwind reads tables and resolves symbols of the unwinder itself; none of that belongs
        // into a handler.
        std::hint::black_box(Stack::capture(0, options.max_depth).addresses());
        let arena = Arc::new(Arena::with_bytes(options.arena_bytes));
        let scanner = Scanner::spawn(options.scan_every)?;
        let generation = handler::open(&arena, options.max_depth);
        let mut session = Self {
            options: options.clone(),
            arena,
            start: Clocks::now(scanner.thread)?,
            scanner,
        };
        let period_ns = 1_000_000_000 / u64::from(options.rate_hz);
        roster::open(generation, period_ns, session.scanner.thread)?;
        session.start = Clocks::now(session.scanner.thread)?;
        Ok(session)
    }

    /// Samples taken so far.
    pub(super) fn samples() -> u64 {
        handler::recorded()
    }

    /// Stops sampling and gives the samples names.
    ///
    /// # Errors
    /// When a thread could not be sampled, since its share would be missing.
    pub(super) fn finish(mut self, iterations: u64) -> Result<CpuProfile, CpuError> {
        let end = Clocks::now(self.scanner.thread)?;
        let threads = self.stop()?;
        let recording = Recording {
            arena: Arc::clone(&self.arena),
            threads,
            start: self.start,
            end,
            iterations,
        };
        Ok(resolve::resolve(&recording, &self.options))
    }

    fn stop(&mut self) -> Result<Vec<RecordedThread>, CpuError> {
        handler::close();
        self.scanner.stop();
        roster::close()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Has something to do only when the measured code panicked or the start failed half-way. There is
        // nobody to hear of a thread that couldn't be sampled.
        let _incomplete = self.stop();
    }
}

/// Has the calling thread sampled from now on, if a measurement is under way.
pub(super) fn register_current_thread() {
    roster::register(ThreadId::current());
}

/// All clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    wall: Instant,
    usage: Usage,
    process_ns: u64,
    /// CPU time of the sampler's own thread.
    scanner_ns: u64,
}

impl Clocks {
    fn now(scanner: ThreadId) -> Result<Self, CpuError> {
        Ok(Self {
            wall: Instant::now(),
            usage: Usage::now()?,
            process_ns: clock::process_cpu_ns(),
            scanner_ns: scanner.cpu_ns().unwrap_or(0),
        })
    }
}

/// The thread that looks for new threads while a measurement runs.
#[derive(Debug)]
struct Scanner {
    thread: ThreadId,
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Scanner {
    fn spawn(every: Duration) -> Result<Self, CpuError> {
        let (send_id, id) = mpsc::channel();
        let (stop, stopped) = mpsc::channel();
        let look_for_threads = move || {
            let introduced = send_id.send(ThreadId::current());
            while introduced.is_ok() && stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                roster::scan();
            }
        };
        let failed = |source| CpuError::System {
            call: "starting the sampler's thread",
            source,
        };
        let handle = thread::Builder::new()
            .name("cpu-sampler".to_owned())
            .spawn(look_for_threads)
            .map_err(failed)?;
        let thread = id.recv().map_err(|_| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            thread,
            running: Some((stop, handle)),
        })
    }

    fn stop(&mut self) {
        if let Some((stop, handle)) = self.running.take() {
            drop(stop);
            // It has no way to fail but a panic, which the panic hook has then reported.
            let _panicked = handle.join();
        }
    }
}
