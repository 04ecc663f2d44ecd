//! What asks for a new training and what doesn't, told by the fingerprint; the same for an archive in SQLite and
//! one in memory.
#![expect(clippy::unwrap_used, reason = "what tests share panics as tests do")]

use jiff::{SignedDuration, Timestamp};
use postroom::document::{Document, DocumentId, Field, Filing, LabelCatalog, LabelId};
use postroom::fingerprint::{Fingerprint, FingerprintBuilder};
use postroom::store::{
    DocumentStore, MatchingAlgorithm, MemoryStore, NewDocument, NewLabel, SqliteArchive, SqliteStore,
};

/// The same archive twice. A change is made to both, and whatever is asked has to have one answer.
struct Twins {
    _directory: tempfile::TempDir,
    sqlite: SqliteArchive,
    memory: MemoryStore,
}

macro_rules! both {
    ($twins:expr, $archive:ident => $change:expr) => {{
        {
            let $archive = &mut $twins.sqlite;
            $change.unwrap();
        }
        let $archive = &mut $twins.memory;
        $change.unwrap()
    }};
}

impl Twins {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteArchive::create(directory.path().join("db.sqlite3")).unwrap();
        Self {
            sqlite,
            memory: MemoryStore::new(),
            _directory: directory,
        }
    }

    fn add_label(&mut self, field: Field, label: NewLabel<'_>) -> LabelId {
        let id = self.memory.add_label(field, &label);
        assert_eq!(self.sqlite.add_label(field, &label).unwrap(), id);
        id
    }

    fn add_document(&mut self, document: NewDocument<'_>) -> DocumentId {
        let ids = self.memory.add_documents(&[document]).unwrap();
        assert_eq!(self.sqlite.add_documents(&[document]).unwrap(), ids);
        ids[0]
    }

    fn contents(&self) -> (LabelCatalog, Vec<Filing>, Vec<Document>) {
        let contents = read(&SqliteStore::open(self.sqlite.path()).unwrap());
        assert_eq!(contents, read(&self.memory));
        contents
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut builder = FingerprintBuilder::new();
        self.contents().1.iter().for_each(|filing| builder.add(filing));
        builder.finish()
    }

    /// Whether the change leaves what was learned before it as good as new.
    fn stay_current_after(&mut self, change: impl FnOnce(&mut Self)) -> bool {
        let before = self.fingerprint();
        change(self);
        before.is_current(&self.fingerprint())
    }
}

fn read(store: &dyn DocumentStore) -> (LabelCatalog, Vec<Filing>, Vec<Document>) {
    let mut snapshot = store.snapshot().unwrap();
    let (mut filings, mut documents) = (Vec::new(), Vec::new());
    let catalog = snapshot.label_catalog().unwrap();
    snapshot
        .for_each_filing(&mut |filing| {
            filings.push(filing);
            Ok(())
        })
        .unwrap();
    snapshot
        .for_each_document(&mut |document| {
            documents.push(document);
            Ok(())
        })
        .unwrap();
    (catalog, filings, documents)
}

fn noon() -> Timestamp {
    "2026-01-01T12:00:00.000001Z".parse().unwrap()
}

fn plain() -> NewDocument<'static> {
    NewDocument {
        title: "",
        content: "text",
        modified: noon(),
        correspondent: None,
        document_type: None,
        storage_path: None,
    }
}

const FIRST: DocumentId = DocumentId(1);
const SECOND: DocumentId = DocumentId(2);
const TAG: LabelId = LabelId(1);
const INBOX: LabelId = LabelId(2);

/// Two documents; the first carries the auto tag, and there is an inbox tag that neither carries.
fn twins() -> Twins {
    let mut twins = Twins::new();
    twins.add_label(Field::Tags, NewLabel::auto("tag"));
    twins.add_label(Field::Tags, NewLabel::inbox("inbox"));
    twins.add_document(plain());
    twins.add_document(plain());
    both!(twins, archive => archive.add_tags(&[(FIRST, TAG)]));
    twins
}

#[test]
fn nothing_changed_is_current() {
    assert!(twins().stay_current_after(|_| {}));
}

#[test]
fn later_modification_is_a_change() {
    let later = noon() + SignedDuration::from_micros(1);
    assert!(
        !twins().stay_current_after(|twins| both!(twins, archive => archive.set_modified(SECOND, later)))
    );
}

#[test]
fn earlier_modification_is_none() {
    let earlier = noon() - SignedDuration::from_secs(1);
    assert!(
        twins().stay_current_after(|twins| both!(twins, archive => archive.set_modified(SECOND, earlier)))
    );
}

#[test]
fn added_tag_is_a_change() {
    assert!(!twins().stay_current_after(|twins| both!(twins, archive => archive.add_tags(&[(SECOND, TAG)]))));
}

#[test]
fn tag_added_again_is_none() {
    assert!(twins().stay_current_after(|twins| both!(twins, archive => archive.add_tags(&[(FIRST, TAG)]))));
}

#[test]
fn removed_tag_is_a_change() {
    assert!(!twins().stay_current_after(|twins| both!(twins, archive => archive.remove_tag(FIRST, TAG))));
}

#[test]
fn deletion_is_a_change() {
    assert!(!twins().stay_current_after(|twins| both!(twins, archive => archive.trash(SECOND))));
}

#[test]
fn undeletion_is_a_change() {
    let mut twins = twins();
    both!(twins, archive => archive.trash(SECOND));
    assert!(!twins.stay_current_after(|twins| both!(twins, archive => archive.restore(SECOND))));
}

#[test]
fn deletion_taken_back_is_none() {
    assert!(twins().stay_current_after(|twins| {
        both!(twins, archive => archive.trash(SECOND));
        both!(twins, archive => archive.restore(SECOND));
    }));
}

#[test]
fn move_to_the_inbox_is_a_change() {
    assert!(
        !twins().stay_current_after(|twins| both!(twins, archive => archive.add_tags(&[(SECOND, INBOX)])))
    );
}

#[test]
fn new_auto_label_in_use_is_a_change() {
    assert!(!twins().stay_current_after(|twins| {
        let label = twins.add_label(Field::Tags, NewLabel::auto("new"));
        both!(twins, archive => archive.add_tags(&[(SECOND, label)]));
    }));
}

#[test]
fn new_auto_label_on_no_document_is_none() {
    assert!(twins().stay_current_after(|twins| {
        for field in Field::ALL {
            twins.add_label(field, NewLabel::auto("new"));
        }
    }));
}

#[test]
fn new_manual_label_in_use_is_none() {
    assert!(twins().stay_current_after(|twins| {
        let label = twins.add_label(Field::Tags, NewLabel::manual("by hand"));
        both!(twins, archive => archive.add_tags(&[(SECOND, label)]));
    }));
}

#[test]
fn new_document_is_a_change() {
    assert!(!twins().stay_current_after(|twins| {
        twins.add_document(plain());
    }));
}

#[test]
fn new_document_in_the_inbox_is_none() {
    assert!(twins().stay_current_after(|twins| {
        let id = twins.add_document(NewDocument {
            modified: noon() + SignedDuration::from_secs(1),
            ..plain()
        });
        both!(twins, archive => archive.add_tags(&[(id, INBOX)]));
    }));
}

#[test]
fn same_key_in_another_field_is_a_change() {
    let mut by_correspondent = Twins::new();
    let mut by_type = Twins::new();
    for twins in [&mut by_correspondent, &mut by_type] {
        twins.add_label(Field::Correspondent, NewLabel::auto("a"));
        twins.add_label(Field::DocumentType, NewLabel::auto("a"));
    }
    by_correspondent.add_document(NewDocument {
        correspondent: Some(LabelId(1)),
        ..plain()
    });
    by_type.add_document(NewDocument {
        document_type: Some(LabelId(1)),
        ..plain()
    });
    assert!(!by_correspondent.fingerprint().is_current(&by_type.fingerprint()));
}

#[test]
fn unknown_document_is_an_error_in_both() {
    let mut twins = twins();
    let unknown = DocumentId(99);
    assert_eq!(
        twins.sqlite.trash(unknown).unwrap_err().to_string(),
        twins.memory.trash(unknown).unwrap_err().to_string(),
    );
}

/// Archives of every shape that a small generator makes: both stores read the same from them.
#[test]
fn archive_in_memory_reads_as_one_in_sqlite() {
    const ALGORITHMS: [MatchingAlgorithm; 7] = [
        MatchingAlgorithm::Auto,
        MatchingAlgorithm::None,
        MatchingAlgorithm::Any,
        MatchingAlgorithm::All,
        MatchingAlgorithm::Literal,
        MatchingAlgorithm::Regex,
        MatchingAlgorithm::Fuzzy,
    ];
    for seed in 0..20 {
        let mut draw = Draw(seed);
        let mut twins = Twins::new();
        for field in Field::ALL {
            for number in 0..8 {
                // One label in three is auto, one in nine an inbox tag.
                let matching_algorithm = ALGORITHMS[if draw.below(3) == 0 { 0 } else { draw.below(7) }];
                let is_inbox_tag = draw.below(9) == 0;
                twins.add_label(
                    field,
                    NewLabel {
                        name: &number.to_string(),
                        matching_algorithm,
                        is_inbox_tag,
                    },
                );
            }
        }
        for number in 0..40 {
            let text = format!("text {number} \u{1f4ec}");
            let id = twins.add_document(NewDocument {
                title: &text,
                content: if draw.below(5) == 0 { "" } else { &text },
                modified: noon() + SignedDuration::from_micros(draw.below(5_000_000) as i64),
                correspondent: draw.label(),
                document_type: draw.label(),
                storage_path: draw.label(),
            });
            let tags: Vec<_> = (0..draw.below(4))
                .filter_map(|_| Some((id, draw.label()?)))
                .collect();
            both!(twins, archive => archive.add_tags(&tags));
            if draw.below(6) == 0 {
                both!(twins, archive => archive.trash(id));
            }
        }
        let (catalog, filings, documents) = twins.contents();
        assert!(
            !catalog.of(Field::Tags).is_empty() && !filings.is_empty() && filings.len() < 40,
            "seed {seed}"
        );
        let ids = |filing: &Filing| filing.id;
        assert!(
            filings
                .iter()
                .map(ids)
                .eq(documents.iter().map(|document| document.id))
        );
    }
}

/// Numbers that look random and are the same in every run (Knuth's 64-bit linear congruence).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn label(&mut self) -> Option<LabelId> {
        i32::try_from(self.below(9))
            .ok()
            .filter(|&key| key > 0)
            .map(LabelId)
    }
}
