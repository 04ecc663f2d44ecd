//! Every field of the payload in turn made into what no training writes, and signed with the right key.

use std::borrow::Cow;

use super::super::tests::{assert_corrupt, linear_model};
use super::super::{LearnedPayload, Payload};
use super::*;
use crate::features::TfidfTerms;
use crate::pipelines::Pipeline;
use crate::pipelines::linear::{LabelThreshold, Threshold};

fn corrupt(expected: &str, damage: impl FnOnce(&mut LinearPayload<'_>)) {
    let model = linear_model();
    let mut payload = Payload::of(&model);
    let LearnedPayload::Linear(learned) = &mut payload.learned else {
        panic!("linear classifiers were trained");
    };
    damage(learned);
    assert_corrupt(&payload, expected);
}

fn packed(numbers: &[f32]) -> PackedNumbers<'static> {
    PackedNumbers(Cow::Owned(
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
    ))
}

fn with_last(packed: &PackedNumbers<'_>, number: f32) -> PackedNumbers<'static> {
    let mut bytes = packed.0.to_vec();
    let last = bytes.len() - size_of::<f32>();
    bytes[last..].copy_from_slice(&number.to_le_bytes());
    PackedNumbers(Cow::Owned(bytes))
}

fn one_short(packed: &PackedNumbers<'_>) -> PackedNumbers<'static> {
    PackedNumbers(Cow::Owned(packed.0[size_of::<f32>()..].to_vec()))
}

/// What all kinds of fields have.
fn classifiers<'p, 'a>(payload: &'p mut LinearPayload<'a>, field: Field) -> &'p mut ClassifiersPayload<'a> {
    match payload.fields[field.index()].as_mut().unwrap() {
        FieldPayload::OneLabel { classifiers, .. } | FieldPayload::Tags { classifiers } => classifiers,
    }
}

fn one_label<'p, 'a>(
    payload: &'p mut LinearPayload<'a>,
) -> (&'p mut MatrixPayload<'a>, &'p mut PackedNumbers<'a>) {
    match payload.fields[Field::Correspondent.index()].as_mut().unwrap() {
        // Named one by one: a new field has to be thought of here.
        FieldPayload::OneLabel {
            classifiers: _,
            centroids,
            floors,
        } => (centroids, floors),
        FieldPayload::Tags { .. } => panic!("a document has one correspondent"),
    }
}

#[test]
fn n_documents() {
    corrupt("another number of documents", |payload| payload.n_documents += 1);
    corrupt("more than there are", |payload| payload.n_documents = 0);
}

#[test]
fn terms() {
    type Terms = for<'p, 'a> fn(&'p mut LinearPayload<'a>) -> &'p mut TermsPayload<'a>;
    let kinds: [Terms; 2] = [|payload| &mut payload.words, |payload| &mut payload.char_grams];
    for of_kind in kinds {
        corrupt("ascend by code point", |payload| of_kind(payload).terms.reverse());
        corrupt("ascend by code point", |payload| {
            let terms = &mut of_kind(payload).terms;
            terms[1] = terms[0];
        });
        corrupt("is not valid", |payload| of_kind(payload).terms[0] = "");
        corrupt("is not valid", |payload| of_kind(payload).terms[0] = "\0");
        corrupt("weights of", |payload| {
            of_kind(payload).terms.pop();
        });
        corrupt("frequencies", |payload| {
            of_kind(payload).document_frequencies.push(1);
        });
        corrupt("frequencies", |payload| {
            of_kind(payload).document_frequencies.clear();
        });
        for frequency in [0, 10, u32::MAX] {
            corrupt("documents, expected", |payload| {
                of_kind(payload).document_frequencies[0] = frequency;
            });
        }
    }
}

#[test]
fn labels_and_how_many_have_them() {
    for field in Field::ALL {
        corrupt(&format!("{field}: it has no label"), |payload| {
            classifiers(payload, field).labels.clear();
        });
        corrupt("a label is on no document", |payload| {
            classifiers(payload, field).n_positives[0] = 0;
        });
        corrupt("or on more than there are", |payload| {
            classifiers(payload, field).n_positives[0] = 10;
        });
        corrupt("numbers of documents differ", |payload| {
            classifiers(payload, field).n_positives.push(1);
        });
    }
    for field in [Field::Tags, Field::Correspondent] {
        corrupt("ascending", |payload| {
            classifiers(payload, field).labels.reverse();
        });
        corrupt("ascending", |payload| {
            let labels = &mut classifiers(payload, field).labels;
            labels[1] = labels[0];
        });
        corrupt("differ", |payload| {
            let labels = &mut classifiers(payload, field).labels;
            labels.push(LabelId(i32::MAX));
        });
    }
    corrupt("their names differ in number", |payload| payload.fields[0] = None);
    corrupt("one label where there can be several", |payload| {
        payload.fields.swap(0, 1);
    });
    corrupt("several labels for a field that has one", |payload| {
        let tags = payload.fields[0].take();
        payload.fields[1] = tags;
    });
}

#[test]
fn biases_calibration_and_thresholds() {
    for field in Field::ALL {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            corrupt(&format!("{field}: a weight is not a number"), |payload| {
                let bias = &mut classifiers(payload, field).bias;
                *bias = with_last(bias, number);
            });
            corrupt("not a number", |payload| {
                let thresholds = &mut classifiers(payload, field).thresholds;
                *thresholds = with_last(thresholds, number);
            });
            corrupt("calibration", |payload| {
                classifiers(payload, field).calibration.intercept = f64::from(number);
            });
            corrupt("calibration", |payload| {
                classifiers(payload, field).calibration.weights[0] = f64::from(number);
            });
        }
        corrupt("below 0", |payload| {
            let thresholds = &mut classifiers(payload, field).thresholds;
            *thresholds = with_last(thresholds, -0.5);
        });
        corrupt("another number of weights", |payload| {
            let thresholds = &mut classifiers(payload, field).thresholds;
            *thresholds = one_short(thresholds);
        });
        corrupt("classifiers for", |payload| {
            classifiers(payload, field).bias = packed(&[]);
        });
        corrupt("classifiers for", |payload| {
            classifiers(payload, field).bias = packed(&[0.0; 9]);
        });
        corrupt("calibration", |payload| {
            classifiers(payload, field).calibration.weights.pop();
        });
        corrupt("calibration", |payload| {
            classifiers(payload, field).calibration.weights.push(0.0);
        });
    }
}

#[test]
fn matrices() {
    type Matrix = for<'p, 'a> fn(&'p mut LinearPayload<'a>) -> &'p mut MatrixPayload<'a>;
    let matrices: [Matrix; 3] = [
        |payload| &mut classifiers(payload, Field::Tags).weights,
        |payload| &mut classifiers(payload, Field::Correspondent).weights,
        |payload| one_label(payload).0,
    ];
    for matrix in matrices {
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            corrupt("not a number", |payload| {
                let values = &mut matrix(payload).values;
                *values = with_last(values, number);
            });
        }
        corrupt("another number of weights", |payload| {
            let values = &mut matrix(payload).values;
            *values = one_short(values);
        });
        corrupt("another number of weights", |payload| {
            matrix(payload).columns.pop();
        });
        corrupt("is not valid", |payload| {
            *matrix(payload).columns.last_mut().unwrap() = u32::MAX;
        });
        corrupt("is not valid", |payload| matrix(payload).lengths[0] += 1);
        corrupt("is not valid", |payload| {
            matrix(payload).lengths.fill(u32::MAX);
        });
        corrupt("weights of", |payload| {
            matrix(payload).lengths.pop();
        });
        corrupt("weights of", |payload| matrix(payload).lengths.push(0));
        corrupt("is not valid", |payload| {
            let matrix = matrix(payload);
            let row = matrix.lengths.iter().position(|&length| length > 1).unwrap();
            let first: u32 = matrix.lengths[..row].iter().sum();
            matrix.columns[first as usize + 1] = matrix.columns[first as usize];
        });
    }
}

#[test]
fn floors() {
    corrupt("a floor is not a number", |payload| {
        let (_, floors) = one_label(payload);
        *floors = with_last(floors, f32::NAN);
    });
    corrupt("another number of weights", |payload| {
        let (_, floors) = one_label(payload);
        *floors = one_short(floors);
    });
}

#[test]
fn params() {
    type Params = fn(&mut LinearPipeline) -> &mut crate::learners::linear::LinearParams;
    let sound = LinearPipeline::default();
    let given = |confidence| {
        vec![LabelThreshold {
            field: Field::Tags,
            label: LabelId(1),
            confidence,
        }]
    };
    let mut unsound = Vec::new();
    let mut but = |change: &dyn Fn(&mut LinearPipeline)| {
        let mut pipeline = sound.clone();
        change(&mut pipeline);
        unsound.push(pipeline);
    };
    but(&|pipeline| pipeline.features.min_df = 0);
    but(&|pipeline| pipeline.features.gram_length = 1);
    but(&|pipeline| pipeline.features.gram_length = 200);
    but(&|pipeline| pipeline.features.gram_weight = f64::NAN);
    but(&|pipeline| pipeline.n_folds = 1);
    but(&|pipeline| pipeline.n_folds = usize::MAX);
    but(&|pipeline| pipeline.threshold = Threshold::Precision(f64::NAN));
    but(&|pipeline| pipeline.threshold = Threshold::Precision(1.0));
    but(&|pipeline| pipeline.label_thresholds = given(f32::NAN));
    but(&|pipeline| pipeline.label_thresholds = given(f32::INFINITY));
    but(&|pipeline| pipeline.label_thresholds = given(-0.5));
    but(&|pipeline| pipeline.incremental.most_changed = f64::NAN);
    let learners: [Params; 2] = [|pipeline| &mut pipeline.one_label, |pipeline| &mut pipeline.tags];
    for params in learners {
        but(&|pipeline| params(pipeline).c = f64::INFINITY);
        but(&|pipeline| params(pipeline).c = 0.0);
        but(&|pipeline| params(pipeline).positive_weight_exponent = -1.0);
        but(&|pipeline| params(pipeline).tolerance = f64::NAN);
        but(&|pipeline| params(pipeline).max_passes = 0);
        but(&|pipeline| params(pipeline).prune_below = f64::NEG_INFINITY);
        but(&|pipeline| params(pipeline).bias_feature = f64::NAN);
    }
    for pipeline in unsound {
        let model = linear_model();
        let mut payload = Payload::of(&model);
        payload.params.pipeline = Pipeline::Linear(pipeline);
        assert_corrupt(&payload, "parameter");
    }
}

#[test]
fn n_grams_where_only_words_are_counted() {
    let model = linear_model();
    let mut payload = Payload::of(&model);
    let Pipeline::Linear(pipeline) = &mut payload.params.pipeline else {
        panic!("linear classifiers were trained");
    };
    pipeline.features.terms = TfidfTerms::Words;
    assert_corrupt(&payload, "words only");
}
