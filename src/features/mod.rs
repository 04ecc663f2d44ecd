//! From tokens to features: vocabularies, and the vectorizers that count or weigh against them.
//!
//! In come documents, chunk by chunk, to fit; then single texts, to transform. Out go a [`Vocabulary`], a
//! matrix or a vector whose columns are its terms: counts of words and pairs of words ([`CountVectorizer`]), or
//! tf-idf of words and their parts ([`TfidfVectorizer`]), fitted on [`TokenBags`].

mod bag_collector;
mod bigram_counts;
mod char_grams;
mod column_counter;
mod columns;
mod count_fitter;
mod count_vectorizer;
mod interner;
mod meaning;
mod packed_bag;
mod params;
mod rows;
mod seen;
mod term_table;
mod tfidf_fitter;
mod tfidf_params;
mod tfidf_parts;
mod tfidf_vectorizer;
mod tfidf_weighting;
mod token_bags;
mod token_bags_bytes;
mod token_collector;
mod token_columns;
mod token_counts;
mod vocabulary;
mod word_cache;

pub use bag_collector::BagCollector;
pub use count_fitter::CountFitter;
pub use count_vectorizer::CountVectorizer;
pub use packed_bag::Bag;
pub use params::{CountVectorizerParams, Ngrams};
pub use tfidf_params::{FEW_DOCUMENTS, TfidfParams, TfidfTerms};
pub use tfidf_parts::{FittedTerms, TfidfParts};
pub use tfidf_vectorizer::{Term, TfidfVectorizer};
pub use token_bags::{BagSource, TokenBags};
pub use vocabulary::Vocabulary;
