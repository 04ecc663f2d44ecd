//! What a training leaves for the next one: the documents and how they were filed, their token counts, the dual variables.
//!
//! As bytes it is part of the model file (`docs/model-format.md`). Whatever the bytes say is checked before it is
//! believed: they come from a file, and a length in them can't ask for memory that grows with more than their number.

use serde::{Deserialize, Serialize};

use super::{LinearField, LinearModel};
use crate::document::{DocumentId, Field, LabelId, Labels};
use crate::error::{Error, Result};
use crate::features::TokenBags;
use crate::learners::linear::Dual;
use crate::model::TrainingState;
use crate::pipelines::DocumentVersion;

/// What a training leaves for the next one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    /// By strictly ascending id.
    pub(super) documents: Vec<DocumentVersion>,
    /// How each was filed.
    pub(super) labels: Vec<Labels>,
    /// The tokens of each.
    pub(super) bags: TokenBags,
    /// Documents that changed since the last full training, each as often as it did.
    pub(super) n_since_full: usize,
    /// None where no document had a label.
    pub(super) fields: [Option<FieldState>; 4],
}

/// What a field leaves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FieldState {
    /// Outputs as those of the field's learner, rows as the documents.
    pub(super) dual: Dual,
    /// Documents whose labels changed since the last full training, each as often as they did.
    pub(super) n_relabelled: usize,
    pub(super) newcomer: Newcomer,
}

/// What a label gets that wasn't there when confidences were learned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Newcomer {
    /// From which confidence on it is assigned.
    pub(super) threshold: f32,
    /// What its score without the bias has to reach, in a field with one label a document.
    pub(super) floor: f32,
}

/// What is written: postcard.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    /// The difference of each id to the one before, of the first to 0.
    id_steps: Vec<i64>,
    /// Likewise of the times of modification.
    modified_steps: Vec<i64>,
    correspondents: Vec<Option<LabelId>>,
    document_types: Vec<Option<LabelId>>,
    storage_paths: Vec<Option<LabelId>>,
    tags: Vec<Vec<LabelId>>,
    n_since_full: u64,
    fields: [Option<FieldPayload>; 4],
    /// By [`TokenBags::to_bytes`].
    #[serde(borrow, with = "serde_bytes")]
    bags: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct FieldPayload {
    n_relabelled: u64,
    newcomer: Newcomer,
    /// Support vectors of each output.
    lengths: Vec<u32>,
    /// Of each its row, less the row before and 1; of an output's first, the row.
    row_gaps: Vec<u32>,
    alphas: Vec<f32>,
}

impl State {
    /// As bytes; equal states have equal bytes. None if two documents have the same id, or one the same tag twice, as
    /// no sound archive has it.
    pub(super) fn encode(&self) -> Option<TrainingState> {
        let has_one_of_each = |labels: &Labels| labels.tags.is_sorted_by(|a, b| a < b);
        if !self.documents.is_sorted_by(|a, b| a.id < b.id) || !self.labels.iter().all(has_one_of_each) {
            return None;
        }
        let bags = self.bags.to_bytes();
        let one = |field: Field| -> Vec<Option<LabelId>> {
            let first = |labels: &Labels| labels.of(field).first().copied();
            self.labels.iter().map(first).collect()
        };
        let payload = Payload {
            id_steps: steps(self.documents.iter().map(|document| document.id.0)),
            modified_steps: steps(self.documents.iter().map(|document| document.modified)),
            correspondents: one(Field::Correspondent),
            document_types: one(Field::DocumentType),
            storage_paths: one(Field::StoragePath),
            tags: self.labels.iter().map(|labels| labels.tags.clone()).collect(),
            n_since_full: self.n_since_full as u64,
            fields: self
                .fields
                .each_ref()
                .map(|field| field.as_ref().map(FieldPayload::encode)),
            bags: &bags,
        };
        let bytes = postcard::to_stdvec(&payload).expect("plain data without maps serializes into memory");
        Some(TrainingState::from_bytes(bytes))
    }

    /// # Errors
    /// [`Error::InvalidTrainingState`] if no training can have left these bytes.
    pub(super) fn decode(state: &TrainingState) -> Result<Self> {
        let (payload, rest) = postcard::take_from_bytes::<Payload<'_>>(state.as_bytes())
            .or_else(|error| invalid(format!("it cannot be decoded ({error})")))?;
        if !rest.is_empty() {
            return invalid(format!("{} bytes follow it", rest.len()));
        }
        let bags = TokenBags::from_bytes(payload.bags).or_else(|error| invalid(error.to_string()))?;
        let documents = documents(&payload.id_steps, &payload.modified_steps)?;
        if documents.len() != bags.n_documents() {
            let n_bags = bags.n_documents();
            return invalid(format!("{} documents, but tokens of {n_bags}", documents.len()));
        }
        let fields = payload.fields.each_ref().map(|field| {
            let decode = |field: &FieldPayload| field.decode(documents.len());
            field.as_ref().map(decode).transpose()
        });
        let [tags, correspondent, document_type, storage_path] = fields;
        let fields = [tags?, correspondent?, document_type?, storage_path?];
        let n_since_full = payload.n_since_full as usize;
        Ok(Self {
            labels: labels(payload, documents.len())?,
            documents,
            bags,
            n_since_full,
            fields,
        })
    }

    /// # Errors
    /// [`Error::InvalidTrainingState`] if both aren't of one training.
    pub(super) fn check_against(&self, model: &LinearModel) -> Result<()> {
        if self.bags.language() != model.features.language {
            return invalid("its tokens are of another language than the model".into());
        }
        if self.documents.len() != model.features.n_documents as usize {
            return invalid("it and the model differ in their number of documents".into());
        }
        for field in Field::ALL {
            let (learned, state) = (&model.fields[field.index()], &self.fields[field.index()]);
            let n_outputs = learned.as_ref().map(LinearField::n_outputs);
            let n_duals = state.as_ref().map(|field| field.dual.n_outputs());
            if n_outputs != n_duals {
                return invalid(format!("{field}: it and the model differ in their classifiers"));
            }
            let mut labels: Vec<LabelId> = self
                .labels
                .iter()
                .flat_map(|labels| labels.of(field))
                .copied()
                .collect();
            labels.sort_unstable();
            labels.dedup();
            if learned.as_ref().map_or(&[][..], LinearField::labels) != labels {
                return invalid(format!("{field}: it and the model differ in their labels"));
            }
        }
        Ok(())
    }
}

impl FieldPayload {
    fn encode(field: &FieldState) -> Self {
        let outputs = || (0..field.dual.n_outputs()).map(|output| field.dual.of_output(output));
        let gaps = |entries: &mut dyn Iterator<Item = (u32, f32)>| -> Vec<u32> {
            let mut next = 0;
            entries
                .map(|(row, _)| row - std::mem::replace(&mut next, row + 1))
                .collect()
        };
        Self {
            n_relabelled: field.n_relabelled as u64,
            newcomer: field.newcomer,
            lengths: outputs().map(|entries| entries.len() as u32).collect(),
            row_gaps: outputs().flat_map(|mut entries| gaps(&mut entries)).collect(),
            alphas: outputs().flatten().map(|(_, alpha)| alpha).collect(),
        }
    }

    fn decode(&self, n_documents: usize) -> Result<FieldState> {
        let n_entries: u64 = self.lengths.iter().copied().map(u64::from).sum();
        if n_entries != self.row_gaps.len() as u64 || self.row_gaps.len() != self.alphas.len() {
            return invalid("the support vectors of its classifiers do not add up".into());
        }
        let mut entries = self.row_gaps.iter().zip(&self.alphas);
        let mut outputs = Vec::with_capacity(self.lengths.len());
        for &length in &self.lengths {
            let mut next = 0_u64;
            let mut output = Vec::with_capacity(length as usize);
            for (&gap, &alpha) in entries.by_ref().take(length as usize) {
                let row = next + u64::from(gap);
                if row >= n_documents as u64 {
                    return invalid(format!("a support vector is document {row} of {n_documents}"));
                }
                output.push((row as u32, alpha));
                next = row + 1;
            }
            outputs.push(output);
        }
        if self.newcomer.threshold.is_nan() || self.newcomer.floor.is_nan() {
            return invalid("a threshold is not a number".into());
        }
        Ok(FieldState {
            dual: Dual::new(outputs).or_else(|error| invalid(error.to_string()))?,
            n_relabelled: self.n_relabelled as usize,
            newcomer: self.newcomer,
        })
    }
}

/// The difference of each number to the one before.
fn steps(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut before = 0_i64;
    numbers
        .map(|number| number.wrapping_sub(std::mem::replace(&mut before, number)))
        .collect()
}

/// The numbers that such differences lead to.
fn numbers(steps: &[i64]) -> impl Iterator<Item = i64> {
    steps.iter().scan(0_i64, |number, &step| {
        *number = number.wrapping_add(step);
        Some(*number)
    })
}

fn documents(id_steps: &[i64], modified_steps: &[i64]) -> Result<Vec<DocumentVersion>> {
    if id_steps.len() != modified_steps.len() {
        return invalid("its documents and their times of modification differ in number".into());
    }
    let documents: Vec<DocumentVersion> = numbers(id_steps)
        .zip(numbers(modified_steps))
        .map(|(id, modified)| DocumentVersion {
            id: DocumentId(id),
            modified,
        })
        .collect();
    if !documents.is_sorted_by(|a, b| a.id < b.id) {
        return invalid("its documents are not in ascending order".into());
    }
    Ok(documents)
}

fn labels(payload: Payload<'_>, n_documents: usize) -> Result<Vec<Labels>> {
    let Payload {
        correspondents,
        document_types,
        storage_paths,
        tags,
        ..
    } = payload;
    let one = [&correspondents, &document_types, &storage_paths];
    if tags.len() != n_documents || one.iter().any(|labels| labels.len() != n_documents) {
        return invalid("its documents and their labels differ in number".into());
    }
    if !tags.iter().all(|tags| tags.is_sorted_by(|a, b| a < b)) {
        return invalid("the tags of a document are not in ascending order".into());
    }
    let labels = |(row, tags)| Labels {
        correspondent: correspondents[row],
        document_type: document_types[row],
        storage_path: storage_paths[row],
        tags,
    };
    Ok(tags.into_iter().enumerate().map(labels).collect())
}

pub(super) fn invalid<T>(problem: String) -> Result<T> {
    Err(Error::InvalidTrainingState { problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let labels = |correspondent: Option<i32>, tags: &[i32]| Labels {
            correspondent: correspondent.map(LabelId),
            tags: tags.iter().copied().map(LabelId).collect(),
            ..Labels::default()
        };
        let document = |id, modified| DocumentVersion {
            id: DocumentId(id),
            modified,
        };
        let field = |outputs: &[&[(u32, f32)]]| FieldState {
            dual: Dual::new(outputs.iter().map(|output| output.iter().copied())).unwrap(),
            n_relabelled: 3,
            newcomer: Newcomer {
                threshold: 0.5,
                floor: f32::NEG_INFINITY,
            },
        };
        State {
            documents: vec![document(-3, i64::MAX), document(4, i64::MIN), document(9, 0)],
            labels: vec![labels(Some(7), &[]), labels(None, &[2, 5]), labels(Some(1), &[5])],
            bags: TokenBags::of(None, &["due date", "", "paid"]).unwrap(),
            n_since_full: 12,
            fields: [
                Some(field(&[&[(1, 0.25)], &[]])),
                Some(field(&[&[(0, 0.5), (2, 1.0)], &[(0, 2.0)]])),
                None,
                None,
            ],
        }
    }

    fn bytes() -> Vec<u8> {
        state().encode().unwrap().as_bytes().to_vec()
    }

    fn decode(bytes: Vec<u8>) -> Result<State> {
        State::decode(&TrainingState::from_bytes(bytes))
    }

    fn problem_after(damage: impl FnOnce(&mut State)) -> String {
        let mut state = state();
        damage(&mut state);
        State::decode(&state.encode().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn a_state_comes_back() {
        assert_eq!(decode(bytes()).unwrap(), state());
    }

    #[test]
    fn truncated_and_extended_bytes_are_refused() {
        for length in 0..bytes().len() {
            assert!(decode(bytes()[..length].to_vec()).is_err(), "{length}");
        }
        let message = decode([bytes(), vec![0]].concat()).unwrap_err().to_string();
        assert!(message.contains("1 bytes follow"), "{message}");
    }

    #[test]
    fn no_changed_byte_is_more_than_another_state() {
        for bit in 0..8 * bytes().len() {
            let mut changed = bytes();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = decode(changed) {
                assert_eq!(State::decode(&read.encode().unwrap()).unwrap(), read);
            }
        }
    }

    #[test]
    fn counts_of_billions_ask_for_no_memory() {
        // Every position in turn claims 2^60 of whatever follows there.
        for at in 0..bytes().len() {
            let claim = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10];
            assert!(decode([&bytes()[..at], &claim].concat()).is_err(), "{at}");
        }
    }

    #[test]
    fn parts_have_to_agree() {
        let fewer = |state: &mut State| state.bags = TokenBags::of(None, &["due"]).unwrap();
        assert!(problem_after(fewer).contains("3 documents, but tokens of 1"));
        let unfiled = |state: &mut State| state.labels.truncate(2);
        assert!(problem_after(unfiled).contains("labels differ in number"));
        let beyond = |state: &mut State| {
            state.fields[1].as_mut().unwrap().dual = Dual::new([[(3, 1.0)]]).unwrap();
        };
        assert!(problem_after(beyond).contains("document 3 of 3"));
    }

    #[test]
    fn an_archive_that_is_not_sound_leaves_nothing() {
        let mut same_id = state();
        same_id.documents[1].id = same_id.documents[0].id;
        assert_eq!(same_id.encode(), None);
        let mut same_tag = state();
        same_tag.labels[1].tags = vec![LabelId(2), LabelId(2)];
        assert_eq!(same_tag.encode(), None);
    }
}
