//! The outcome of a CPU measurement: clocks, quality of the sampling, functions, stacks.
//!
//! Everything is in nanoseconds and sorted by name, so that a profile can be written out as it stands. `rows` makes
//! the tables of it, [`CpuProfile::folded`] the input of a flame graph.

use std::cmp::Reverse;

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
    /// What the threads were busy with, by name; work outside any phase has an empty one.
    pub phases: Vec<PhaseCost>,
    /// Every function on a stack, by name.
    pub functions: Vec<FunctionCost>,
    /// The distinct stacks.
    pub stacks: Vec<StackCost>,
}

/// How well a profile was sampled, and at what cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplingQuality {
    /// How threads were interrupted.
    pub delivery: String,
    /// Samples per second and thread that were asked for.
    pub rate_asked_hz: u32,
    /// What the limit of the cost left of that, on average.
    #[serde(default)]
    pub rate_allowed_hz: f64,
    /// Samples per second of CPU time that were taken.
    pub rate_reached_hz: f64,
    /// Samples taken.
    pub samples: u64,
    /// Samples that were asked for.
    pub min_samples: u64,
    /// The number of independent samples of equal weight that would be as precise (Kish: `(Σw)² / Σw²`). Threads are
    /// looked at together, and what is found at once counts as one.
    pub effective_samples: f64,
    /// Signals that found their thread asleep; nothing is recorded then.
    pub asleep: u64,
    /// Signals within 40 µs of CPU time after a sample; not recorded either.
    pub skipped: u64,
    /// Samples lost because the space for them was full.
    pub dropped: u64,
    /// Samples whose stacks were deeper than was kept.
    pub truncated: u64,
    /// Samples whose stacks the system's unwinder had to follow, ten times as slowly: the first of each thread, and
    /// those with frames of a library that was loaded meanwhile.
    pub slowly_unwound: u64,
    /// Samples whose stacks reach `main` or the start of their thread.
    pub rooted: u64,
    /// Samples of instructions that belong to no function with a name.
    pub unsymbolised: u64,
    /// CPU time the samples stand for: the sum of their weights, nanoseconds.
    pub sampled_ns: u64,
    /// CPU time of threads before they were found and after their last sample, nanoseconds.
    pub unsampled_ns: u64,
    /// CPU time spent taking samples, part of the profile, nanoseconds.
    pub handler_ns: u64,
    /// CPU time spent delivering the signals for them, part of the profile, nanoseconds: their number times
    /// what one was found to cost before the measurement.
    pub delivery_ns: u64,
    /// CPU time of the sampler's own thread, not part of the profile, nanoseconds.
    pub sampler_ns: u64,
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
    /// Standard error of that, nanoseconds.
    pub self_error_ns: u64,
    /// Samples of that.
    pub self_samples: u64,
    /// CPU time in the function and in all it called, nanoseconds; recursion counts once.
    pub cumulative_ns: u64,
    /// Standard error of that, nanoseconds.
    pub cumulative_error_ns: u64,
    /// Samples of that.
    pub cumulative_samples: u64,
}

/// What one phase cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseCost {
    /// Name of the [`Phase`](crate::phase::Phase); empty for work outside any.
    pub phase: String,
    /// Sampled CPU time, nanoseconds.
    pub cpu_ns: u64,
    /// Standard error of that, nanoseconds.
    pub error_ns: u64,
    /// Samples.
    pub samples: u64,
    /// The functions that cost most in it, by themselves or with what they called; by name.
    pub functions: Vec<PhaseFunction>,
}

/// What one function cost in a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseFunction {
    /// Demangled path.
    pub function: String,
    /// As [`FunctionCost::self_ns`], in this phase.
    pub self_ns: u64,
    /// Samples of that.
    pub self_samples: u64,
    /// As [`FunctionCost::cumulative_ns`], in this phase.
    pub cumulative_ns: u64,
    /// Samples of that.
    pub cumulative_samples: u64,
}

impl PhaseCost {
    /// Functions kept of a phase, by either cost.
    const N_FUNCTIONS: usize = 30;

    /// Of functions sorted by name, those among the [`Self::N_FUNCTIONS`] costliest by one cost or the other.
    #[cfg_attr(
        not(any(
            test,
            all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))
        )),
        expect(dead_code, reason = "for the sampler")
    )]
    pub(super) fn costliest(functions: Vec<PhaseFunction>) -> Vec<PhaseFunction> {
        let least = |cost: fn(&PhaseFunction) -> u64| {
            let mut costs: Vec<u64> = functions.iter().map(cost).collect();
            costs.sort_unstable_by_key(|&ns| Reverse(ns));
            costs.get(Self::N_FUNCTIONS - 1).copied().unwrap_or(0).max(1)
        };
        let least_self = least(|function| function.self_ns);
        let least_cumulative = least(|function| function.cumulative_ns);
        let is_costly = |function: &PhaseFunction| {
            function.self_ns >= least_self || function.cumulative_ns >= least_cumulative
        };
        functions.into_iter().filter(is_costly).collect()
    }
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

impl CpuProfile {
    /// CPU time over elapsed time: how many processors worked on average.
    pub fn parallelism(&self) -> f64 {
        ratio(self.cpu_ns, self.wall_ns)
    }

    /// Time the sampling accounts for (sampled, unsampled) over the time the system measured. Near 1
    /// when the sampling can be trusted; less when threads came and went unseen.
    pub fn weight_ratio(&self) -> f64 {
        let sampling = &self.sampling;
        ratio(sampling.sampled_ns + sampling.unsampled_ns, self.cpu_ns)
    }

    /// The share of the measured threads' CPU time that the sampling itself took: by how much it slows them down.
    pub fn overhead_share(&self) -> f64 {
        let sampling = &self.sampling;
        ratio(sampling.handler_ns + sampling.delivery_ns, self.cpu_ns)
    }

    /// The share of one processor that the sampler's own thread took. Where no processor is free it slows the
    /// measured threads down as well.
    pub fn sampler_share(&self) -> f64 {
        ratio(self.sampling.sampler_ns, self.wall_ns)
    }

    /// Are there as many samples as were asked for?
    pub fn has_enough_samples(&self) -> bool {
        self.sampling.samples >= self.sampling.min_samples
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
}

pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// A profile of 100 ms with 90 samples of 1 ms, for tests.
#[cfg(test)]
pub(super) fn example() -> CpuProfile {
    const MS: u64 = 1_000_000;
    let function = |name: &str, own: u64, cumulative: u64| FunctionCost {
        function: name.to_owned(),
        location: None,
        self_ns: own * MS,
        self_error_ns: binomial_error_ns(own),
        self_samples: own,
        cumulative_ns: cumulative * MS,
        cumulative_error_ns: binomial_error_ns(cumulative),
        cumulative_samples: cumulative,
    };
    let stack = |inner| StackCost {
        frames: vec![0, inner],
        weight_ns: 45 * MS,
        samples: 45,
    };
    let thread = |name: &str, ms| ThreadCost {
        name: name.to_owned(),
        cpu_ns: ms * MS,
        samples: ms,
    };
    CpuProfile {
        wall_ns: 50 * MS,
        cpu_ns: 100 * MS,
        user_ns: 90 * MS,
        system_ns: 10 * MS,
        iterations: 1,
        sampling: SamplingQuality {
            samples: 90,
            min_samples: 91,
            effective_samples: 90.0,
            sampled_ns: 90 * MS,
            unsampled_ns: 8 * MS,
            handler_ns: 2 * MS,
            sampler_ns: 2 * MS,
            ..SamplingQuality::default()
        },
        threads: vec![thread("worker", 20), thread("main", 50), thread("worker", 20)],
        phases: vec![PhaseCost {
            phase: "sorting".to_owned(),
            cpu_ns: 45 * MS,
            error_ns: binomial_error_ns(45),
            samples: 45,
            functions: Vec::new(),
        }],
        functions: vec![function("a", 0, 90), function("b", 45, 45), function("c", 45, 45)],
        stacks: vec![stack(1), stack(2)],
    }
}

/// Of `n` among the 90 samples of the example.
#[cfg(test)]
fn binomial_error_ns(n: u64) -> u64 {
    let share = n as f64 / 90.0;
    ((90.0 * share * (1.0 - share)).sqrt() * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase_function(function: &str, self_ns: u64, cumulative_ns: u64) -> PhaseFunction {
        PhaseFunction {
            function: function.to_owned(),
            self_ns,
            self_samples: 1,
            cumulative_ns,
            cumulative_samples: 1,
        }
    }

    #[test]
    fn ratios_are_of_the_measured_time() {
        let profile = example();
        assert_eq!(
            (
                profile.parallelism(),
                profile.weight_ratio(),
                profile.overhead_share(),
                profile.sampler_share()
            ),
            (2.0, 0.98, 0.02, 0.04)
        );
        assert!(!profile.has_enough_samples());
    }

    #[test]
    fn folded_stacks_sum_to_sampled_and_unsampled_time() {
        let folded = example().folded();
        assert_eq!(
            folded.to_string(),
            "[unsampled] 8000000\na;b 45000000\na;c 45000000\n"
        );
        assert_eq!(folded.total(), 98_000_000);
    }

    #[test]
    fn phase_keeps_what_costs_most_by_either_cost() {
        let mut functions = vec![phase_function("all", 0, 1_000)];
        functions.extend((1..=40).map(|ns| phase_function("some", ns, ns)));
        let kept = PhaseCost::costliest(functions);
        assert_eq!(kept[0].function, "all");
        assert_eq!(kept[1..].iter().map(|function| function.self_ns).min(), Some(11));
    }

    #[test]
    fn functions_that_are_not_in_the_phase_are_left_out() {
        assert_eq!(PhaseCost::costliest(vec![phase_function("elsewhere", 0, 0)]), []);
    }
}
