//! The key numbers of a scenario, by name: what baselines compare and budgets limit.
//!
//! Profiles and timings come in; out come [`Figure`]s such as `train.peak_bytes`, each with its unit and with how sure
//! it is.

use profiling_toolkit::compare::Better;
use profiling_toolkit::memory::MemoryProfile;
use profiling_toolkit::timing::{Samples, TimingSummary};
use serde::{Deserialize, Serialize, Serializer};

use super::units::{bytes, count, digits, duration, percent};

/// The peak of work on several threads depends on which parts of it happen to run side by side. Trainings on 2
/// threads reached 8.42 to 9.07 MB, on 4 threads 12.35 to 12.45 MB (5,000 documents, 18 runs each); trainings that go on
/// from the last one 8.68 to 10.42 MB (600 documents, 4 threads, 8 runs), as few or as many of them work side by side. On one
/// thread every run has the same peak, and all other figures of memory are the same on any number.
const PEAK_TOLERANCE_ON_THREADS: f64 = 0.25;

/// Stealing work moves counts and bytes: by 7 blocks of 68,000 where nothing else runs, by 0.11 % of the bytes where four
/// times as many threads are waiting as there are processors.
const COUNT_TOLERANCE_ON_THREADS: f64 = 0.005;

/// A key number of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was done, a point, what was measured of it.
    pub(crate) name: String,
    #[serde(serialize_with = "whole_or_not")]
    pub(crate) value: f64,
    pub(crate) unit: FigureUnit,
    pub(crate) better: Better,
    /// Every run of the same program on the same input gives the same value.
    pub(crate) exact: bool,
    /// Share by which runs of the same program differ, where that is known beforehand.
    pub(crate) tolerance: Option<f64>,
    /// 95 % confidence interval.
    pub(crate) interval_95: Option<[f64; 2]>,
    /// Of a time: what it is the median of.
    pub(crate) samples: Option<Samples>,
    /// Why it can't be relied on, if it can't.
    pub(crate) unreliable: Option<String>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FigureUnit {
    Bytes,
    Count,
    /// Nanoseconds.
    Ns,
    Ratio,
    /// Of one.
    Share,
}

/// Whether work is spread over threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    One,
    /// Each part of the work is the same on every run; what overlaps isn't.
    Several,
    /// Into how many parts it falls depends on which thread is idle when.
    Stealing,
}

impl Figure {
    /// A number that is the same on every run.
    pub(crate) fn exact(name: impl Into<String>, value: f64, unit: FigureUnit, better: Better) -> Self {
        Self {
            exact: true,
            ..Self::rough(name, value, unit, better)
        }
    }

    /// A number whose noise isn't known: shown, not judged.
    pub(crate) fn rough(name: impl Into<String>, value: f64, unit: FigureUnit, better: Better) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            better,
            exact: false,
            tolerance: None,
            interval_95: None,
            samples: None,
            unreliable: None,
        }
    }

    /// The median of samples. One alone says nothing of how they differ.
    pub(crate) fn time(name: impl Into<String>, samples: &Samples) -> Self {
        Self {
            interval_95: (samples.ns.len() > 1).then(|| samples.median_interval_95_ns()),
            samples: Some(samples.clone()),
            ..Self::rough(name, samples.median_ns(), FigureUnit::Ns, Better::Lower)
        }
    }

    /// How many times as long one call takes as another. Follows from their times, which are judged themselves.
    pub(crate) fn times_as_long(
        name: impl Into<String>,
        long: &TimingSummary,
        short: &TimingSummary,
    ) -> Self {
        Self {
            interval_95: Some(profiling_toolkit::compare::ratio_interval_95(
                &short.samples,
                &long.samples,
            )),
            ..Self::rough(
                name,
                long.median_ns / short.median_ns,
                FigureUnit::Ratio,
                Better::Higher,
            )
        }
    }

    /// The value as people read it.
    pub(crate) fn text(&self) -> String {
        self.unit.text(self.value)
    }
}

impl FigureUnit {
    /// A value as people read it.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::Bytes => bytes(value as i128),
            Self::Count => count(value as i128),
            Self::Ns => duration(value),
            Self::Ratio => format!("{} times", digits(value)),
            Self::Share => percent(value),
        }
    }

    /// A value with all its digits, for messages that must not round.
    pub(crate) fn exact_text(self, value: f64) -> String {
        match self {
            Self::Bytes => format!("{} bytes", count(value as i128)),
            _ => self.text(value),
        }
    }
}

/// What a memory region used.
pub(crate) fn of_memory(name: &str, profile: &MemoryProfile, threads: Threads) -> Vec<Figure> {
    let figure = |what: &str, value: f64, unit| {
        let unreliable = (!profile.complete).then(|| "a table of the tracker overflowed".to_owned());
        Figure {
            unreliable,
            ..Figure::exact(format!("{name}.{what}"), value, unit, Better::Lower)
        }
    };
    let mut figures = vec![
        figure("peak_bytes", profile.peak_bytes as f64, FigureUnit::Bytes),
        figure("kept_bytes", profile.live_delta_bytes as f64, FigureUnit::Bytes),
        figure(
            "allocated_bytes",
            profile.bytes_allocated as f64,
            FigureUnit::Bytes,
        ),
        figure("allocations", profile.allocations as f64, FigureUnit::Count),
        figure("reallocations", profile.reallocations as f64, FigureUnit::Count),
    ];
    let n_tolerated = match threads {
        Threads::One => 0,
        Threads::Several => 1,
        Threads::Stealing => figures.len(),
    };
    for (position, figure) in figures.iter_mut().take(n_tolerated).enumerate() {
        let tolerance = if position == 0 {
            PEAK_TOLERANCE_ON_THREADS
        } else {
            COUNT_TOLERANCE_ON_THREADS
        };
        (figure.exact, figure.tolerance) = (false, Some(tolerance));
    }
    figures
}

/// Shorter calls keep one thread busy from start to end: their CPU time is their time.
const LEAST_FOR_CPU_NS: f64 = 1e6;

/// The time of a call, and its CPU time if it is a long one.
pub(crate) fn of_timing(name: &str, timing: &TimingSummary) -> Vec<Figure> {
    let name = name.strip_suffix("_time").unwrap_or(name);
    let time = Figure::time(format!("{name}.time"), &timing.samples);
    let cpu = timing
        .cpu
        .as_ref()
        .filter(|_| timing.median_ns >= LEAST_FOR_CPU_NS);
    let cpu = cpu.map(|samples| Figure::time(format!("{name}.cpu_time"), samples));
    std::iter::once(time).chain(cpu).collect()
}

/// Counts and bytes without a decimal point.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn whole_or_not<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let whole = *value as i64;
    if (whole as f64).total_cmp(value).is_eq() {
        serializer.serialize_i64(whole)
    } else {
        serializer.serialize_f64(*value)
    }
}
