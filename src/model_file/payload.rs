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
        n_outputs: u32,
        /// Hidden weights (term by term), hidden biases, output weights (output by output), output biases.
        #[serde(borrow, with = "serde_bytes")]
        weights: Cow<'a, [u8]>,
    },
}

/// The payload of `model`.
pub(super) fn encode(model: &Model) -> Vec<u8> {
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
    postcard::to_stdvec(&payload).expect("plain data without maps serializes into memory")
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

fn encode_learner(learner: &Learner) -> LearnerPayload<'static> {
    match learner {
        Learner::Constant => LearnerPayload::Constant,
        Learner::Mlp(mlp) => {
            let hidden = mlp.hidden_weights.iter().chain(&mlp.hidden_bias);
            let weights = hidden.chain(&mlp.output_weights).chain(&mlp.output_bias);
            LearnerPayload::Mlp {
                activation: mlp.activation,
                n_outputs: mlp.output_bias.len() as u32,
                weights: weights.flat_map(|weight| weight.to_le_bytes()).collect(),
            }
        }
    }
}

fn decode_learner(payload: &ClassifierPayload<'_>, n_terms: usize) -> Result<Learner, &'static str> {
    let LearnerPayload::Mlp {
        activation,
        n_outputs,
        weights,
    } = &payload.learner
    else {
        return match payload.classes.n_outputs() {
            0 => Ok(Learner::Constant),
            _ => Err("there is nothing to choose among its classes"),
        };
    };
    let n_outputs = *n_outputs as usize;
    if n_outputs == 0 || n_outputs != payload.classes.n_outputs() {
        return Err("its network's outputs and its classes differ in number");
    }
    let one_of_three = matches!(payload.classes, ClassEncoder::OneOf(_)) && n_outputs > 1;
    if (*activation == OutputActivation::Softmax) != one_of_three {
        return Err("its network's activation does not fit its classes");
    }
    let lengths = [n_terms * N_HIDDEN, N_HIDDEN, n_outputs * N_HIDDEN, n_outputs];
    if weights.len() != size_of::<f32>() * lengths.iter().sum::<usize>() {
        return Err("its network has another number of weights than its vocabulary and classes need");
    }
    let mut rest = &weights[..];
    let [hidden_weights, hidden_bias, output_weights, output_bias] = lengths.map(|length| {
        let (group, after) = rest.split_at(length * size_of::<f32>());
        rest = after;
        let (numbers, _) = group.as_chunks();
        numbers
            .iter()
            .map(|&number| f32::from_le_bytes(number))
            .collect::<Vec<_>>()
    });
    if [&hidden_weights, &hidden_bias, &output_weights, &output_bias]
        .into_iter()
        .flatten()
        .any(|w| !w.is_finite())
    {
        return Err("a weight of its network is not a number");
    }
    let matrix = |n_rows, numbers| {
        Array2::from_shape_vec((n_rows, N_HIDDEN), numbers).expect("the length was checked")
    };
    Ok(Learner::Mlp(Box::new(Mlp {
        hidden_weights: matrix(n_terms, hidden_weights),
        hidden_bias: Array1::from_vec(hidden_bias),
        output_weights: matrix(n_outputs, output_weights),
        output_bias: Array1::from_vec(output_bias),
        activation: *activation,
    })))
}
