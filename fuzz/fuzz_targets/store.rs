//! An archive with any bytes of its database changed: an error that is the archive's, or documents and labels in order.
//!
//! Four bytes of the input are a change: three say where, one says to what.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use postroom::document::Field;
use postroom::error::{Error, Result};
use postroom::store::{DocumentStore, NewDocument, NewLabel, Selection, SqliteArchive, SqliteStore};
use tempfile::TempDir;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("there is room"));

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = path("whole");
    make(&path).expect("the archive is new");
    fs::read(path).expect("it was just made")
});

fn path(name: &str) -> PathBuf {
    DIRECTORY.path().join(name)
}

fn make(path: &PathBuf) -> Result<()> {
    let mut archive = SqliteArchive::create(path)?;
    let sender = archive.add_label(Field::Correspondent, &NewLabel::auto("City Library"))?;
    let tag = archive.add_label(Field::Tags, &NewLabel::auto("overdue"))?;
    archive.add_label(Field::Tags, &NewLabel::inbox("inbox"))?;
    let documents =
        ["The loan is overdue", "A letter from home", "Another letter"].map(|content| NewDocument {
            title: "",
            content,
            modified: Timestamp::UNIX_EPOCH,
            correspondent: Some(sender),
            document_type: None,
            storage_path: None,
        });
    let ids = archive.add_documents(&documents)?;
    archive.add_tags(&[(ids[0], tag), (ids[2], tag)])
}

fn read() -> Result<()> {
    let store = SqliteStore::open(path("broken"))?;
    let mut snapshot = store.snapshot()?;
    let catalog = snapshot.label_catalog()?;
    let (mut last, mut ids) = (None, Vec::new());
    snapshot.for_each_filing(&mut |filing| {
        assert!(last.replace(filing.id) < Some(filing.id));
        for field in Field::ALL {
            let labels = filing.labels.of(field);
            assert!(labels.is_sorted_by(|a, b| a < b));
            assert!(labels.iter().all(|&label| catalog.name(field, label).is_some()));
        }
        Ok(())
    })?;
    snapshot.for_each_document(&mut |document| {
        ids.push(document.id);
        Ok(())
    })?;
    snapshot.for_each_document_among(&ids, &mut |_| Ok(()))?;
    store.for_each_selected(&Selection::Inbox, &mut |_| Ok(()))
}

fuzz_target!(|changes: &[u8]| {
    let mut bytes = WHOLE.clone();
    for change in changes.chunks_exact(4) {
        let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % bytes.len();
        bytes[at] = change[3];
    }
    fs::write(path("broken"), bytes).expect("there is room");
    match read() {
        Ok(()) | Err(Error::Archive { .. }) => {}
        Err(error) => panic!("{error}"),
    }
});
