//! Scenarios that go wrong on purpose: the negative controls of the runner.
//!
//! That one scenario's panic or error leaves the others unharmed, and its own findings on disk, can be seen only where
//! one panics, and none of those that measure has a reason to. These run as those do, from the same session into the
//! same files. They exist only for whoever asks for them by name (`--include-ignored control::`): no list has
//! them, and `--include-ignored` alone runs none.

use libtest_mimic::Arguments;
use postroom::store::SqliteStore;
use profiling_toolkit::cpu::{CpuOptions, measure_cpu};
use profiling_toolkit::memory::{MemoryOptions, MemoryView, measure_memory};

use crate::report::cpu::Measured;
use crate::report::graph::Graph;
use crate::report::{self, Report};
use crate::scenarios::{Outcome, Scenario, count_instructions};
use crate::session::Subject;
use crate::settings::PipelineName;

/// What the names of all controls begin with.
const PREFIX: &str = "control::";

/// In the order in which they run: whatever the first two leave behind, the last one meets.
static CONTROLS: [Scenario; 3] = [
    Scenario {
        name: "control::panics",
        about: "Panics with an instrument running, after another has measured.",
        rows_in_terminal: usize::MAX,
        pipeline: PipelineName::Mlp,
        measure: panics,
    },
    Scenario {
        name: "control::fails",
        about: "Comes to an error after it has measured.",
        rows_in_terminal: usize::MAX,
        pipeline: PipelineName::Mlp,
        measure: fails,
    },
    Scenario {
        name: "control::measures",
        about: "Measures what is known, after the others have gone wrong.",
        rows_in_terminal: usize::MAX,
        pipeline: PipelineName::Mlp,
        measure: measures,
    },
];

/// The controls, where they are asked for by name.
pub(crate) fn asked_for(arguments: &Arguments) -> &'static [Scenario] {
    match &arguments.filter {
        Some(filter) if filter.starts_with(PREFIX) => &CONTROLS,
        _ => &[],
    }
}

/// Of the block that each control measures.
const BLOCK_BYTES: usize = 12_345;

fn panics(_: &Subject<'_>, report: &mut Report) -> Outcome {
    add_known_block(report)?;
    // Within both instruments: neither may stay switched on.
    let ((), _) = measure_cpu(&CpuOptions::default(), || {
        let _ = measure_memory(MemoryOptions::default(), || {
            panic!("on purpose, within both instruments")
        });
    })?;
    Ok(())
}

fn fails(_: &Subject<'_>, report: &mut Report) -> Outcome {
    add_known_block(report)?;
    SqliteStore::open("no/such/archive.sqlite3")?;
    Ok(())
}

fn measures(_: &Subject<'_>, report: &mut Report) -> Outcome {
    add_known_block(report)?;
    let ((), profile) = measure_cpu(&CpuOptions::default(), || ())?;
    let measured = Measured {
        name: "nothing",
        done: "Nothing",
        profile: &profile,
        instructions: &count_instructions(profile.iterations, || ()),
    };
    report::cpu::add(report, &measured);
    report.headline = String::from("found what is known");
    Ok(())
}

fn add_known_block(report: &mut Report) -> Outcome {
    let (block, profile) = measure_memory(MemoryOptions::default(), || vec![1_u8; BLOCK_BYTES])?;
    assert_eq!(profile.live_delta_bytes, BLOCK_BYTES as i64, "the block");
    drop(block);
    report::memory::add(report, "block", "A known block", &profile);
    report
        .graphs
        .push(Graph::of_memory("A known block", &profile, MemoryView::AtPeak));
    Ok(())
}
