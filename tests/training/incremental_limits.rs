//! When a training begins from nothing although there is a model: too much changed, or there is nothing to go on from.

use std::ops::ControlFlow;

use crate::changing_archive::{Archive, changed, compared, is_incremental, loaded, train, trainer};
use postroom::document::Field;
use postroom::error::Error;
use postroom::model::{Model, Start, TrainingParams, TrainingState};
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{Incremental, LinearPipeline};
use postroom::pipelines::mlp::MlpPipeline;
use postroom::train_report::{FullReason, TrainingKind};
use postroom::trainer::{TrainOutcome, Trainer};

fn linear(pipeline: LinearPipeline) -> Trainer {
    Trainer::new(TrainingParams {
        pipeline: Pipeline::Linear(pipeline),
        ..TrainingParams::default()
    })
}

/// Why the training after a change was a full one.
fn reason_after(change: impl FnOnce(&mut Archive)) -> FullReason {
    let mut archive = Archive::of(200);
    let (model, _) = train(&trainer(), &archive.store(), None);
    change(&mut archive);
    match train(&trainer(), &archive.store(), Some(&model)).1.kind {
        Some(TrainingKind::Full { reason }) => reason,
        kind => panic!("{kind:?}"),
    }
}

#[test]
fn a_tenth_of_the_documents_changed_is_too_much() {
    let reason = reason_after(|archive| archive.add(23));
    let expected = FullReason::Documents {
        n_changed: 23,
        n_documents: 223,
    };
    assert_eq!(reason, expected);
}

#[test]
fn changes_add_up_until_they_are_too_many() {
    let mut archive = Archive::of(200);
    let (mut last, _) = train(&trainer(), &archive.store(), None);
    let mut kinds = Vec::new();
    for _ in 0..4 {
        archive.add(8);
        let (model, report) = train(&trainer(), &archive.store(), Some(&last));
        last = model;
        kinds.push(match report.kind.unwrap() {
            TrainingKind::Incremental { n_since_full, .. } => Some(n_since_full),
            TrainingKind::Full { .. } => None,
        });
    }
    assert_eq!(kinds, [Some(8), Some(16), None, Some(8)]);
}

#[test]
fn a_tenth_of_a_fields_labels_changed_is_too_much() {
    let reason = reason_after(|archive| {
        for document in 0..19 {
            archive.retag(document, archive.tags[document % 4]);
        }
    });
    assert!(
        matches!(
            reason,
            FullReason::Labels {
                field: Field::Tags,
                ..
            }
        ),
        "{reason:?}"
    );
}

#[test]
fn the_first_label_of_a_field_is_learned_from_nothing() {
    let mut archive = Archive::of(200);
    let generous = linear(LinearPipeline {
        incremental: Incremental {
            most_changed: 10.0,
            ..Incremental::default()
        },
        ..LinearPipeline::default()
    });
    let (last, _) = train(&generous, &archive.store(), None);
    let kind = archive.add_label(Field::DocumentType, "invoice");
    archive.run(&format!(
        "UPDATE documents_document SET document_type_id = {kind} WHERE id < 9"
    ));
    let (_, report) = train(&generous, &archive.store(), Some(&last));
    let reason = FullReason::Confidence {
        field: Field::DocumentType,
    };
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
}

#[test]
fn documents_without_a_label_among_labelled_ones_call_for_new_confidences() {
    let mut archive = Archive::of(200);
    archive.run("UPDATE documents_document SET correspondent_id = 1 WHERE correspondent_id IS NULL");
    let (last, _) = train(&trainer(), &archive.store(), None);
    archive.set_sender(5, None);
    let (_, report) = train(&trainer(), &archive.store(), Some(&last));
    let reason = FullReason::Confidence {
        field: Field::Correspondent,
    };
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
}

#[test]
fn one_document_that_is_left_is_learned_from_nothing() {
    let reason = reason_after(|archive| archive.delete(1..200));
    let expected = FullReason::Documents {
        n_changed: 199,
        n_documents: 1,
    };
    assert_eq!(reason, expected);
}

#[test]
fn however_much_changed_it_can_be_gone_on_from() {
    let mut archive = Archive::of(200);
    let generous = linear(LinearPipeline {
        incremental: Incremental {
            most_changed: 1e9,
            ..Incremental::default()
        },
        ..LinearPipeline::default()
    });
    let (last, _) = train(&generous, &archive.store(), None);
    archive.delete(2..200);
    archive.add(200);
    let (model, report) = train(&generous, &archive.store(), Some(&last));
    assert!(is_incremental(&report), "{:?}", report.kind);
    let ([right, right_of_full], _) = compared(
        [&model, &train(&generous, &archive.store(), None).0],
        &archive.letters(300),
    );
    assert!(
        right > right_of_full - 0.03,
        "{right}, from nothing {right_of_full}"
    );
}

#[test]
fn other_parameters_begin_from_nothing() {
    let (archive, last) = changed();
    let other = linear(LinearPipeline {
        n_folds: 4,
        ..LinearPipeline::default()
    });
    let (_, report) = train(&other, &archive.store(), Some(&last));
    let reason = FullReason::OtherParameters;
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
}

#[test]
fn a_model_may_keep_nothing() {
    let mut archive = Archive::of(100);
    let forgetful = linear(LinearPipeline {
        incremental: Incremental {
            keep_state: false,
            ..Incremental::default()
        },
        ..LinearPipeline::default()
    });
    let (last, _) = train(&forgetful, &archive.store(), None);
    assert_eq!(last.state, None);
    archive.add(1);
    let (_, report) = train(&forgetful, &archive.store(), Some(&last));
    let reason = FullReason::NoState;
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
}

#[test]
fn networks_always_begin_from_nothing() {
    let mut archive = Archive::of(60);
    let mut pipeline = MlpPipeline::default();
    pipeline.mlp.max_epochs = 2;
    let networks = Trainer::new(TrainingParams {
        pipeline: Pipeline::Mlp(pipeline),
        ..TrainingParams::default()
    });
    let (last, report) = train(&networks, &archive.store(), None);
    let reason = FullReason::First;
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
    archive.add(1);
    let (_, report) = train(&networks, &archive.store(), Some(&last));
    let reason = FullReason::Pipeline;
    assert_eq!(report.kind, Some(TrainingKind::Full { reason }));
}

#[test]
fn a_state_that_makes_no_sense_is_an_error_and_a_full_training_helps() {
    let (archive, last) = changed();
    let state = last.state.as_ref().unwrap().as_bytes();
    let other = Archive::of(30);
    let of_another = train(&trainer(), &other.store(), None).0.state.unwrap();
    let cut = TrainingState::from_bytes(state[..state.len() / 2].to_vec());
    let nonsense = [&b"nonsense"[..], b""].map(|bytes| TrainingState::from_bytes(bytes.to_vec()));
    for state in nonsense.into_iter().chain([cut, of_another]) {
        let model = loaded(&Model {
            state: Some(state),
            ..last.clone()
        });
        let trained = trainer().train(&archive.store(), Some(&model), &|_| ControlFlow::Continue(()));
        let message = match trained {
            Err(error @ Error::InvalidTrainingState { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(message.contains("train from nothing"), "{message}");
        let full = trainer().train_from(&archive.store(), Some(&model), Start::FromNothing, &|_| {
            ControlFlow::Continue(())
        });
        assert!(matches!(full, Ok(TrainOutcome::Trained { .. })));
    }
}
