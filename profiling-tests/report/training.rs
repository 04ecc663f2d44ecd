//! What a training did, as sections: stages, fields, epochs and losses.

use postroom::document::Field;
use postroom::train_report::{FieldReport, LearnerReport, StageKind, TrainReport};
use serde::Serialize;

use super::Report;
use super::table::Table;
use super::units::{count, duration};

/// A training, for programs. Times in nanoseconds.
#[derive(Serialize)]
struct Training {
    n_documents: usize,
    n_terms: usize,
    n_stored: usize,
    stages: Vec<(String, u64)>,
    fields: Vec<FieldTraining>,
}

#[derive(Serialize)]
struct FieldTraining {
    field: &'static str,
    n_labels: usize,
    loss_curve: Vec<f64>,
}

/// Adds the vocabulary and the classifiers that there are now.
pub(crate) fn add_model(report: &mut Report, training: &TrainReport) {
    let missing: Vec<_> = Field::ALL
        .iter()
        .filter(|&&field| of_field(training, field).is_none())
        .collect();
    let exist: Vec<&str> = training.fields.iter().map(|field| field.field.name()).collect();
    let mut classifiers = exist.join(", ");
    if !missing.is_empty() {
        classifiers += "; no document has a label to learn for the others";
    }
    let per_document = training.n_stored as f64 / training.n_documents.max(1) as f64;
    report.facts(
        "What was trained",
        vec![
            ("documents", count(training.n_documents)),
            ("vocabulary", format!("{} terms", count(training.n_terms))),
            (
                "matrix",
                format!(
                    "{} stored values, {per_document:.1} a document",
                    count(training.n_stored)
                ),
            ),
            ("classifiers", classifiers),
        ],
    );
    report.measurement("training", &Training::from(training));
}

/// Adds the stages, with epochs and final loss of each fit.
pub(crate) fn add_stages(report: &mut Report, heading: &str, training: &TrainReport) {
    let mut table = Table::names_first(&[
        "stage",
        "time",
        "labels",
        "epochs or passes",
        "first loss",
        "final loss",
    ]);
    for stage in &training.stages {
        let field = match stage.kind {
            StageKind::Fit(field) => of_field(training, field),
            StageKind::Check | StageKind::Read | StageKind::Vectorize => None,
        };
        let mut row = vec![stage.kind.to_string(), duration(stage.duration.as_nanos() as f64)];
        row.extend(field.map_or_else(Default::default, fit_cells));
        table.row(row);
    }
    report.table(heading, table);
}

fn fit_cells(field: &FieldReport) -> [String; 4] {
    let without_losses = |passes: String| [count(field.n_labels), passes, String::new(), String::new()];
    let fit = match &field.learner {
        LearnerReport::Constant => return without_losses("none".to_owned()),
        LearnerReport::Linear(report) => return without_losses(count(report.fit.max_passes)),
        LearnerReport::Mlp(fit) => fit,
    };
    let first = fit.loss_curve.first().copied().unwrap_or(f64::NAN);
    [
        count(field.n_labels),
        count(fit.n_epochs()),
        format!("{first:.4}"),
        format!("{:.4}", fit.final_loss()),
    ]
}

fn of_field(training: &TrainReport, field: Field) -> Option<&FieldReport> {
    training.fields.iter().find(|report| report.field == field)
}

impl From<&TrainReport> for Training {
    fn from(training: &TrainReport) -> Self {
        let stages = training.stages.iter();
        let fields = training.fields.iter().map(|field| FieldTraining {
            field: field.field.name(),
            n_labels: field.n_labels,
            loss_curve: field
                .network()
                .map(|fit| fit.loss_curve.clone())
                .unwrap_or_default(),
        });
        Self {
            n_documents: training.n_documents,
            n_terms: training.n_terms,
            n_stored: training.n_stored,
            stages: stages
                .map(|stage| (stage.kind.to_string(), stage.duration.as_nanos() as u64))
                .collect(),
            fields: fields.collect(),
        }
    }
}
