//! Instruments for profiling tests; knows nothing of documents.

pub mod environment;
pub mod memory;
pub mod symbols;
