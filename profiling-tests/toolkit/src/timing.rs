//! How long a call takes, with no instrument switched on: warm-up, batches for short calls, robust statistics.
//!
//! ```text
//! measure_time(options, work) -> warm-up and calibration -> samples -> TimingSummary
//! ```
//!
//! A sample is one call, or as many as fill [`TimingOptions::least_sample`]: a clock that takes 30 ns to read
//! can't time a call of 100 ns. Dropping the result belongs to the call.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Resamplings of the bootstrap; the 2.5 % at either end are then 50 values.
const N_RESAMPLINGS: usize = 2_000;

/// How a call is timed.
#[derive(Debug, Clone)]
pub struct TimingOptions {
    /// Calls before the first sample. At least one is made, to find out how many calls make a sample.
    /// Default 3.
    pub warm_up_calls: u32,
    /// Samples to take, at least 1. Default 50.
    pub samples: u32,
    /// Shortest sample; shorter calls are timed in batches. Default 20 µs.
    pub least_sample: Duration,
    /// No further sample is begun after this, warm-up included. One sample is always taken. Default 10 s.
    pub time_limit: Duration,
}

impl Default for TimingOptions {
    fn default() -> Self {
        Self {
            warm_up_calls: 3,
            samples: 50,
            least_sample: Duration::from_micros(20),
            time_limit: Duration::from_secs(10),
        }
    }
}

/// How long a call took. All times are nanoseconds per call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingSummary {
    /// Calls that make a sample.
    pub calls_per_sample: u64,
    /// The samples in the order in which they were taken.
    pub samples_ns: Vec<f64>,
    /// The fastest sample.
    pub min_ns: f64,
    /// The middle sample.
    pub median_ns: f64,
    /// Median of the distances from the median, not scaled to a standard deviation.
    pub mad_ns: f64,
    /// 95 % of the samples are at most this.
    pub p95_ns: f64,
    /// The average, which one slow sample can move.
    pub mean_ns: f64,
    /// 95 % confidence interval of the median, by bootstrap.
    pub median_interval_95_ns: [f64; 2],
}

/// Times `work`.
pub fn measure_time<R>(options: &TimingOptions, mut work: impl FnMut() -> R) -> TimingSummary {
    let start = Instant::now();
    let calls_per_sample = warm_up(options, &mut work);
    let mut samples_ns = Vec::with_capacity(options.samples as usize);
    for n_samples in 0..options.samples.max(1) {
        if n_samples > 0 && start.elapsed() >= options.time_limit {
            break;
        }
        let elapsed = time_batch(&mut work, calls_per_sample);
        samples_ns.push(elapsed.as_nanos() as f64 / calls_per_sample as f64);
    }
    TimingSummary::from_samples(samples_ns, calls_per_sample)
}

impl TimingSummary {
    /// Sums up samples in nanoseconds per call, each of `calls_per_sample` calls. The same samples give the
    /// same summary. Without samples all numbers are 0.
    pub fn from_samples(samples_ns: Vec<f64>, calls_per_sample: u64) -> Self {
        let sorted = sorted(&samples_ns);
        let median_ns = quantile(&sorted, 0.5);
        let distances: Vec<f64> = sorted.iter().map(|ns| (ns - median_ns).abs()).collect();
        Self {
            calls_per_sample,
            min_ns: sorted.first().copied().unwrap_or(0.0),
            median_ns,
            mad_ns: quantile(&self::sorted(&distances), 0.5),
            p95_ns: quantile(&sorted, 0.95),
            mean_ns: samples_ns.iter().sum::<f64>() / samples_ns.len().max(1) as f64,
            median_interval_95_ns: median_interval_95(&sorted),
            samples_ns,
        }
    }
}

/// Calls the work at least [`TimingOptions::warm_up_calls`] times and finds the calls that fill a sample.
fn warm_up<R>(options: &TimingOptions, work: &mut impl FnMut() -> R) -> u64 {
    let mut calls_per_sample = 1;
    let mut n_calls = 0;
    loop {
        let elapsed = time_batch(work, calls_per_sample);
        n_calls += calls_per_sample;
        if elapsed < options.least_sample {
            calls_per_sample *= 2;
        } else if n_calls >= u64::from(options.warm_up_calls) {
            return calls_per_sample;
        }
    }
}

fn time_batch<R>(work: &mut impl FnMut() -> R, n_calls: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..n_calls {
        black_box(work());
    }
    start.elapsed()
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The value below which `share` of the sorted values lie, interpolated between neighbours (Hyndman & Fan
/// 1996, definition 7); 0 without values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let position = share * last as f64;
    let below = position.floor();
    let (low, high) = (sorted[below as usize], sorted[position.ceil() as usize]);
    low + (high - low) * (position - below)
}

/// Percentile bootstrap (Efron 1979). The random numbers begin alike every time, so that the same samples give
/// the same interval.
fn median_interval_95(sorted_samples: &[f64]) -> [f64; 2] {
    let mut random = SplitMix64(42);
    let mut resampled = vec![0.0; sorted_samples.len()];
    let mut medians: Vec<f64> = (0..N_RESAMPLINGS)
        .map(|_| {
            for value in &mut resampled {
                *value = sorted_samples[random.below(sorted_samples.len())];
            }
            resampled.sort_unstable_by(f64::total_cmp);
            quantile(&resampled, 0.5)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);
    [quantile(&medians, 0.025), quantile(&medians, 0.975)]
}

/// Steele, Lea & Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; for the bounds here the bias is below 10⁻¹⁵.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
    }

    fn summary(samples: &[f64]) -> TimingSummary {
        TimingSummary::from_samples(samples.to_vec(), 1)
    }

    #[test]
    fn statistics_of_a_known_vector() {
        let summary = summary(&[9.0, 1.0, 2.0, 4.0, 6.0, 1.0, 2.0]);
        assert_close(summary.min_ns, 1.0);
        assert_close(summary.median_ns, 2.0);
        // Distances: 7, 1, 0, 2, 4, 1, 0.
        assert_close(summary.mad_ns, 1.0);
        assert_close(summary.mean_ns, 25.0 / 7.0);
        // Position 0.95 × 6 = 5.7 between 6 and 9.
        assert_close(summary.p95_ns, 8.1);
    }

    #[test]
    fn median_of_an_even_number_lies_between_the_middle_two() {
        assert_close(summary(&[4.0, 1.0, 3.0, 2.0]).median_ns, 2.5);
    }

    #[test]
    fn samples_keep_their_order() {
        assert_eq!(summary(&[3.0, 1.0, 2.0]).samples_ns, [3.0, 1.0, 2.0]);
    }

    #[test]
    fn equal_samples_leave_no_doubt_about_the_median() {
        let [low, high] = summary(&[5.0; 20]).median_interval_95_ns;
        assert_close(low, 5.0);
        assert_close(high, 5.0);
    }

    #[test]
    fn interval_of_the_median_agrees_with_order_statistics() {
        // For 100 samples the exact 95 % interval goes from the 40th to the 61st value (binomial).
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        let [low, high] = summary(&samples).median_interval_95_ns;
        assert!(
            (39.0..=42.0).contains(&low) && (59.0..=62.0).contains(&high),
            "{low} {high}"
        );
    }

    #[test]
    fn same_samples_give_the_same_summary() {
        let samples = [7.0, 3.0, 9.0, 4.0, 4.5];
        assert_eq!(summary(&samples), summary(&samples));
    }

    #[test]
    fn no_samples_give_zeros() {
        let summary = summary(&[]);
        assert_close(summary.median_ns, 0.0);
        assert_close(summary.median_interval_95_ns[1], 0.0);
    }

    #[test]
    fn splitmix_gives_the_published_sequence() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn short_calls_are_batched_and_all_samples_taken() {
        let options = TimingOptions {
            samples: 5,
            ..TimingOptions::default()
        };
        let mut n_calls = 0_u64;
        let summary = measure_time(&options, || n_calls += 1);
        assert!(summary.calls_per_sample > 1);
        assert_eq!(summary.samples_ns.len(), 5);
        assert!(n_calls >= 5 * summary.calls_per_sample);
    }

    #[test]
    fn long_calls_are_samples_of_their_own() {
        let options = TimingOptions {
            warm_up_calls: 2,
            samples: 3,
            least_sample: Duration::ZERO,
            ..TimingOptions::default()
        };
        let mut n_calls = 0;
        let summary = measure_time(&options, || n_calls += 1);
        assert_eq!((summary.calls_per_sample, n_calls), (1, 5));
    }

    #[test]
    fn one_sample_is_taken_even_when_time_is_up() {
        let options = TimingOptions {
            time_limit: Duration::ZERO,
            ..TimingOptions::default()
        };
        assert_eq!(measure_time(&options, || ()).samples_ns.len(), 1);
    }
}
