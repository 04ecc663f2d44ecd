//! A paperless-ngx database in SQLite.
/// Placeholder.
#[derive(Debug)]
pub struct SqliteStore;
