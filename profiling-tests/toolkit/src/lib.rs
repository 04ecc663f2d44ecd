//! Instruments for profiling tests; knows nothing of documents.

pub mod symbols;
