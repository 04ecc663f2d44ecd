//! From raw addresses to a profile: names, inlined frames, trimmed roots, costs per function and stack.
//!
//! ```text
//! arena -> distinct address stacks -> frames by name -> trimmed -> functions and stacks, sorted by name
//! ```
//! Where addresses lie changes from run to run; everything that goes out is ordered by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering::Relaxed;

use super::Recording;
use super::slots::SLOTS;
use crate::cpu::options::{CpuOptions, RootTrim};
use crate::cpu::profile::{CpuProfile, FunctionCost, SamplingQuality, StackCost, ThreadCost};
use crate::cpu::trim::{is_rooted, root_frames};
use crate::symbols::{Frame, Symbolizer};

/// Stands at the root of a stack that was too deep to keep.
const TRUNCATED: &str = "[truncated]";
/// Stands at the root of a stack that the unwinder could not follow to its start.
const UNROOTED: &str = "[unrooted]";
/// Stands for samples between the measuring frame and the work.
const MEASURING: &str = "[measuring]";

/// Gives names to what was recorded.
pub(super) fn resolve(recording: &Recording, options: &CpuOptions) -> CpuProfile {
    let (start, end) = (recording.start, recording.end);
    let scanner_ns = end.scanner_ns.saturating_sub(start.scanner_ns);
    let raw = RawStacks::collect(recording);
    let mut resolved = Resolved::default();
    let mut symbolizer = Symbolizer::new();
    for (stack, &cost) in &raw.costs {
        resolved.add(stack, cost, &mut symbolizer, &options.trim);
    }
    let sampling = SamplingQuality {
        rate_asked_hz: options.rate_hz,
        min_samples: options.min_samples,
        effective_samples: raw.effective_samples(),
        truncated: raw.truncated,
        rooted: resolved.rooted,
        scanner_ns,
        ..counters(recording)
    };
    let (functions, stacks) = resolved.into_sorted();
    CpuProfile {
        wall_ns: end.wall.duration_since(start.wall).as_nanos() as u64,
        cpu_ns: end
            .process_ns
            .saturating_sub(start.process_ns)
            .saturating_sub(scanner_ns),
        user_ns: end.usage.user_ns.saturating_sub(start.usage.user_ns),
        system_ns: end.usage.system_ns.saturating_sub(start.usage.system_ns),
        iterations: recording.iterations,
        sampling,
        threads: thread_costs(recording),
        functions,
        stacks,
    }
}

fn counters(recording: &Recording) -> SamplingQuality {
    let mut quality = SamplingQuality::default();
    for (slot, thread) in SLOTS.iter().zip(&recording.threads) {
        quality.samples += slot.counts.samples.load(Relaxed);
        quality.asleep += slot.counts.asleep.load(Relaxed);
        quality.skipped += slot.counts.skipped.load(Relaxed);
        quality.dropped += slot.counts.dropped.load(Relaxed);
        quality.sampled_ns += slot.counts.weight_ns.load(Relaxed);
        quality.handler_ns += slot.counts.handler_ns.load(Relaxed);
        quality.waking_ns += slot.counts.waking_ns.load(Relaxed);
        quality.unsampled_ns += thread.unsampled_ns;
    }
    let sampled_seconds = quality.sampled_ns as f64 / 1e9;
    if sampled_seconds > 0.0 {
        quality.rate_reached_hz = quality.samples as f64 / sampled_seconds;
    }
    quality
}

fn thread_costs(recording: &Recording) -> Vec<ThreadCost> {
    let threads = SLOTS.iter().zip(&recording.threads);
    threads
        .map(|(slot, thread)| ThreadCost {
            name: thread.name.clone(),
            cpu_ns: slot.counts.weight_ns.load(Relaxed) + thread.unsampled_ns,
            samples: slot.counts.samples.load(Relaxed),
        })
        .collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    weight_ns: u64,
    samples: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.weight_ns += other.weight_ns;
        self.samples += other.samples;
    }
}

/// A stack of return addresses, leaf first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RawStack {
    addresses: Vec<usize>,
    truncated: bool,
}

/// The samples, equal stacks added up.
#[derive(Debug, Default)]
struct RawStacks {
    costs: BTreeMap<RawStack, Cost>,
    truncated: u64,
    sum_of_weights: f64,
    sum_of_squares: f64,
}

impl RawStacks {
    fn collect(recording: &Recording) -> Self {
        let mut stacks = Self::default();
        recording.arena.for_each(|sample| {
            let stack = RawStack {
                addresses: sample.frames.to_vec(),
                truncated: sample.truncated,
            };
            stacks.costs.entry(stack).or_default().add(Cost {
                weight_ns: sample.weight_ns,
                samples: 1,
            });
            stacks.truncated += u64::from(sample.truncated);
            stacks.sum_of_weights += sample.weight_ns as f64;
            stacks.sum_of_squares += (sample.weight_ns as f64).powi(2);
        });
        stacks
    }

    fn effective_samples(&self) -> f64 {
        if self.sum_of_squares > 0.0 {
            self.sum_of_weights.powi(2) / self.sum_of_squares
        } else {
            0.0
        }
    }
}

/// A function while its costs are added up.
#[derive(Debug, Default)]
struct FunctionSums {
    itself: Cost,
    cumulative: Cost,
    /// CPU time by `file:line`.
    lines: BTreeMap<String, u64>,
}

/// One frame of a stack by name.
#[derive(Debug)]
struct NamedFrame {
    function: u32,
    location: Option<String>,
}

/// The stacks by name. Functions are numbered as they come until [`into_sorted`](Self::into_sorted).
#[derive(Debug, Default)]
struct Resolved {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    sums: Vec<FunctionSums>,
    stacks: BTreeMap<Vec<u32>, Cost>,
    rooted: u64,
}

impl Resolved {
    fn add(&mut self, stack: &RawStack, cost: Cost, symbolizer: &mut Symbolizer, trim: &RootTrim) {
        let mut frames = Vec::new();
        let mut n_leaf_frames = 0;
        for (n_inner, &address) in stack.addresses.iter().enumerate() {
            let group = symbolizer.frames(address.wrapping_sub(1));
            if n_inner == 0 {
                n_leaf_frames = group.len();
            }
            frames.extend(group.iter().map(|frame| self.frame(frame)));
        }
        frames.reverse();
        let names: Vec<&str> = frames
            .iter()
            .map(|frame| self.names[frame.function as usize].as_str())
            .collect();
        let rooted = is_rooted(names.iter().copied());
        let n_cut = root_frames(&names, trim);
        if rooted {
            self.rooted += cost.samples;
        }
        // The outermost of the leaf's inlined frames holds the instructions, unless it was the measuring frame.
        let self_idx = (frames.len() - n_leaf_frames).max(n_cut);
        self.charge(&frames[n_cut..], self_idx - n_cut, cost);
        let mark = match (stack.truncated, rooted) {
            (true, _) => Some(TRUNCATED),
            (false, false) => Some(UNROOTED),
            (false, true) => None,
        };
        let mark = mark.map(|mark| self.number(mark));
        let path = mark
            .into_iter()
            .chain(frames[n_cut..].iter().map(|frame| frame.function));
        let mut path: Vec<u32> = path.collect();
        if path.is_empty() {
            path.push(self.number(MEASURING));
        }
        self.stacks.entry(path).or_default().add(cost);
    }

    /// Adds a stack, root first, to the sums of its functions. A function counts once however often it occurs.
    fn charge(&mut self, frames: &[NamedFrame], self_idx: usize, cost: Cost) {
        let mut seen = BTreeSet::new();
        for frame in frames.iter().rev() {
            if seen.insert(frame.function) {
                let sums = &mut self.sums[frame.function as usize];
                sums.cumulative.add(cost);
                if let Some(location) = &frame.location {
                    *sums.lines.entry(location.clone()).or_default() += cost.weight_ns;
                }
            }
        }
        if let Some(frame) = frames.get(self_idx) {
            self.sums[frame.function as usize].itself.add(cost);
        }
    }

    fn frame(&mut self, frame: &Frame) -> NamedFrame {
        NamedFrame {
            function: self.number(&frame.function),
            location: frame.location(),
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        self.sums.push(FunctionSums::default());
        number
    }

    /// Renumbers the functions by name, leaves out those that only stood where it was trimmed, and sorts the
    /// stacks.
    fn into_sorted(self) -> (Vec<FunctionCost>, Vec<StackCost>) {
        let used: BTreeSet<u32> = self.stacks.keys().flatten().copied().collect();
        let mut order: Vec<u32> = used.into_iter().collect();
        order.sort_by_key(|&number| &self.names[number as usize]);
        let mut place = vec![0; self.names.len()];
        for (sorted, &number) in order.iter().enumerate() {
            place[number as usize] = sorted as u32;
        }
        let functions = order
            .iter()
            .map(|&number| self.function(number as usize))
            .collect();
        let mut stacks: Vec<StackCost> = self
            .stacks
            .iter()
            .map(|(path, cost)| StackCost {
                frames: path.iter().map(|&number| place[number as usize]).collect(),
                weight_ns: cost.weight_ns,
                samples: cost.samples,
            })
            .collect();
        stacks.sort_by(|a, b| a.frames.cmp(&b.frames));
        (functions, stacks)
    }

    fn function(&self, number: usize) -> FunctionCost {
        let sums = &self.sums[number];
        // Of lines that cost the same, the first.
        let hottest = sums.lines.iter().rev().max_by_key(|&(_, &weight_ns)| weight_ns);
        FunctionCost {
            function: self.names[number].clone(),
            location: hottest.map(|(location, _)| location.clone()),
            self_ns: sums.itself.weight_ns,
            self_samples: sums.itself.samples,
            cumulative_ns: sums.cumulative.weight_ns,
            cumulative_samples: sums.cumulative.samples,
        }
    }
}
