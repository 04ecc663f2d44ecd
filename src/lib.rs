//! Postroom learns how somebody files their documents (correspondent, document type, tags, storage path) and files
//! the next one.
//!
//! The way of the data, one module a step:
//!
//! 1. [`store`] hands out one consistent moment of an archive: each [`Document`](document::Document)'s content, and
//!    how it is filed ([`Labels`](document::Labels)).
//! 2. [`fingerprint`] tells whether anything changed since the last training. Usually nothing did, and that is all.
//! 3. [`text`] turns contents into tokens, [`features`] tokens into counts of a vocabulary's terms, a
//!    matrix ([`sparse`]) of `n_documents × n_terms`.
//! 4. [`targets`] turns labels into classes, [`learners`] learn to tell them apart, field by field. Which features and
//!    which learner is the choice of a [`pipeline`](pipelines).
//! 5. [`model`] is what remains: fitted data. [`model_file`] signs it and replaces it on disk whole or not at all.
//! 6. [`predictor`] is a model prepared to answer; it makes [`Suggestions`](suggestions::Suggestions).
//!
//! [`explanation`] tells which terms spoke for a label and against it, and where they stand. [`evaluation`] tells how
//! good all that would be on an archive.
//!
//! [`trainer`] walks steps 1 to 5, and [`classifier`] is the face of it all:
//!
//! ```
//! use std::ops::ControlFlow;
//! use postroom::classifier::DocumentClassifier;
//! use postroom::document::Field;
//! use postroom::store::{MemoryStore, NewDocument, NewLabel};
//!
//! let mut archive = MemoryStore::new();
//! let library = archive.add_label(Field::Correspondent, &NewLabel::auto("City Library"));
//! let documents = [("The loan of this book is overdue", Some(library)), ("A letter from home", None)];
//! for &(content, correspondent) in documents.iter().cycle().take(20) {
//!     let modified = "2026-01-31T12:00:00Z".parse()?;
//!     archive.add_documents(&[NewDocument { title: "", content, modified, correspondent, document_type: None, storage_path: None }])?;
//! }
//! let mut classifier = DocumentClassifier::default();
//! classifier.train(&archive, &|_| ControlFlow::Continue(()))?;
//! assert_eq!(classifier.predict_correspondent("Another overdue book")?, Some(library));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A paperless-ngx database is opened with [`SqliteStore::open`](store::SqliteStore::open), read-only and without a
//! trace; one of whatever kind, on a server too, with [`Archive::open`](store::Archive::open).

mod cells;
pub mod classifier;
pub mod document;
pub mod error;
pub mod evaluation;
mod explainer;
pub mod explanation;
pub mod features;
pub mod fingerprint;
mod folds;
pub mod learners;
pub mod model;
pub mod model_file;
pub mod pipelines;
pub mod predictor;
mod simd;
pub mod sparse;
pub mod status;
pub mod store;
pub mod suggestions;
pub mod targets;
pub mod text;
pub mod train_report;
pub mod trainer;
pub mod vector_cache;

pub use error::{Error, Result};

/// Holds the README's example to what compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Holds the code for programs of one's own to what compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
