//! Every field of the payload in turn made into what no training writes, and signed with the right key.

use std::borrow::Cow;

use super::super::tests::{assert_corrupt, half_model, mlp_model};
use super::super::{LearnedPayload, Payload};
use super::*;
use crate::document::LabelId;
use crate::model::Model;
use crate::pipelines::Pipeline;

/// The models that are damaged, each with the precision of its weights.
fn models() -> [(Model, WeightPrecision); 2] {
    [
        (mlp_model(), WeightPrecision::Single),
        (half_model(), WeightPrecision::Half),
    ]
}

/// What is said after the damage.
#[track_caller]
fn corrupt(expected: &str, damage: impl Fn(&mut MlpPayload<'_>)) {
    for (model, _) in models() {
        corrupt_model(&model, expected, &damage);
    }
}

#[track_caller]
fn corrupt_model(model: &Model, expected: &str, damage: impl Fn(&mut MlpPayload<'_>)) {
    let mut payload = Payload::of(model);
    let LearnedPayload::Mlp(learned) = &mut payload.learned else {
        panic!("networks were trained");
    };
    damage(learned);
    assert_corrupt(&payload, expected);
}

fn no_numbers() -> PackedNumbers<'static> {
    PackedNumbers(Cow::Owned(Vec::new()))
}

fn classifier<'p, 'a>(payload: &'p mut MlpPayload<'a>, field: Field) -> &'p mut ClassifierPayload<'a> {
    payload.classifiers[field.index()].as_mut().unwrap()
}

/// The arrays of a network, in the file's order.
fn arrays<'p, 'a>(payload: &'p mut MlpPayload<'a>, field: Field) -> [&'p mut PackedNumbers<'a>; 4] {
    match &mut classifier(payload, field).learner {
        LearnerPayload::Constant => panic!("{field} has something to choose"),
        // Named one by one: a new field has to be thought of here.
        LearnerPayload::Mlp {
            activation: _,
            hidden_weights,
            hidden_bias,
            output_weights,
            output_bias,
        } => [hidden_weights, hidden_bias, output_weights, output_bias],
    }
}

fn labels(ids: &[i32]) -> Vec<LabelId> {
    ids.iter().copied().map(LabelId).collect()
}

#[test]
fn terms() {
    corrupt("no term", |payload| payload.terms.clear());
    corrupt("ascend by code point", |payload| payload.terms.reverse());
    corrupt("ascend by code point", |payload| {
        payload.terms[1] = payload.terms[0];
    });
    corrupt("made of word characters", |payload| payload.terms[0] = "");
    corrupt("made of word characters", |payload| payload.terms[0] = "a-b");
    corrupt("both tokens of a pair", |payload| payload.terms[0] = "aa bb");
    corrupt("another number of weights", |payload| {
        payload.terms.pop();
    });
}

#[test]
fn classes() {
    // A label twice, out of order, none at all.
    let one_of: [(&str, &[Option<i32>]); 4] = [
        ("ascending", &[Some(2), Some(2)]),
        ("ascending", &[Some(1), None]),
        ("no label to assign", &[None]),
        ("no label to assign", &[]),
    ];
    for (expected, ids) in one_of {
        corrupt(expected, |payload| {
            let classes = ids.iter().map(|id| id.map(LabelId)).collect();
            classifier(payload, Field::Correspondent).classes = ClassEncoder::OneOf(classes);
        });
    }
    corrupt("ascending", |payload| {
        classifier(payload, Field::Tags).classes = ClassEncoder::AnyOf(labels(&[3, 3]));
    });
    corrupt("fewer than two tags", |payload| {
        classifier(payload, Field::Tags).classes = ClassEncoder::AnyOf(labels(&[3]));
    });
    corrupt("several labels", |payload| {
        classifier(payload, Field::Correspondent).classes = ClassEncoder::AnyOf(labels(&[1, 2]));
    });
    corrupt("one label where there can be several", |payload| {
        let classes = labels(&[1, 2]).into_iter().map(Some).collect();
        classifier(payload, Field::Tags).classes = ClassEncoder::OneOf(classes);
    });
    corrupt("another number of weights", |payload| {
        classifier(payload, Field::Tags).classes = ClassEncoder::AnyOf(labels(&[1, 2, 3]));
    });
    corrupt("differ in number", |payload| payload.classifiers[0] = None);
}

#[test]
fn learner() {
    corrupt("nothing to choose", |payload| {
        classifier(payload, Field::Tags).learner = LearnerPayload::Constant;
    });
    corrupt("a network and nothing to choose", |payload| {
        classifier(payload, Field::StoragePath).learner = LearnerPayload::Mlp {
            activation: OutputActivation::Logistic,
            hidden_weights: no_numbers(),
            hidden_bias: no_numbers(),
            output_weights: no_numbers(),
            output_bias: no_numbers(),
        };
    });
    corrupt("activation does not fit", |payload| {
        match &mut classifier(payload, Field::Tags).learner {
            LearnerPayload::Mlp { activation, .. } => *activation = OutputActivation::Softmax,
            LearnerPayload::Constant => panic!("there are two tags"),
        }
    });
}

#[test]
fn weights_and_biases() {
    for (model, precision) in models() {
        for field in [Field::Tags, Field::Correspondent, Field::DocumentType] {
            for array in 0..4 {
                for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let expected = format!("{field}: a weight is not a number");
                    corrupt_model(&model, &expected, |payload| {
                        let numbers = arrays(payload, field)[array].0.to_mut();
                        let last = numbers.len() - precision.bytes();
                        numbers[last..].copy_from_slice(&PackedNumbers::pack_as(precision, &[number]).0);
                    });
                }
                corrupt_model(&model, "another number of weights", |payload| {
                    arrays(payload, field)[array].0.to_mut().clear();
                });
                corrupt_model(&model, "another number of weights", |payload| {
                    arrays(payload, field)[array].0.to_mut().pop();
                });
                corrupt_model(&model, "another number of weights", |payload| {
                    let one_more = [0; 4];
                    let numbers = arrays(payload, field)[array].0.to_mut();
                    numbers.extend(&one_more[..precision.bytes()]);
                });
            }
        }
    }
}

#[test]
fn weights_of_16_bits_take_half_the_room_of_32() {
    let [single, half] = models().map(|(model, _)| {
        let payload = Payload::of(&model);
        let LearnedPayload::Mlp(learned) = &payload.learned else {
            panic!("networks were trained");
        };
        let parts = learned.parts();
        parts.iter().find(|part| part.name == "tags").unwrap().bytes
    });
    // Of both tags; activation, classes and the lengths of the arrays aside.
    let n_terms = mlp_model().learned.terms().len() as u64;
    let n_numbers = 100 * (n_terms + 1) + 2 * 101;
    let aside = single - 4 * n_numbers;
    assert!(aside < 20, "{single} bytes");
    assert!(half - 2 * n_numbers <= aside, "{half} bytes");
}

/// Twice as many bytes, or half as many, as there are weights for.
#[test]
fn weights_of_another_precision() {
    for (model, precision) in models() {
        let mut payload = Payload::of(&model);
        let Pipeline::Mlp(pipeline) = &mut payload.params.pipeline else {
            panic!("networks were trained");
        };
        pipeline.weight_precision = match precision {
            WeightPrecision::Single => WeightPrecision::Half,
            WeightPrecision::Half => WeightPrecision::Single,
        };
        assert_corrupt(&payload, "another number of weights");
    }
}

#[test]
fn params() {
    let sound = MlpPipeline::default();
    let mut unsound = vec![sound.clone(); 8];
    unsound[0].vectorizer.min_df = f64::NAN;
    unsound[1].vectorizer.min_df = 1.5;
    unsound[2].mlp.learning_rate = f64::INFINITY;
    unsound[3].mlp.learning_rate = -1.0;
    unsound[4].mlp.l2 = f64::NAN;
    unsound[5].mlp.tolerance = f64::NEG_INFINITY;
    unsound[6].mlp.batch_size = 0;
    unsound[7].mlp.l2 = -0.5;
    for pipeline in unsound {
        let model = mlp_model();
        let mut payload = Payload::of(&model);
        payload.params.pipeline = Pipeline::Mlp(pipeline);
        assert_corrupt(&payload, "parameter");
    }
    let model = mlp_model();
    let mut payload = Payload::of(&model);
    payload.params.pipeline = Pipeline::default();
    assert_corrupt(&payload, "those of another pipeline");
}

#[test]
fn pairs_where_only_tokens_are_counted() {
    let model = mlp_model();
    let mut payload = Payload::of(&model);
    let Pipeline::Mlp(pipeline) = &mut payload.params.pipeline else {
        panic!("networks were trained");
    };
    pipeline.vectorizer.ngrams = crate::features::Ngrams::Unigrams;
    assert_corrupt(&payload, "single tokens only");
}

#[test]
fn state() {
    let model = mlp_model();
    let mut payload = Payload::of(&model);
    payload.state = Some(serde_bytes::Bytes::new(b"something"));
    assert_corrupt(&payload, "leaves nothing for the next training");
}
