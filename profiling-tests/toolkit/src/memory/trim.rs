//! Which frames of a stack say something: the instrument's own are cut off, and the site is found.
//!
//! In come frames, innermost first; out comes the stack between the region and the allocator, and the first
//! frame in it that is neither the standard library's nor that of a container it is built on.

use crate::names::crate_of;
use crate::symbols::Frame;

/// Crates that allocate on behalf of their caller.
const ALLOCATING_CRATES: [&str; 4] = ["alloc", "core", "std", "hashbrown"];

/// Where the threads of the standard library hand over to the program.
const THREAD_ENTRY: &str = "std::sys::backtrace::__rust_begin_short_backtrace";

/// The frames between the region or the thread's start and the allocator, innermost first. May be empty.
pub(super) fn without_instrument(frames: &[Frame]) -> &[Frame] {
    let innermost = frames
        .iter()
        .position(|frame| !is_allocator(&frame.function))
        .unwrap_or(frames.len());
    let frames = &frames[innermost..];
    let outermost = frames
        .iter()
        .position(|frame| is_entry(&frame.function))
        .unwrap_or(frames.len());
    let frames = &frames[..outermost];
    // The closure that the region or thread ran is the root, not the trait method that called it.
    let is_call = |frame: &&Frame| frame.function.contains("::FnOnce") && crate_of(&frame.function) == "core";
    let n_calls = frames.iter().rev().take_while(is_call).count();
    &frames[..frames.len() - n_calls.min(frames.len().saturating_sub(1))]
}

/// Index of the frame that the allocation is the doing of: the first one outside of [`ALLOCATING_CRATES`], or
/// the outermost if there is none.
pub(super) fn site(frames: &[Frame]) -> usize {
    let outside =
        |frame: &Frame| !ALLOCATING_CRATES.contains(&crate_of(&frame.function)) && !is_standard(frame);
    frames
        .iter()
        .position(outside)
        .unwrap_or(frames.len().saturating_sub(1))
}

/// The standard library's code for a type of the program: `<my::Doc as alloc::vec::SpecFromElem>::from_elem`.
fn is_standard(frame: &Frame) -> bool {
    frame
        .file
        .as_deref()
        .is_some_and(|file| file.starts_with("library/"))
}

fn is_allocator(function: &str) -> bool {
    let name = crate_of(function);
    function.contains("profiling_toolkit::memory::allocator::")
        || function.contains("profiling_toolkit::memory::stack::Stack")
        || name == "__rustc"
        || name.starts_with("__rust_")
        || name.starts_with("__rdl_")
        || name.starts_with("__rg_")
        || name == "backtrace"
}

fn is_entry(function: &str) -> bool {
    let of_the_instrument = ["region::", "leaks::", "resident::"];
    let own = function.strip_prefix("profiling_toolkit::memory::");
    own.is_some_and(|own| of_the_instrument.iter().any(|module| own.starts_with(module)))
        || function.starts_with(THREAD_ENTRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(functions: &[&str]) -> Vec<Frame> {
        let frame = |function: &&str| Frame {
            function: (*function).to_owned(),
            file: None,
            line: None,
        };
        functions.iter().map(frame).collect()
    }

    #[test]
    fn site_is_the_first_frame_outside_the_standard_library() {
        let stack = frames(&[
            "alloc::raw_vec::finish_grow",
            "hashbrown::raw::new",
            "my::fit",
            "my::train",
        ]);
        assert_eq!(site(&stack), 2);
    }

    #[test]
    fn code_of_the_standard_library_for_a_type_of_the_program_is_no_site() {
        let mut stack = frames(&["<my::Doc as alloc::vec::SpecFromElem>::from_elem", "my::fit"]);
        stack[0].file = Some("library/alloc/src/vec/spec_from_elem.rs".to_owned());
        assert_eq!(site(&stack), 1);
    }

    #[test]
    fn site_of_a_stack_without_such_a_frame_is_its_outermost() {
        assert_eq!(site(&frames(&["alloc::vec::push", "std::io::read"])), 1);
    }

    #[test]
    fn instrument_and_everything_outside_the_region_is_cut() {
        let stack = frames(&[
            "<profiling_toolkit::memory::allocator::ProfilingAllocator as core::alloc::GlobalAlloc>::alloc",
            "__rustc::__rust_alloc",
            "alloc::raw_vec::finish_grow",
            "my::fit",
            "my::main::{{closure}}",
            "core::ops::function::FnOnce::call_once",
            "profiling_toolkit::memory::region::measure_memory",
            "my::main",
        ]);
        assert_eq!(without_instrument(&stack), &stack[2..5]);
    }
}
