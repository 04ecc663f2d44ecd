//! Documents that the reference's archive of 5,000 doesn't have, and how well a classifier files them.

use postroom::classifier::DocumentClassifier;
use postroom::document::LabelId;
use serde_json::Value;

/// Micro-F1 of the tags, then accuracies of the other fields, in the order of `Field::ALL`.
pub(crate) fn scores(classifier: &DocumentClassifier, documents: &[Value]) -> [f64; 4] {
    let label = |value: &Value| value.as_i64().map(|key| LabelId(key as i32));
    let (mut right, mut hits, mut n_tags) = ([0.0; 4], 0, 0);
    for document in documents {
        let answer = classifier
            .predict(document["content"].as_str().unwrap())
            .unwrap()
            .labels();
        let tags: Vec<LabelId> = document["auto_tags"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(label)
            .collect();
        hits += answer.tags.iter().filter(|tag| tags.contains(tag)).count();
        n_tags += tags.len() + answer.tags.len();
        right[1] += f64::from(answer.correspondent == label(&document["auto_correspondent"]));
        right[2] += f64::from(answer.document_type == label(&document["auto_document_type"]));
        right[3] += f64::from(answer.storage_path == label(&document["auto_storage_path"]));
    }
    right[0] = 2.0 * hits as f64 / n_tags as f64;
    [
        right[0],
        right[1] / documents.len() as f64,
        right[2] / documents.len() as f64,
        right[3] / documents.len() as f64,
    ]
}
