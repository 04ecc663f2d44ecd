//! From text to features: words, stems and vectors, held against the reference and against scikit-learn.

mod count_vectorizer;
mod fixtures;
mod parity;
mod quality;
#[path = "../shared/mod.rs"]
mod shared;
mod tfidf_vectorizer;
