//! Folded stacks: one line per distinct stack, `root;caller;leaf weight`, as flame graph tools read them.
//!
//! Stacks of CPU time (nanoseconds) and of memory (bytes) come in in any order, equal ones are added up, and
//! the lines go out sorted: the same stacks give the same bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a frame without a name is called.
const NAMELESS: &str = "[unknown]";

/// The most that weights which were read add up to: sums and differences of two such files fit into 64 bits.
const MOST_READ: u64 = i64::MAX as u64 / 2;

/// Distinct stacks with their weights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldedStacks {
    weights: BTreeMap<String, u64>,
}

impl FoldedStacks {
    /// No stacks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stack, root first. A stack without frames or weight adds nothing.
    pub fn add<'frame>(&mut self, frames: impl IntoIterator<Item = &'frame str>, weight: u64) {
        let names: Vec<_> = frames.into_iter().map(frame_name).collect();
        if weight > 0 && !names.is_empty() {
            *self.weights.entry(names.join(";")).or_insert(0) += weight;
        }
    }

    /// The stacks of a folded file; lines that aren't a stack and a weight are skipped. Weights that add up to more than
    /// 2⁶² are cut off there: they are of no measurement.
    pub fn parse(lines: &str) -> Self {
        let mut stacks = Self::new();
        let mut room = MOST_READ;
        for line in lines.lines() {
            let Some((stack, weight)) = line.rsplit_once(' ') else {
                continue;
            };
            let weight = weight.parse().unwrap_or(0).min(room);
            room -= weight;
            stacks.add(stack.split(';'), weight);
        }
        stacks
    }

    /// The same stacks with all weights times `factor`, rounded; what rounds to nothing is left out, and what adds up to
    /// more than 2⁶² is cut off there.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut room = MOST_READ;
        let scaled = |(stack, &weight): (&String, &u64)| {
            let weight = ((weight as f64 * factor).round() as u64).min(room);
            room -= weight;
            (weight > 0).then(|| (stack.clone(), weight))
        };
        Self {
            weights: self.weights.iter().filter_map(scaled).collect(),
        }
    }

    /// The weight of a stack, `root;caller;leaf`; 0 if there is none.
    pub fn weight(&self, stack: &str) -> u64 {
        self.weights.get(stack).copied().unwrap_or(0)
    }

    /// The stacks, `root;caller;leaf`, with their weights, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.weights
            .iter()
            .map(|(stack, &weight)| (stack.as_str(), weight))
    }

    /// Sum of all weights.
    pub fn total(&self) -> u64 {
        self.weights.values().sum()
    }

    /// Number of distinct stacks.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Is there no stack at all?
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }
}

/// The lines, each ended by a line feed.
impl fmt::Display for FoldedStacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter()
            .try_for_each(|(stack, weight)| writeln!(f, "{stack} {weight}"))
    }
}

/// A function name that can stand in a folded line: without the separator and without line breaks. Spaces may
/// stay, since the weight is what follows the last one. A line that starts with `# ` would be a comment.
pub fn frame_name(function: &str) -> Cow<'_, str> {
    let trimmed = function.trim();
    if trimmed.is_empty() {
        return Cow::Borrowed(NAMELESS);
    }
    let breaks = |c: char| c == ';' || c.is_control();
    if !trimmed.contains(breaks) && !trimmed.starts_with("# ") {
        return Cow::Borrowed(trimmed);
    }
    let replace = |c: char| match c {
        ';' => ':',
        c if c.is_control() => ' ',
        c => c,
    };
    Cow::Owned(trimmed.trim_start_matches("# ").chars().map(replace).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(stacks: &[(&[&str], u64)]) -> String {
        let mut folded = FoldedStacks::new();
        for (frames, weight) in stacks {
            folded.add(frames.iter().copied(), *weight);
        }
        folded.to_string()
    }

    #[test]
    fn equal_stacks_are_added_and_lines_are_sorted() {
        let lines = folded(&[(&["b"], 1), (&["a", "c"], 2), (&["b"], 4)]);
        assert_eq!(lines, "a;c 2\nb 5\n");
    }

    #[test]
    fn separators_and_line_breaks_leave_names() {
        assert_eq!(frame_name("<[u8; 4] as\nT>::f"), "<[u8: 4] as T>::f");
        assert_eq!(frame_name("a b"), "a b");
    }

    #[test]
    fn nameless_frame_gets_a_name() {
        assert_eq!(folded(&[(&["a", "  "], 1)]), "a;[unknown] 1\n");
    }

    #[test]
    fn comment_sign_does_not_start_a_line() {
        assert_eq!(frame_name("# note"), "note");
    }

    #[test]
    fn folded_file_is_read_back() {
        let lines = "<a as b>;c d 2\ne 5\n";
        assert_eq!(FoldedStacks::parse(lines).to_string(), lines);
        assert!(FoldedStacks::parse("truncat").is_empty());
    }

    #[test]
    fn scaled_stacks_are_rounded() {
        let stacks = FoldedStacks::parse("a 3\nb 1\n");
        assert_eq!(stacks.scaled(0.4).to_string(), "a 1\n");
        assert_eq!((stacks.weight("a"), stacks.weight("c")), (3, 0));
    }

    #[test]
    fn stack_without_weight_is_left_out() {
        let mut stacks = FoldedStacks::new();
        stacks.add(["a"], 0);
        assert!(stacks.is_empty());
    }

    #[test]
    fn weights_beyond_all_measure_are_cut_off() {
        let most = u64::MAX;
        let stacks = FoldedStacks::parse(&format!("a;b {most}\na;b {most}\na;c {most}\nd 1\n"));
        assert_eq!((stacks.weight("a;b"), stacks.total()), (MOST_READ, MOST_READ));
        let grown = FoldedStacks::parse("a 2\nb 3\n").scaled(f64::from(u32::MAX).powi(2));
        assert_eq!((grown.weight("b"), grown.total()), (0, MOST_READ));
    }
}
