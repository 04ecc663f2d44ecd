//! The same work gives the same profile, byte for byte: in one process and in two, whose code, heap and hash seeds
//! lie elsewhere.

#![expect(
    clippy::print_stdout,
    reason = "what the one process shows, the other compares"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use libtest_mimic::Trial;
use profiling_toolkit::flamegraph::{FlamegraphOptions, Unit, render_flamegraph};
use profiling_toolkit::folded::FoldedStacks;
use profiling_toolkit::memory::{MemoryOptions, MemoryProfile, MemoryView, measure_memory};
use profiling_toolkit::phase::Phase;

use crate::measured::assert_sums;
use crate::trials;

/// Set for a process that is to show its profile instead of running tests.
const ASKED_FOR: &str = "SHOW_A_REPEATABLE_PROFILE";

pub(crate) fn trials() -> Vec<Trial> {
    trials![
        two_regions_with_the_same_work_give_the_same_bytes,
        two_processes_with_the_same_work_give_the_same_bytes,
    ]
}

pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(ASKED_FOR).is_some()
}

/// Shows the profile, for another process to compare.
pub(crate) fn show() -> ExitCode {
    print!("{}", rendered(&profile()));
    ExitCode::SUCCESS
}

/// Allocates from many places, among them a map whose order is another in each process.
#[inline(never)]
fn work() -> HashMap<String, Vec<u8>> {
    let mut map = HashMap::new();
    for size in 0..200_usize {
        let phase = Phase::named(["filling", "packing"][size % 2]);
        phase.enter();
        let entry: &mut Vec<u8> = map.entry(format!("{size:04}")).or_default();
        entry.resize(size * 7 % 113, 1);
        entry.shrink_to_fit();
        Phase::exit();
    }
    for value in map.values_mut() {
        drop(black_box(std::mem::take(value)));
    }
    map
}

fn profile() -> MemoryProfile {
    drop(work());
    let (_kept, profile) = measure_memory(MemoryOptions::default(), work).unwrap();
    assert_sums(&profile);
    profile
}

/// All that is ever written of a profile: data, folded stacks, pictures.
fn rendered(profile: &MemoryProfile) -> String {
    let mut rendered = serde_json::to_string(profile).unwrap() + "\n";
    for view in [MemoryView::AtPeak, MemoryView::Total] {
        let mut stacks = FoldedStacks::new();
        for stack in &profile.stacks {
            let frames = stack
                .frames
                .iter()
                .map(|&frame| profile.frame(frame).function.as_str());
            stacks.add(frames, stack.usage.bytes(view) as u64);
        }
        let options = FlamegraphOptions {
            title: "Some work".to_owned(),
            subtitle: String::new(),
            unit: Unit::Bytes,
        };
        rendered += &profile.folded(view).join("\n");
        rendered += &render_flamegraph(&stacks, &options).unwrap();
    }
    rendered
}

fn two_regions_with_the_same_work_give_the_same_bytes() {
    let [first, second] = [(), ()].map(|()| rendered(&profile()));
    assert!(first == second, "{first}\n\n{second}");
}

fn two_processes_with_the_same_work_give_the_same_bytes() {
    let show = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.env(ASKED_FOR, "1").output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let [first, second] = [show(), show()];
    assert!(first.contains("packing"), "{first}");
    assert!(first == second, "{first}\n\n{second}");
}
