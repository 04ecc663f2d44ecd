//! The figures of two runs beside each other, each with a verdict.

use profiling_toolkit::compare::{PAIRED_FLOOR, Verdict, compare_exact, compare_times, compare_within};
use profiling_toolkit::timing::median;
use serde::Serialize;

use super::side_by_side::Pairs;
use crate::report::figure::{Figure, FigureUnit};

/// A report against one of a baseline.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// The baseline's name.
    pub(crate) baseline: String,
    /// What a reader must know beside the verdicts.
    pub(crate) notes: Vec<String>,
    /// Figures that both have, changed ones first.
    pub(crate) changes: Vec<Change>,
    /// Figures that only this run has, or only the baseline.
    pub(crate) new: Vec<String>,
    pub(crate) gone: Vec<String>,
}

/// A figure then and now.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    pub(crate) figure: String,
    pub(crate) unit: FigureUnit,
    pub(crate) before: f64,
    pub(crate) now: f64,
    /// Now over then, with its 95 % interval; of times only.
    pub(crate) ratio: Option<f64>,
    pub(crate) interval_95: Option<[f64; 2]>,
    /// Ratios that no change of the program is needed for.
    pub(crate) noise_band: Option<[f64; 2]>,
    /// What the baseline's program and this one took in turn; of times that were measured side by side.
    pub(crate) pairs: Option<Vec<[f64; 2]>>,
    /// None where the figure isn't judged: it follows from others that are, or can't be relied on.
    pub(crate) verdict: Option<Verdict>,
}

impl Comparison {
    /// Compares figures by name; none before if the baseline lacks the scenario.
    pub(super) fn new(baseline: &str, notes: Vec<String>, before: Option<&[Figure]>, now: &[Figure]) -> Self {
        let saved = before.unwrap_or_default();
        let find = |figures: &'_ [Figure], name: &str| -> Option<usize> {
            figures.iter().position(|figure| figure.name == name)
        };
        let pairs = now
            .iter()
            .filter_map(|figure| Some((&saved[find(saved, &figure.name)?], figure)));
        let mut changes: Vec<Change> = pairs.map(|(before, now)| Change::between(before, now)).collect();
        sort(&mut changes);
        let missing_in = |others: &[Figure], figures: &[Figure]| -> Vec<String> {
            let missing = figures
                .iter()
                .filter(|figure| find(others, &figure.name).is_none());
            missing.map(|figure| figure.name.clone()).collect()
        };
        Self {
            baseline: baseline.to_owned(),
            notes,
            changes,
            new: before.map_or_else(Vec::new, |saved| missing_in(saved, now)),
            gone: missing_in(now, saved),
        }
    }

    /// Whether times are judged.
    pub(super) fn has_times(&self) -> bool {
        self.changes.iter().any(Change::is_of_a_time)
    }

    /// Judges times anew, by what both programs took in turn.
    pub(super) fn judge_side_by_side(&mut self, pairs: &Pairs) {
        for change in self.changes.iter_mut().filter(|change| change.is_of_a_time()) {
            let Some((pairs, paired)) = pairs.of(&change.figure) else {
                continue;
            };
            let middle = |of: usize| median(&pairs.iter().map(|pair| pair[of]).collect::<Vec<_>>());
            (change.before, change.now) = (middle(0), middle(1));
            change.ratio = Some(paired.ratio);
            change.interval_95 = Some(paired.interval_95);
            change.noise_band = Some([1.0 / (1.0 + PAIRED_FLOOR), 1.0 + PAIRED_FLOOR]);
            change.verdict = Some(paired.verdict);
            change.pairs = Some(pairs.to_vec());
        }
        sort(&mut self.changes);
    }

    /// How many figures have this verdict.
    pub(crate) fn n_of(&self, verdict: Verdict) -> usize {
        let has_it = |change: &&Change| change.verdict == Some(verdict);
        self.changes.iter().filter(has_it).count()
    }

    /// The change of a figure.
    pub(crate) fn of(&self, figure: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.figure == figure)
    }
}

impl Change {
    fn between(before: &Figure, now: &Figure) -> Self {
        let mut change = Self {
            figure: now.name.clone(),
            unit: now.unit,
            before: before.value,
            now: now.value,
            ratio: None,
            interval_95: None,
            noise_band: None,
            pairs: None,
            verdict: None,
        };
        if before.unreliable.is_some() || now.unreliable.is_some() {
            return change;
        }
        if let (Some(samples_before), Some(samples_now)) = (&before.samples, &now.samples) {
            if let Some(times) = compare_times(samples_before, samples_now) {
                change.ratio = Some(times.ratio);
                change.interval_95 = Some(times.interval_95);
                change.noise_band = Some(times.noise_band);
                change.verdict = Some(times.verdict);
            }
        } else if now.exact {
            change.verdict = Some(compare_exact(before.value, now.value, now.better));
        } else if let Some(tolerance) = now.tolerance {
            change.verdict = Some(compare_within(before.value, now.value, tolerance, now.better));
            change.noise_band = Some([1.0 - tolerance, 1.0 / (1.0 - tolerance)]);
        }
        change
    }

    /// Judged times have an interval, and only they.
    fn is_of_a_time(&self) -> bool {
        self.interval_95.is_some()
    }

    /// What a reader looks for comes first.
    fn rank(&self) -> u8 {
        match self.verdict {
            Some(Verdict::Worse) => 0,
            Some(Verdict::Better) => 1,
            Some(Verdict::Changed) => 2,
            Some(Verdict::WithinNoise) => 3,
            Some(Verdict::Same) => 4,
            None => 5,
        }
    }
}

/// Stable: figures of one verdict stay in the order of the report.
fn sort(changes: &mut [Change]) {
    changes.sort_by_key(Change::rank);
}
