//! Archives in databases that no program would write: bytes flipped, pages that lead in circles.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use postroom::document::{DocumentId, Field, Filing, LabelCatalog};
use postroom::error::{ArchiveProblem, Error, Result};
use postroom::store::{DocumentStore, NewDocument, NewLabel, Selection, SqliteArchive, SqliteStore};
use rusqlite::Connection;

/// Small pages make a small file: a byte has a part in something.
pub(crate) const PAGE: usize = 512;

/// An archive of three documents with a label in every field, on pages of [`PAGE`] bytes.
pub(crate) fn archive(path: &Path) -> PathBuf {
    let mut archive = SqliteArchive::create(path).unwrap();
    let labels = Field::ALL.map(|field| archive.add_label(field, &NewLabel::auto("label")).unwrap());
    archive.add_label(Field::Tags, &NewLabel::inbox("inbox")).unwrap();
    let documents =
        ["one letter", "two letters", "three letters, one of them long"].map(|content| NewDocument {
            title: "",
            content,
            modified: Timestamp::UNIX_EPOCH,
            correspondent: Some(labels[Field::Correspondent.index()]),
            document_type: Some(labels[Field::DocumentType.index()]),
            storage_path: Some(labels[Field::StoragePath.index()]),
        });
    let ids = archive.add_documents(&documents).unwrap();
    let tag = labels[Field::Tags.index()];
    archive
        .add_tags(&ids.iter().map(|&id| (id, tag)).collect::<Vec<_>>())
        .unwrap();
    drop(archive);
    run(path, &format!("PRAGMA page_size = {PAGE}; VACUUM"));
    path.to_owned()
}

/// Runs `sql` on a database, with nothing checked.
pub(crate) fn run(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    connection
        .pragma_update(None, "ignore_check_constraints", true)
        .unwrap();
    // Nobody needs these files after a power cut.
    connection.pragma_update(None, "synchronous", false).unwrap();
    connection.execute_batch(sql).unwrap();
}

/// Everything that can be read of an archive.
#[derive(Debug, PartialEq)]
pub(crate) struct Everything {
    pub(crate) catalog: LabelCatalog,
    pub(crate) filings: Vec<Filing>,
    pub(crate) contents: Vec<(DocumentId, String)>,
}

/// Reads an archive in all the ways there are.
pub(crate) fn read_everything(path: &Path) -> Result<Everything> {
    let store = SqliteStore::open(path)?;
    let mut snapshot = store.snapshot()?;
    let catalog = snapshot.label_catalog()?;
    let (mut filings, mut contents) = (Vec::new(), Vec::new());
    snapshot.for_each_filing(&mut |filing| {
        filings.push(filing);
        Ok(())
    })?;
    snapshot.for_each_document(&mut |document| {
        contents.push((document.id, document.content));
        Ok(())
    })?;
    let ids: Vec<DocumentId> = contents.iter().map(|&(id, _)| id).collect();
    snapshot.for_each_document_among(&ids, &mut |_| Ok(()))?;
    store.for_each_selected(&Selection::Inbox, &mut |_| Ok(()))?;
    Ok(Everything {
        catalog,
        filings,
        contents,
    })
}

/// What must hold of whatever is read of whatever file of so many bytes, and of an error.
pub(crate) fn assert_sound(result: &Result<Everything>, file_bytes: usize, what: &str) {
    let everything = match result {
        Ok(everything) => everything,
        Err(Error::Archive { .. }) => return,
        Err(other) => panic!("{what}: {other}"),
    };
    let Everything {
        catalog,
        filings,
        contents,
    } = everything;
    assert!(
        filings.is_sorted_by(|a, b| a.id < b.id) && contents.is_sorted_by(|a, b| a.0 < b.0),
        "{what}: documents out of order"
    );
    // A byte that isn't text becomes U+FFFD, three bytes.
    let n_bytes: usize = contents.iter().map(|(_, content)| content.len()).sum();
    assert!(n_bytes <= 3 * file_bytes, "{what}: {n_bytes} bytes of text");
    for filing in filings {
        for field in Field::ALL {
            let labels = filing.labels.of(field);
            assert!(
                labels.is_sorted_by(|a, b| a < b),
                "{what}: labels out of order: {labels:?}"
            );
            assert!(
                labels.iter().all(|&label| catalog.name(field, label).is_some()),
                "{what}: a label that isn't one: {labels:?}"
            );
        }
    }
}

pub(crate) fn problem<T>(result: Result<T>) -> ArchiveProblem {
    match result {
        Err(Error::Archive { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

/// The pages of a b-tree that come before its rows: four bytes of the child's number, and of a key what suffices.
///
/// See "B-tree Pages" in the description of SQLite's file format.
fn inner_page(kind: u8, cell: &[u8], child: u32) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let (mut end, mut n_cells) = (PAGE, 0_u16);
    while 12 + 2 * usize::from(n_cells) + 2 + 4 + cell.len() <= end - 4 - cell.len() {
        end -= 4 + cell.len();
        page[end..end + 4].copy_from_slice(&child.to_be_bytes());
        page[end + 4..end + 4 + cell.len()].copy_from_slice(cell);
        let pointer = 12 + 2 * usize::from(n_cells);
        page[pointer..pointer + 2].copy_from_slice(&(end as u16).to_be_bytes());
        n_cells += 1;
    }
    page[0] = kind;
    page[3..5].copy_from_slice(&n_cells.to_be_bytes());
    page[5..7].copy_from_slice(&(end as u16).to_be_bytes());
    page[8..12].copy_from_slice(&child.to_be_bytes());
    page
}

/// Puts fifteen inner pages before the rows of the table or index of this name, each full of pointers to the next: its
/// rows come round more often than 10²⁵ times.
pub(crate) fn lead_in_circles(path: &Path, name: &str) {
    const N_INNER: usize = 15;
    let root: u32 = Connection::open(path)
        .unwrap()
        .query_row(
            "SELECT rootpage FROM sqlite_master WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .unwrap();
    let mut bytes = fs::read(path).unwrap();
    let n_pages = bytes.len() / PAGE;
    let at = (root as usize - 1) * PAGE;
    let rows = bytes[at..at + PAGE].to_vec();
    // A table's key is a number; an index's is a row of two numbers and the number of the table's row, all zero.
    let (kind, cell): (u8, &[u8]) = match rows[0] {
        5 | 13 => (5, &[1]),
        2 | 10 => (2, &[4, 4, 8, 8, 8]),
        other => panic!("{name} has a page of kind {other}"),
    };
    bytes.extend(&rows);
    let page_number = |beyond: usize| (n_pages + beyond) as u32;
    for inner in 1..N_INNER {
        bytes.extend(inner_page(kind, cell, page_number(inner)));
    }
    bytes[at..at + PAGE].copy_from_slice(&inner_page(kind, cell, page_number(N_INNER)));
    let n_pages = (bytes.len() / PAGE) as u32;
    bytes[28..32].copy_from_slice(&n_pages.to_be_bytes());
    fs::write(path, bytes).unwrap();
}
