//! What the `Linear` pipeline learned, as bytes.

use serde::{Deserialize, Serialize};

use super::super::Part;
use super::packed::PackedNumbers;
use crate::document::{Field, LabelId};
use crate::features::{FittedTerms, TfidfParts, Vocabulary};
use crate::learners::linear::Linear;
use crate::learners::logistic::Logistic;
use crate::model::TrainingParams;
use crate::pipelines::linear::{LinearField, LinearModel, LinearPipeline, OneLabel, Tags};
use crate::sparse::CsrMatrix;

/// Strings and weights are borrowed both ways.
#[derive(Serialize, Deserialize)]
pub(super) struct LinearPayload<'a> {
    /// Documents that the terms were counted in.
    n_documents: u32,
    #[serde(borrow)]
    words: TermsPayload<'a>,
    #[serde(borrow)]
    char_grams: TermsPayload<'a>,
    #[serde(borrow)]
    fields: [Option<FieldPayload<'a>>; 4],
}

#[derive(Serialize, Deserialize)]
struct TermsPayload<'a> {
    #[serde(borrow)]
    terms: Vec<&'a str>,
    document_frequencies: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
enum FieldPayload<'a> {
    OneLabel {
        #[serde(borrow)]
        classifiers: ClassifiersPayload<'a>,
        #[serde(borrow)]
        centroids: MatrixPayload<'a>,
        #[serde(borrow)]
        floors: PackedNumbers<'a>,
    },
    Tags {
        #[serde(borrow)]
        classifiers: ClassifiersPayload<'a>,
    },
}

#[derive(Serialize, Deserialize)]
struct ClassifiersPayload<'a> {
    labels: Vec<LabelId>,
    n_positives: Vec<u32>,
    #[serde(borrow)]
    weights: MatrixPayload<'a>,
    #[serde(borrow)]
    bias: PackedNumbers<'a>,
    calibration: Logistic,
    #[serde(borrow)]
    thresholds: PackedNumbers<'a>,
}

/// A sparse matrix, a row for each term.
#[derive(Serialize, Deserialize)]
struct MatrixPayload<'a> {
    /// Entries of each row.
    lengths: Vec<u32>,
    columns: Vec<u32>,
    #[serde(borrow)]
    values: PackedNumbers<'a>,
}

impl<'a> LinearPayload<'a> {
    pub(super) fn encode(model: &'a LinearModel) -> Self {
        Self {
            n_documents: model.features.n_documents,
            words: TermsPayload::encode(&model.features.words),
            char_grams: TermsPayload::encode(&model.features.char_grams),
            fields: model
                .fields
                .each_ref()
                .map(|field| field.as_ref().map(FieldPayload::encode)),
        }
    }

    /// What the parts take in the file.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = vec![
            Part::of("words", &self.words),
            Part::of("character n-grams", &self.char_grams),
        ];
        let fields = Field::ALL.into_iter().zip(&self.fields);
        parts.extend(fields.filter_map(|(field, payload)| {
            let name = format!("classifiers of {field}");
            Some(Part::of(&name, payload.as_ref()?))
        }));
        parts
    }

    pub(super) fn decode(
        self,
        params: &TrainingParams,
        pipeline: &LinearPipeline,
    ) -> Result<LinearModel, String> {
        let features = TfidfParts {
            params: pipeline.features,
            language: params.language,
            n_documents: self.n_documents,
            words: self.words.decode()?,
            char_grams: self.char_grams.decode()?,
        };
        let mut fields = [const { None }; 4];
        for (field, payload) in Field::ALL.into_iter().zip(self.fields) {
            let decoded = payload
                .map(|payload| payload.decode(field, &features))
                .transpose();
            fields[field.index()] = decoded.map_err(|problem| format!("{field}: {problem}"))?;
        }
        features.check().map_err(|error| error.to_string())?;
        Ok(LinearModel { features, fields })
    }
}

impl<'a> TermsPayload<'a> {
    fn encode(terms: &'a FittedTerms) -> Self {
        Self {
            terms: terms.vocabulary.iter().collect(),
            document_frequencies: terms.document_frequencies.clone(),
        }
    }

    fn decode(self) -> Result<FittedTerms, String> {
        Ok(FittedTerms {
            vocabulary: Vocabulary::new(self.terms).map_err(|error| error.to_string())?,
            document_frequencies: self.document_frequencies,
        })
    }
}

impl<'a> FieldPayload<'a> {
    fn encode(field: &'a LinearField) -> Self {
        match field {
            LinearField::OneLabel(field) => Self::OneLabel {
                classifiers: ClassifiersPayload {
                    labels: field.labels.clone(),
                    n_positives: field.n_positives.clone(),
                    weights: MatrixPayload::encode(field.learner.weights()),
                    bias: PackedNumbers::pack(field.learner.bias()),
                    calibration: field.calibration.clone(),
                    thresholds: PackedNumbers::pack(&field.thresholds),
                },
                centroids: MatrixPayload::encode(field.centroids.weights()),
                floors: PackedNumbers::pack(&field.floors),
            },
            LinearField::Tags(tags) => Self::Tags {
                classifiers: ClassifiersPayload {
                    labels: tags.labels.clone(),
                    n_positives: tags.n_positives.clone(),
                    weights: MatrixPayload::encode(tags.learner.weights()),
                    bias: PackedNumbers::pack(tags.learner.bias()),
                    calibration: tags.calibration.clone(),
                    thresholds: PackedNumbers::pack(&tags.thresholds),
                },
            },
        }
    }

    fn decode(self, field: Field, features: &TfidfParts) -> Result<LinearField, String> {
        let n_terms = features.n_terms();
        match self {
            Self::OneLabel { .. } if field == Field::Tags => {
                Err("one label where there can be several".into())
            }
            Self::Tags { .. } if field != Field::Tags => {
                Err("several labels for a field that has one".into())
            }
            Self::OneLabel {
                classifiers,
                centroids,
                floors,
            } => {
                let n_labels = classifiers.labels.len();
                let decoded = classifiers.decode(features, n_labels..=n_labels + 1, OneLabel::N_EVIDENCE)?;
                let centroids = centroids.decode(n_terms, n_labels + 2)?;
                let centroids =
                    Linear::new(centroids, vec![0.0; n_labels + 2]).map_err(|error| error.to_string())?;
                let floors = floors.unpack_any(n_labels)?;
                if floors.iter().any(|floor| floor.is_nan()) {
                    return Err("a floor is not a number".into());
                }
                Ok(LinearField::OneLabel(OneLabel {
                    labels: decoded.labels,
                    n_positives: decoded.n_positives,
                    learner: decoded.learner,
                    centroids,
                    calibration: decoded.calibration,
                    thresholds: decoded.thresholds,
                    floors,
                }))
            }
            Self::Tags { classifiers } => {
                let n_labels = classifiers.labels.len();
                let decoded = classifiers.decode(features, n_labels..=n_labels, Tags::N_EVIDENCE)?;
                Ok(LinearField::Tags(Tags {
                    labels: decoded.labels,
                    n_positives: decoded.n_positives,
                    learner: decoded.learner,
                    calibration: decoded.calibration,
                    thresholds: decoded.thresholds,
                }))
            }
        }
    }
}

/// What both kinds of fields have.
struct Classifiers {
    labels: Vec<LabelId>,
    n_positives: Vec<u32>,
    learner: Linear,
    calibration: Logistic,
    thresholds: Vec<f32>,
}

impl ClassifiersPayload<'_> {
    fn decode(
        self,
        features: &TfidfParts,
        n_outputs: std::ops::RangeInclusive<usize>,
        n_evidence: usize,
    ) -> Result<Classifiers, String> {
        let n_labels = self.labels.len();
        if n_labels == 0 {
            return Err("it has no label to assign".into());
        }
        if !self.labels.is_sorted_by(|a, b| a < b) {
            return Err("its labels are not in ascending order".into());
        }
        if self.n_positives.len() != n_labels {
            return Err("its labels and their numbers of documents differ in number".into());
        }
        let possible = 1..=features.n_documents;
        if !self
            .n_positives
            .iter()
            .all(|n_positives| possible.contains(n_positives))
        {
            return Err("a label is on no document, or on more than there are".into());
        }
        let n_biases = self.bias.n_numbers();
        if !n_outputs.contains(&n_biases) {
            return Err(format!("{n_biases} classifiers for {n_labels} labels"));
        }
        if self.calibration.weights.len() != n_evidence || !self.calibration.is_finite() {
            return Err("its calibration does not fit".into());
        }
        let thresholds = self.thresholds.unpack(n_labels)?;
        if thresholds.iter().any(|&threshold| threshold < 0.0) {
            return Err("a threshold is below 0".into());
        }
        let weights = self.weights.decode(features.n_terms(), n_biases)?;
        let learner = Linear::new(weights, self.bias.unpack(n_biases)?).map_err(|error| error.to_string())?;
        Ok(Classifiers {
            learner,
            thresholds,
            labels: self.labels,
            n_positives: self.n_positives,
            calibration: self.calibration,
        })
    }
}

impl<'a> MatrixPayload<'a> {
    fn encode(matrix: &'a CsrMatrix) -> Self {
        Self {
            lengths: matrix.rows().map(|row| row.indices.len() as u32).collect(),
            columns: matrix.rows().flat_map(|row| row.indices).copied().collect(),
            values: PackedNumbers::pack(matrix.values()),
        }
    }

    fn decode(self, n_rows: usize, n_cols: usize) -> Result<CsrMatrix, String> {
        if self.lengths.len() != n_rows {
            return Err(format!(
                "weights of {} terms, where there are {n_rows}",
                self.lengths.len()
            ));
        }
        // Bounds that are too large stay so: they are refused for not being those of the entries.
        let ends = self.lengths.iter().scan(0_usize, |end, &length| {
            *end = end.saturating_add(length as usize);
            Some(*end)
        });
        let indptr = std::iter::once(0).chain(ends).collect();
        let values = self.values.unpack(self.columns.len())?;
        CsrMatrix::new(n_cols, indptr, self.columns, values).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
