//! What is measured: one function a scenario, in the order in which they run.
//!
//! A scenario gets the session and an empty report and fills the report in. Passes never mix: memory regions, the
//! sampler and the clock each get a run of the work to themselves. Half of the clock's blocks come before the sampler's
//! run and half after it, so that they are spread over the scenario's time.

mod explanation;
mod going_on;
mod model_file;
mod prediction;
mod training;
mod vectors;

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;

use postroom::status::Status;
use profiling_toolkit::cpu::{CpuError, CpuOptions, CpuProfile, measure_cpu_repeated, measure_instructions};

use crate::report::cpu::{Counts, Instructions, Measured};
use crate::report::graph::Graph;
use crate::report::{self, Report};
use crate::session::Subject;
use crate::settings::PipelineName;

/// A measured scenario. Its name is an interface: people and tools select by it.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What it shows, in a sentence.
    pub(crate) about: &'static str,
    /// Rows of a table in the terminal; the scenario's own report has all.
    pub(crate) rows_in_terminal: usize,
    /// Whose trainings and predictions it measures.
    pub(crate) pipeline: PipelineName,
    pub(crate) measure: fn(&Subject<'_>, &mut Report) -> Outcome,
}

/// A scenario fills its report in or says why it can't.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Where the tables are what a scenario is for.
const ALL_ROWS: usize = usize::MAX;

/// Where they explain its figures.
const FEW_ROWS: usize = 8;

/// All of them: first those of the networks, then those of the linear pipeline where it does something else.
pub(crate) static SCENARIOS: [Scenario; 17] = [
    Scenario {
        name: "training::train_memory",
        about: "What a training allocates, holds at its peak and keeps, and where in the code.",
        rows_in_terminal: ALL_ROWS,
        pipeline: PipelineName::Mlp,
        measure: training::train_memory,
    },
    Scenario {
        name: "training::train_cpu",
        about: "Where the time of a training goes, by function and by stage.",
        rows_in_terminal: ALL_ROWS,
        pipeline: PipelineName::Mlp,
        measure: training::train_cpu,
    },
    Scenario {
        name: "training::second_train_noop",
        about: "A training that finds nothing changed in the database: what finding out still costs.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: training::second_train_noop,
    },
    Scenario {
        name: "training::vectorizer_hash_cost",
        about: "The vectorizer as bytes and their SHA-256: what tells cached vectors of two models apart.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: training::vectorizer_hash_cost,
    },
    Scenario {
        name: "training::save_load_roundtrip",
        about: "A model to a file and back: memory, time, size, and the same predictions afterwards.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: model_file::save_load_roundtrip,
    },
    Scenario {
        name: "prediction::predict_all_four_cpu",
        about: "The four fields of one document asked one by one and at once, new to the cache and known to it.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: prediction::predict_all_four_cpu,
    },
    Scenario {
        name: "prediction::predict_all_four_memory",
        about: "What asking the four fields of one document allocates, new to the cache and known to it.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: prediction::predict_all_four_memory,
    },
    Scenario {
        name: "prediction::vectorize_cache_miss_vs_hit",
        about: "What the cache of vectors saves: a document that it doesn't hold against one that it does.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: vectors::vectorize_cache_miss_vs_hit,
    },
    Scenario {
        name: "prediction::content_hash_overhead",
        about: "SHA-256 of a document's content, by which the first of the four questions asks the cache.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Mlp,
        measure: vectors::content_hash_overhead,
    },
    Scenario {
        name: "linear::train_memory",
        about: "What a training of the linear pipeline allocates, holds at its peak and keeps, and where in the code.",
        rows_in_terminal: ALL_ROWS,
        pipeline: PipelineName::Linear,
        measure: training::train_memory,
    },
    Scenario {
        name: "linear::train_cpu",
        about: "Where the time of a training of the linear pipeline goes, by function and by stage.",
        rows_in_terminal: ALL_ROWS,
        pipeline: PipelineName::Linear,
        measure: training::train_cpu,
    },
    Scenario {
        name: "linear::incremental_training",
        about: "A training that goes on from the last one after 1, 10 and 50 new documents, beside one from nothing.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: going_on::going_on,
    },
    Scenario {
        name: "linear::save_load_roundtrip",
        about: "A model of the linear pipeline to a file and back: memory, time, size, and the same predictions afterwards.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: model_file::save_load_roundtrip,
    },
    Scenario {
        name: "linear::predict_all_four_cpu",
        about: "The four fields of one document asked of the linear pipeline, one by one and at once, new and known.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: prediction::predict_all_four_cpu,
    },
    Scenario {
        name: "linear::predict_all_four_memory",
        about: "What asking the four fields of one document allocates in the linear pipeline, new and known.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: prediction::predict_all_four_memory,
    },
    Scenario {
        name: "linear::explain",
        about: "Why a document is filed as it is: the terms that speak for each suggested label and against it.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: explanation::explain,
    },
    Scenario {
        name: "linear::vectorize_cache_miss_vs_hit",
        about: "What the cache saves where vectors hold words and their parts.",
        rows_in_terminal: FEW_ROWS,
        pipeline: PipelineName::Linear,
        measure: vectors::vectorize_cache_miss_vs_hit,
    },
];

/// For trainings that are measured: nobody is told anything.
fn no_status(_: &Status) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// How calls that are profiled appear in a report.
struct Profiled {
    /// Of the measurement, for programs.
    name: &'static str,
    /// What is done, for people.
    done: &'static str,
    /// Title of the flame graph.
    graph: &'static str,
    /// Tells it from the scenario's main one; empty if it is that one.
    suffix: &'static str,
}

impl Profiled {
    /// Samples `work`, again and again until there are enough samples, and counts its instructions.
    fn measure<R>(self, sampling: &CpuOptions, mut work: impl FnMut() -> R) -> Result<Profile, CpuError> {
        let (_, sampled) = measure_cpu_repeated(sampling, &mut work)?;
        let instructions = count_instructions(sampled.iterations, work);
        Ok(Profile {
            profiled: self,
            sampled,
            instructions,
        })
    }
}

/// Calls that were profiled.
struct Profile {
    profiled: Profiled,
    sampled: CpuProfile,
    instructions: Instructions,
}

impl Profile {
    /// Adds tables and flame graph.
    fn add(&self, report: &mut Report) {
        let (profiled, profile) = (&self.profiled, &self.sampled);
        let measured = Measured {
            name: profiled.name,
            done: profiled.done,
            profile,
            instructions: &self.instructions,
        };
        report::cpu::add(report, &measured);
        report
            .graphs
            .push(Graph::of_cpu(profiled.graph, profile).named(profiled.suffix));
    }
}

/// Counts the instructions of some of the calls that were sampled, in a pass of their own.
pub(crate) fn count_instructions<R>(n_sampled: u64, mut work: impl FnMut() -> R) -> Instructions {
    let calls = n_sampled.div_ceil(10);
    let counted = measure_instructions(|| {
        for _ in 0..calls {
            black_box(work());
        }
    });
    let counts = match counted {
        Ok(((), counts)) => Counts::Counted(counts),
        Err(unavailable) => Counts::Unavailable(unavailable),
    };
    Instructions { calls, counts }
}
