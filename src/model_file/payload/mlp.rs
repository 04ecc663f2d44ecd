//! What the `Mlp` pipeline learned, as bytes.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::super::Part;
use super::packed::PackedNumbers;
use crate::document::Field;
use crate::features::{CountVectorizer, Vocabulary};
use crate::learners::mlp::{Mlp, N_HIDDEN, OutputActivation, WeightPrecision};
use crate::pipelines::mlp::{FieldClassifier, Learner, MlpModel, MlpPipeline};
use crate::targets::ClassEncoder;

/// Strings and weights are borrowed both ways.
#[derive(Serialize, Deserialize)]
pub(super) struct MlpPayload<'a> {
    #[serde(borrow)]
    terms: Vec<&'a str>,
    #[serde(borrow)]
    classifiers: [Option<ClassifierPayload<'a>>; 4],
}

#[derive(Serialize, Deserialize)]
struct ClassifierPayload<'a> {
    classes: ClassEncoder,
    #[serde(borrow)]
    learner: LearnerPayload<'a>,
}

#[derive(Serialize, Deserialize)]
enum LearnerPayload<'a> {
    Constant,
    Mlp {
        activation: OutputActivation,
        /// `n_terms × N_HIDDEN`, then `N_HIDDEN`, `n_outputs × N_HIDDEN`, `n_outputs`.
        #[serde(borrow)]
        hidden_weights: PackedNumbers<'a>,
        #[serde(borrow)]
        hidden_bias: PackedNumbers<'a>,
        #[serde(borrow)]
        output_weights: PackedNumbers<'a>,
        #[serde(borrow)]
        output_bias: PackedNumbers<'a>,
    },
}

impl<'a> MlpPayload<'a> {
    /// What the parts take in the file.
    pub(super) fn parts(&self) -> Vec<Part> {
        let classifiers = Field::ALL.into_iter().zip(&self.classifiers);
        let fields = classifiers.map(|(field, classifier)| Part::of(field.name(), classifier));
        [Part::of("vocabulary", &self.terms)]
            .into_iter()
            .chain(fields)
            .collect()
    }

    pub(super) fn encode(model: &'a MlpModel, precision: WeightPrecision) -> Self {
        Self {
            terms: model.vocabulary.iter().collect(),
            classifiers: Field::ALL.map(|field| {
                let classifier = model.classifier(field)?;
                Some(ClassifierPayload {
                    classes: classifier.classes.clone(),
                    learner: encode_learner(&classifier.learner, precision),
                })
            }),
        }
    }

    pub(super) fn decode(self, pipeline: &MlpPipeline) -> Result<MlpModel, String> {
        let vocabulary = Vocabulary::new(self.terms).map_err(|error| error.to_string())?;
        if vocabulary.is_empty() {
            return Err("it has no term".into());
        }
        let mut classifiers = [const { None }; 4];
        for (field, payload) in Field::ALL.into_iter().zip(self.classifiers) {
            let classifier = payload
                .map(|payload| payload.decode(field, vocabulary.len(), pipeline.weight_precision))
                .transpose();
            classifiers[field.index()] = classifier.map_err(|problem| format!("{field}: {problem}"))?;
        }
        CountVectorizer::check(pipeline.vectorizer, &vocabulary).map_err(|error| error.to_string())?;
        Ok(MlpModel {
            vocabulary,
            classifiers,
        })
    }
}

impl ClassifierPayload<'_> {
    fn decode(
        self,
        field: Field,
        n_terms: usize,
        precision: WeightPrecision,
    ) -> Result<FieldClassifier, &'static str> {
        check_classes(field, &self.classes)?;
        let learner = decode_learner(&self, n_terms, precision)?;
        Ok(FieldClassifier {
            classes: self.classes,
            learner,
        })
    }
}

fn check_classes(field: Field, classes: &ClassEncoder) -> Result<(), &'static str> {
    let ascending = match classes {
        ClassEncoder::OneOf(classes) => classes.is_sorted_by(|a, b| a < b),
        ClassEncoder::AnyOf(tags) => tags.is_sorted_by(|a, b| a < b),
    };
    if !ascending {
        return Err("its classes are not in ascending order");
    }
    match classes {
        ClassEncoder::AnyOf(_) if field != Field::Tags => {
            return Err("several labels for a field that has one");
        }
        ClassEncoder::AnyOf(tags) if tags.len() < 2 => {
            return Err("fewer than two tags where there should be more");
        }
        ClassEncoder::OneOf(_) if field == Field::Tags && classes.n_labels() > 1 => {
            return Err("one label where there can be several");
        }
        _ => {}
    }
    if classes.n_labels() == 0 {
        return Err("it has no label to assign");
    }
    Ok(())
}

fn encode_learner(learner: &Learner, precision: WeightPrecision) -> LearnerPayload<'_> {
    let pack = |numbers| PackedNumbers::pack_as(precision, in_order(numbers));
    match learner {
        Learner::Constant => LearnerPayload::Constant,
        Learner::Mlp(mlp) => LearnerPayload::Mlp {
            activation: mlp.activation,
            hidden_weights: pack(mlp.hidden_weights.as_slice()),
            hidden_bias: pack(mlp.hidden_bias.as_slice()),
            output_weights: pack(mlp.output_weights.as_slice()),
            output_bias: pack(mlp.output_bias.as_slice()),
        },
    }
}

fn in_order(numbers: Option<&[f32]>) -> &[f32] {
    numbers.expect("fitted and decoded arrays lie in memory row by row")
}

fn decode_learner(
    payload: &ClassifierPayload<'_>,
    n_terms: usize,
    precision: WeightPrecision,
) -> Result<Learner, &'static str> {
    let n_outputs = payload.classes.n_outputs();
    let LearnerPayload::Mlp {
        activation,
        hidden_weights,
        hidden_bias,
        output_weights,
        output_bias,
    } = &payload.learner
    else {
        return match n_outputs {
            0 => Ok(Learner::Constant),
            _ => Err("there is nothing to choose among its classes"),
        };
    };
    if n_outputs == 0 {
        return Err("it has a network and nothing to choose");
    }
    let one_of_three = matches!(payload.classes, ClassEncoder::OneOf(_)) && n_outputs > 1;
    if (*activation == OutputActivation::Softmax) != one_of_three {
        return Err("its network's activation does not fit its classes");
    }
    let array = |packed: &PackedNumbers<'_>, n_numbers| packed.unpack_as(precision, n_numbers);
    let matrix = |packed: &PackedNumbers<'_>, n_rows| {
        let numbers = array(packed, n_rows * N_HIDDEN)?;
        let matrix = Array2::from_shape_vec((n_rows, N_HIDDEN), numbers).expect("the length was checked");
        Ok::<_, &'static str>(matrix)
    };
    Ok(Learner::Mlp(Box::new(Mlp {
        hidden_weights: matrix(hidden_weights, n_terms)?,
        hidden_bias: Array1::from_vec(array(hidden_bias, N_HIDDEN)?),
        output_weights: matrix(output_weights, n_outputs)?,
        output_bias: Array1::from_vec(array(output_bias, n_outputs)?),
        activation: *activation,
    })))
}

#[cfg(test)]
mod tests;
