//! An evaluation for people: at most 80 columns.

use std::fmt;

use super::{Evaluation, FieldEvaluation, LabelEvaluation, Suspect};
use crate::cells::{padded, shortened};

/// Labels that are shown of a field: its most frequent.
const MOST_LABELS: usize = 15;
const MOST_CONFUSIONS: usize = 5;
const MOST_SUSPECTS: usize = 5;
/// Columns of a name that stands alone on its line, and of one of two.
const NAME: usize = 32;
const ONE_OF_TWO: usize = 26;
/// What documents without a label are said to have.
const NO_LABEL: &str = "no label";

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} documents, each filed by a model of the other {} of {} parts ({})",
            self.n_documents,
            self.n_folds - 1,
            self.n_folds,
            self.pipeline
        )?;
        writeln!(
            f,
            "\nfield            accuracy  macro-F1  micro-F1  coverage  precision  calib. error"
        )?;
        for field in &self.fields {
            writeln!(
                f,
                "{:<15}  {:>8}  {:>8.3}  {:>8.3}  {:>8}  {:>9}  {:>12.3}",
                field.field,
                percent(field.accuracy),
                field.macro_f1,
                field.micro_f1,
                percent(field.coverage),
                percent(field.precision),
                field.calibration_error
            )?;
        }
        self.fields.iter().try_for_each(|field| details(field, f))
    }
}

fn details(field: &FieldEvaluation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "\n{}", field.field)?;
    writeln!(f, "  {:<NAME$}  documents  precision   recall     F1", "label")?;
    let mut labels: Vec<&LabelEvaluation> = field.labels.iter().collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.support));
    for label in labels.iter().take(MOST_LABELS) {
        writeln!(
            f,
            "  {}  {:>9}  {:>9}  {:>7}  {:>5.3}",
            padded(&label.name, NAME),
            label.support,
            percent(label.precision()),
            percent(label.recall()),
            label.f1()
        )?;
    }
    if let Some(n_more) = labels.len().checked_sub(MOST_LABELS + 1) {
        writeln!(f, "  … and {} less frequent ones", n_more + 1)?;
    }
    for confusion in field.confusions.iter().take(MOST_CONFUSIONS) {
        let named = |name: &Option<String>| shortened(name.as_deref().unwrap_or(NO_LABEL), ONE_OF_TWO);
        let (actual, assigned) = (named(&confusion.actual), named(&confusion.assigned));
        writeln!(f, "  {} × {actual} taken for {assigned}", confusion.n_documents)?;
    }
    suspects(&field.suspects, f)
}

fn suspects(suspects: &[Suspect], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if suspects.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "  {:<8}  {:<ONE_OF_TWO$}  {:<ONE_OF_TWO$}  confidence",
        "document", "has", "looks like"
    )?;
    for suspect in suspects.iter().take(MOST_SUSPECTS) {
        let named = |name: &Option<String>| padded(name.as_deref().unwrap_or(NO_LABEL), ONE_OF_TWO);
        writeln!(
            f,
            "  {:<8}  {}  {}  {:>10}",
            suspect.document.0,
            named(&suspect.actual),
            named(&suspect.expected),
            percent(f64::from(suspect.confidence))
        )?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::document::{DocumentId, Field, LabelId};
    use crate::evaluation::Confusion;

    /// An evaluation whose one field has a label of each of these names.
    fn evaluation(names: &[&str]) -> Evaluation {
        let label = |name: &&str| LabelEvaluation {
            label: LabelId(1),
            name: (*name).to_owned(),
            support: 12,
            n_assigned: 12,
            n_right: 12,
        };
        let named = |name: &&str| Some((*name).to_owned());
        let confusion = |name| Confusion {
            actual: named(name),
            assigned: None,
            n_documents: 12_345,
        };
        let suspect = |name| Suspect {
            document: DocumentId(12_345_678),
            actual: named(name),
            expected: named(name),
            confidence: 1.0,
        };
        Evaluation {
            pipeline: "linear",
            n_documents: 1_000_000,
            n_folds: 256,
            fields: vec![FieldEvaluation {
                field: Field::Correspondent,
                n_labelled: 12,
                accuracy: 1.0,
                macro_f1: 1.0,
                micro_f1: 1.0,
                coverage: 1.0,
                precision: 1.0,
                calibration_error: 0.0,
                labels: names.iter().map(label).collect(),
                confusions: names.iter().map(confusion).collect(),
                suspects: names.iter().map(suspect).collect(),
            }],
        }
    }

    const NAMES: [&str; 4] = [
        "City Library",
        "東京電力株式会社東京電力株式会社東京電力株式会社東京電力株式会社",
        "u\u{308}berfa\u{308}llig",
        "👩‍👩‍👧‍👦 family",
    ];

    #[test]
    fn columns_begin_below_each_other_whatever_script_a_name_is_in() {
        let table = evaluation(&NAMES).to_string();
        let before = |line: &str, part| line.find(part).map(|at| line[..at].width());
        let of_labels: Vec<_> = table
            .lines()
            .filter_map(|line| before(line, "  100.0 %  100.0 %"))
            .collect();
        assert_eq!(of_labels, [47; 4], "{table}");
        let of_suspects: Vec<_> = table
            .lines()
            .filter(|line| line.contains("12345678"))
            .map(UnicodeWidthStr::width)
            .collect();
        assert_eq!(of_suspects, [78; 4], "{table}");
    }

    #[test]
    fn no_line_is_wider_than_80_columns() {
        for line in evaluation(&NAMES).to_string().lines() {
            assert!(line.width() <= 80, "{}: {line}", line.width());
        }
    }

    #[test]
    fn line_break_in_a_name_breaks_no_line() {
        let lines = |name| evaluation(&[name]).to_string().lines().count();
        assert_eq!(lines("City\nLibrary"), lines("City Library"));
    }
}
