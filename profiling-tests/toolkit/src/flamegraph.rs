//! Flame graphs: folded stacks in, one self-contained SVG out.
//!
//! The same stacks and options give the same bytes: colours follow from the function names.

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
    let title = || options.title.clone();
    if stacks.is_empty() {
        return Err(FlamegraphError::Empty { title: title() });
    }
    let failed = |reason: String| FlamegraphError::Render {
        title: title(),
        reason,
    };
    let lines = stacks.to_string();
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut drawing(options), lines.lines(), &mut svg)
        .map_err(|error| failed(error.to_string()))?;
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

    #[test]
    fn no_stacks_is_an_error_of_its_own() {
        let error = render_flamegraph(&FoldedStacks::new(), &options(Unit::Bytes)).unwrap_err();
        assert!(matches!(error, FlamegraphError::Empty { .. }));
        assert!(error.to_string().contains("Training"));
    }
}
