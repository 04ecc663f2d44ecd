//! Archives on PostgreSQL and MariaDB servers: real ones, started for these tests.
#![cfg(all(unix, feature = "postgres", feature = "mariadb"))]
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

#[path = "../server_common/mod.rs"]
mod server_common;
#[path = "../shared/mod.rs"]
mod shared;

mod moments;
mod odd;
mod refusals;
mod same;

use postroom::document::{Document, Filing};
use postroom::error::{ArchiveProblem, Error};
use postroom::store::Snapshot;

fn filings(snapshot: &mut dyn Snapshot) -> postroom::Result<Vec<Filing>> {
    let mut filings = Vec::new();
    snapshot.for_each_filing(&mut |filing| {
        filings.push(filing);
        Ok(())
    })?;
    Ok(filings)
}

fn documents(snapshot: &mut dyn Snapshot) -> postroom::Result<Vec<Document>> {
    let mut documents = Vec::new();
    snapshot.for_each_document(&mut |document| {
        documents.push(document);
        Ok(())
    })?;
    Ok(documents)
}

/// What is wrong with the archive.
#[track_caller]
fn problem<T>(result: Result<T, Error>) -> ArchiveProblem {
    match result {
        Err(Error::Archive { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("no error"),
    }
}

/// Says that the problem isn't the expected one.
macro_rules! assert_problem {
    ($result:expr, $pattern:pat) => {
        let problem = crate::problem($result);
        assert!(matches!(problem, $pattern), "{problem:?}");
    };
}
use assert_problem;

/// Some auto labels, and documents 1 to `n` that have them.
fn archive_sql(n_documents: usize) -> String {
    use std::fmt::Write as _;

    let mut sql = String::from(
        "INSERT INTO documents_tag (id, name, is_inbox_tag, matching_algorithm) VALUES
             (1, 'tax', false, 6), (2, 'new', true, 0);\n
         INSERT INTO documents_correspondent (id, name, matching_algorithm) VALUES (1, 'Bank', 6);\n",
    );
    for id in 1..=n_documents {
        let separator = if id % 500 == 1 {
            "INSERT INTO documents_document (id, content, modified, correspondent_id) VALUES"
        } else {
            ","
        };
        let end = if id % 500 == 0 || id == n_documents {
            ";\n"
        } else {
            ""
        };
        write!(
            sql,
            "{separator} ({id}, 'text {id}', '2026-01-02 03:04:05.000006', 1){end}"
        )
        .unwrap();
    }
    sql.push_str("INSERT INTO documents_document_tags (document_id, tag_id) VALUES (1, 1);\n");
    sql
}
