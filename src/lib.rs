//! Postroom learns how somebody files their documents and files the next one.

pub mod classifier;
pub mod document;
pub mod error;
pub mod features;
pub mod fingerprint;
pub mod learners;
pub mod model;
pub mod model_file;
pub mod predictor;
pub mod sparse;
pub mod status;
pub mod store;
pub mod targets;
pub mod text;
pub mod train_report;
pub mod trainer;
pub mod vector_cache;

pub use error::{Error, Result};
