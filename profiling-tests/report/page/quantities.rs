//! Numbers of the JSON files as people read them, by the unit that stands beside them.

use serde_json::Value;

use super::super::units::{bytes, count, digits, duration, percent};
use super::found::Figure;

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

/// A 95 % confidence interval.
pub(super) fn interval_95([low, high]: [f64; 2], unit: &str) -> String {
    format!("{} to {} (95 %)", quantity(low, unit), quantity(high, unit))
}

/// A number with its unit, or a text as it is.
pub(super) fn number_or_text(value: &Value, unit: &str) -> String {
    match (value.as_f64(), value.as_str()) {
        (Some(number), _) => quantity(number, unit),
        (None, Some(text)) => text.to_owned(),
        (None, None) => "–".to_owned(),
    }
}

/// A change as a signed share of what was before.
pub(super) fn relative_change(before: &Value, after: &Value) -> Option<String> {
    let (before, after) = (before.as_f64()?, after.as_f64()?);
    let share = (after - before) / before.abs();
    share.is_finite().then(|| format!("{:+.1} %", share * 100.0))
}
