//! Instruments for profiling tests; knows nothing of documents.

pub mod cpu;
pub mod environment;
pub mod flamegraph;
pub mod folded;
pub mod memory;
pub mod names;
pub mod symbols;
pub mod timing;
