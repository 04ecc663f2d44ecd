//! Flame graphs: folded stacks in, one self-contained SVG out.
//!
//! The same stacks and options give the same bytes: colours follow from the function names.

use std::fmt::Write as _;

use inferno::flamegraph::color::{BasicPalette, MultiPalette};
use inferno::flamegraph::{self, Options, Palette};
use thiserror::Error;

use crate::folded::FoldedStacks;

/// Frames narrower than this many percent of the image are left out: 10,000 stacks then make an image of
/// 340 KiB instead of megabytes.
const MIN_WIDTH_PERCENT: f64 = 0.1;

/// What the weights of the stacks are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// CPU time, nanoseconds.
    Nanoseconds,
    /// Memory, bytes.
    Bytes,
}

/// What a flame graph says above its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlamegraphOptions {
    /// The headline.
    pub title: String,
    /// The line below it.
    pub subtitle: String,
    /// Unit of the weights; the colours follow from it.
    pub unit: Unit,
}

/// Why there is no flame graph.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FlamegraphError {
    /// Without a stack there is nothing to draw.
    #[error("no stacks to draw for the flame graph \"{title}\"; was anything sampled?")]
    Empty {
        /// Title of the graph.
        title: String,
    },
    /// The renderer refused the stacks.
    #[error("the flame graph \"{title}\" could not be drawn: {reason}")]
    Render {
        /// Title of the graph.
        title: String,
        /// What the renderer said.
        reason: String,
    },
}

/// Draws `stacks` as an SVG.
///
/// # Errors
/// When there are no stacks.
pub fn render_flamegraph(
    stacks: &FoldedStacks,
    options: &FlamegraphOptions,
) -> Result<String, FlamegraphError> {
    if stacks.is_empty() {
        return Err(FlamegraphError::Empty {
            title: options.title.clone(),
        });
    }
    draw(&stacks.to_string(), &mut drawing(options))
}

/// Which of two runs' weights the frames of a difference are as wide as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// The earlier run: frames that vanished are there, new ones aren't.
    Before,
    /// The later run: new frames are there, those that vanished aren't.
    Now,
}

/// Draws two runs over each other: red frames weigh more now than before, blue ones less.
///
/// # Errors
/// When the run that is drawn has no stacks.
pub fn render_difference(
    before: &FoldedStacks,
    now: &FoldedStacks,
    drawn: Drawn,
    options: &FlamegraphOptions,
) -> Result<String, FlamegraphError> {
    let (widths, others) = match drawn {
        Drawn::Before => (before, now),
        Drawn::Now => (now, before),
    };
    if widths.is_empty() {
        return Err(FlamegraphError::Empty {
            title: options.title.clone(),
        });
    }
    // The renderer takes the last number for the width and its distance from the one before for the colour.
    let mut lines = String::new();
    for (stack, width) in widths.iter() {
        writeln!(lines, "{stack} {} {width}", others.weight(stack)).expect("a String takes every write");
    }
    // What the other run has elsewhere in the tree still counts for the frames both share: its width is zero.
    for (stack, other) in others.iter().filter(|(stack, _)| widths.weight(stack) == 0) {
        writeln!(lines, "{stack} {other} 0").expect("a String takes every write");
    }
    let mut drawing = drawing(options);
    drawing.negate_differentials = drawn == Drawn::Before;
    draw(&lines, &mut drawing)
}

/// Folded lines as an SVG.
fn draw(lines: &str, drawing: &mut Options<'_>) -> Result<String, FlamegraphError> {
    let title = drawing.title.clone();
    let failed = |reason: String| FlamegraphError::Render {
        title: title.clone(),
        reason,
    };
    let mut sorted: Vec<&str> = lines.lines().collect();
    sorted.sort_unstable();
    let mut svg = Vec::new();
    flamegraph::from_lines(drawing, sorted, &mut svg).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(svg).map_err(|error| failed(error.to_string()))
}

fn drawing(options: &FlamegraphOptions) -> Options<'static> {
    let mut drawing = Options::default();
    drawing.title.clone_from(&options.title);
    drawing.subtitle = Some(options.subtitle.clone()).filter(|subtitle| !subtitle.is_empty());
    drawing.deterministic = true;
    drawing.min_width = MIN_WIDTH_PERCENT;
    (drawing.colors, drawing.count_name) = match options.unit {
        Unit::Nanoseconds => (Palette::Multi(MultiPalette::Rust), "ns".to_owned()),
        Unit::Bytes => (Palette::Basic(BasicPalette::Mem), "bytes".to_owned()),
    };
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(unit: Unit) -> FlamegraphOptions {
        FlamegraphOptions {
            title: "Training".to_owned(),
            subtitle: "5,000 documents".to_owned(),
            unit,
        }
    }

    fn stacks() -> FoldedStacks {
        let mut stacks = FoldedStacks::new();
        stacks.add(["app::main", "app::wide"], 9_990);
        stacks.add(["app::main", "app::narrow"], 1);
        stacks
    }

    #[test]
    fn graph_carries_titles_names_and_unit() {
        let svg = render_flamegraph(&stacks(), &options(Unit::Nanoseconds)).unwrap();
        for text in ["Training", "5,000 documents", "app::wide", "ns"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!(
            render_flamegraph(&stacks(), &options(Unit::Bytes))
                .unwrap()
                .contains("9,991 bytes")
        );
    }

    #[test]
    fn same_stacks_give_the_same_bytes() {
        let draw = || render_flamegraph(&stacks(), &options(Unit::Bytes)).unwrap();
        assert_eq!(draw(), draw());
    }

    #[test]
    fn frame_below_a_thousandth_is_left_out() {
        let svg = render_flamegraph(&stacks(), &options(Unit::Nanoseconds)).unwrap();
        assert!(!svg.contains("app::narrow"));
    }

    /// Frames that both runs have, with their difference; one only then, one only now.
    fn difference(drawn: Drawn) -> String {
        let before = FoldedStacks::parse("a;kept 50\na;vanished 50\n");
        let now = FoldedStacks::parse("a;kept 80\na;came 20\n");
        render_difference(&before, &now, drawn, &options(Unit::Nanoseconds)).unwrap()
    }

    #[test]
    fn difference_as_wide_as_now_shows_what_came() {
        let svg = difference(Drawn::Now);
        assert!(svg.contains("kept (80 ns, 80.00%; +30.00%)"), "{svg}");
        assert!(svg.contains("came (20 ns") && !svg.contains("vanished"));
    }

    #[test]
    fn difference_as_wide_as_before_shows_what_vanished() {
        let svg = difference(Drawn::Before);
        assert!(svg.contains("kept (50 ns, 50.00%; +30.00%)"), "{svg}");
        assert!(
            svg.contains("vanished (50 ns, 50.00%; -50.00%)") && !svg.contains("came"),
            "{svg}"
        );
    }

    #[test]
    fn no_stacks_is_an_error_of_its_own() {
        let error = render_flamegraph(&FoldedStacks::new(), &options(Unit::Bytes)).unwrap_err();
        assert!(matches!(error, FlamegraphError::Empty { .. }));
        assert!(error.to_string().contains("Training"));
    }

    #[test]
    fn weights_beyond_all_measure_are_drawn() {
        let heavy = FoldedStacks::parse(&format!("a;b {0}\na;c {0}\n", u64::MAX));
        for (before, now) in [(&heavy, &stacks()), (&stacks(), &heavy), (&heavy, &heavy)] {
            for drawn in [Drawn::Now, Drawn::Before] {
                let svg = render_difference(before, now, drawn, &options(Unit::Bytes)).unwrap();
                assert!(svg.contains("</svg>"));
            }
        }
    }
}
