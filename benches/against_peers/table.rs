//! Figures as lines of a Markdown table.

use crate::ours::Figures;
use crate::rows::{Aim, Row, Unit};

/// The table's head.
pub(crate) const HEAD: &str = "\
| what | ours | peer | ratio | aim | reached |
| --- | ---: | ---: | ---: | --- | --- |";

/// One row; what wasn't measured is left out.
pub(crate) fn line(row: &Row, ours: &Figures, peer: Option<&Figures>) -> String {
    let own = ours.get(row.ours).copied();
    let other = row
        .peer
        .and_then(|name| peer.and_then(|peer| peer.get(name)))
        .copied();
    let show = |figure: Option<f64>| figure.map_or_else(|| "–".to_owned(), |figure| row.unit.show(figure));
    let ratio = own.zip(other).map(|(own, other)| row.unit.ratio(own, other));
    let aims: Vec<String> = row.aims.iter().map(|aim| aim.show(row.unit)).collect();
    let reached: Vec<String> = row
        .aims
        .iter()
        .map(|aim| aim.judge(row.unit, own, ratio))
        .collect();
    format!(
        "| {} | {} | {} | {} | {} | {} |",
        row.what,
        show(own),
        show(other),
        ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{} ×", three_digits(ratio))),
        aims.join(", "),
        reached.join(", "),
    )
}

impl Unit {
    /// The figure in the unit that it is shown in.
    fn scaled(self, figure: f64) -> f64 {
        match self {
            Self::Milliseconds => 1e3 * figure,
            Self::Microseconds => 1e6 * figure,
            Self::Megabytes => 1e-6 * figure,
            Self::Seconds | Self::MiB | Self::PerSecond => figure,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Seconds => "s",
            Self::MiB => "MiB",
            Self::Megabytes => "MB",
            Self::PerSecond => "a second",
        }
    }

    fn show(self, figure: f64) -> String {
        format!("{} {}", three_digits(self.scaled(figure)), self.name())
    }

    /// How many times better ours is.
    fn ratio(self, ours: f64, peer: f64) -> f64 {
        if self == Self::PerSecond {
            ours / peer
        } else {
            peer / ours
        }
    }
}

impl Aim {
    fn show(self, unit: Unit) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most} {}", unit.name()),
            Self::AtLeast(least) => format!("≥ {least} {}", unit.name()),
            Self::Times(times) => format!("≥ {times} ×"),
        }
    }

    /// Whether it is reached, or how many times better ours would have to be.
    fn judge(self, unit: Unit, ours: Option<f64>, ratio: Option<f64>) -> String {
        let short_by = match self {
            Self::AtMost(most) => ours.map(|ours| unit.scaled(ours) / most),
            Self::AtLeast(least) => ours.map(|ours| least / unit.scaled(ours)),
            Self::Times(times) => ratio.map(|ratio| times / ratio),
        };
        match short_by {
            None => "–".to_owned(),
            Some(short_by) if short_by <= 1.0 => "yes".to_owned(),
            Some(short_by) => format!("{} × off", three_digits(short_by)),
        }
    }
}

/// Three significant digits, or all before the point.
fn three_digits(figure: f64) -> String {
    let before = if figure == 0.0 {
        0
    } else {
        figure.abs().log10().floor() as i32
    };
    let after = (2 - before).max(0) as usize;
    format!("{figure:.after$}")
}
