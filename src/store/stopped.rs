//! What passes over archives of every kind have in common: how they end early, and what they warn of.

use super::Location;
use crate::error::{ArchiveProblem, Error};

/// Why a pass ended early.
pub(super) enum Stopped {
    ByVisitor(Error),
    ByArchive(ArchiveProblem),
}

impl From<ArchiveProblem> for Stopped {
    fn from(problem: ArchiveProblem) -> Self {
        Self::ByArchive(problem)
    }
}

/// Says of how many contents something was replaced.
pub(super) fn warn_of_repairs(location: &Location, n_documents: usize) {
    if n_documents > 0 {
        tracing::warn!(
            documents = n_documents,
            archive = %location,
            "contents that are not UTF-8 text: what can't be read was replaced by U+FFFD",
        );
    }
}
