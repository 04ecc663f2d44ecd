//! When a training goes on from the last one, and when it begins from nothing.
//!
//! In come what the last training left and how the documents are filed now; out goes where to begin, or the reason why
//! not there.

use serde::{Deserialize, Serialize};

use super::changes::Changes;
use super::learn_one_label::Filed;
use super::state::State;
use super::{LinearField, LinearModel};
use crate::document::{Field, Labels};
use crate::error::{Error, Result};
use crate::model::TrainingState;
use crate::pipelines::{DocumentVersion, LastTraining, PipelineModel};
use crate::train_report::FullReason;

/// When a training goes on from the last one.
///
/// Such a training reads the contents of changed documents only, and has the classifiers go through *all* documents
/// from where they were, never through the new ones alone. Terms and their weights are exactly those of a full
/// training. How far scores can be trusted (calibration, thresholds, floors) is taken over from the last full training;
/// a label that is new gets what the labels of its field have in common.
///
/// It begins from nothing where
/// - there is no last model, it was trained with other parameters, or it kept no state;
/// - more than [`most_changed`](Self::most_changed) of the documents are new, gone, changed or filed otherwise since the
///   last full training (one that changes twice counts twice);
/// - in some field, more than that share of the labelled documents got, lost or changed a label since then, be it one
///   that is new;
/// - a field has its first label, or one with one label a document has its second, or what is learned there about
///   documents without a label changes in kind: whether there are any, and whether they are 2 % and 5 % of all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Incremental {
    /// Whether the model keeps what the next training can go on from (true). Of 5,000 documents of 40 words
    /// each that takes 0.3 MB beside 1.9 MB for the classifiers; longer ones take 1.5 to 2.5 bytes for each different
    /// word more.
    pub keep_state: bool,
    /// The share of the documents above which changes call for a full training (0.1).
    pub most_changed: f64,
}

impl Default for Incremental {
    fn default() -> Self {
        Self {
            keep_state: true,
            most_changed: 0.1,
        }
    }
}

impl Incremental {
    pub(super) fn check(&self) -> Result<()> {
        if self.most_changed.is_finite() && self.most_changed >= 0.0 {
            return Ok(());
        }
        Err(Error::Parameter {
            of: "linear pipeline",
            name: "most_changed",
            found: self.most_changed.to_string(),
            expected: "a finite share, 0 or more",
        })
    }

    /// Where a training of these documents can begin.
    ///
    /// # Errors
    /// [`Error::InvalidTrainingState`] if the last model's is none that a training can have left.
    pub(super) fn continuation<'a>(
        &self,
        last: Result<LastTraining<'a>, FullReason>,
        documents: &[DocumentVersion],
        labels: &[Labels],
    ) -> Result<Result<Continuation<'a>, FullReason>> {
        let last = match last {
            Ok(last) => last,
            Err(reason) => return Ok(Err(reason)),
        };
        let (PipelineModel::Linear(model), Some(state)) = (last.learned, last.state) else {
            return Ok(Err(FullReason::NoState));
        };
        let continuation = Continuation::new(model, state, documents, labels)?;
        Ok(match self.drift(&continuation, labels) {
            Some(reason) => Err(reason),
            None => Ok(continuation),
        })
    }

    fn drift(&self, continuation: &Continuation<'_>, labels: &[Labels]) -> Option<FullReason> {
        let n_documents = labels.len();
        let n_changed = continuation.n_since_full();
        if self.is_exceeded(n_changed, n_documents) {
            return Some(FullReason::Documents {
                n_changed,
                n_documents,
            });
        }
        let of_field = |&field: &Field| self.drift_of(field, continuation, labels);
        Field::ALL.iter().find_map(of_field)
    }

    fn drift_of(
        &self,
        field: Field,
        continuation: &Continuation<'_>,
        labels: &[Labels],
    ) -> Option<FullReason> {
        let before = &continuation.state.labels;
        let n_labelled = n_labelled(field, before).max(n_labelled(field, labels));
        let n_changed = continuation.n_relabelled_since_full(field);
        if self.is_exceeded(n_changed, n_labelled) {
            return Some(FullReason::Labels {
                field,
                n_changed,
                n_labelled,
            });
        }
        let confidences_hold = match (Outlook::of(field, before), Outlook::of(field, labels)) {
            (_, None) => true,
            (before, now) => before == now,
        };
        (!confidences_hold).then_some(FullReason::Confidence { field })
    }

    fn is_exceeded(&self, n_changed: usize, n: usize) -> bool {
        n_changed as f64 > self.most_changed * n as f64
    }
}

fn n_labelled(field: Field, labels: &[Labels]) -> usize {
    labels
        .iter()
        .filter(|labels| !labels.of(field).is_empty())
        .count()
}

/// What kind of thing the confidences of a field were learned from.
#[derive(PartialEq, Eq)]
enum Outlook {
    OneLabel(super::learn_one_label::Unlabelled),
    Tags,
}

impl Outlook {
    /// None where no document has a label.
    fn of(field: Field, labels: &[Labels]) -> Option<Self> {
        if field == Field::Tags {
            return (n_labelled(field, labels) > 0).then_some(Self::Tags);
        }
        let filed = Filed::of_field(field, labels)?;
        Some(Self::OneLabel(filed.unlabelled()))
    }
}

/// What a training goes on from.
pub(super) struct Continuation<'a> {
    pub(super) model: &'a LinearModel,
    pub(super) state: State,
    pub(super) changes: Changes,
}

impl<'a> Continuation<'a> {
    fn new(
        model: &'a LinearModel,
        state: &TrainingState,
        documents: &[DocumentVersion],
        labels: &[Labels],
    ) -> Result<Self> {
        let state = State::decode(state)?;
        state.check_against(model)?;
        Ok(Self {
            changes: Changes::between((&state.documents, &state.labels), (documents, labels)),
            model,
            state,
        })
    }

    /// Documents that changed since the last full training.
    pub(super) fn n_since_full(&self) -> usize {
        self.state.n_since_full.saturating_add(self.changes.n_changed)
    }

    /// Documents whose labels of `field` did.
    pub(super) fn n_relabelled_since_full(&self, field: Field) -> usize {
        let before = self.state.fields[field.index()].as_ref();
        let before = before.map_or(0, |field| field.n_relabelled);
        before.saturating_add(self.changes.n_relabelled[field.index()])
    }

    /// What a field can go on from.
    pub(super) fn of_field(&self, field: Field) -> Option<LastField<'_>> {
        Some(LastField {
            learned: self.model.fields[field.index()].as_ref()?,
            state: self.state.fields[field.index()].as_ref()?,
            labels: &self.state.labels,
            row_now: &self.changes.row_now,
        })
    }
}

/// What a field was learned to be, and from what.
#[derive(Clone, Copy)]
pub(super) struct LastField<'a> {
    pub(super) learned: &'a LinearField,
    pub(super) state: &'a super::state::FieldState,
    /// How each document was filed.
    pub(super) labels: &'a [Labels],
    /// Where each of those documents is now, if it is still there.
    pub(super) row_now: &'a [Option<u32>],
}
