//! Whether an archive has changed since it was learned, found out without reading a single content.
//!
//! In come the filings of a snapshot, in its order; out goes a [`Fingerprint`], which the model keeps. It sees a changed
//! content through the document's time of modification, and a changed label through the hash: tags, deletions and
//! matching algorithms change without touching that time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::document::{Filing, LabelId};

/// Stands for "no label" in the hash.
const NONE: LabelId = LabelId(-1);

/// What an archive looked like when it was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// When the document changed last was changed, in whole microseconds as archives keep it; none in an empty archive.
    #[serde(with = "microseconds")]
    pub last_change: Option<Timestamp>,
    /// SHA-256 over, per document: document type, correspondent, each auto tag, storage path, all as little-endian
    /// `i32`, -1 for none.
    pub label_hash: [u8; 32],
}

impl Fingerprint {
    /// Whether what was learned from the archive that `self` was taken of still holds for `now`.
    ///
    /// Only a *later* change counts: an earlier one can mean no more than that a clock was set right.
    pub fn is_current(&self, now: &Self) -> bool {
        self.last_change >= now.last_change && self.label_hash == now.label_hash
    }
}

/// Takes the fingerprint of an archive, filing by filing.
#[derive(Debug, Clone, Default)]
pub struct FingerprintBuilder {
    last_change: Option<Timestamp>,
    labels: Sha256,
    /// Labels that aren't hashed yet.
    // PERF: hashed four bytes at a time, they took 2 of the 60 ms in which 200,000 documents are gone through.
    pending: Vec<u8>,
}

/// Bytes that are hashed together.
const HASHED_AT_ONCE: usize = 4_096;

impl FingerprintBuilder {
    /// A fingerprint of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next document, in the snapshot's order.
    pub fn add(&mut self, filing: &Filing) {
        self.last_change = self.last_change.max(Some(filing.modified));
        let labels = &filing.labels;
        let mut add = |label: LabelId| self.pending.extend_from_slice(&label.0.to_le_bytes());
        add(labels.document_type.unwrap_or(NONE));
        add(labels.correspondent.unwrap_or(NONE));
        labels.tags.iter().copied().for_each(&mut add);
        add(labels.storage_path.unwrap_or(NONE));
        if self.pending.len() >= HASHED_AT_ONCE {
            self.labels.update(&self.pending);
            self.pending.clear();
        }
    }

    /// The fingerprint of all that was added.
    pub fn finish(mut self) -> Fingerprint {
        self.labels.update(&self.pending);
        Fingerprint {
            last_change: self.last_change.map(whole_microseconds),
            label_hash: self.labels.finalize().into(),
        }
    }
}

/// A fingerprint that was stored must equal itself, and it is stored in microseconds.
fn whole_microseconds(instant: Timestamp) -> Timestamp {
    // Of the last second that there is, jiff makes no instant from microseconds.
    let latest = Timestamp::MAX.as_second() * 1_000_000;
    Timestamp::from_microsecond(instant.as_microsecond().min(latest))
        .expect("rounding towards the epoch stays in range")
}

/// Microseconds since the epoch.
mod microseconds {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        instant: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        instant.map(Timestamp::as_microsecond).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let microseconds = Option::<i64>::deserialize(deserializer)?;
        microseconds
            .map(Timestamp::from_microsecond)
            .transpose()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentId, Labels};

    fn filing(modified: Timestamp) -> Filing {
        Filing {
            id: DocumentId(1),
            modified,
            labels: Labels::default(),
        }
    }

    fn fingerprint(filings: &[Filing]) -> Fingerprint {
        let mut builder = FingerprintBuilder::new();
        for filing in filings {
            builder.add(filing);
        }
        builder.finish()
    }

    #[test]
    fn labels_are_hashed_in_the_documented_order() {
        let labels = Labels {
            correspondent: Some(LabelId(2)),
            document_type: Some(LabelId(258)),
            storage_path: None,
            tags: vec![LabelId(3), LabelId(4)],
        };
        let bytes: [&[u8]; 5] = [
            &[2, 1, 0, 0],
            &[2, 0, 0, 0],
            &[3, 0, 0, 0],
            &[4, 0, 0, 0],
            &[0xff, 0xff, 0xff, 0xff],
        ];
        let expected: [u8; 32] = Sha256::digest(bytes.concat()).into();
        assert_eq!(
            fingerprint(&[Filing {
                labels,
                ..filing(Timestamp::UNIX_EPOCH)
            }])
            .label_hash,
            expected
        );
    }

    #[test]
    fn archive_without_documents_has_no_last_change() {
        assert_eq!(fingerprint(&[]).last_change, None);
    }

    #[test]
    fn last_change_is_the_latest_of_all() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let filings = [5, 9, 7].map(|at| filing(second(at)));
        assert_eq!(fingerprint(&filings).last_change, Some(second(9)));
    }

    #[test]
    fn what_was_stored_is_current() {
        let fingerprint = fingerprint(&[filing("2026-01-01T00:00:00.123456789Z".parse().unwrap())]);
        let stored = serde_json::to_string(&fingerprint).unwrap();
        let loaded: Fingerprint = serde_json::from_str(&stored).unwrap();
        assert!(loaded.is_current(&fingerprint));
    }

    #[test]
    fn the_first_and_the_last_instant_there_are_can_be_stored() {
        for instant in [Timestamp::MIN, Timestamp::MAX] {
            let fingerprint = fingerprint(&[filing(instant)]);
            let stored = serde_json::to_string(&fingerprint).unwrap();
            assert_eq!(serde_json::from_str::<Fingerprint>(&stored).unwrap(), fingerprint);
        }
    }

    #[test]
    fn later_change_or_other_labels_are_news_and_an_earlier_change_is_not() {
        let at = |second, tags: &[LabelId]| {
            let mut filing = filing(Timestamp::from_second(second).unwrap());
            filing.labels.tags = tags.to_vec();
            fingerprint(&[filing])
        };
        let learned = at(5, &[]);
        assert!(learned.is_current(&at(5, &[])) && learned.is_current(&at(4, &[])));
        assert!(!learned.is_current(&at(6, &[])));
        assert!(!learned.is_current(&at(5, &[LabelId(1)])));
    }

    #[test]
    fn last_change_out_of_range_is_an_error() {
        let stored = format!(r#"{{"last_change":{},"label_hash":{:?}}}"#, i64::MAX, [0; 32]);
        assert!(serde_json::from_str::<Fingerprint>(&stored).is_err());
    }
}
