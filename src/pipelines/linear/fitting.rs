//! What learning one field takes, whether it has one label or many: folds, held-out scores, the final classifiers.

use crate::document::Field;
use crate::error::Result;
use crate::folds::stratified;
use crate::learners::Targets;
use crate::learners::linear::{
    self, Dual, Folds, Linear, LinearExamples, LinearParams, Pass, Reducer, Rooms,
};
use crate::learners::mlp::Seed;
use crate::sparse::FactoredMatrix;
use crate::status::StatusCallback;
use crate::train_report::LinearReport;

use super::LinearPipeline;
use super::state::Newcomer;

/// One field, about to be learned.
pub(super) struct Fitting<'a> {
    pub(super) field: Field,
    pub(super) params: &'a LinearPipeline,
    pub(super) seed: u64,
    pub(super) status: StatusCallback<'a>,
    pub(super) rooms: &'a Rooms,
}

/// A field, learned.
pub(super) struct Fitted<T> {
    pub(super) field: T,
    /// Where the next training can start.
    pub(super) dual: Dual,
    pub(super) newcomer: Newcomer,
    pub(super) report: LinearReport,
}

/// The classifiers of a field, before anything is known of their confidence.
pub(super) struct LearnedScores {
    learner: Linear,
    dual: Dual,
    report: linear::LinearFitReport,
}

impl LearnedScores {
    pub(super) fn into_fitted<T>(
        self,
        n_held_out: usize,
        newcomer: Newcomer,
        field: impl FnOnce(Linear) -> T,
    ) -> Fitted<T> {
        Fitted {
            field: field(self.learner),
            dual: self.dual,
            newcomer,
            report: LinearReport {
                fit: self.report,
                n_held_out,
            },
        }
    }
}

impl Fitting<'_> {
    /// Learns from all rows, and gives `held_out` every row's scores by classifiers that hadn't seen it.
    ///
    /// A single row can't be held out: there would be nothing to learn from.
    pub(super) fn learn<K: Ord>(
        &self,
        matrix: &FactoredMatrix,
        targets: &Targets,
        params: &LinearParams,
        keys: &[K],
        held_out: &mut dyn Reducer,
    ) -> Result<LearnedScores> {
        let learned = self.learn_from(matrix, targets, params, None)?;
        if matrix.n_rows() > 1 {
            let n_folds = self.params.n_folds.min(matrix.n_rows());
            let fold_of_row = stratified(keys, n_folds, self.seed);
            let folds = Folds {
                matrix,
                targets,
                fold_of_row: &fold_of_row,
                start: Some(&learned.dual),
            };
            let on_pass = |pass| self.told(pass);
            linear::out_of_fold_in(self.rooms, folds, params, self.seed(), held_out, &on_pass)?;
        }
        Ok(learned)
    }

    /// Learns from all rows, beginning at `start`.
    pub(super) fn learn_from(
        &self,
        matrix: &FactoredMatrix,
        targets: &Targets,
        params: &LinearParams,
        start: Option<&Dual>,
    ) -> Result<LearnedScores> {
        let examples = LinearExamples {
            matrix,
            targets,
            rows: None,
            start,
        };
        let fitted = linear::fit_in(self.rooms, examples, params, self.seed(), &|pass| self.told(pass))?;
        Ok(LearnedScores {
            learner: fitted.model,
            dual: fitted.dual,
            report: fitted.report,
        })
    }

    fn seed(&self) -> Seed {
        Seed {
            seed: self.seed,
            stream: self.field.index() as u64,
        }
    }

    fn told(&self, pass: Pass) -> std::ops::ControlFlow<()> {
        (self.status)(&crate::status::Status::Pass {
            field: self.field,
            number: pass.number,
            n_labels_left: pass.n_outputs_left,
        })
    }
}
