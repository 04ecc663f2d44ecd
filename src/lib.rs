//! Postroom learns how somebody files their documents and files the next one.

pub mod document;
pub mod error;
pub mod features;
pub mod fingerprint;
pub mod learners;
pub mod sparse;
pub mod store;
pub mod text;

pub use error::{Error, Result};
