//! Numbers of the JSON files as people read them, by the unit that stands beside them.

use super::super::units::{bytes, count, digits, duration, percent};
use super::found::{Change, Figure};

/// A number with its unit.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "ns" | "nanoseconds" => duration(value),
        "bytes" => bytes(value as i128),
        "count" => count(value as i128),
        "ratio" => format!("{} times", digits(value)),
        "share" => percent(value),
        _ if value.fract().abs() > 0.0 => format!("{} {unit}", digits(value)),
        _ => format!("{} {unit}", count(value as i128)),
    }
}

/// How sure a figure is.
pub(super) fn certainty(figure: &Figure) -> String {
    if let Some(reason) = &figure.unreliable {
        return format!("unreliable: {reason}");
    }
    match (figure.exact, figure.interval_95, figure.tolerance) {
        (true, ..) => "exact".to_owned(),
        (_, Some(interval), _) => interval_95(interval, &figure.unit),
        (.., Some(tolerance)) => format!("± {} from run to run", percent(tolerance)),
        (false, None, None) => "not known".to_owned(),
    }
}

/// A 95 % confidence interval. A line may end in it, but not before a percent sign.
pub(super) fn interval_95([low, high]: [f64; 2], unit: &str) -> String {
    format!("{} to {} (95\u{a0}%)", quantity(low, unit), quantity(high, unit))
}

/// A number with its unit, if there is one.
pub(super) fn quantity_or_none(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "–".to_owned(), |value| quantity(value, unit))
}

/// A change as a signed share of what was before, with its interval if that is known; of none there is nothing to say.
pub(super) fn relative_change(change: &Change) -> String {
    if change.verdict.as_deref() == Some("same") {
        return String::new();
    }
    let share = (change.now - change.before) / change.before.abs();
    if !share.is_finite() {
        return "–".to_owned();
    }
    let percent = |share: f64| format!("{:+.1}\u{a0}%", share * 100.0);
    match change.interval_95 {
        Some([low, high]) => format!(
            "{} ({} to {})",
            percent(share),
            percent(low - 1.0),
            percent(high - 1.0)
        ),
        None => percent(share),
    }
}
