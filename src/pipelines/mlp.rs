//! What paperless-ngx trains: counts of words and pairs of words, a network a field.
//!
//! The most probable class is the answer, "none" being a class like the others; a tag is assigned above one half.

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Attribution, Examples, Learned, PipelineModel};
use crate::document::{Field, LabelId, LabelIds, Labels};
use crate::error::{Error, Result};
use crate::features::{CountVectorizer, CountVectorizerParams, Vocabulary};
use crate::learners::Targets;
use crate::learners::mlp::{
    self, FitReport, LogitAttribution, Mlp, MlpParams, PreparedMlps, Seed, WeightPrecision,
};
use crate::sparse::{CsrMatrix, SparseVector};
use crate::status::{Status, StatusCallback, tell};
use crate::suggestions::{FieldSuggestion, Suggestions};
use crate::targets::{ClassEncoder, FieldTargets};
use crate::text::Language;
use crate::train_report::{FieldReport, FullReason, LearnerReport, Stage, StageKind, TrainingKind};

/// Parameters of the pipeline. The defaults are the reference's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MlpPipeline {
    /// How documents become term counts.
    pub vectorizer: CountVectorizerParams,
    /// How the networks are trained.
    pub mlp: MlpParams,
    /// What their weights are rounded to when the training ends.
    pub weight_precision: WeightPrecision,
}

/// What the pipeline learned.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpModel {
    /// The terms that documents are counted in.
    pub vocabulary: Vocabulary,
    /// One classifier a field, in the order of [`Field::ALL`]; none where no document had an auto label.
    pub classifiers: [Option<FieldClassifier>; 4],
}

/// What decides one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldClassifier {
    /// The classes, in the order of the learner's outputs.
    pub classes: ClassEncoder,
    /// What chooses among them.
    pub learner: Learner,
}

/// What chooses among the classes of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Learner {
    /// There is one class only.
    Constant,
    /// A network.
    Mlp(Box<Mlp>),
}

impl MlpModel {
    /// The classifier of `field`, if it has one.
    pub fn classifier(&self, field: Field) -> Option<&FieldClassifier> {
        self.classifiers[field.index()].as_ref()
    }

    /// Whether all that `field` consists of are finite numbers.
    pub(super) fn is_finite(&self, field: Field) -> bool {
        match self.classifier(field).map(|classifier| &classifier.learner) {
            Some(Learner::Mlp(mlp)) => mlp.is_finite(),
            Some(Learner::Constant) | None => true,
        }
    }

    pub(super) fn labels(&self, field: Field) -> Vec<LabelId> {
        let classes = self.classifier(field).map(|classifier| &classifier.classes);
        classes.map_or_else(Vec::new, |classes| classes.labels().collect())
    }
}

impl MlpPipeline {
    /// Refuses parameters that no training takes.
    pub(super) fn check(&self) -> Result<()> {
        self.vectorizer.check()?;
        self.mlp.check()
    }

    pub(super) fn train(&self, examples: Examples<'_>) -> Result<Learned> {
        let Examples {
            contents,
            labels,
            language,
            seed,
            last,
            status,
            ..
        } = examples;
        self.check()?;
        let mut fitter = CountVectorizer::fitter(self.vectorizer, language)?;
        let times = contents.read(|chunk| fitter.push_chunk(chunk))?;
        tell(status, Status::Vectorizing)?;
        let began = Instant::now();
        let (vectorizer, matrix) = StageKind::Vectorize.span().in_scope(|| fitter.finish())?;
        let mut stages = times.stages(began.elapsed());
        let mut classifiers = [const { None }; 4];
        let mut fields = Vec::new();
        for mut fit in self.fit_fields(&matrix, labels, seed, status)? {
            fit.round_to(self.weight_precision)?;
            stages.push(fit.stage);
            classifiers[fit.report.field.index()] = Some(fit.classifier);
            fields.push(fit.report);
        }
        let vocabulary = vectorizer.into_vocabulary();
        Ok(Learned {
            kind: TrainingKind::Full {
                reason: last.err().unwrap_or(FullReason::Pipeline),
            },
            state: None,
            model: PipelineModel::Mlp(MlpModel {
                vocabulary,
                classifiers,
            }),
            fields,
            stages,
            n_stored: matrix.nnz(),
        })
    }

    /// The fields side by side, tags first: they take longest.
    fn fit_fields(
        &self,
        matrix: &CsrMatrix,
        labels: &[Labels],
        seed: u64,
        status: StatusCallback<'_>,
    ) -> Result<Vec<FieldFit>> {
        let fit = |field: Field| {
            let _fitting = StageKind::Fit(field).span().entered();
            let stream = field.index() as u64;
            let fitting = Fitting {
                field,
                params: &self.mlp,
                seed: Seed { seed, stream },
                status,
            };
            fitting.fit(matrix, labels)
        };
        let fits: Result<Vec<Option<FieldFit>>> = Field::ALL.into_par_iter().map(fit).collect();
        Ok(fits?.into_iter().flatten().collect())
    }
}

/// One field, learned.
struct FieldFit {
    classifier: FieldClassifier,
    report: FieldReport,
    stage: Stage,
}

impl FieldFit {
    /// Now, and not when the model is saved: it answers the same before and after.
    fn round_to(&mut self, precision: WeightPrecision) -> Result<()> {
        let field = self.report.field;
        match &mut self.classifier.learner {
            Learner::Constant => Ok(()),
            Learner::Mlp(mlp) => mlp
                .round_to(precision)
                .map_err(|weight| Error::BeyondHalfPrecision { field, weight }),
        }
    }
}

/// One field, about to be learned.
struct Fitting<'a> {
    field: Field,
    params: &'a MlpParams,
    seed: Seed,
    status: StatusCallback<'a>,
}

impl Fitting<'_> {
    /// Nothing if no document has a label of the field.
    fn fit(&self, matrix: &CsrMatrix, labels: &[Labels]) -> Result<Option<FieldFit>> {
        let field = self.field;
        let began = Instant::now();
        let Some((classes, targets)) = ClassEncoder::fit(field, labels) else {
            return Ok(None);
        };
        let n_labels = classes.n_labels();
        let (learner, report) = match targets {
            FieldTargets::Constant => (Learner::Constant, LearnerReport::Constant),
            FieldTargets::Learnable(targets) => {
                tell(self.status, Status::Training { field, n_labels })?;
                let (network, report) = self.fit_network(matrix, &targets)?;
                (Learner::Mlp(Box::new(network)), LearnerReport::Mlp(report))
            }
        };
        Ok(Some(FieldFit {
            classifier: FieldClassifier { classes, learner },
            report: FieldReport {
                field,
                n_labels,
                learner: report,
            },
            stage: Stage {
                kind: StageKind::Fit(field),
                duration: began.elapsed(),
            },
        }))
    }

    fn fit_network(&self, matrix: &CsrMatrix, targets: &Targets) -> Result<(Mlp, FitReport)> {
        mlp::fit(matrix, targets, self.params, self.seed, &mut |epoch| {
            (self.status)(&Status::Epoch {
                field: self.field,
                number: epoch.number,
                loss: epoch.loss,
            })
        })
    }
}

/// The pipeline, ready to answer.
#[derive(Debug)]
pub(crate) struct PreparedMlpPipeline {
    vectorizer: CountVectorizer,
    fields: [Option<PreparedField>; 4],
    networks: PreparedMlps,
}

#[derive(Debug)]
struct PreparedField {
    classes: ClassEncoder,
    /// Which of the networks; none where there is one class only.
    network: Option<usize>,
}

impl PreparedMlpPipeline {
    pub(super) fn new(model: &MlpModel, params: &MlpPipeline, language: Option<Language>) -> Result<Self> {
        let vocabulary = model.vocabulary.clone();
        let mut networks = Vec::new();
        let fields = Field::ALL.map(|field| {
            let FieldClassifier { classes, learner } = model.classifier(field)?;
            let network = match learner {
                Learner::Constant => None,
                Learner::Mlp(mlp) => {
                    networks.push(&**mlp);
                    Some(networks.len() - 1)
                }
            };
            Some(PreparedField {
                classes: classes.clone(),
                network,
            })
        });
        Ok(Self {
            vectorizer: CountVectorizer::from_vocabulary(params.vectorizer, language, vocabulary)?,
            fields,
            networks: PreparedMlps::new(&networks),
        })
    }

    pub(super) fn vectorizer(&self) -> &CountVectorizer {
        &self.vectorizer
    }

    pub(super) fn suggest(&self, vector: &SparseVector) -> Suggestions {
        let fields = self.fields.iter().flatten();
        with_places(
            fields.map(|field| field.classes.n_outputs()).sum(),
            |probabilities| {
                self.networks.all_probabilities(vector.as_row(), probabilities);
                let mut rest = &*probabilities;
                Suggestions::new(Field::ALL.map(|field| match &self.fields[field.index()] {
                    None => FieldSuggestion::default(),
                    Some(PreparedField { classes, .. }) => {
                        let (probabilities, others) = rest.split_at(classes.n_outputs());
                        rest = others;
                        classes.suggest(probabilities)
                    }
                }))
            },
        )
    }

    pub(super) fn labels(&self, field: Field, vector: &SparseVector) -> LabelIds {
        match &self.fields[field.index()] {
            None => LabelIds::new(),
            Some(field) => self.with_probabilities(field, vector, |found| field.classes.decode(found)),
        }
    }

    /// What `use_them` makes of the probabilities of a field's outputs.
    fn with_probabilities<R>(
        &self,
        field: &PreparedField,
        vector: &SparseVector,
        use_them: impl FnOnce(&[f32]) -> R,
    ) -> R {
        with_places(field.classes.n_outputs(), |probabilities| {
            if let Some(network) = field.network {
                self.networks
                    .probabilities(network, vector.as_row(), probabilities);
            }
            use_them(probabilities)
        })
    }

    /// What made the logit of `label`; none if that is no class.
    ///
    /// Of several classes only the differences between the logits count, so the score is the logit's distance from
    /// the mean logit: a term that speaks for all classes alike speaks for none. Of two, the single output is the
    /// second's logit, and its negative the first's.
    pub(super) fn attribution(
        &self,
        field: Field,
        label: LabelId,
        vector: &SparseVector,
    ) -> Option<Attribution> {
        let field = self.fields[field.index()].as_ref()?;
        let position = field.classes.position(label)?;
        let Some(network) = field.network else {
            return Some(Attribution::certain());
        };
        let probabilities = self.with_probabilities(field, vector, <[f32]>::to_vec);
        let (confidence, logits) = match (&field.classes, &probabilities[..]) {
            (ClassEncoder::OneOf(_), &[second]) if position == 0 => (1.0 - second, vec![(0, -1.0)]),
            (ClassEncoder::OneOf(_), &[second]) => (second, vec![(0, 1.0)]),
            (ClassEncoder::OneOf(_), _) => (
                probabilities[position],
                above_the_mean(position, probabilities.len()),
            ),
            (ClassEncoder::AnyOf(_), _) => (probabilities[position], vec![(position, 1.0)]),
        };
        let LogitAttribution {
            score,
            bias,
            contributions,
        } = self.networks.attribution(network, vector.as_row(), &logits);
        Some(Attribution {
            is_suggested: field.classes.decode(&probabilities).contains(&label),
            confidence,
            threshold: None,
            score,
            bias,
            contributions,
            evidence: Vec::new(),
        })
    }
}

/// Outputs of all fields that an answer has room for without an allocation: more than most archives have labels.
const USUAL_OUTPUTS: usize = 256;

/// What `fill` makes of so many places.
fn with_places<R>(n_places: usize, fill: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut usual = [0.0; USUAL_OUTPUTS];
    match usual.get_mut(..n_places) {
        Some(places) => fill(places),
        None => fill(&mut vec![0.0; n_places]),
    }
}

/// The logit at `position` less the mean of all, as outputs and factors.
fn above_the_mean(position: usize, n_outputs: usize) -> Vec<(usize, f64)> {
    let share = 1.0 / n_outputs as f64;
    let factor = |output| if output == position { 1.0 - share } else { -share };
    (0..n_outputs).map(|output| (output, factor(output))).collect()
}
