//! A label's score for one document, taken apart by columns of the vectorizer.

/// What speaks for a label and against it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attribution {
    pub(crate) is_suggested: bool,
    pub(crate) confidence: f32,
    /// From which confidence on the label is assigned, where it has a threshold of its own.
    pub(crate) threshold: Option<f32>,
    /// Bias and contributions sum to it.
    pub(crate) score: f32,
    pub(crate) bias: f32,
    /// By ascending column; zeros may be among them.
    pub(crate) contributions: Vec<(u32, f32)>,
    /// What else the confidence is made of.
    pub(crate) evidence: Vec<(&'static str, f64)>,
}

impl Attribution {
    /// Of a label that every document gets, whatever it says.
    pub(crate) fn certain() -> Self {
        Self {
            is_suggested: true,
            confidence: 1.0,
            threshold: None,
            score: 1.0,
            bias: 1.0,
            contributions: Vec::new(),
            evidence: Vec::new(),
        }
    }
}
