//! Training parameters as the model file has them: the precision of networks' weights is part of the pipeline's variant.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::features::CountVectorizerParams;
use crate::learners::mlp::{MlpParams, WeightPrecision};
use crate::model::TrainingParams;
use crate::pipelines::Pipeline;
use crate::pipelines::linear::LinearPipeline;
use crate::pipelines::mlp::MlpPipeline;
use crate::text::Language;

#[derive(Serialize, Deserialize)]
struct StoredParams {
    language: Option<Language>,
    pipeline: StoredPipeline,
    seed: u64,
}

#[derive(Serialize, Deserialize)]
enum StoredPipeline {
    /// Weights in single precision.
    Mlp(StoredMlpPipeline),
    Linear(LinearPipeline),
    /// Weights in half precision.
    HalfMlp(StoredMlpPipeline),
}

#[derive(Serialize, Deserialize)]
struct StoredMlpPipeline {
    vectorizer: CountVectorizerParams,
    mlp: MlpParams,
}

impl StoredMlpPipeline {
    fn with(self, weight_precision: WeightPrecision) -> Pipeline {
        Pipeline::Mlp(MlpPipeline {
            vectorizer: self.vectorizer,
            mlp: self.mlp,
            weight_precision,
        })
    }
}

impl From<&Pipeline> for StoredPipeline {
    fn from(pipeline: &Pipeline) -> Self {
        match pipeline {
            Pipeline::Linear(pipeline) => Self::Linear(pipeline.clone()),
            &Pipeline::Mlp(MlpPipeline {
                vectorizer,
                mlp,
                weight_precision,
            }) => {
                let stored = StoredMlpPipeline { vectorizer, mlp };
                match weight_precision {
                    WeightPrecision::Single => Self::Mlp(stored),
                    WeightPrecision::Half => Self::HalfMlp(stored),
                }
            }
        }
    }
}

impl From<StoredPipeline> for Pipeline {
    fn from(stored: StoredPipeline) -> Self {
        match stored {
            StoredPipeline::Mlp(stored) => stored.with(WeightPrecision::Single),
            StoredPipeline::Linear(pipeline) => Self::Linear(pipeline),
            StoredPipeline::HalfMlp(stored) => stored.with(WeightPrecision::Half),
        }
    }
}

pub(super) fn serialize<S: Serializer>(params: &TrainingParams, serializer: S) -> Result<S::Ok, S::Error> {
    let TrainingParams {
        language,
        pipeline,
        seed,
    } = params;
    let stored = StoredParams {
        language: *language,
        pipeline: pipeline.into(),
        seed: *seed,
    };
    stored.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrainingParams, D::Error> {
    let stored = StoredParams::deserialize(deserializer)?;
    Ok(TrainingParams {
        language: stored.language,
        pipeline: stored.pipeline.into(),
        seed: stored.seed,
    })
}
