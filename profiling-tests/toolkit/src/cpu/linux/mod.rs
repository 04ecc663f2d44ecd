//! The sampler on Linux: one thread signals those that work, and stacks are unwound in the signal handler.
//!
//! In comes [`CpuOptions`], out goes a [`Recording`] of raw addresses that [`resolve`] turns into a profile:
//! `sampler` (when) → `roster` (which threads) → `signal` → `handler` → `unwind` → `arena` → `resolve`.
//!
//! The clock interrupts the processor that the sampler's thread runs on, another than the measured ones if one
//! is free: what reaches a measured thread is an interrupt from there. Medians of what one interruption takes from the
//! thread, without the unwinding, on a virtual machine where an interrupt is dear:
//!
//! | who interrupts | each time |
//! | --- | --- |
//! | a signal from another processor, as here | 8.7 µs |
//! | a POSIX timer per thread, set again in the handler | 21 µs |
//! | the same, periodic | 21 µs |
//! | `perf_event_open`, task clock, with `SIGTRAP` | 18 µs |
//! | the same, with `F_SETSIG` | 29 µs |
//! | the same, into a ring buffer, without a signal: address alone, with 8 KiB of stack | 15 µs, 17 µs |
//! | a timer on the thread's CPU clock: at most 250 times a second, when the kernel ticks anyway | 18 µs |

mod arena;
#[cfg(test)]
mod arena_tests;
mod atomic;
mod clock;
mod costs;
mod delivery;
mod gate;
mod handler;
mod mappings;
mod naming;
mod resolve;
mod roster;
mod sampler;
mod samples;
mod signal;
mod slots;
mod stack_bounds;
mod tables;
mod throttle;
mod trim;
mod unwind;

use std::time::Instant;

use arena::Arena;
use clock::{ThreadId, Usage};
use handler::Shared;
use roster::RecordedThread;
use sampler::Sampler;
use tables::Tables;
use unwind::Stack;

use super::options::{CpuError, CpuOptions};
use super::profile::CpuProfile;

/// How threads are interrupted, for the report.
const DELIVERY: &str = "signals from a sampling thread to threads that have worked";

/// A measurement under way. Dropped without [`finish`](Self::finish), it stops sampling and forgets.
#[derive(Debug)]
pub(super) struct Session {
    options: CpuOptions,
    shared: Box<Shared>,
    sampler: Sampler,
    start: Clocks,
    delivery_ns: u64,
}

/// Everything a measurement recorded, before it is given names.
#[derive(Debug)]
struct Recording<'session> {
    shared: &'session Shared,
    threads: Vec<RecordedThread>,
    start: Clocks,
    end: Clocks,
    iterations: u64,
    /// What it costs to deliver one signal.
    delivery_ns: u64,
    /// Periods between two looks at the threads, on average.
    mean_stretch: f64,
}

impl Session {
    /// Starts sampling every thread of the process.
    ///
    /// # Errors
    /// When the sampler's thread can't be started or the signal is taken.
    pub(super) fn start(options: &CpuOptions) -> Result<Self, CpuError> {
        handler::install()?;
        // The first unwind reads tables and resolves symbols of the unwinder itself; none of that belongs
        // into a handler.
        let mut first = Stack::new(options.max_depth);
        first.capture_by_system(0);
        std::hint::black_box(first.addresses());
        let delivery_ns = delivery::delivery_ns();
        let shared = Box::new(Shared {
            arena: Arena::with_bytes(options.arena_bytes),
            tables: Tables::of_this_process(),
            max_depth: options.max_depth,
        });
        let sampler = Sampler::spawn(options, delivery_ns)?;
        let generation = handler::open(&shared);
        let mut session = Self {
            options: options.clone(),
            shared,
            start: Clocks::now(sampler.thread)?,
            sampler,
            delivery_ns,
        };
        roster::open(generation, session.sampler.thread)?;
        session.start = Clocks::now(session.sampler.thread)?;
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
        let end = Clocks::now(self.sampler.thread)?;
        let (mean_stretch, threads) = self.stop()?;
        let recording = Recording {
            shared: &self.shared,
            threads,
            start: self.start,
            end,
            iterations,
            delivery_ns: self.delivery_ns,
            mean_stretch,
        };
        Ok(resolve::resolve(&recording, &self.options))
    }

    fn stop(&mut self) -> Result<(f64, Vec<RecordedThread>), CpuError> {
        let mean_stretch = self.sampler.stop().unwrap_or(1.0);
        handler::close();
        Ok((mean_stretch, roster::close()?))
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
    sampler_ns: u64,
}

impl Clocks {
    fn now(sampler: ThreadId) -> Result<Self, CpuError> {
        Ok(Self {
            wall: Instant::now(),
            usage: Usage::now()?,
            process_ns: clock::process_cpu_ns(),
            sampler_ns: sampler.cpu_ns().unwrap_or(0),
        })
    }
}
