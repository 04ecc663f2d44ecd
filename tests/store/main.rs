//! An archive in SQLite: what is read of it, what is refused, and that it is left as it was.

mod broken;
#[path = "../hand_made/mod.rs"]
mod hand_made;
mod hostile;
mod large;
mod parity;
mod schemas;
mod selected;
mod selection;
#[path = "../shared/mod.rs"]
mod shared;
mod untouched;

use postroom::document::Filing;
use postroom::store::{NewDocument, Snapshot};

/// A document without a label.
fn document(content: &str) -> NewDocument<'_> {
    NewDocument {
        title: "",
        content,
        modified: "2026-01-01T00:00:00Z".parse().expect("a time"),
        correspondent: None,
        document_type: None,
        storage_path: None,
    }
}

fn filings(snapshot: &mut dyn Snapshot) -> postroom::Result<Vec<Filing>> {
    let mut filings = Vec::new();
    snapshot.for_each_filing(&mut |filing| {
        filings.push(filing);
        Ok(())
    })?;
    Ok(filings)
}
