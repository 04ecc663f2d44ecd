//! What grows each time some work is repeated: repetitions in one region, live bytes of every site after each.
//!
//! Growth alone is no leak: a cache fills up, a vector doubles now and then, a batch gathers until it is written. A
//! leak is what grows in (nearly) every repetition and stays. So the live bytes of each site are taken after each
//! repetition, and the verdict is on the steps from one to the next.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allocator;
use super::region::{MemoryError, MemoryOptions, Recording, record};
use super::resolve::{FREED_BEFORE, ResolvedSites};
use crate::symbols::Frame;

/// Fewer repetitions don't tell: a vector that is pushed to doubles in three of the first four.
const FEWEST_ITERATIONS: usize = 8;

/// A leak may miss one repetition in so many: some clean up behind themselves now and then.
const MISSES_ONE_IN: usize = 10;

/// How often work is repeated to find what leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeakOptions {
    /// Repetitions before growth counts: what is set up once, is set up.
    pub warm_ups: usize,
    /// Repetitions whose growth counts, 8 or more. What gathers for longer than that before it is let go of can't be
    /// told from a leak: a few hundred where an iteration is fast.
    pub iterations: usize,
    /// How the region records.
    pub memory: MemoryOptions,
}

impl Default for LeakOptions {
    fn default() -> Self {
        Self {
            warm_ups: 2,
            iterations: 20,
            memory: MemoryOptions::default(),
        }
    }
}

/// What grew while work was repeated. All sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakReport {
    /// Repetitions before growth counted.
    pub warm_ups: usize,
    /// Repetitions whose growth counted.
    pub iterations: usize,
    /// By how much the live bytes of the whole process rose in each of them.
    pub growth_bytes: Vec<i64>,
    /// Nothing was lost; where it is false, a leak may be at a site that it isn't of.
    pub complete: bool,
    /// Sites that held more at the end than after the warm-ups: leaks first, the fastest before the others.
    pub sites: Vec<SiteGrowth>,
}

/// A site that holds more than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteGrowth {
    /// Function, file and line.
    pub frame: Frame,
    /// The stack that grew the most there, root first.
    pub stack: Vec<Frame>,
    /// By how much its live bytes rose in each iteration.
    pub growth_bytes: Vec<i64>,
    /// The verdict.
    pub growth: Growth,
}

/// How a site grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// In nine of ten iterations or more, and at least half of it stayed: it leaks, or keeps what it is given.
    Leak,
    /// In some iterations: a cache that filled up, a table that doubled.
    InSteps,
}

impl LeakReport {
    /// The sites that grow with every iteration.
    pub fn leaks(&self) -> impl Iterator<Item = &SiteGrowth> {
        self.sites.iter().filter(|site| site.growth == Growth::Leak)
    }
}

impl SiteGrowth {
    /// Bytes that an iteration typically adds: the median.
    pub fn bytes_per_iteration(&self) -> i64 {
        let mut sorted = self.growth_bytes.clone();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }

    /// Bytes added over all iterations.
    pub fn total_bytes(&self) -> i64 {
        self.growth_bytes.iter().sum()
    }
}

/// Repeats `work` with every allocation of the process observed, and says what keeps growing.
///
/// What an iteration returns is dropped before its live bytes are taken.
///
/// # Errors
/// [`MemoryError`], in each case before `work` runs.
pub fn measure_leaks<T>(
    options: &LeakOptions,
    mut work: impl FnMut() -> T,
) -> Result<LeakReport, MemoryError> {
    if options.iterations < FEWEST_ITERATIONS {
        return Err(MemoryError::TooFewIterations {
            found: options.iterations,
            expected: FEWEST_ITERATIONS,
        });
    }
    // Room beforehand: nothing of the instrument's is allocated while the region is open.
    let mut levels = Vec::with_capacity(options.iterations + 1);
    let repeat = || {
        for iteration in 0..options.warm_ups + options.iterations {
            if iteration == options.warm_ups {
                levels.extend(allocator::live_by_site());
            }
            drop(work());
            if iteration >= options.warm_ups {
                levels.extend(allocator::live_by_site());
            }
        }
    };
    let ((), recording) = record(options.memory, repeat)?;
    Ok(report(options, &recording, &levels))
}

/// `levels`: live bytes by site, after the warm-ups and after each iteration; sites may have come in between.
fn report(options: &LeakOptions, recording: &Recording, levels: &[Vec<i64>]) -> LeakReport {
    let resolved = ResolvedSites::of(&recording.ledger);
    // Work may run on any thread and by way of any task: what it leaks at one line is one leak.
    let mut by_line: BTreeMap<u32, LineGrowth> = BTreeMap::new();
    for (site_idx, site) in resolved.sites.iter().enumerate() {
        let Some(site) = site else { continue };
        by_line
            .entry(site.site)
            .or_insert_with(|| LineGrowth::new(options.iterations))
            .add(&steps(levels, site_idx), &site.frames);
    }
    let frame = |frame_idx: u32| resolved.frames[frame_idx as usize].clone();
    let grown = by_line.into_iter().filter_map(|(line, growth)| {
        let growth_bytes = growth.bytes;
        let verdict = verdict(&growth_bytes)?;
        Some(SiteGrowth {
            frame: frame(line),
            stack: growth
                .steepest
                .iter()
                .map(|&frame_idx| frame(frame_idx))
                .collect(),
            growth: verdict,
            growth_bytes,
        })
    });
    let mut sites: Vec<SiteGrowth> = grown.filter(|site| site.frame.function != FREED_BEFORE).collect();
    // Stable: equal sites stay in the order of their names.
    sites.sort_by_key(|site| (site.growth, Reverse(site.total_bytes())));
    let totals: Vec<i64> = levels.iter().map(|level| level.iter().sum()).collect();
    LeakReport {
        warm_ups: options.warm_ups,
        iterations: options.iterations,
        growth_bytes: totals.windows(2).map(|pair| pair[1] - pair[0]).collect(),
        complete: recording.ledger.complete,
        sites,
    }
}

/// The growth of all sites of one line.
struct LineGrowth {
    bytes: Vec<i64>,
    steepest: Vec<u32>,
    steepest_bytes: i64,
}

impl LineGrowth {
    fn new(iterations: usize) -> Self {
        Self {
            bytes: vec![0; iterations],
            steepest: Vec::new(),
            steepest_bytes: i64::MIN,
        }
    }

    fn add(&mut self, steps: &[i64], stack: &[u32]) {
        for (sum, step) in self.bytes.iter_mut().zip(steps) {
            *sum += step;
        }
        let total = steps.iter().sum();
        if total > self.steepest_bytes {
            self.steepest_bytes = total;
            self.steepest = stack.to_vec();
        }
    }
}

/// By how much a site grew in each iteration. One that wasn't there yet held nothing.
fn steps(levels: &[Vec<i64>], site_idx: usize) -> Vec<i64> {
    let live = |level: &Vec<i64>| level.get(site_idx).copied().unwrap_or_default();
    levels
        .windows(2)
        .map(|pair| live(&pair[1]) - live(&pair[0]))
        .collect()
}

/// `None` for a site that holds no more than before.
fn verdict(growth_bytes: &[i64]) -> Option<Growth> {
    let total: i64 = growth_bytes.iter().sum();
    if total <= 0 {
        return None;
    }
    let rises: Vec<i64> = growth_bytes.iter().copied().filter(|&bytes| bytes > 0).collect();
    let n_misses = growth_bytes.len() - rises.len();
    let nearly_always = n_misses <= growth_bytes.len() / MISSES_ONE_IN;
    // What gathers and is let go of again rises nearly always too.
    let stays = total * 2 >= rises.iter().sum();
    Some(if nearly_always && stays {
        Growth::Leak
    } else {
        Growth::InSteps
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_in_nearly_every_iteration_is_a_leak() {
        assert_eq!(verdict(&[8; 10]), Some(Growth::Leak));
        assert_eq!(verdict(&[8, 8, 8, 8, 0, 8, 8, 8, 8, 8]), Some(Growth::Leak));
        assert_eq!(verdict(&[8, 8, 8, 0, 0, 8, 8, 8, 8, 8]), Some(Growth::InSteps));
    }

    #[test]
    fn growth_once_is_none_whenever_it_is() {
        for at in 0..10 {
            let mut growth = [0; 10];
            growth[at] = 5_000;
            assert_eq!(verdict(&growth), Some(Growth::InSteps));
        }
    }

    #[test]
    fn what_is_let_go_of_again_is_no_leak() {
        assert_eq!(verdict(&[8, 8, 8, 8, 8, 8, 8, 8, 8, -60]), Some(Growth::InSteps));
        assert_eq!(verdict(&[8, 8, 8, 8, 8, 8, 8, 8, 8, -72]), None);
    }

    #[test]
    fn what_gathers_longer_is_no_leak_over_enough_iterations() {
        let gathers: Vec<i64> = (1..=16 * 5 + 9)
            .map(|n| if n % 16 == 0 { -120 } else { 8 })
            .collect();
        assert_eq!(
            verdict(&gathers[..15]),
            Some(Growth::Leak),
            "within one tooth nothing tells"
        );
        assert_eq!(verdict(&gathers), Some(Growth::InSteps));
    }

    #[test]
    fn site_that_came_later_held_nothing_before() {
        let levels = [vec![5], vec![5, 3], vec![4, 9]];
        assert_eq!((steps(&levels, 0), steps(&levels, 1)), (vec![0, -1], vec![3, 6]));
    }
}
