//! A training of the pipeline: from contents and labels to classifiers, and to what the next training can go on from.

use std::time::Instant;

use rayon::prelude::*;

use super::fitting::{Fitted, Fitting};
use super::incremental::Continuation;
use super::learn_one_label::Filed;
use super::learn_tags::Tagged;
use super::relearn::Again;
use super::state::{FieldState, State};
use super::{LinearField, LinearModel, LinearPipeline};
use crate::document::{Field, Labels};
use crate::error::Result;
use crate::features::{TfidfVectorizer, TokenBags};
use crate::learners::linear::Rooms;
use crate::pipelines::reading::ReadingTimes;
use crate::pipelines::{Contents, Examples, Learned, PipelineModel};
use crate::sparse::FactoredMatrix;
use crate::status::{Status, tell};
use crate::text::Language;
use crate::train_report::{
    FieldReport, FullReason, LearnerReport, LinearReport, Stage, StageKind, TrainingKind,
};

impl LinearPipeline {
    pub(in crate::pipelines) fn train(&self, examples: Examples<'_>) -> Result<Learned> {
        self.check()?;
        let Examples {
            contents,
            documents,
            labels,
            language,
            seed,
            last,
            status,
        } = examples;
        let beginning = self.incremental.continuation(last, documents, labels)?;
        let (collected, times) = Collected::read(contents, language, &beginning)?;
        tell(status, Status::Vectorizing)?;
        let began = Instant::now();
        let vectorizing = StageKind::Vectorize.span().entered();
        let bags = collected.into_bags(&beginning)?;
        let (vectorizer, matrix) = TfidfVectorizer::fit(&bags, self.features)?;
        drop(vectorizing);
        let mut stages = times.stages(began.elapsed());
        let rooms = Rooms::new(usize::MAX, &matrix, self.one_label.scaling);
        let fit = |field: Field| {
            let _fitting = StageKind::Fit(field).span().entered();
            let fitting = Fitting {
                field,
                params: self,
                seed,
                status,
                rooms: &rooms,
            };
            fitting.field(&matrix, labels, beginning.as_ref().ok())
        };
        let fits: Result<Vec<Option<FieldFit>>> = Field::ALL.into_par_iter().map(fit).collect();
        drop(rooms);
        let (mut fields, mut states) = ([const { None }; 4], [const { None }; 4]);
        let mut reports = Vec::new();
        for fit in fits?.into_iter().flatten() {
            stages.push(fit.stage);
            let field = fit.report.field.index();
            (fields[field], states[field]) = (Some(fit.learned), Some(fit.state));
            reports.push(fit.report);
        }
        let state = State {
            documents: documents.to_vec(),
            labels: labels.to_vec(),
            bags,
            n_since_full: beginning.as_ref().map_or(0, Continuation::n_since_full),
            fields: states,
        };
        Ok(Learned {
            kind: kind(&beginning),
            state: self.incremental.keep_state.then(|| state.encode()).flatten(),
            model: PipelineModel::Linear(Box::new(LinearModel {
                features: vectorizer.into_parts(),
                fields,
            })),
            fields: reports,
            stages,
            n_stored: matrix.nnz(),
        })
    }
}

/// Where a training begins, or why from nothing.
type Beginning<'a> = Result<Continuation<'a>, FullReason>;

fn kind(beginning: &Beginning<'_>) -> TrainingKind {
    match beginning {
        Ok(continuation) => TrainingKind::Incremental {
            n_changed: continuation.changes.n_changed,
            n_since_full: continuation.n_since_full(),
        },
        Err(reason) => TrainingKind::Full { reason: *reason },
    }
}

/// The contents that had to be read.
struct Collected(crate::features::BagCollector);

impl Collected {
    fn read(
        contents: Contents<'_>,
        language: Option<Language>,
        beginning: &Beginning<'_>,
    ) -> Result<(Self, ReadingTimes)> {
        let mut collector = TokenBags::collector(language);
        let take = |chunk: &[&str]| collector.push_chunk(chunk);
        let times = match beginning {
            Ok(continuation) => contents.read_among(&continuation.changes.fresh, take)?,
            Err(_) => contents.read(take)?,
        };
        Ok((Self(collector), times))
    }

    /// The bags of all documents.
    fn into_bags(self, beginning: &Beginning<'_>) -> Result<TokenBags> {
        let fresh = self.0.finish()?;
        match beginning {
            Ok(continuation) => continuation
                .state
                .bags
                .updated(&continuation.changes.sources, &fresh),
            Err(_) => Ok(fresh),
        }
    }
}

/// One field, learned.
struct FieldFit {
    learned: LinearField,
    state: FieldState,
    report: FieldReport,
    stage: Stage,
}

impl Fitting<'_> {
    /// Nothing if no document has a label of the field.
    fn field(
        &self,
        matrix: &FactoredMatrix,
        labels: &[Labels],
        continuation: Option<&Continuation<'_>>,
    ) -> Result<Option<FieldFit>> {
        let began = Instant::now();
        let field = self.field;
        let again = continuation
            .and_then(|continuation| continuation.of_field(field))
            .map(|last| Again {
                fitting: self,
                matrix,
                labels,
                last,
            });
        let n_relabelled = continuation.map_or(0, |last| last.n_relabelled_since_full(field));
        let part = if field == Field::Tags {
            let Some(tagged) = Tagged::new(labels.iter().map(|labels| &labels.tags[..])) else {
                return Ok(None);
            };
            self.tell_of(tagged.n_labels())?;
            let fitted = match again {
                Some(again) => again.tags(tagged)?,
                None => self.tags(matrix, tagged)?,
            };
            fitted.into_part(n_relabelled, LinearField::Tags)
        } else {
            let Some(filed) = Filed::of_field(field, labels) else {
                return Ok(None);
            };
            self.tell_of(filed.n_labels())?;
            let fitted = match again {
                Some(again) => again.one_label(filed)?,
                None => self.one_label(matrix, filed)?,
            };
            fitted.into_part(n_relabelled, LinearField::OneLabel)
        };
        let (learned, state, report) = part;
        let n_labels = learned.labels().len();
        Ok(Some(FieldFit {
            learned,
            state,
            report: FieldReport {
                field,
                n_labels,
                learner: LearnerReport::Linear(report),
            },
            stage: Stage {
                kind: StageKind::Fit(field),
                duration: began.elapsed(),
            },
        }))
    }

    fn tell_of(&self, n_labels: usize) -> Result<()> {
        tell(
            self.status,
            Status::Training {
                field: self.field,
                n_labels,
            },
        )
    }
}

impl<T> Fitted<T> {
    /// What it gives to the model, to the next training and to the report.
    fn into_part(
        self,
        n_relabelled: usize,
        of_kind: impl FnOnce(T) -> LinearField,
    ) -> (LinearField, FieldState, LinearReport) {
        let state = FieldState {
            dual: self.dual,
            n_relabelled,
            newcomer: self.newcomer,
        };
        (of_kind(self.field), state, self.report)
    }
}
