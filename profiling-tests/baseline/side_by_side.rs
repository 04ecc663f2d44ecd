//! Times of a baseline's program and of this one, measured in turn: each of a pair by a process of its own.
//!
//! ```text
//! baseline's program ─┐ a pair; the order changes      ┌ FEW_PAIRS: nothing may have changed → done
//! this program ───────┘ from one to the next  → pairs ─┴ else ALL_PAIRS
//! ```
//! What an earlier run saved was measured on a machine of that hour. Both programs side by side have the same one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use profiling_toolkit::compare::{ALL_PAIRS, FEW_PAIRS, PairedChange, compare_pairs};

use crate::report::figure::Figure;

/// Measures the scenario with a program, briefly, and returns its figures.
pub(crate) type MeasureWith<'run> = &'run dyn Fn(&Path) -> Result<Vec<Figure>, Box<dyn Error>>;

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
            let [baseline, this] = programs;
            // Whichever comes second may find the machine warmer.
            let (before, now) = if n_taken % 2 == 0 {
                let before = measure_with(baseline)?;
                (before, measure_with(this)?)
            } else {
                let now = measure_with(this)?;
                (measure_with(baseline)?, now)
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
            if let Some((before, now)) = both {
                let pair = [before.fastest_block_ns(), now.fastest_block_ns()];
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
