//! The tables of a profile: functions, threads and phases, costliest first, with their uncertainty.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::profile::{CpuProfile, FunctionCost, PhaseCost, ratio};

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
    /// Standard error of the share; binomial on one thread, and as much larger on several as these do the same thing
    /// at the same time.
    pub standard_error: f64,
    /// 95 % confidence interval of the share (Wilson, over the samples that such an error stands for).
    pub interval_95: [f64; 2],
    /// The same of the CPU time, nanoseconds.
    pub interval_95_ns: [f64; 2],
}

/// One line of a table of threads or phases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartRow {
    /// Name of the threads, or of the phase.
    pub name: String,
    /// Threads of that name; 0 for a phase.
    pub n_threads: u64,
    /// CPU time, nanoseconds.
    pub ns: u64,
    /// Share of all, 0 to 1.
    pub share: f64,
    /// Samples.
    pub samples: u64,
    /// 95 % confidence interval of the CPU time, nanoseconds; `None` where it was measured and not sampled.
    pub interval_95_ns: Option<[f64; 2]>,
}

impl CpuProfile {
    /// The `n` functions with the most CPU time in them and in what they called.
    pub fn by_cumulative(&self, n: usize) -> Vec<FunctionRow> {
        self.table(n, |cost| {
            (
                cost.cumulative_ns,
                cost.cumulative_error_ns,
                cost.cumulative_samples,
            )
        })
    }

    /// The `n` functions with the most CPU time in themselves.
    pub fn by_self(&self, n: usize) -> Vec<FunctionRow> {
        self.table(n, |cost| (cost.self_ns, cost.self_error_ns, cost.self_samples))
    }

    /// CPU time by name of thread, most first. It is measured, not sampled: the clocks of the threads tell it, but for
    /// what those that have ended did after their last sample.
    pub fn by_thread(&self) -> Vec<PartRow> {
        let mut by_name = BTreeMap::<&str, PartRow>::new();
        let whole = self.threads.iter().map(|thread| thread.cpu_ns).sum();
        for thread in &self.threads {
            let row = by_name.entry(&thread.name).or_insert_with(|| PartRow {
                name: thread.name.clone(),
                n_threads: 0,
                ns: 0,
                share: 0.0,
                samples: 0,
                interval_95_ns: None,
            });
            row.n_threads += 1;
            row.ns += thread.cpu_ns;
            row.share = ratio(row.ns, whole);
            row.samples += thread.samples;
        }
        most_first(by_name.into_values().filter(|row| row.ns > 0).collect())
    }

    /// Sampled CPU time by phase, most first.
    pub fn by_phase(&self) -> Vec<PartRow> {
        let row = |phase: &PhaseCost| {
            let (_, interval_95) = self.precision(phase.cpu_ns, phase.error_ns);
            PartRow {
                name: phase.phase.clone(),
                n_threads: 0,
                ns: phase.cpu_ns,
                share: ratio(phase.cpu_ns, self.sampling.sampled_ns),
                samples: phase.samples,
                interval_95_ns: Some(self.in_ns(interval_95)),
            }
        };
        most_first(self.phases.iter().map(row).collect())
    }

    fn table(&self, n: usize, cost: impl Fn(&FunctionCost) -> (u64, u64, u64)) -> Vec<FunctionRow> {
        let mut functions: Vec<_> = self
            .functions
            .iter()
            .filter(|function| cost(function).0 > 0)
            .collect();
        // Stable, so that functions of equal cost stay in the order of their names.
        functions.sort_by_key(|function| Reverse(cost(function).0));
        functions.truncate(n);
        functions
            .into_iter()
            .map(|function| self.row(function, cost(function)))
            .collect()
    }

    fn row(&self, cost: &FunctionCost, (ns, error_ns, samples): (u64, u64, u64)) -> FunctionRow {
        let (standard_error, interval_95) = self.precision(ns, error_ns);
        FunctionRow {
            function: cost.function.clone(),
            location: cost.location.clone(),
            ns,
            share: ratio(ns, self.sampling.sampled_ns),
            samples,
            standard_error,
            interval_95,
            interval_95_ns: self.in_ns(interval_95),
        }
    }

    /// Standard error and 95 % interval of a share of the sampled time.
    fn precision(&self, ns: u64, error_ns: u64) -> (f64, [f64; 2]) {
        let share = ratio(ns, self.sampling.sampled_ns);
        let standard_error = ratio(error_ns, self.sampling.sampled_ns);
        // As many independent samples as have this error; where it is none (all samples or no sample), as there are.
        let n = if standard_error > 0.0 {
            share * (1.0 - share) / (standard_error * standard_error)
        } else {
            self.sampling.effective_samples
        };
        (standard_error, wilson_95(share, n))
    }

    fn in_ns(&self, shares: [f64; 2]) -> [f64; 2] {
        shares.map(|share| share * self.sampling.sampled_ns as f64)
    }
}

/// Stable, so that rows of equal cost stay in the order of their names.
fn most_first(mut rows: Vec<PartRow>) -> Vec<PartRow> {
    rows.sort_by_key(|row| Reverse(row.ns));
    rows
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

#[cfg(test)]
mod tests {
    use super::super::profile::example;
    use super::*;

    fn names(rows: &[FunctionRow]) -> Vec<&str> {
        rows.iter().map(|row| row.function.as_str()).collect()
    }

    #[test]
    fn tables_are_sorted_by_cost_then_by_name() {
        assert_eq!(names(&example().by_cumulative(9)), ["a", "b", "c"]);
        assert_eq!(names(&example().by_self(9)), ["b", "c"]);
        assert_eq!(names(&example().by_self(1)), ["b"]);
    }

    #[test]
    fn half_of_ninety_samples_has_the_binomial_standard_error() {
        let row = &example().by_self(1)[0];
        assert!((row.standard_error - (0.25_f64 / 90.0).sqrt()).abs() < 1e-6);
        let [low, high] = wilson_95(0.5, 90.0);
        assert!((row.interval_95[0] - low).abs() < 1e-6 && (row.interval_95[1] - high).abs() < 1e-6);
        assert!((row.interval_95_ns[0] - low * 90e6).abs() < 1e3);
    }

    #[test]
    fn threads_of_one_name_are_one_row() {
        let rows = example().by_thread();
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.name.as_str(), row.n_threads, row.ns, row.samples))
            .collect();
        assert_eq!(
            found,
            [("main", 1, 50_000_000, 50), ("worker", 2, 40_000_000, 40)]
        );
        assert!((rows[1].share - 4.0 / 9.0).abs() < 1e-12 && rows[1].interval_95_ns.is_none());
    }

    #[test]
    fn phase_has_the_interval_of_its_share() {
        let row = example().by_phase().remove(0);
        let [low, high] = row.interval_95_ns.unwrap();
        assert!(low < 45e6 && 45e6 < high && (row.share - 0.5).abs() < 1e-12);
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
