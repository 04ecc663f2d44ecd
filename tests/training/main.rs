//! What is learned, from whichever archive, and what is learned again after it changed.

#[path = "../changing_archive/mod.rs"]
mod changing_archive;
mod fingerprint;
mod incremental;
mod incremental_limits;
mod pipeline;
mod retraining;
#[path = "../shared/mod.rs"]
mod shared;
#[path = "../sixty_documents/mod.rs"]
mod sixty_documents;
