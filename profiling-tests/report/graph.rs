//! Flame graphs: pictures, and the stacks that they are of, as other tools read them.

use profiling_toolkit::cpu::{CpuProfile, UNSAMPLED};
use profiling_toolkit::flamegraph::{
    Drawn, FlamegraphError, FlamegraphOptions, Unit, render_difference, render_flamegraph,
};
use profiling_toolkit::folded::FoldedStacks;
use profiling_toolkit::memory::{MemoryProfile, MemoryView};
use profiling_toolkit::names::plain;
use profiling_toolkit::pprof::{cpu_pprof, memory_pprof};
use profiling_toolkit::speedscope::{Speedscope, cpu_speedscope, memory_speedscope};
use serde::Serialize;

use super::functions::is_plumbing;
use super::units::{bytes, count, duration};

/// Stacks to draw.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Tells the graphs of a scenario apart; empty for its main one.
    pub(crate) suffix: &'static str,
    title: String,
    subtitle: String,
    unit: Unit,
    /// Calls that the weights are the sum of.
    n_calls: u64,
    stacks: FoldedStacks,
    /// A `.pb.gz` file.
    pub(crate) pprof: Vec<u8>,
    pub(crate) speedscope: Speedscope,
}

/// What a graph shows, and the names of its files in the directory of the report.
#[derive(Debug, Serialize)]
pub(crate) struct GraphFiles<'graph> {
    title: &'graph str,
    kind: &'static str,
    unit: &'static str,
    /// Calls that the weights are the sum of: what scales two graphs to the same work.
    calls: u64,
    pub(crate) svg: String,
    pub(crate) folded: String,
    pub(crate) pprof: String,
    pub(crate) speedscope: String,
}

impl Graph {
    /// Where CPU time went.
    pub(crate) fn of_cpu(title: impl Into<String>, profile: &CpuProfile) -> Self {
        let title = title.into();
        let subtitle = format!(
            "{} of CPU time, {} samples, calls: {}",
            duration(profile.cpu_ns as f64),
            count(profile.sampling.samples),
            count(profile.iterations)
        );
        let mut work = Work::of(profile.functions.iter().map(|cost| cost.function.as_str()));
        for stack in &profile.stacks {
            work.add(&stack.frames, stack.weight_ns);
        }
        work.stacks.add([UNSAMPLED], profile.sampling.unsampled_ns);
        Self {
            suffix: "",
            pprof: cpu_pprof(profile),
            speedscope: cpu_speedscope(&title, profile),
            title,
            subtitle,
            unit: Unit::Nanoseconds,
            n_calls: profile.iterations,
            stacks: work.stacks,
        }
    }

    /// Where memory went, by one view.
    pub(crate) fn of_memory(title: impl Into<String>, profile: &MemoryProfile, view: MemoryView) -> Self {
        let title = title.into();
        let mut work = Work::of(profile.frames.iter().map(|frame| frame.function.as_str()));
        for stack in &profile.stacks {
            // Negative only for what the region freed without having allocated it: that has no width.
            work.add(
                stack.up_to_site(),
                u64::try_from(stack.usage.bytes(view)).unwrap_or_default(),
            );
        }
        let stacks = work.stacks;
        let what = match view {
            MemoryView::AtPeak => "live at the peak",
            MemoryView::Total => "allocated in all",
            MemoryView::LiveAtEnd => "live at the end",
        };
        let subtitle = format!("{} {what}", bytes(stacks.total()));
        Self {
            suffix: "",
            pprof: memory_pprof(profile, view),
            speedscope: memory_speedscope(&title, profile, view),
            title,
            subtitle,
            unit: Unit::Bytes,
            n_calls: 1,
            stacks,
        }
    }

    /// The same as a further graph of the scenario.
    pub(crate) fn named(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }

    /// Its files without their endings; `stem` is that of the scenario.
    pub(crate) fn stem(&self, stem: &str) -> String {
        match self.suffix {
            "" => stem.to_owned(),
            suffix => format!("{stem}.{suffix}"),
        }
    }

    /// Its files; `stem` is that of the scenario.
    pub(crate) fn files(&self, stem: &str) -> GraphFiles<'_> {
        let stem = self.stem(stem);
        let (kind, unit) = match self.unit {
            Unit::Nanoseconds => ("cpu", "nanoseconds"),
            Unit::Bytes => ("memory", "bytes"),
        };
        GraphFiles {
            title: &self.title,
            kind,
            unit,
            calls: self.n_calls,
            svg: format!("{stem}.svg"),
            folded: format!("{stem}.folded"),
            pprof: format!("{stem}.pb.gz"),
            speedscope: format!("{stem}.speedscope.json"),
        }
    }

    /// The program's own work: one line a stack, its weight last.
    pub(crate) fn folded(&self) -> String {
        self.stacks.to_string()
    }

    /// The picture of the same.
    pub(crate) fn svg(&self) -> Result<String, FlamegraphError> {
        let subtitle = format!(
            "{}; without the frames of rayon, tracing and the standard library in between",
            self.subtitle
        );
        let options = FlamegraphOptions {
            title: self.title.clone(),
            subtitle,
            unit: self.unit,
        };
        render_flamegraph(&self.stacks, &options)
    }

    /// What changed since a folded file of `n_calls` calls was written: as wide as now, then as wide as before. Each
    /// hides the frames that only the other has.
    pub(crate) fn differences(
        &self,
        baseline: &str,
        folded: &str,
        n_calls: u64,
    ) -> Result<[String; 2], FlamegraphError> {
        let before = FoldedStacks::parse(folded).scaled(self.n_calls as f64 / n_calls.max(1) as f64);
        let draw = |drawn, widths: &str| {
            let options = FlamegraphOptions {
                title: format!("{}, against {baseline}", self.title),
                subtitle: format!("as wide as {widths}; red: more now, blue: less now"),
                unit: self.unit,
            };
            render_difference(&before, &self.stacks, drawn, &options)
        };
        Ok([
            draw(Drawn::Now, "now")?,
            draw(Drawn::Before, "before, for the same number of calls")?,
        ])
    }
}

/// Stacks of functions in plain names, without those that only lead from one piece of work to the next. The last frame
/// stays: time and memory are its own. What a thread pool puts in between would be most of the height and none of the
/// sense, and of its full names thirty megabytes.
struct Work {
    functions: Vec<Function>,
    stacks: FoldedStacks,
}

struct Function {
    plain: String,
    is_plumbing: bool,
}

impl Work {
    fn of<'profile>(functions: impl Iterator<Item = &'profile str>) -> Self {
        let functions = functions.map(|function| Function {
            plain: plain(function),
            is_plumbing: is_plumbing(function),
        });
        Self {
            functions: functions.collect(),
            stacks: FoldedStacks::new(),
        }
    }

    /// Adds a stack, root first, of places in the functions.
    fn add(&mut self, stack: &[u32], weight: u64) {
        let Some((last, callers)) = stack.split_last() else {
            return;
        };
        let function = |idx: &u32| &self.functions[*idx as usize];
        let callers = callers.iter().map(function).filter(|caller| !caller.is_plumbing);
        let frames = callers.chain([function(last)]);
        self.stacks
            .add(frames.map(|function| function.plain.as_str()), weight);
    }
}
