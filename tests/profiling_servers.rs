//! The profiling tests on an archive that is on a server.
#![cfg(all(unix, feature = "postgres", feature = "mariadb"))]

mod profiling_run;
mod server_common;

use jiff::Timestamp;
use postroom::document::Field;
use postroom::store::{NewDocument, NewLabel, SqliteArchive};
use profiling_run::Run;
use server_common::copy::copy;
use server_common::{PASSWORD, on_each_server};

const NOOP: &str = "training::second_train_noop";

fn measured(archive: &str, password: &str) -> Run {
    Run::in_environment(
        &["--ignored", "--exact", NOOP],
        &[
            ("PROFILING_DB", archive),
            ("POSTROOM_DB_PASSWORD", password),
            ("PROFILING_BRIEF", "on"),
        ],
    )
}

#[test]
fn archive_on_a_server_is_the_same_corpus_as_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("archive.sqlite3");
    let mut archive = SqliteArchive::create(&path).unwrap();
    let sender = archive
        .add_label(Field::Correspondent, &NewLabel::auto("library"))
        .unwrap();
    let contents: Vec<String> = (0..40).map(|n| format!("overdue loan letter {n}")).collect();
    let documents: Vec<NewDocument<'_>> = contents
        .iter()
        .enumerate()
        .map(|(n, content)| NewDocument {
            title: "letter",
            content,
            modified: Timestamp::UNIX_EPOCH,
            correspondent: (n % 2 == 0).then_some(sender),
            document_type: None,
            storage_path: None,
        })
        .collect();
    archive.add_documents(&documents).unwrap();
    drop(archive);
    let in_file = measured(path.to_str().unwrap(), "").succeeded().json(NOOP);

    on_each_server(|server| {
        let database = copy(server, &path);
        let run = measured(&database.url(), PASSWORD).succeeded();
        let on_server = run.json(NOOP);
        for fact in ["sha256", "n_documents", "n_labels"] {
            assert_eq!(on_server["corpus"][fact], in_file["corpus"][fact], "{fact}");
        }
        assert_eq!(on_server["corpus"]["source"]["file"], database.url());
        for output in [run.stdout(), run.stderr(), on_server.to_string()] {
            assert!(!output.contains(PASSWORD), "{output}");
        }

        let refused = measured(&database.url(), "another");
        assert_eq!(refused.output.status.code(), Some(2));
        let stderr = refused.stderr();
        assert!(
            stderr.contains("PROFILING_DB") && !stderr.contains("another"),
            "{stderr}"
        );
    });
}
