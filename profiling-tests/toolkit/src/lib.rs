//! Instruments for profiling tests; knows nothing of documents.

pub mod memory;
pub mod symbols;
