//! Why a label is suggested, or isn't: the terms of the document that speak for it and against it.
//!
//! Made by [`DocumentClassifier::explain`](crate::classifier::DocumentClassifier::explain). An [`Explanation`] prints as
//! a table and serializes for programs.

mod table;

use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::document::{Field, LabelId};

/// What a label's score for a document is made of: the bias and the terms' contributions sum to it, but for rounding.
///
/// The linear pipeline's score is that of the label's own classifier, in units of the margin, and a term contributes
/// value × weight. Its confidence is made of more than the score: [`Self::evidence`] has the rest. With networks, the
/// score is the logit that the confidence is the sigmoid or the softmax of (of three classes or more, the logit's
/// distance from the mean of all, for only differences count), and a term contributes what it adds through the hidden
/// units that are on for this document. A label that every document gets has score and bias 1, and no terms.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The label's field.
    pub field: Field,
    /// The label.
    pub label: LabelId,
    /// Its name at the time of training.
    pub name: Option<String>,
    /// Whether it is suggested for the document.
    pub is_suggested: bool,
    /// How sure the classifier is that it belongs on the document, 0 to 1.
    pub confidence: f32,
    /// The confidence from which on it is suggested, above 1 for never; the networks have none.
    pub threshold: Option<f32>,
    /// What the bias and all contributions sum to.
    pub score: f32,
    /// What the score is made of besides the terms.
    pub bias: f32,
    /// Every term of the document that makes a difference, the strongest first, for or against; of equally strong ones
    /// in code-point order.
    pub terms: Vec<TermEvidence>,
    /// What the linear pipeline's confidence is made of besides the score, by name:
    ///
    /// | name | |
    /// | --- | --- |
    /// | `n_documents_with_label` | documents that had the label at training |
    /// | `margin` | score less the best score of another label (−1 where there is no other) |
    /// | `cosine_to_label`, `cosine_to_best_other`, `cosine_to_none`, `cosine_to_all` | likeness to the mean document with the label, with the most alike other one, without a label, and to the mean of all |
    /// | `none_score` | score of the document having no label |
    /// | `score_without_bias`, `least_score_without_bias` | what the terms sum to, and what they have to for the label to be suggested |
    ///
    /// A tag has the first only; what isn't there wasn't learned.
    #[serde(serialize_with = "as_map")]
    pub evidence: Vec<(&'static str, f64)>,
}

/// What one term of a document adds to a label's score.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TermEvidence {
    /// The term as it stands in the vocabulary: stemmed; of a character n-gram, with a space where a word begins or
    /// ends.
    pub term: String,
    /// What kind of term it is.
    pub kind: TermKind,
    /// Above 0 speaks for the label.
    pub contribution: f32,
    /// Where it stands, in order: bytes of the content that was given. Of a pair of words, from the first to the second
    /// one; of an n-gram, the whole word where the stem isn't spelled as the word is.
    pub occurrences: Vec<Range<usize>>,
}

/// What a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    /// A word.
    Word,
    /// Two words that follow each other, words that don't count left out.
    WordPair,
    /// A few characters in a row.
    CharGram,
}

fn as_map<S: Serializer>(facts: &[(&'static str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(facts.iter().copied())
}
