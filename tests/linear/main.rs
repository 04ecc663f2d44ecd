//! The linear classifiers: their edges, their answers beside other implementations, and when they give none.

mod abstention;
mod edges;
mod parity;
#[path = "../shared/mod.rs"]
mod shared;
