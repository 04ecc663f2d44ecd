//! What stands at the root of a stack before the work: does the stack reach it, and how much is cut off?

use crate::cpu::options::RootTrim;
use crate::symbols::UNKNOWN_FUNCTION;

/// Functions that start a process or a thread: whole names, and starts of names.
const STARTS: [&str; 7] = [
    "_start",
    "main",
    "clone",
    "clone3",
    "__clone",
    "__clone3",
    "start_thread",
];
const STARTS_OF: [&str; 5] = [
    "<std::sys::thread::",
    "__libc_start",
    "std::rt::lang_start",
    "std::sys::thread::",
    "std::sys::pal::unix::thread::",
];

/// What the standard library puts between such a start and the program.
const BETWEEN: [&str; 7] = [
    "std::sys::backtrace::__rust_begin_short_backtrace",
    "std::thread::",
    "std::panic::",
    "std::panicking::",
    "core::ops::function::FnOnce::call_once",
    "<alloc::boxed::Box<",
    "<core::panic::unwind_safe::AssertUnwindSafe<",
];

/// Start of the names of the sampler's own functions.
const MEASURING: &str = "profiling_toolkit::cpu::";

/// Does the stack, root first, reach the start of the process or of its thread?
pub(super) fn is_rooted<'name>(names: impl IntoIterator<Item = &'name str>) -> bool {
    names.into_iter().any(is_start)
}

/// What is cut off a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootCut {
    /// So many frames from the root.
    Frames(usize),
    /// All of it: the sample found the measuring itself at work, not what it measures.
    Everything,
}

/// What is cut off a stack, given root first.
pub(super) fn root_cut(names: &[&str], trim: &RootTrim) -> RootCut {
    let is_marker = |name: &&str| {
        trim.markers
            .iter()
            .any(|marker| name.starts_with(marker.as_str()))
    };
    let n_marked = names.iter().rposition(is_marker).map_or(0, |marker| marker + 1);
    let is_measuring = || names.iter().any(|name| name.starts_with(MEASURING));
    if n_marked == names.len() || (trim.runtime && n_marked == 0 && is_measuring()) {
        return RootCut::Everything;
    }
    if !trim.runtime {
        return RootCut::Frames(n_marked);
    }
    let n_runtime = names[n_marked..]
        .iter()
        .take_while(|name| is_runtime(name))
        .count();
    // A stack of nothing else keeps its leaf.
    RootCut::Frames((n_marked + n_runtime).min(names.len() - 1))
}

fn is_start(name: &str) -> bool {
    STARTS.contains(&name) || STARTS_OF.iter().any(|start| name.starts_with(start))
}

fn is_runtime(name: &str) -> bool {
    is_start(name)
        || name == "__rust_try"
        || name.starts_with(UNKNOWN_FUNCTION)
        || BETWEEN.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_before_main_is_cut_and_the_program_stays() {
        let names = [
            "_start",
            "main",
            "std::rt::lang_start",
            "app::main",
            "std::thread::sleep",
        ];
        assert_eq!(root_cut(&names, &RootTrim::default()), RootCut::Frames(3));
        assert_eq!(root_cut(&names, &RootTrim::nothing()), RootCut::Frames(0));
    }

    #[test]
    fn everything_down_to_the_innermost_marker_is_cut() {
        let trim = RootTrim {
            runtime: true,
            markers: vec!["bench::run".to_owned()],
        };
        let names = [
            "main",
            "bench::run",
            "bench::run_once::<f>",
            "app::work",
            "app::leaf",
        ];
        assert_eq!(root_cut(&names, &trim), RootCut::Frames(3));
    }

    #[test]
    fn stack_of_runtime_alone_keeps_its_leaf() {
        assert_eq!(
            root_cut(&["clone3", "start_thread"], &RootTrim::default()),
            RootCut::Frames(1)
        );
    }

    #[test]
    fn sample_of_the_measuring_itself_is_cut_altogether() {
        let starting = [
            "main",
            "app::main",
            "profiling_toolkit::cpu::measure_cpu",
            "timer_create",
        ];
        assert_eq!(root_cut(&starting, &RootTrim::default()), RootCut::Everything);
        let between = ["main", "profiling_toolkit::cpu::measured_region_once"];
        assert_eq!(root_cut(&between, &RootTrim::default()), RootCut::Everything);
        assert_eq!(root_cut(&starting, &RootTrim::nothing()), RootCut::Frames(0));
    }

    #[test]
    fn function_named_like_a_start_is_not_one() {
        assert!(!is_rooted(["main_loop", "app::main", "clone_into"]));
        assert!(is_rooted(["main", "app::work"]));
    }
}
