//! What stands at the root of a stack before the work: does the stack reach it, and how much is cut off?

use super::options::RootTrim;
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

/// Does the stack, root first, reach the start of the process or of its thread?
pub(super) fn is_rooted<'name>(names: impl IntoIterator<Item = &'name str>) -> bool {
    names.into_iter().any(is_start)
}

/// How many frames of a stack, root first, are cut off. The leaf stays unless a marker takes it.
pub(super) fn root_frames(names: &[&str], trim: &RootTrim) -> usize {
    let is_marker = |name: &&str| {
        trim.markers
            .iter()
            .any(|marker| name.starts_with(marker.as_str()))
    };
    let n_marked = names.iter().rposition(is_marker).map_or(0, |marker| marker + 1);
    if !trim.runtime {
        return n_marked;
    }
    let n_runtime = names[n_marked..]
        .iter()
        .take_while(|name| is_runtime(name))
        .count();
    // A stack of nothing else keeps its leaf.
    n_marked + n_runtime.min((names.len() - n_marked).saturating_sub(1))
}

fn is_start(name: &str) -> bool {
    STARTS.contains(&name) || STARTS_OF.iter().any(|start| name.starts_with(start))
}

fn is_runtime(name: &str) -> bool {
    is_start(name)
        || name == "__rust_try"
        || name == UNKNOWN_FUNCTION
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
        assert_eq!(root_frames(&names, &RootTrim::default()), 3);
        assert_eq!(root_frames(&names, &RootTrim::nothing()), 0);
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
        assert_eq!(root_frames(&names, &trim), 3);
    }

    #[test]
    fn stack_of_runtime_alone_keeps_its_leaf() {
        assert_eq!(root_frames(&["clone3", "start_thread"], &RootTrim::default()), 1);
    }

    #[test]
    fn function_named_like_a_start_is_not_one() {
        assert!(!is_rooted(["main_loop", "app::main", "clone_into"]));
        assert!(is_rooted(["main", "app::work"]));
    }
}
