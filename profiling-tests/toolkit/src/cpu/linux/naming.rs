//! From a stack of addresses to one of names: inlined frames expanded, the root trimmed, functions numbered.

use std::collections::HashMap;

use super::samples::RawStack;
use super::tables::Tables;
use super::trim::{RootCut, is_rooted, root_cut};
use crate::cpu::options::RootTrim;
use crate::symbols::{Frame, Symbolizer, UNKNOWN_FUNCTION};

/// Stands at the root of a stack that was too deep to keep.
const TRUNCATED: &str = "[truncated]";
/// Stands at the root of a stack that the unwinder could not follow to its start.
const UNROOTED: &str = "[unrooted]";
/// Stands for samples of the measuring itself.
const MEASURING: &str = "[measuring]";

/// Gives names, and numbers to the names as they come.
#[derive(Debug)]
pub(super) struct Naming<'options> {
    tables: &'options Tables,
    trim: &'options RootTrim,
    symbolizer: Symbolizer,
    pub(super) names: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// A stack by name.
#[derive(Debug)]
pub(super) struct NamedStack {
    /// What stands at the root instead of what is missing.
    mark: Option<u32>,
    /// Root first, trimmed.
    pub(super) frames: Vec<NamedFrame>,
    /// Place of the frame that holds the sampled instruction.
    pub(super) own: usize,
    pub(super) rooted: bool,
    /// The sampled instruction belongs to a function with a name.
    pub(super) symbolised: bool,
}

/// One frame of it.
#[derive(Debug)]
pub(super) struct NamedFrame {
    pub(super) function: u32,
    pub(super) location: Option<String>,
}

impl NamedStack {
    /// The functions, root first, with what marks the root.
    pub(super) fn path(&self) -> Vec<u32> {
        let functions = self.frames.iter().map(|frame| frame.function);
        self.mark.into_iter().chain(functions).collect()
    }
}

impl<'options> Naming<'options> {
    pub(super) fn new(tables: &'options Tables, trim: &'options RootTrim) -> Self {
        Self {
            tables,
            trim,
            symbolizer: Symbolizer::new(),
            names: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) fn stack(&mut self, stack: &RawStack) -> NamedStack {
        let mut frames = Vec::new();
        let mut n_leaf_frames = 0;
        for (n_inner, &address) in stack.addresses.iter().enumerate() {
            self.push_frames(address.wrapping_sub(1), &mut frames);
            if n_inner == 0 {
                n_leaf_frames = frames.len();
            }
        }
        frames.reverse();
        let names: Vec<&str> = frames
            .iter()
            .map(|frame| self.names[frame.function as usize].as_str())
            .collect();
        let is_nameless = |name: Option<&&str>| name.is_none_or(|name| name.starts_with(UNKNOWN_FUNCTION));
        // Without names, the unwind tables have to be believed.
        let rooted = is_rooted(names.iter().copied()) || (stack.complete && is_nameless(names.first()));
        let own = frames.len().saturating_sub(n_leaf_frames);
        let symbolised = !is_nameless(names.get(own));
        let n_cut = match root_cut(&names, self.trim) {
            RootCut::Frames(n_cut) => n_cut,
            RootCut::Everything => {
                frames = vec![self.measuring()];
                0
            }
        };
        frames.drain(..n_cut);
        let mark = match (stack.truncated, rooted) {
            (true, _) => Some(TRUNCATED),
            (false, false) => Some(UNROOTED),
            (false, true) => None,
        };
        NamedStack {
            mark: mark.map(|mark| self.number(mark)),
            // The outermost of the leaf's inlined frames holds the instructions, unless it was the measuring frame.
            own: own.saturating_sub(n_cut).min(frames.len() - 1),
            frames,
            rooted,
            symbolised,
        }
    }

    fn measuring(&mut self) -> NamedFrame {
        NamedFrame {
            function: self.number(MEASURING),
            location: None,
        }
    }

    /// Adds the frames at `address`, innermost first.
    fn push_frames(&mut self, address: usize, frames: &mut Vec<NamedFrame>) {
        let found: Vec<Frame> = self.symbolizer.frames(address).to_vec();
        for frame in found {
            let location = frame.location();
            let function = if frame.function == UNKNOWN_FUNCTION {
                self.number(&nameless(self.tables.file_of(address)))
            } else {
                self.number(&frame.function)
            };
            frames.push(NamedFrame { function, location });
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// What a function without a symbol is called: after its file, since addresses change from run to run.
fn nameless(file: Option<&str>) -> String {
    match file {
        Some("") => format!("{UNKNOWN_FUNCTION} in this program, which has no symbols"),
        Some(file) => format!("{UNKNOWN_FUNCTION} in {file}"),
        None => UNKNOWN_FUNCTION.to_owned(),
    }
}
