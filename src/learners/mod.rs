//! What learns from a document-term matrix: linear classifiers and networks, in one file each.
//!
//! In come a matrix ([`crate::sparse`]) and [`Targets`]; out comes a fitted learner: plain data.
//! Nothing here knows of documents, labels or text.

#![expect(
    clippy::inline_always,
    reason = "a kernel is compiled for an instruction set only as far as it is inlined"
)]

pub mod linear;
pub mod logistic;
pub mod mlp;
mod real;

use crate::error::{Error, Result};
use crate::simd::prefetch;

pub use real::Real;

/// What a learner is to reproduce, one entry per row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// One of `n_classes` (three or more) for each row.
    Classes {
        /// Class of each row, below `n_classes`.
        class: Vec<u32>,
        /// Number of classes.
        n_classes: usize,
    },
    /// Yes or no for each row.
    Binary(Vec<bool>),
    /// Any of `n_labels` for each row.
    MultiLabel {
        /// Labels of each row, ascending, below `n_labels`.
        labels: Vec<Vec<u32>>,
        /// Number of labels.
        n_labels: usize,
    },
}

impl Targets {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Classes { class, .. } => class.len(),
            Self::Binary(yes) => yes.len(),
            Self::MultiLabel { labels, .. } => labels.len(),
        }
    }

    /// Number of outputs that a network needs: one for yes or no.
    pub fn n_outputs(&self) -> usize {
        match self {
            Self::Classes { n_classes, .. } => *n_classes,
            Self::Binary(_) => 1,
            Self::MultiLabel { n_labels, .. } => *n_labels,
        }
    }

    /// Asks for what [`Self::for_each_on`] reads of `row` to be brought near; of several labels, for where they stand.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: usize) {
        match self {
            Self::Classes { class, .. } => prefetch(&class[row]),
            Self::Binary(yes) => prefetch(&yes[row]),
            Self::MultiLabel { labels, .. } => prefetch(&labels[row]),
        }
    }

    /// The same for the labels themselves.
    #[inline(always)]
    pub(crate) fn prefetch_labels(&self, row: usize) {
        if let Self::MultiLabel { labels, .. } = self {
            prefetch(labels[row].as_slice());
        }
    }

    /// Calls `visit` with each output that is to be one in `row`, ascending.
    #[inline(always)]
    pub(crate) fn for_each_on(&self, row: usize, mut visit: impl FnMut(usize)) {
        match self {
            Self::Classes { class, .. } => visit(class[row] as usize),
            Self::Binary(yes) if yes[row] => visit(0),
            Self::Binary(_) => {}
            Self::MultiLabel { labels, .. } => labels[row].iter().for_each(|&label| visit(label as usize)),
        }
    }
}

/// What is said of a parameter that a learner can't use.
fn unusable(
    learner: &'static str,
    name: &'static str,
    found: &dyn ToString,
    expected: &'static str,
) -> Error {
    Error::Parameter {
        of: learner,
        name,
        found: found.to_string(),
        expected,
    }
}

fn finite_and_not_negative(learner: &'static str, name: &'static str, number: f64) -> Result<()> {
    if number.is_finite() && number >= 0.0 {
        Ok(())
    } else {
        Err(unusable(learner, name, &number, "a finite number, 0 or more"))
    }
}
