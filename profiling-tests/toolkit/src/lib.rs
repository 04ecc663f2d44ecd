//! Instruments for profiling tests; knows nothing of documents.
