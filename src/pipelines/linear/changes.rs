//! Which documents changed since the last training, by their times of modification and their labels.

use crate::document::{DocumentId, Field, Labels};
use crate::features::BagSource;
use crate::pipelines::DocumentVersion;

/// Documents and how they are filed, by ascending id.
type Filed<'a> = (&'a [DocumentVersion], &'a [Labels]);

/// What changed from one training to the next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// Where the tokens of each document come from that is there now.
    pub(super) sources: Vec<BagSource>,
    /// The documents whose content is to be read, ascending.
    pub(super) fresh: Vec<DocumentId>,
    /// Where each of the previous documents is now; nowhere if it is gone.
    pub(super) row_now: Vec<Option<u32>>,
    /// Documents that are new, gone, changed or filed otherwise.
    pub(super) n_changed: usize,
    /// Documents whose labels differ, by field; one that isn't there has none.
    pub(super) n_relabelled: [usize; 4],
}

impl Changes {
    pub(super) fn between(before: Filed<'_>, now: Filed<'_>) -> Self {
        let mut changes = Self {
            sources: Vec::with_capacity(now.0.len()),
            fresh: Vec::new(),
            row_now: Vec::with_capacity(before.0.len()),
            n_changed: 0,
            n_relabelled: [0; 4],
        };
        let nothing = Labels::default();
        let mut previous = before.0.iter().zip(before.1).enumerate().peekable();
        for ((row, version), labels) in (0..).zip(now.0).zip(now.1) {
            while let Some((_, (_, labels))) = previous.next_if(|(_, (gone, _))| gone.id < version.id) {
                changes.row_now.push(None);
                changes.count(true, labels, &nothing);
            }
            let same = previous.next_if(|(_, (same, _))| same.id == version.id);
            let Some((at, (version_before, labels_before))) = same else {
                changes.read(version.id);
                changes.count(true, &nothing, labels);
                continue;
            };
            changes.row_now.push(Some(row));
            let is_changed = version_before != version;
            if is_changed {
                changes.read(version.id);
            } else {
                changes.sources.push(BagSource::Previous(at));
            }
            changes.count(is_changed, labels_before, labels);
        }
        for (_, (_, labels)) in previous {
            changes.row_now.push(None);
            changes.count(true, labels, &nothing);
        }
        changes
    }

    fn read(&mut self, id: DocumentId) {
        self.sources.push(BagSource::Fresh);
        self.fresh.push(id);
    }

    fn count(&mut self, is_changed: bool, before: &Labels, now: &Labels) {
        for field in Field::ALL {
            self.n_relabelled[field.index()] += usize::from(before.of(field) != now.of(field));
        }
        self.n_changed += usize::from(is_changed || before != now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::LabelId;

    fn documents(of: &[(i64, i64, Option<i32>)]) -> (Vec<DocumentVersion>, Vec<Labels>) {
        let document = |&(id, modified, correspondent): &(i64, i64, Option<i32>)| {
            let version = DocumentVersion {
                id: DocumentId(id),
                modified,
            };
            let labels = Labels {
                correspondent: correspondent.map(LabelId),
                ..Labels::default()
            };
            (version, labels)
        };
        of.iter().map(document).unzip()
    }

    fn changes(before: &[(i64, i64, Option<i32>)], now: &[(i64, i64, Option<i32>)]) -> Changes {
        let (before, now) = (documents(before), documents(now));
        Changes::between((&before.0, &before.1), (&now.0, &now.1))
    }

    #[test]
    fn each_kind_of_change_is_told_from_the_others() {
        use BagSource::{Fresh, Previous};
        let before = [
            (1, 10, Some(1)),
            (3, 10, None),
            (4, 10, Some(2)),
            (6, 10, None),
            (9, 10, Some(1)),
        ];
        let now = [
            (3, 11, None),
            (4, 10, Some(1)),
            (5, 12, Some(2)),
            (6, 10, None),
            (12, 12, None),
        ];
        let expected = Changes {
            sources: vec![Fresh, Previous(2), Fresh, Previous(3), Fresh],
            fresh: [3, 5, 12].map(DocumentId).to_vec(),
            row_now: vec![None, Some(0), Some(1), Some(3), None],
            n_changed: 6,
            n_relabelled: [0, 4, 0, 0],
        };
        assert_eq!(changes(&before, &now), expected);
    }

    #[test]
    fn a_clock_set_back_is_a_change() {
        assert_eq!(changes(&[(1, 10, None)], &[(1, 9, None)]).fresh, [DocumentId(1)]);
    }

    #[test]
    fn nothing_left_and_nothing_before() {
        let documents = [(1, 10, Some(1)), (2, 10, None)];
        let gone = changes(&documents, &[]);
        assert_eq!((gone.row_now, gone.n_changed), (vec![None, None], 2));
        let new = changes(&[], &documents);
        assert_eq!((new.sources.len(), new.n_changed), (2, 2));
    }
}
