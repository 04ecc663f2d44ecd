//! The model as bytes: postcard, with the weights packed as little-endian `f32`.

use std::borrow::Cow;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::ModelFileProblem;
use crate::document::{AutoLabel, Field, LabelCatalog};
use crate::features::Vocabulary;
use crate::fingerprint::Fingerprint;
use crate::learners::mlp::{Mlp, N_HIDDEN, OutputActivation};
use crate::model::{FieldClassifier, Learner, Model, TrainingParams};
use crate::targets::ClassEncoder;

/// What is signed and stored. Strings and weights are borrowed both ways: nothing is copied on the way out, and a
/// length in the file can't ask for more memory than the file has bytes.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    params: TrainingParams,
    fingerprint: Fingerprint,
    n_documents: u64,
    #[serde(borrow)]
    terms: Vec<&'a str>,
    #[serde(borrow)]
    classifiers: [Option<ClassifierPayload<'a>>; 4],
}

#[derive(Serialize, Deserialize)]
struct ClassifierPayload<'a> {
    classes: ClassEncoder,
    /// One for each label of `classes`, in their order.
    #[serde(borrow)]
    names: Vec<&'a str>,
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

/// Numbers as little-endian `f32`. On a machine of that order, packing copies nothing.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct PackedNumbers<'a>(#[serde(borrow, with = "serde_bytes")] Cow<'a, [u8]>);

impl<'a> PackedNumbers<'a> {
    fn pack(numbers: &'a [f32]) -> Self {
        if cfg!(target_endian = "little") {
            return Self(Cow::Borrowed(bytemuck::cast_slice(numbers)));
        }
        Self(numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
    }

    fn unpack(&self, n_numbers: usize) -> Result<Vec<f32>, &'static str> {
        if self.0.len() != n_numbers * size_of::<f32>() {
            return Err("its network has another number of weights than its vocabulary and classes need");
        }
        let (packed, _) = self.0.as_chunks();
        let numbers: Vec<f32> = packed.iter().map(|&number| f32::from_le_bytes(number)).collect();
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err("a weight of its network is not a number");
        }
        Ok(numbers)
    }
}

/// The payload of `model`, appended to `bytes`.
pub(super) fn encode(model: &Model, bytes: Vec<u8>) -> Vec<u8> {
    let payload = Payload {
        params: model.params.clone(),
        fingerprint: model.fingerprint.clone(),
        n_documents: model.n_documents as u64,
        terms: model.vocabulary.iter().collect(),
        classifiers: Field::ALL.map(|field| {
            let classifier = model.classifier(field)?;
            let name = |id| model.catalog.name(field, id).unwrap_or_default();
            let names = classifier.classes.labels().map(name).collect();
            Some(ClassifierPayload {
                classes: classifier.classes.clone(),
                names,
                learner: encode_learner(&classifier.learner),
            })
        }),
    };
    postcard::to_extend(&payload, bytes).expect("plain data without maps serializes into memory")
}

/// The model in `payload`.
pub(super) fn decode(payload: &[u8]) -> Result<Model, ModelFileProblem> {
    let (payload, rest) = postcard::take_from_bytes::<Payload<'_>>(payload)
        .map_err(|error| ModelFileProblem::corrupt(format!("its payload cannot be decoded ({error})")))?;
    if !rest.is_empty() {
        return Err(ModelFileProblem::corrupt(format!(
            "{} bytes follow its payload",
            rest.len()
        )));
    }
    let vocabulary = Vocabulary::new(payload.terms).map_err(|e| ModelFileProblem::corrupt(e.to_string()))?;
    let n_terms = vocabulary.len();
    let mut catalog = LabelCatalog::default();
    let mut classifiers = [const { None }; 4];
    for ((field, payload), classifier) in Field::ALL
        .into_iter()
        .zip(payload.classifiers)
        .zip(&mut classifiers)
    {
        let Some(payload) = payload else { continue };
        let corrupt = |problem: &str| ModelFileProblem::corrupt(format!("{field}: {problem}"));
        check_classes(field, &payload).map_err(corrupt)?;
        let names = payload.classes.labels().zip(&payload.names);
        catalog.set(
            field,
            names
                .map(|(id, &name)| AutoLabel {
                    id,
                    name: name.into(),
                })
                .collect(),
        );
        let learner = decode_learner(&payload, n_terms).map_err(corrupt)?;
        *classifier = Some(FieldClassifier {
            classes: payload.classes,
            learner,
        });
    }
    let n_documents = usize::try_from(payload.n_documents)
        .map_err(|_| ModelFileProblem::corrupt("its number of documents is too large"))?;
    let (params, fingerprint) = (payload.params, payload.fingerprint);
    let model = Model {
        params,
        fingerprint,
        n_documents,
        vocabulary,
        catalog,
        classifiers,
    };
    match model.vectorizer() {
        Ok(_) => Ok(model),
        Err(error) => Err(ModelFileProblem::corrupt(error.to_string())),
    }
}

fn check_classes(field: Field, payload: &ClassifierPayload<'_>) -> Result<(), &'static str> {
    let ascending = match &payload.classes {
        ClassEncoder::OneOf(classes) => classes.is_sorted_by(|a, b| a < b),
        ClassEncoder::AnyOf(tags) => tags.is_sorted_by(|a, b| a < b),
    };
    if !ascending {
        return Err("its classes are not in ascending order");
    }
    match &payload.classes {
        ClassEncoder::AnyOf(_) if field != Field::Tags => {
            return Err("several labels for a field that has one");
        }
        ClassEncoder::AnyOf(tags) if tags.len() < 2 => {
            return Err("fewer than two tags where there should be more");
        }
        _ => {}
    }
    match payload.classes.n_labels() {
        0 => Err("it has no label to assign"),
        n_labels if n_labels != payload.names.len() => Err("its labels and their names differ in number"),
        _ => Ok(()),
    }
}

fn encode_learner(learner: &Learner) -> LearnerPayload<'_> {
    match learner {
        Learner::Constant => LearnerPayload::Constant,
        Learner::Mlp(mlp) => LearnerPayload::Mlp {
            activation: mlp.activation,
            hidden_weights: PackedNumbers::pack(in_order(mlp.hidden_weights.as_slice())),
            hidden_bias: PackedNumbers::pack(in_order(mlp.hidden_bias.as_slice())),
            output_weights: PackedNumbers::pack(in_order(mlp.output_weights.as_slice())),
            output_bias: PackedNumbers::pack(in_order(mlp.output_bias.as_slice())),
        },
    }
}

fn in_order(numbers: Option<&[f32]>) -> &[f32] {
    numbers.expect("fitted and decoded arrays lie in memory row by row")
}

fn decode_learner(payload: &ClassifierPayload<'_>, n_terms: usize) -> Result<Learner, &'static str> {
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
    let matrix = |packed: &PackedNumbers<'_>, n_rows| {
        let numbers = packed.unpack(n_rows * N_HIDDEN)?;
        Ok(Array2::from_shape_vec((n_rows, N_HIDDEN), numbers).expect("the length was checked"))
    };
    Ok(Learner::Mlp(Box::new(Mlp {
        hidden_weights: matrix(hidden_weights, n_terms)?,
        hidden_bias: Array1::from_vec(hidden_bias.unpack(N_HIDDEN)?),
        output_weights: matrix(output_weights, n_outputs)?,
        output_bias: Array1::from_vec(output_bias.unpack(n_outputs)?),
        activation: *activation,
    })))
}
