//! An archive in memory.
/// Placeholder.
#[derive(Debug)]
pub struct MemoryStore;
