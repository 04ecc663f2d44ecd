//! What a CPU measurement is asked for, and the ways in which it can be refused.

use std::io;
use std::time::Duration;

use thiserror::Error;

/// Deepest stack a sample can hold, in frames.
pub const MAX_DEPTH: usize = 512;

/// Highest sampling rate that is accepted, in samples per second and thread.
pub const MAX_RATE_HZ: u32 = 10_000;

/// How a CPU measurement samples.
#[derive(Debug, Clone)]
pub struct CpuOptions {
    /// Samples per second and thread. Default 997. The intervals are random around that, so that they don't
    /// fall in step with work that repeats itself.
    pub rate_hz: u32,
    /// Share of the work's CPU time that sampling may take, percent. Where it takes more, the rate gives way: to
    /// [`SamplingQuality::rate_allowed_hz`](super::SamplingQuality::rate_allowed_hz). Default 2.
    pub most_cost_percent: u32,
    /// Fewer samples than this are reported as too few; [`measure_cpu_repeated`](super::measure_cpu_repeated)
    /// repeats until it has them. Default 1,000: the standard error of a share is then at most 1.6 points.
    pub min_samples: u64,
    /// When [`measure_cpu_repeated`](super::measure_cpu_repeated) gives up waiting for samples. Default 10 s.
    pub time_limit: Duration,
    /// Frames kept of a stack, at most [`MAX_DEPTH`]; what lies nearer the root is cut off and counted as
    /// truncated. Default 256.
    pub max_depth: usize,
    /// Bytes reserved for samples; a page costs memory once it is written to. A sample takes 16 bytes and
    /// eight for each frame. Default 128 MiB: several minutes of four busy threads.
    pub arena_bytes: usize,
    /// How often new threads are looked for. A thread that lives shorter than this and doesn't call
    /// [`register_current_thread`](super::register_current_thread) isn't sampled. Default 20 ms: a look takes 60 to
    /// 100 µs.
    pub scan_every: Duration,
    /// What is cut off at the root of the stacks.
    pub trim: RootTrim,
}

impl Default for CpuOptions {
    fn default() -> Self {
        Self {
            rate_hz: 997,
            most_cost_percent: 2,
            min_samples: 1_000,
            time_limit: Duration::from_secs(10),
            max_depth: 256,
            arena_bytes: 128 << 20,
            scan_every: Duration::from_millis(20),
            trim: RootTrim::default(),
        }
    }
}

impl CpuOptions {
    /// Checks the numbers against their bounds.
    ///
    /// # Errors
    /// [`CpuError::Option`] names the first option out of bounds.
    pub(super) fn check(&self) -> Result<(), CpuError> {
        let out_of_bounds = |option, found, bounds| {
            Err(CpuError::Option {
                option,
                found,
                bounds,
            })
        };
        if !(1..=MAX_RATE_HZ).contains(&self.rate_hz) {
            return out_of_bounds("rate_hz", self.rate_hz as usize, "1 to 10,000");
        }
        if !(1..=100).contains(&self.most_cost_percent) {
            let found = self.most_cost_percent as usize;
            return out_of_bounds("most_cost_percent", found, "1 to 100");
        }
        if !(1..=MAX_DEPTH).contains(&self.max_depth) {
            return out_of_bounds("max_depth", self.max_depth, "1 to 512");
        }
        if self.arena_bytes < 64 << 10 {
            return out_of_bounds("arena_bytes", self.arena_bytes, "65,536 or more");
        }
        Ok(())
    }
}

/// What is cut off at the root of every stack, so that a profile starts with the work that was measured.
///
/// The share of rooted samples is found before anything is cut off.
#[derive(Debug, Clone)]
pub struct RootTrim {
    /// Cut what starts a process or thread (`main`, `std::rt::lang_start`, `start_thread` and the like).
    pub runtime: bool,
    /// A frame whose function name starts with one of these is cut off together with everything between it
    /// and the root. Default: this crate's own measuring frames.
    pub markers: Vec<String>,
}

impl RootTrim {
    /// Leaves the stacks as they were found.
    pub fn nothing() -> Self {
        Self {
            runtime: false,
            markers: Vec::new(),
        }
    }
}

impl Default for RootTrim {
    fn default() -> Self {
        Self {
            runtime: true,
            markers: vec![super::MEASURED_REGION.to_owned()],
        }
    }
}

/// Why CPU time can't be measured, or not now.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CpuError {
    /// This system lacks what the sampler is built on.
    #[error("CPU sampling is not available on {system}: {reason}")]
    Unsupported {
        /// Operating system and processor.
        system: &'static str,
        /// What is missing.
        reason: &'static str,
    },
    /// An option is out of its bounds.
    #[error("CPU sampling option {option} is {found}, expected {bounds}")]
    Option {
        /// Field of [`CpuOptions`].
        option: &'static str,
        /// Its value.
        found: usize,
        /// What is accepted.
        bounds: &'static str,
    },
    /// The calling thread is inside a CPU measurement already; it would wait for itself.
    #[error(
        "a CPU measurement was started inside another one on the same thread; measure one after the other"
    )]
    Nested,
    /// Another part of the process handles the sampler's signal.
    #[error("the sampler needs the signal SIGPROF, which another handler in this process has taken")]
    SignalTaken,
    /// More threads than the sampler has places for.
    #[error("more than {limit} threads were seen in one CPU measurement; measure a part with fewer threads")]
    TooManyThreads {
        /// Number of places.
        limit: usize,
    },
    /// A system call failed.
    #[error("{call} failed while sampling CPU time: {source}")]
    System {
        /// Name of the call.
        call: &'static str,
        /// What the system answered.
        source: io::Error,
    },
}
