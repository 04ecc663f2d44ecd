//! The outcome of a CPU measurement: clocks, quality of the sampling, functions, stacks.
//!
//! Everything is in nanoseconds and sorted by name, so that a profile can be written out as it stands.
//! [`CpuProfile::by_cumulative`] and [`CpuProfile::by_self`] make the tables, [`CpuProfile::folded`] the input
//! of a flame graph.

use serde::{Deserialize, Serialize};

use crate::folded::FoldedStacks;

/// Stands for CPU time of a thread before it was found and after its last sample.
pub const UNSAMPLED: &str = "[unsampled]";

/// Where the CPU time of a measurement went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CpuProfile {
    /// Elapsed time, nanoseconds.
    pub wall_ns: u64,
    /// CPU time of all threads but the sampler's own, by the process's CPU clock, nanoseconds.
    pub cpu_ns: u64,
    /// The part of it spent in the program, as the system splits it; the sampler's thread included.
    pub user_ns: u64,
    /// The part of it spent in the kernel, likewise.
    pub system_ns: u64,
    /// How often the work was run; all times are sums over the runs.
    pub iterations: u64,
    /// How well it was sampled, and at what cost.
    pub sampling: SamplingQuality,
    /// Every thread that was sampled, in the order in which they were found.
    pub threads: Vec<ThreadCost>,
    /// Every function on a stack, by name.
    pub functions: Vec<FunctionCost>,
    /// The distinct stacks.
    pub stacks: Vec<StackCost>,
}

/// How well a profile was sampled, and at what cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplingQuality {
    /// Samples per second and thread that were asked for.
    pub rate_asked_hz: u32,
    /// Samples per second of CPU time that were taken.
    pub rate_reached_hz: f64,
    /// Samples taken.
    pub samples: u64,
    /// Samples that were asked for.
    pub min_samples: u64,
    /// The number of samples of equal weight that would be as precise (Kish: `(Σw)² / Σw²`).
    pub effective_samples: f64,
    /// Timer signals that found their thread asleep; nothing is recorded then.
    pub asleep: u64,
    /// Timer signals within 40 µs of CPU time after a sample; not recorded either.
    pub skipped: u64,
    /// Samples lost because the space for them was full.
    pub dropped: u64,
    /// Samples whose stacks were deeper than was kept.
    pub truncated: u64,
    /// Samples whose stacks reach `main` or the start of their thread.
    pub rooted: u64,
    /// CPU time the samples stand for: the sum of their weights, nanoseconds.
    pub sampled_ns: u64,
    /// CPU time of threads before they were found and after their last sample, nanoseconds.
    pub unsampled_ns: u64,
    /// CPU time spent taking samples, part of the profile, nanoseconds. The kernel's part in delivering a
    /// signal isn't in it.
    pub handler_ns: u64,
    /// CPU time of threads that slept on and only woke up for the sampler, not part of the profile,
    /// nanoseconds.
    pub waking_ns: u64,
    /// CPU time of the sampler's own thread, not part of the profile, nanoseconds.
    pub scanner_ns: u64,
}

/// A thread and its CPU time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadCost {
    /// As the system knows it: at most 15 bytes.
    pub name: String,
    /// CPU time, nanoseconds; for a thread that has ended, up to its last sample.
    pub cpu_ns: u64,
    /// Samples taken of it.
    pub samples: u64,
}

/// What one function cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCost {
    /// Demangled path.
    pub function: String,
    /// `file:line` of the function's hottest line, where known.
    pub location: Option<String>,
    /// CPU time in the function and in what was inlined into it, nanoseconds. A function that was itself
    /// inlined has none: its instructions are the other function's.
    pub self_ns: u64,
    /// Samples of that.
    pub self_samples: u64,
    /// CPU time in the function and in all it called, nanoseconds; recursion counts once.
    pub cumulative_ns: u64,
    /// Samples of that.
    pub cumulative_samples: u64,
}

/// What one stack cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackCost {
    /// Places in [`CpuProfile::functions`], root first, inlined frames included.
    pub frames: Vec<u32>,
    /// CPU time, nanoseconds.
    pub weight_ns: u64,
    /// Samples.
    pub samples: u64,
}

/// One line of a table of functions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionRow {
    /// Demangled path.
    pub function: String,
    /// `file:line` of the function's hottest line, where known.
    pub location: Option<String>,
    /// CPU time, nanoseconds.
    pub ns: u64,
    /// Share of the sampled CPU time, 0 to 1.
    pub share: f64,
    /// Samples it rests on.
    pub samples: u64,
    /// Standard error of the share, binomial over the effective samples.
    pub standard_error: f64,
    /// 95 % confidence interval of the share (Wilson).
    pub interval_95: [f64; 2],
}

impl CpuProfile {
    /// CPU time over elapsed time: how many processors worked on average.
    pub fn parallelism(&self) -> f64 {
        ratio(self.cpu_ns, self.wall_ns)
    }

    /// Time the sampling accounts for (sampled, unsampled, waking) over the time the system measured. Near 1
    /// when the sampling can be trusted; less when threads came and went unseen.
    pub fn weight_ratio(&self) -> f64 {
        let sampling = &self.sampling;
        ratio(
            sampling.sampled_ns + sampling.unsampled_ns + sampling.waking_ns,
            self.cpu_ns,
        )
    }

    /// The share of the measured CPU time that taking samples and waking threads cost.
    pub fn overhead_share(&self) -> f64 {
        ratio(self.sampling.handler_ns + self.sampling.waking_ns, self.cpu_ns)
    }

    /// Are there as many samples as were asked for?
    pub fn has_enough_samples(&self) -> bool {
        self.sampling.samples >= self.sampling.min_samples
    }

    /// The `n` functions with the most CPU time in them and in what they called.
    pub fn by_cumulative(&self, n: usize) -> Vec<FunctionRow> {
        self.table(n, |cost| (cost.cumulative_ns, cost.cumulative_samples))
    }

    /// The `n` functions with the most CPU time in themselves.
    pub fn by_self(&self, n: usize) -> Vec<FunctionRow> {
        self.table(n, |cost| (cost.self_ns, cost.self_samples))
    }

    /// The stacks as text, weighted by nanoseconds; with [`UNSAMPLED`] they sum to the sampled and
    /// unsampled time.
    pub fn folded(&self) -> FoldedStacks {
        let mut folded = FoldedStacks::new();
        for stack in &self.stacks {
            let frames = stack.frames.iter();
            let names = frames.map(|&idx| self.functions[idx as usize].function.as_str());
            folded.add(names, stack.weight_ns);
        }
        folded.add([UNSAMPLED], self.sampling.unsampled_ns);
        folded
    }

    fn table(&self, n: usize, cost: impl Fn(&FunctionCost) -> (u64, u64)) -> Vec<FunctionRow> {
        let mut functions: Vec<_> = self
            .functions
            .iter()
            .filter(|function| cost(function).0 > 0)
            .collect();
        // Stable, so that functions of equal cost stay in the order of their names.
        functions.sort_by_key(|function| std::cmp::Reverse(cost(function).0));
        functions.truncate(n);
        functions
            .into_iter()
            .map(|function| self.row(function, cost(function)))
            .collect()
    }

    fn row(&self, cost: &FunctionCost, (ns, samples): (u64, u64)) -> FunctionRow {
        let n = self.sampling.effective_samples;
        let share = ratio(ns, self.sampling.sampled_ns);
        FunctionRow {
            function: cost.function.clone(),
            location: cost.location.clone(),
            ns,
            share,
            samples,
            standard_error: (share * (1.0 - share) / n.max(1.0)).sqrt(),
            interval_95: wilson_95(share, n),
        }
    }
}

/// Wilson, "Probable inference, the law of succession, and statistical inference" (1927): unlike the interval
/// from the standard error it stays within 0 and 1 and isn't empty at either.
fn wilson_95(share: f64, n: f64) -> [f64; 2] {
    const Z: f64 = 1.959_963_984_540_054;
    if n < 1.0 {
        return [0.0, 1.0];
    }
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    [
        ((centre - half) / scale).max(0.0),
        ((centre + half) / scale).min(1.0),
    ]
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, self_ns: u64, cumulative_ns: u64) -> FunctionCost {
        FunctionCost {
            function: name.to_owned(),
            location: None,
            self_ns,
            self_samples: self_ns,
            cumulative_ns,
            cumulative_samples: cumulative_ns,
        }
    }

    fn profile() -> CpuProfile {
        CpuProfile {
            wall_ns: 50,
            cpu_ns: 100,
            user_ns: 90,
            system_ns: 10,
            iterations: 1,
            sampling: SamplingQuality {
                samples: 90,
                min_samples: 91,
                effective_samples: 90.0,
                sampled_ns: 90,
                unsampled_ns: 8,
                handler_ns: 2,
                ..SamplingQuality::default()
            },
            threads: Vec::new(),
            functions: vec![function("a", 0, 90), function("b", 45, 45), function("c", 45, 45)],
            stacks: vec![
                StackCost {
                    frames: vec![0, 1],
                    weight_ns: 45,
                    samples: 45,
                },
                StackCost {
                    frames: vec![0, 2],
                    weight_ns: 45,
                    samples: 45,
                },
            ],
        }
    }

    fn names(rows: &[FunctionRow]) -> Vec<&str> {
        rows.iter().map(|row| row.function.as_str()).collect()
    }

    #[test]
    fn tables_are_sorted_by_cost_then_by_name() {
        assert_eq!(names(&profile().by_cumulative(9)), ["a", "b", "c"]);
        assert_eq!(names(&profile().by_self(9)), ["b", "c"]);
        assert_eq!(names(&profile().by_self(1)), ["b"]);
    }

    #[test]
    fn ratios_are_of_the_measured_time() {
        let profile = profile();
        assert_eq!(
            (
                profile.parallelism(),
                profile.weight_ratio(),
                profile.overhead_share()
            ),
            (2.0, 0.98, 0.02)
        );
        assert!(!profile.has_enough_samples());
    }

    #[test]
    fn folded_stacks_sum_to_sampled_and_unsampled_time() {
        let folded = profile().folded();
        assert_eq!(folded.to_string(), "[unsampled] 8\na;b 45\na;c 45\n");
        assert_eq!(folded.total(), 98);
    }

    #[test]
    fn half_of_ninety_samples_has_the_binomial_standard_error() {
        let row = &profile().by_self(1)[0];
        assert!((row.standard_error - (0.25_f64 / 90.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn wilson_interval_of_a_known_case() {
        // 81 of 263: 0.2553 to 0.3662 (Newcombe 1998, table I).
        let [low, high] = wilson_95(81.0 / 263.0, 263.0);
        assert!(
            (low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5,
            "{low} {high}"
        );
    }

    #[test]
    fn no_sample_says_nothing_about_the_share() {
        let [low, high] = wilson_95(0.0, 0.0);
        assert!(low <= 0.0 && high >= 1.0);
    }
}
