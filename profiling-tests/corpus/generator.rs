//! A made-up archive: labels with fingerprints, and any number of documents filed under them.
//!
//! Document `i` depends on the seed and `i` alone, so that a smaller corpus is the beginning of a larger one, and
//! the documents behind its end are unseen ones of the same kind.

use jiff::{SignedDuration, Timestamp};
use postroom::document::{Field, LabelId};
use postroom::store::{MatchingAlgorithm, NewDocument, NewLabel};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use fake::Fake;
use fake::faker::company::en::{Bs, CompanyName};
use fake::faker::lorem::en::Word;

use super::text;

/// Makes labels and documents.
#[derive(Debug)]
pub(crate) struct Generator {
    seed: u64,
    /// By [`Field::index`].
    fields: [Vec<MadeUpLabel>; 4],
}

/// A label of the made-up archive. Its key is its position plus one.
#[derive(Debug)]
pub(crate) struct MadeUpLabel {
    pub(crate) name: String,
    /// Whether it is learned; the others are in the text just the same.
    pub(crate) is_auto: bool,
    fingerprint: String,
}

/// A document of the made-up archive. Labels are keys.
#[derive(Debug, Clone)]
pub(crate) struct MadeUpDocument {
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) modified: Timestamp,
    pub(crate) correspondent: Option<LabelId>,
    pub(crate) document_type: Option<LabelId>,
    pub(crate) storage_path: Option<LabelId>,
    /// Ascending.
    pub(crate) tags: Vec<LabelId>,
}

/// How many labels a field has, and how documents get them.
struct Plan {
    field: Field,
    n_labels: usize,
    n_auto: usize,
    /// Of the first label's own generator; the next label has the next seed.
    first_seed: u64,
    /// How many documents have one.
    probability: f64,
}

const PLANS: [Plan; 4] = [
    Plan {
        field: Field::Correspondent,
        n_labels: 40,
        n_auto: 25,
        first_seed: 1000,
        probability: 0.80,
    },
    Plan {
        field: Field::DocumentType,
        n_labels: 25,
        n_auto: 15,
        first_seed: 2000,
        probability: 0.80,
    },
    Plan {
        field: Field::Tags,
        n_labels: 50,
        n_auto: 30,
        first_seed: 3000,
        probability: 0.85,
    },
    Plan {
        field: Field::StoragePath,
        n_labels: 20,
        n_auto: 12,
        first_seed: 4000,
        probability: 0.70,
    },
];

/// Most tags on a document.
const MOST_TAGS: usize = 4;

/// When the first document was last changed; the others follow a minute apart.
const BEGINNING: Timestamp = Timestamp::constant(1_767_225_600, 0);

impl Generator {
    /// A generator whose documents follow from `seed`. The labels are always the same.
    pub(crate) fn new(seed: u64) -> Self {
        let mut fields = [const { Vec::new() }; 4];
        for plan in &PLANS {
            fields[plan.field.index()] = plan.labels();
        }
        Self { seed, fields }
    }

    /// The labels of a field, in the order of their keys.
    pub(crate) fn labels(&self, field: Field) -> &[MadeUpLabel] {
        &self.fields[field.index()]
    }

    /// The document at a position.
    pub(crate) fn document(&self, position: usize) -> MadeUpDocument {
        let rng = &mut ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(position as u64);
        let [correspondent, document_type, mut tags, storage_path] = PLANS.map(|plan| plan.choose(rng));
        tags.sort_unstable();
        let chosen = [
            (Field::Correspondent, &correspondent),
            (Field::DocumentType, &document_type),
            (Field::StoragePath, &storage_path),
            (Field::Tags, &tags),
        ];
        let minutes = SignedDuration::from_mins(position as i64);
        let microseconds = SignedDuration::from_micros(rng.random_range(0..1_000_000));
        MadeUpDocument {
            title: text::title(rng),
            content: self.content(&text::paragraph(rng), &chosen),
            modified: BEGINNING + minutes + microseconds,
            correspondent: correspondent.first().copied().map(key),
            document_type: document_type.first().copied().map(key),
            storage_path: storage_path.first().copied().map(key),
            tags: tags.into_iter().map(key).collect(),
        }
    }

    /// A text that was never filed: of the first correspondent, type and path, with the first, second and sixth tag.
    pub(crate) fn sample(&self) -> String {
        let rng = &mut ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(u64::MAX);
        let chosen: [(Field, &[usize]); 4] = [
            (Field::Correspondent, &[0]),
            (Field::DocumentType, &[0]),
            (Field::StoragePath, &[0]),
            (Field::Tags, &[0, 1, 5]),
        ];
        let chosen = chosen.map(|(field, labels)| (field, labels.to_vec()));
        self.content(
            &text::paragraph(rng),
            &chosen.each_ref().map(|(field, labels)| (*field, labels)),
        )
    }

    fn content(&self, paragraph: &str, chosen: &[(Field, &Vec<usize>)]) -> String {
        let fingerprints = chosen.iter().flat_map(|(field, labels)| {
            labels
                .iter()
                .map(|&label| self.labels(*field)[label].fingerprint.as_str())
        });
        std::iter::once(paragraph)
            .chain(fingerprints)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl MadeUpDocument {
    /// The document as an archive takes it, without its tags.
    pub(crate) fn as_new(&self) -> NewDocument<'_> {
        NewDocument {
            title: &self.title,
            content: &self.content,
            modified: self.modified,
            correspondent: self.correspondent,
            document_type: self.document_type,
            storage_path: self.storage_path,
        }
    }
}

impl MadeUpLabel {
    /// The label as an archive takes it.
    pub(crate) fn as_new(&self) -> NewLabel<'_> {
        let matching_algorithm = if self.is_auto {
            MatchingAlgorithm::Auto
        } else {
            MatchingAlgorithm::None
        };
        NewLabel {
            name: &self.name,
            matching_algorithm,
            is_inbox_tag: false,
        }
    }
}

impl Plan {
    fn labels(&self) -> Vec<MadeUpLabel> {
        let mut labels: Vec<MadeUpLabel> = Vec::with_capacity(self.n_labels);
        for position in 0..self.n_labels {
            let seed = self.first_seed + position as u64;
            labels.push(MadeUpLabel {
                name: self.name(seed, &labels),
                is_auto: position < self.n_auto,
                fingerprint: text::fingerprint(seed),
            });
        }
        labels
    }

    /// A name that no other label of the field has.
    fn name(&self, seed: u64, others: &[MadeUpLabel]) -> String {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let word = |rng: &mut ChaCha8Rng| Word().fake_with_rng::<&str, _>(rng);
        loop {
            let name = match self.field {
                Field::Correspondent => CompanyName().fake_with_rng(rng),
                Field::DocumentType => Bs().fake_with_rng(rng),
                Field::Tags => format!("{} {}", word(rng), others.len()),
                Field::StoragePath => format!("{}/{}/{{{{title}}}}", word(rng), word(rng)),
            };
            if others.iter().all(|other| other.name != name) {
                return name;
            }
        }
    }

    /// Positions of the labels of one document: none or one, of tags up to four different ones.
    fn choose(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        if !rng.random_bool(self.probability) {
            return Vec::new();
        }
        let n_chosen = if self.field == Field::Tags {
            rng.random_range(1..=MOST_TAGS)
        } else {
            1
        };
        rand::seq::index::sample(rng, self.n_labels, n_chosen).into_vec()
    }
}

/// The key that an empty archive gives to the label at a position.
fn key(position: usize) -> LabelId {
    LabelId(position as i32 + 1)
}
