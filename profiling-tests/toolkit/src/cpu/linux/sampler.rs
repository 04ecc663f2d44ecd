//! The sampler's thread: when the others are looked at, and when new ones are looked for.
//!
//! All threads that have worked are looked at together, at random intervals of between half and one and a half
//! periods: with fixed ones, a loop that takes about a period (or a multiple) is met at the same place again and
//! again, and a share can be off by twice its standard error without any sign of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::clock::ThreadId;
use super::roster;
use super::throttle::Throttle;
use crate::cpu::options::{CpuError, CpuOptions};

/// The thread that has the others look at themselves.
#[derive(Debug)]
pub(super) struct Sampler {
    pub(super) thread: ThreadId,
    stopped: Arc<AtomicBool>,
    running: Option<JoinHandle<f64>>,
}

impl Sampler {
    /// Starts it. It looks at whatever the roster holds. A signal costs `delivery_ns` beside its handler.
    pub(super) fn spawn(options: &CpuOptions, delivery_ns: u64) -> Result<Self, CpuError> {
        let (send_id, id) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let (period_ns, scan_every) = (1_000_000_000 / u64::from(options.rate_hz), options.scan_every);
        let most_cost_percent = options.most_cost_percent;
        let sees_stop = Arc::clone(&stopped);
        let sample = move || {
            let mut throttle = Throttle::new(most_cost_percent, delivery_ns);
            let introduced = send_id.send(ThreadId::current());
            if introduced.is_ok() {
                sample_until(
                    &sees_stop,
                    Intervals::around(period_ns),
                    &mut throttle,
                    scan_every,
                );
            }
            throttle.mean_stretch()
        };
        let failed = |source| CpuError::System {
            call: "starting the sampler's thread",
            source,
        };
        let handle = thread::Builder::new()
            .name("cpu-sampler".to_owned())
            .spawn(sample)
            .map_err(failed)?;
        let thread = id.recv().map_err(|_| failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self {
            thread,
            stopped,
            running: Some(handle),
        })
    }

    /// Ends it and waits for that. Gives the number of periods between two looks, on average, the first time.
    pub(super) fn stop(&mut self) -> Option<f64> {
        let handle = self.running.take()?;
        self.stopped.store(true, SeqCst);
        handle.thread().unpark();
        // It has no way to fail but a panic, which the panic hook has then reported.
        handle.join().ok()
    }
}

fn sample_until(
    stopped: &AtomicBool,
    mut intervals: Intervals,
    throttle: &mut Throttle,
    scan_every: Duration,
) {
    let mut due = Instant::now();
    let mut last_scan = due;
    while !stopped.load(SeqCst) {
        let now = Instant::now();
        if now < due {
            thread::park_timeout(due - now);
            continue;
        }
        let n_signalled = roster::tick();
        if now.duration_since(last_scan) >= scan_every {
            roster::scan();
            last_scan = now;
        }
        // From the time that was planned rather than from now, so that the rate is the one asked for. What was
        // missed while the sampler had to wait for a processor isn't made up for.
        let interval = intervals.next().mul_f64(throttle.stretch_after(n_signalled));
        due = (due + interval).max(now);
    }
}

/// Random intervals, between half and one and a half periods, each as likely.
#[derive(Debug)]
struct Intervals {
    period_ns: u64,
    random: u64,
}

impl Intervals {
    fn around(period_ns: u64) -> Self {
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        Self {
            period_ns,
            random: GOLDEN_RATIO,
        }
    }

    /// Marsaglia, "Xorshift RNGs" (2003): three shifts, never zero when begun with another number.
    fn next(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Duration::from_nanos(self.period_ns / 2 + (self.random >> 32) * self.period_ns / (1 << 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_lie_around_the_period_and_average_to_it() {
        let mut intervals = Intervals::around(1_000_000);
        let intervals: Vec<u64> = (0..10_000).map(|_| intervals.next().as_nanos() as u64).collect();
        assert!(intervals.iter().all(|ns| (500_000..1_500_000).contains(ns)));
        let mean = intervals.iter().sum::<u64>() / 10_000;
        // Standard error of the mean: 288,675 / √10,000 = 2,887.
        assert!((990_000..1_010_000).contains(&mean), "{mean}");
    }
}
