//! Times of a baseline's program and of this one, measured in turn: each of a pair by a process of its own.
//!
//! ```text
//! baseline's program ─┐ a pair, block by block in turn;     ┌ FEW_PAIRS: nothing may have changed → done
//! this program ───────┘ who begins changes         → pairs ─┴ else ALL_PAIRS
//! ```
//! What an earlier run saved was measured on a machine of that hour. Both programs side by side have the same one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use profiling_toolkit::compare::{ALL_PAIRS, FEW_PAIRS, PairedChange, compare_pairs, pair_of};

use crate::report::figure::Figure;

/// Measures the scenario with two programs that take turns, and returns their figures.
pub(crate) type MeasureWith<'run> = &'run dyn Fn([&Path; 2]) -> Result<[Vec<Figure>; 2], Box<dyn Error>>;

/// What both programs took for each time, by its name: nanoseconds a call, of the baseline's program and of this one.
#[derive(Debug, Default)]
pub(super) struct Pairs(BTreeMap<String, Vec<[f64; 2]>>);

impl Pairs {
    /// Measures as many as it needs to judge the times.
    pub(super) fn measure(
        programs: [&Path; 2],
        measure_with: MeasureWith<'_>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut pairs = Self::default();
        for n_taken in 0..ALL_PAIRS {
            if n_taken == FEW_PAIRS && !pairs.are_open() {
                break;
            }
            // Whichever comes second may find the machine warmer.
            let [baseline, this] = programs;
            let [before, now] = if n_taken % 2 == 0 {
                measure_with([baseline, this])?
            } else {
                let [now, before] = measure_with([this, baseline])?;
                [before, now]
            };
            pairs.add(&before, &now);
        }
        Ok(pairs)
    }

    fn add(&mut self, before: &[Figure], now: &[Figure]) {
        for figure in now {
            let same = before.iter().find(|before| before.name == figure.name);
            let both = same
                .and_then(|before| before.samples.as_ref())
                .zip(figure.samples.as_ref());
            if let Some(pair) = both.and_then(|(before, now)| pair_of(before, now)) {
                self.0.entry(figure.name.clone()).or_default().push(pair);
            }
        }
    }

    fn are_open(&self) -> bool {
        let changes = self.0.values().filter_map(|pairs| compare_pairs(pairs));
        changes.into_iter().any(|change| change.is_open)
    }

    /// The pairs of a time and what they say; none where both programs don't have it.
    pub(super) fn of(&self, figure: &str) -> Option<(&[[f64; 2]], PairedChange)> {
        let pairs = self.0.get(figure)?;
        Some((pairs, compare_pairs(pairs)?))
    }
}
