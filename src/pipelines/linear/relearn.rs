//! Learning a field again, from where the last training left it.
//!
//! The classifiers start from the dual variables of the documents that are still there and still on the same side, and
//! go through all documents until they are as good as those of a full training. Confidences are taken over.

use super::centroids::centroids;
use super::fitting::{Fitted, Fitting, LearnedScores};
use super::incremental::LastField;
use super::learn_one_label::Filed;
use super::learn_tags::Tagged;
use super::one_label::OneLabel;
use super::state::invalid;
use super::tags::Tags;
use super::{LinearField, fitting};
use crate::document::{Field, LabelId, Labels};
use crate::error::Result;
use crate::learners::Targets;
use crate::learners::linear::{Dual, LinearParams};
use crate::sparse::FactoredMatrix;

/// A field about to be learned again.
pub(super) struct Again<'a> {
    pub(super) fitting: &'a Fitting<'a>,
    pub(super) matrix: &'a FactoredMatrix,
    /// How each row of the matrix is filed.
    pub(super) labels: &'a [Labels],
    pub(super) last: LastField<'a>,
}

impl Again<'_> {
    /// Learns a field with one label a document again.
    pub(super) fn one_label(&self, filed: Filed) -> Result<Fitted<OneLabel>> {
        let LinearField::OneLabel(before) = self.last.learned else {
            return invalid("several labels for a field that has one".into());
        };
        let none_before = (before.learner.n_outputs() > before.labels.len()).then_some(None);
        let none_now = filed.knows_none().then_some(None);
        let learned = self.learn(
            &filed.targets(),
            &self.fitting.params.one_label,
            &outputs(&before.labels, none_before),
            &outputs(&filed.labels, none_now),
        )?;
        let (centroids, _) = centroids(self.matrix, &filed.group_of_row, filed.n_labels() + 1);
        let kept =
            |values: &[f32], new: &dyn Fn(LabelId) -> f32| kept(&filed.labels, &before.labels, values, new);
        let newcomer = self.last.state.newcomer;
        let (thresholds, floors) = (
            kept(&before.thresholds, &|label| self.threshold(label)),
            kept(&before.floors, &|_| newcomer.floor),
        );
        Ok(learned.into_fitted(0, newcomer, |learner| OneLabel {
            n_positives: filed.n_positives(),
            labels: filed.labels,
            learner,
            centroids,
            calibration: before.calibration.clone(),
            thresholds,
            floors,
        }))
    }

    /// Learns the tags again.
    pub(super) fn tags(&self, tagged: Tagged) -> Result<Fitted<Tags>> {
        let LinearField::Tags(before) = self.last.learned else {
            return invalid("one label where there can be several".into());
        };
        let learned = self.learn(
            &tagged.targets(),
            &self.fitting.params.tags,
            &outputs(&before.labels, None),
            &outputs(&tagged.labels, None),
        )?;
        let thresholds = kept(&tagged.labels, &before.labels, &before.thresholds, &|tag| {
            self.threshold(tag)
        });
        Ok(learned.into_fitted(0, self.last.state.newcomer, |learner| Tags {
            n_positives: tagged.n_positives(),
            labels: tagged.labels,
            learner,
            calibration: before.calibration.clone(),
            thresholds,
        }))
    }

    /// Of a label that is new.
    fn threshold(&self, label: LabelId) -> f32 {
        let fitting::Fitting { field, params, .. } = self.fitting;
        let given = params.threshold_of(*field, label);
        given.unwrap_or(self.last.state.newcomer.threshold)
    }

    fn learn(
        &self,
        targets: &Targets,
        params: &LinearParams,
        outputs_before: &[Output],
        outputs_now: &[Output],
    ) -> Result<LearnedScores> {
        let start = self.start(outputs_before, outputs_now)?;
        self.fitting
            .learn_from(self.matrix, targets, params, Some(&start))
    }

    /// The dual variables of the documents that are still there, for the labels that still are; of documents that now
    /// are on the other side of a label, none.
    fn start(&self, outputs_before: &[Output], outputs_now: &[Output]) -> Result<Dual> {
        let (last, field) = (&self.last, self.fitting.field);
        Dual::new(outputs_now.iter().map(|&output| {
            let before = outputs_before.iter().position(|&before| before == output);
            let entries = before.map(|before| last.state.dual.of_output(before));
            entries.into_iter().flatten().filter_map(move |(row, alpha)| {
                let now = last.row_now[row as usize]?;
                let was_on = is_on(output, field, &last.labels[row as usize]);
                let is_on = is_on(output, field, &self.labels[now as usize]);
                (was_on == is_on).then_some((now, alpha))
            })
        }))
    }
}

/// What an output of a learner stands for: a label, or that there is none.
type Output = Option<LabelId>;

fn outputs(labels: &[LabelId], none: Option<Output>) -> Vec<Output> {
    labels.iter().copied().map(Some).chain(none).collect()
}

fn is_on(output: Output, field: Field, labels: &Labels) -> bool {
    match output {
        Some(label) => labels.of(field).binary_search(&label).is_ok(),
        None => labels.of(field).is_empty(),
    }
}

/// For each label the value that it had, or a new one.
fn kept(
    labels: &[LabelId],
    labels_before: &[LabelId],
    values: &[f32],
    new: &dyn Fn(LabelId) -> f32,
) -> Vec<f32> {
    let value = |label: &LabelId| match labels_before.binary_search(label) {
        Ok(at) => values[at],
        Err(_) => new(*label),
    };
    labels.iter().map(value).collect()
}
