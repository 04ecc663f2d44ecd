//! From tokens to features: vocabularies, and the vectorizers that count against them.
//!
//! In come documents, chunk by chunk, to fit; then single texts, to transform. Out go a [`Vocabulary`], a
//! matrix or a vector whose columns are its terms.

mod bigram_counts;
mod columns;
mod count_fitter;
mod count_vectorizer;
mod interner;
mod meaning;
mod params;
mod token_counts;
mod vocabulary;
mod word_cache;

pub use count_fitter::CountFitter;
pub use count_vectorizer::CountVectorizer;
pub use params::{CountVectorizerParams, Ngrams};
pub use vocabulary::Vocabulary;
