//! The model as bytes: postcard, with the weights packed as little-endian numbers of 32 or 16 bits.

mod linear;
mod mlp;
mod packed;
mod params;

use serde::{Deserialize, Serialize};

use super::{ModelFileProblem, Part};
use crate::document::{AutoLabel, Field, LabelCatalog};
use crate::fingerprint::Fingerprint;
use crate::learners::mlp::WeightPrecision;
use crate::model::{Model, TrainingParams, TrainingState};
use crate::pipelines::linear::LinearModel;
use crate::pipelines::{Pipeline, PipelineModel};
use linear::LinearPayload;
use mlp::MlpPayload;

/// What is signed and stored. Strings and weights are borrowed both ways: nothing is copied on the way out, and a
/// length in the file can't ask for more memory than the file has bytes.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    #[serde(with = "params")]
    params: TrainingParams,
    fingerprint: Fingerprint,
    n_documents: u64,
    /// One for each label that can be assigned, in the order of their keys, field by field.
    #[serde(borrow)]
    names: [Vec<&'a str>; 4],
    #[serde(borrow)]
    learned: LearnedPayload<'a>,
    /// Kept as it is: what it says matters to the next training only.
    #[serde(borrow)]
    state: Option<&'a serde_bytes::Bytes>,
}

/// The variant is that of `params`.
#[derive(Serialize, Deserialize)]
enum LearnedPayload<'a> {
    #[serde(borrow)]
    Mlp(Box<MlpPayload<'a>>),
    #[serde(borrow)]
    Linear(Box<LinearPayload<'a>>),
}

/// The payload of `model`, appended to `bytes`.
pub(super) fn encode(model: &Model, bytes: Vec<u8>) -> Vec<u8> {
    Payload::of(model).append_to(bytes)
}

impl<'a> Payload<'a> {
    fn of(model: &'a Model) -> Self {
        Self {
            params: model.params.clone(),
            fingerprint: model.fingerprint.clone(),
            n_documents: model.n_documents as u64,
            names: Field::ALL.map(|field| {
                let name = |id| model.catalog.name(field, id).unwrap_or_default();
                model.learned.labels(field).into_iter().map(name).collect()
            }),
            learned: match &model.learned {
                PipelineModel::Mlp(learned) => {
                    let precision = weight_precision(&model.params.pipeline);
                    LearnedPayload::Mlp(Box::new(MlpPayload::encode(learned, precision)))
                }
                PipelineModel::Linear(learned) => {
                    LearnedPayload::Linear(Box::new(LinearPayload::encode(learned)))
                }
            },
            state: model
                .state
                .as_ref()
                .map(|state| serde_bytes::Bytes::new(state.as_bytes())),
        }
    }

    fn append_to(&self, bytes: Vec<u8>) -> Vec<u8> {
        postcard::to_extend(self, bytes).expect("plain data without maps serializes into memory")
    }
}

/// The model in `payload`.
pub(super) fn decode(payload: &[u8]) -> Result<Model, ModelFileProblem> {
    fit_together(parse(payload)?)
}

/// The model in `payload`, and what its parts take there.
pub(super) fn decode_parts(bytes: &[u8]) -> Result<(Model, Vec<Part>), ModelFileProblem> {
    let payload = parse(bytes)?;
    let mut parts = vec![Part::of("names of the labels", &payload.names)];
    parts.extend(match &payload.learned {
        LearnedPayload::Mlp(mlp) => mlp.parts(),
        LearnedPayload::Linear(linear) => linear.parts(),
    });
    parts.push(Part::of("state for the next training", &payload.state));
    let rest = bytes.len() as u64 - parts.iter().map(|part| part.bytes).sum::<u64>();
    let name = "parameters and state of the archive".to_owned();
    parts.insert(0, Part { name, bytes: rest });
    Ok((fit_together(payload)?, parts))
}

fn parse(payload: &[u8]) -> Result<Payload<'_>, ModelFileProblem> {
    let (payload, rest) = postcard::take_from_bytes::<Payload<'_>>(payload)
        .map_err(|error| ModelFileProblem::corrupt(format!("its payload cannot be decoded ({error})")))?;
    if !rest.is_empty() {
        return Err(ModelFileProblem::corrupt(format!(
            "{} bytes follow its payload",
            rest.len()
        )));
    }
    Ok(payload)
}

/// The model, if its parts agree.
fn fit_together(payload: Payload<'_>) -> Result<Model, ModelFileProblem> {
    checked(payload).map_err(ModelFileProblem::corrupt)
}

fn checked(payload: Payload<'_>) -> Result<Model, String> {
    let Payload {
        params,
        fingerprint,
        n_documents,
        names,
        learned,
        state,
    } = payload;
    params.pipeline.check().map_err(|error| error.to_string())?;
    // Documents are numbered in 32 bits, and no training ends without one.
    if !(1..=u64::from(u32::MAX)).contains(&n_documents) {
        return Err(format!("it was trained on {n_documents} documents"));
    }
    if fingerprint.last_change.is_none() {
        return Err("no document was ever changed, and there are some".into());
    }
    let learned = decode_learned(learned, &params)?;
    let has_as_many = |model: &LinearModel| u64::from(model.features.n_documents) == n_documents;
    match &learned {
        PipelineModel::Mlp(_) if state.is_some() => {
            return Err("its pipeline leaves nothing for the next training, and something is there".into());
        }
        PipelineModel::Linear(model) if !has_as_many(model) => {
            return Err("its terms were counted in another number of documents".into());
        }
        _ => {}
    }
    Ok(Model {
        n_documents: n_documents as usize,
        catalog: catalog(&learned, names)?,
        state: state.map(|state| TrainingState::from_bytes(state.to_vec())),
        params,
        fingerprint,
        learned,
    })
}

/// That of networks. A model whose parameters are of another pipeline than what it learned isn't loaded anyway.
fn weight_precision(pipeline: &Pipeline) -> WeightPrecision {
    match pipeline {
        Pipeline::Mlp(pipeline) => pipeline.weight_precision,
        Pipeline::Linear(_) => WeightPrecision::default(),
    }
}

/// The names of all labels, field by field in the order of their keys.
fn catalog(learned: &PipelineModel, names: [Vec<&str>; 4]) -> Result<LabelCatalog, String> {
    let mut catalog = LabelCatalog::default();
    for (field, names) in Field::ALL.into_iter().zip(names) {
        let labels = learned.labels(field);
        if labels.len() != names.len() {
            return Err(format!("{field}: its labels and their names differ in number"));
        }
        let named = labels.into_iter().zip(names).map(|(id, name)| AutoLabel {
            id,
            name: name.into(),
        });
        catalog.set(field, named.collect());
    }
    Ok(catalog)
}

fn decode_learned(learned: LearnedPayload<'_>, params: &TrainingParams) -> Result<PipelineModel, String> {
    match (learned, &params.pipeline) {
        (LearnedPayload::Mlp(payload), Pipeline::Mlp(pipeline)) => {
            Ok(PipelineModel::Mlp(payload.decode(pipeline)?))
        }
        (LearnedPayload::Linear(payload), Pipeline::Linear(pipeline)) => {
            Ok(PipelineModel::Linear(Box::new(payload.decode(params, pipeline)?)))
        }
        _ => Err("its parameters are those of another pipeline".into()),
    }
}

#[cfg(test)]
mod tests;
