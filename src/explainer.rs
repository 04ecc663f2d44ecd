//! From a prepared pipeline and a document to explanations.
//!
//! The pipeline says what each column adds to a label's score; this says what the columns are called and where they
//! stand in the content.

use std::ops::Range;

use crate::document::{Field, LabelCatalog, LabelId};
use crate::explanation::{Explanation, TermEvidence};
use crate::pipelines::{Attribution, Prepared};
use crate::sparse::SparseVector;
use crate::text::{Cut, excerpt};

/// Explains one document's labels.
pub(crate) struct Explainer<'a> {
    prepared: &'a Prepared,
    features: &'a SparseVector,
    catalog: &'a LabelCatalog,
    occurrences: Occurrences,
}

impl<'a> Explainer<'a> {
    /// An explainer of the document whose content and features are given.
    pub(crate) fn new(
        prepared: &'a Prepared,
        content: &str,
        features: &'a SparseVector,
        catalog: &'a LabelCatalog,
    ) -> Self {
        Self {
            prepared,
            features,
            catalog,
            occurrences: Occurrences::new(prepared, content),
        }
    }

    /// None if the label can't be assigned.
    pub(crate) fn explain(&self, field: Field, label: LabelId) -> Option<Explanation> {
        let Attribution {
            is_suggested,
            confidence,
            threshold,
            score,
            bias,
            contributions,
            evidence,
        } = self.prepared.attribution(field, label, self.features)?;
        Some(Explanation {
            field,
            label,
            name: self.catalog.name(field, label).map(str::to_owned),
            is_suggested,
            confidence,
            threshold,
            score,
            bias,
            terms: self.terms(contributions),
            evidence,
        })
    }

    /// The terms that contribute, strongest first.
    fn terms(&self, mut contributions: Vec<(u32, f32)>) -> Vec<TermEvidence> {
        contributions.retain(|&(_, contribution)| contribution != 0.0);
        // Stable: an n-gram may be spelled like a word, whose column comes first.
        contributions.sort_by(|(a, by_a), (b, by_b)| {
            let stronger = by_b.abs().total_cmp(&by_a.abs());
            stronger.then_with(|| self.prepared.term(*a).1.cmp(self.prepared.term(*b).1))
        });
        let evidence = |(column, contribution)| {
            let (kind, term) = self.prepared.term(column);
            TermEvidence {
                term: term.to_owned(),
                kind,
                contribution,
                occurrences: self.occurrences.of(column).collect(),
            }
        };
        contributions.into_iter().map(evidence).collect()
    }
}

/// Where the terms of a document stand.
struct Occurrences {
    /// By column, then by place.
    places: Vec<(u32, Range<usize>)>,
}

impl Occurrences {
    /// Of a very long content, the terms of its [`excerpt`], but where they stand in the whole.
    fn new(prepared: &Prepared, content: &str) -> Self {
        let mut places = Vec::new();
        let cut = Cut::of(content);
        prepared.for_each_occurrence(&excerpt(content), |column, at| {
            let at = cut.map_or(at.clone(), |cut| cut.in_whole(&at));
            places.push((column, at));
        });
        // Stable: occurrences come in the order of the text.
        places.sort_by_key(|&(column, _)| column);
        Self { places }
    }

    fn of(&self, column: u32) -> impl Iterator<Item = Range<usize>> {
        let from = self.places.partition_point(|&(other, _)| other < column);
        let own = self.places[from..].iter();
        own.take_while(move |&&(other, _)| other == column)
            .map(|(_, at)| at.clone())
    }
}
