//! Names for code addresses: function, file and line, inlined frames expanded.
//!
//! In comes an address inside an instruction, out come [`Frame`]s whose text holds neither hashes nor the
//! paths of the machine that built them. Answers are cached by address. It allocates and reads debug
//! information, so it is for *after* a measurement, never for during one.

use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The function of an address that no symbol covers.
pub const UNKNOWN_FUNCTION: &str = "[unknown]";

/// One function on a stack, as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frame {
    /// Demangled path without the compiler's hash, or [`UNKNOWN_FUNCTION`].
    pub function: String,
    /// Source file relative to what it belongs to: `src/text.rs` of this workspace,
    /// `hashbrown-0.15.2/src/raw.rs` of a dependency, `library/alloc/src/vec/mod.rs` of the standard library.
    pub file: Option<String>,
    /// Line within `file`, from 1.
    pub line: Option<u32>,
}

impl Frame {
    /// `file:line`, as far as both are known.
    pub fn location(&self) -> Option<String> {
        let mut location = self.file.clone()?;
        if let Some(line) = self.line {
            write!(location, ":{line}").expect("a String takes every write");
        }
        Some(location)
    }
}

/// Looks addresses up in the debug information of this process and remembers the answers.
#[derive(Debug, Default)]
pub struct Symbolizer {
    cache: HashMap<usize, Vec<Frame>>,
}

impl Symbolizer {
    /// A symbolizer that has looked nothing up yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frames at `address`: the innermost inlined function first, last the physical function that
    /// holds the instruction. Never empty: an address without a symbol gives one [`UNKNOWN_FUNCTION`].
    ///
    /// `address` is looked up as it is. For a return address pass it minus one, since the call belongs to
    /// the instruction before; for an interrupted instruction pointer pass it unchanged.
    pub fn frames(&mut self, address: usize) -> &[Frame] {
        self.cache.entry(address).or_insert_with(|| resolve(address))
    }
}

fn resolve(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    // `backtrace` takes everything for a return address and subtracts one itself.
    let return_address = address.wrapping_add(1) as *mut c_void;
    backtrace::resolve(return_address, |symbol| {
        frames.push(Frame {
            // The alternate form leaves the hash out.
            function: symbol
                .name()
                .map_or_else(|| UNKNOWN_FUNCTION.to_owned(), |name| format!("{name:#}")),
            file: symbol
                .filename()
                .map(|path| portable_path(&path.to_string_lossy())),
            line: symbol.lineno().filter(|&line| line > 0),
        });
    });
    if frames.is_empty() {
        frames.push(Frame {
            function: UNKNOWN_FUNCTION.to_owned(),
            file: None,
            line: None,
        });
    }
    frames
}

/// A source path as it would read on any machine: what stands before the workspace, the registry's
/// package or the standard library is cut off.
fn portable_path(path: &str) -> String {
    let path = path.replace('\\', "/");
    let root = workspace_root();
    if let Some(inside) = path
        .strip_prefix(root.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
    {
        return inside.to_owned();
    }
    // `<cargo home>/registry/src/<registry>/<package>-<version>/…`
    if let Some(inside) = after(&path, "/registry/src/").and_then(|rest| rest.split_once('/')) {
        return inside.1.to_owned();
    }
    // `<cargo home>/git/checkouts/<repository>-<hash>/<revision>/…`
    if let Some(inside) = after(&path, "/git/checkouts/") {
        return inside.to_owned();
    }
    // `/rustc/<commit>/library/…`, or `…/lib/rustlib/src/rust/library/…` where the sources are installed,
    // or `/rust/deps/<package>-<version>/…` for what the standard library itself depends on.
    if let Some(inside) = path.strip_prefix("/rustc/").and_then(|rest| rest.split_once('/')) {
        return inside.1.to_owned();
    }
    if let Some(inside) = after(&path, "/rustlib/src/rust/").or_else(|| path.strip_prefix("/rust/deps/")) {
        return inside.to_owned();
    }
    elsewhere(&path)
}

/// An absolute path that belongs to nothing known keeps its last three components.
fn elsewhere(path: &str) -> String {
    if !path.starts_with('/') && path.chars().nth(1) != Some(':') {
        return path.trim_start_matches("./").to_owned();
    }
    let components: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let kept = components.len().saturating_sub(3);
    components[kept..].join("/")
}

fn after<'path>(path: &'path str, marker: &str) -> Option<&'path str> {
    path.rsplit_once(marker).map(|(_, rest)| rest)
}

/// The directory two levels above this package, with forward slashes.
fn workspace_root() -> String {
    let package = env!("CARGO_MANIFEST_DIR").replace('\\', "/");
    package
        .strip_suffix("/profiling-tests/toolkit")
        .unwrap_or(&package)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn known_function() -> u32 {
        std::hint::black_box(line!())
    }

    #[test]
    fn function_address_gives_name_and_relative_file() {
        known_function();
        let mut symbolizer = Symbolizer::new();
        let frames = symbolizer.frames(known_function as *const () as usize);
        let physical = frames.last().unwrap();
        assert_eq!(
            physical.function,
            "profiling_toolkit::symbols::tests::known_function"
        );
        assert_eq!(
            physical.file.as_deref(),
            Some("profiling-tests/toolkit/src/symbols.rs")
        );
        assert!(physical.line.is_some());
    }

    #[test]
    fn inlined_functions_come_before_the_physical_one() {
        #[expect(clippy::inline_always, reason = "the test needs an inlined frame")]
        #[inline(always)]
        fn inlined() -> usize {
            return_address_of_caller()
        }
        #[inline(never)]
        fn physical() -> usize {
            std::hint::black_box(inlined())
        }
        let mut symbolizer = Symbolizer::new();
        let frames = symbolizer.frames(physical() - 1);
        assert_eq!(frames.len(), 2, "{frames:?}");
        assert!(frames[0].function.ends_with("::inlined"), "{frames:?}");
        assert!(frames[1].function.ends_with("::physical"), "{frames:?}");
    }

    /// Where this function returns to, found by unwinding.
    #[inline(never)]
    fn return_address_of_caller() -> usize {
        let mut seen_self = false;
        let mut found = 0;
        backtrace::trace(|frame| {
            let address = frame.ip() as usize;
            if seen_self {
                found = address;
                return false;
            }
            seen_self = Symbolizer::new()
                .frames(address - 1)
                .last()
                .is_some_and(|f| f.function.ends_with("::return_address_of_caller"));
            true
        });
        std::hint::black_box(found)
    }

    #[test]
    fn address_without_symbol_is_unknown() {
        assert_eq!(Symbolizer::new().frames(8)[0].function, UNKNOWN_FUNCTION);
    }

    #[test]
    fn registry_path_keeps_package_and_version() {
        let path = "/home/someone/.cargo/registry/src/index-0123/hashbrown-0.15.2/src/raw.rs";
        assert_eq!(portable_path(path), "hashbrown-0.15.2/src/raw.rs");
    }

    #[test]
    fn standard_library_path_starts_at_library() {
        assert_eq!(
            portable_path("/rustc/0123abcd/library/alloc/src/vec/mod.rs"),
            "library/alloc/src/vec/mod.rs"
        );
        let installed = "/opt/toolchain/lib/rustlib/src/rust/library/core/src/ptr.rs";
        assert_eq!(portable_path(installed), "library/core/src/ptr.rs");
    }

    #[test]
    fn windows_path_reads_like_any_other() {
        let path = r"C:\Users\someone\.cargo\registry\src\index-0123\memchr-2.7.0\src\lib.rs";
        assert_eq!(portable_path(path), "memchr-2.7.0/src/lib.rs");
    }

    #[test]
    fn foreign_absolute_path_keeps_three_components() {
        assert_eq!(
            portable_path("/build/glibc-x/glibc-2.36/malloc/malloc.c"),
            "glibc-2.36/malloc/malloc.c"
        );
        assert_eq!(portable_path("./malloc/malloc.c"), "malloc/malloc.c");
    }
}
