//! An evaluation for people: at most 80 columns.

use std::fmt;

use super::{Evaluation, FieldEvaluation, LabelEvaluation};

/// Labels that are shown of a field: its most frequent.
const MOST_LABELS: usize = 15;
const MOST_CONFUSIONS: usize = 5;
const MOST_SUSPECTS: usize = 5;
/// Columns of a name.
const NAME: usize = 32;

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} documents, each filed by a model trained on the other {} of {} parts ({})",
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
    writeln!(f, "  {:<NAME$}  documents  precision  recall     F1", "label")?;
    let mut labels: Vec<&LabelEvaluation> = field.labels.iter().collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.support));
    for label in labels.iter().take(MOST_LABELS) {
        writeln!(
            f,
            "  {:<NAME$}  {:>9}  {:>9}  {:>6}  {:>5.3}",
            shortened(&label.name),
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
        let n_documents = confusion.n_documents;
        let (actual, assigned) = (
            named(confusion.actual.as_ref()),
            named(confusion.assigned.as_ref()),
        );
        writeln!(f, "  {n_documents} × {actual} taken for {assigned}")?;
    }
    for suspect in field.suspects.iter().take(MOST_SUSPECTS) {
        let (actual, expected) = (named(suspect.actual.as_ref()), named(suspect.expected.as_ref()));
        writeln!(
            f,
            "  document {}: has {actual}, looks like {expected} ({})",
            suspect.document.0,
            percent(f64::from(suspect.confidence))
        )?;
    }
    Ok(())
}

fn named(name: Option<&String>) -> String {
    name.map_or_else(|| "no label".to_owned(), |name| shortened(name))
}

/// At most [`NAME`] characters of it.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        None => name.to_owned(),
        Some(_) => name.chars().take(NAME - 1).chain(['…']).collect(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
