//! Which functions say what is done, and which only lead there.

use profiling_toolkit::names::crate_of;

/// Whether a function only leads from one piece of work to the next: the thread pool's, the spans' and the standard
/// library's.
pub(crate) fn is_plumbing(function: &str) -> bool {
    const CRATES: [&str; 7] = [
        "rayon",
        "rayon_core",
        "crossbeam_deque",
        "tracing",
        "core",
        "alloc",
        "std",
    ];
    CRATES.contains(&crate_of(function)) || is_call_of_closure(function)
}

/// `<&program::f::{closure#0} as core::ops::function::FnMut<…>>::call_mut`: the closure itself stands below it.
fn is_call_of_closure(function: &str) -> bool {
    function.contains(" as core::ops::function::Fn") && function.contains("::call")
}
