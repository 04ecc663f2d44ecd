//! `predict`: how to file texts, or documents of an archive.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use postroom::classifier::{ClassifierParams, DocumentClassifier};
use postroom::document::{DocumentId, Field, LabelCatalog};
use postroom::error::Error;
use postroom::store::{Archive, Location, Selection};
use postroom::suggestions::{Candidate, FieldSuggestion, Suggestions};
use serde::Serialize;

use super::key::KeyOptions;
use super::options::{LanguageName, LocationParser, ensure_something_to_learn, load, open};
use super::output::{field_name, harmless, percent, print, print_json};
use super::terminal::Terminal;
use super::thresholds::confidence;
use super::{Failure, progress, texts};

/// Say how to file texts, or documents of an archive
///
/// Prints, for each field, how sure the model is and the label.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).multiple(false).args(["files", "ids", "inbox"]),
    after_help = "Examples:\n  \
        postroom predict --model model.postroom letter.txt\n  \
        pdftotext letter.pdf - | postroom predict --model model.postroom -\n  \
        postroom predict --db db.sqlite3 --inbox\n  \
        postroom predict --db db.sqlite3 --inbox --model model.postroom --json"
)]
pub(super) struct Predict {
    /// The model file; without one, the archive is learned first and nothing is kept
    #[arg(long, value_name = "FILE", required_unless_present = "db")]
    model: Option<PathBuf>,

    #[command(flatten)]
    key: KeyOptions,

    /// Text files; - is standard input
    #[arg(value_name = "TEXT", conflicts_with = "db")]
    files: Vec<PathBuf>,

    /// The paperless-ngx database that --ids or --inbox is about; see train --help
    #[arg(long, value_name = "PATH|URL", value_parser = LocationParser)]
    db: Option<Location>,

    /// Documents of the archive, by number
    #[arg(long, value_name = "ID,…", value_delimiter = ',', requires = "db")]
    ids: Vec<i64>,

    /// All documents of the archive that have an inbox tag
    #[arg(long, requires = "db")]
    inbox: bool,

    /// Without a model: the language of the documents, as `postroom train` takes it
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "model")]
    language: Option<LanguageName>,

    /// Leave out labels that are less certain than this, 0 to 1
    ///
    /// The model has thresholds of its own, which were chosen when it was trained; this comes on top of them.
    #[arg(long, value_name = "CONFIDENCE", default_value_t = 0.0, value_parser = confidence)]
    min_confidence: f32,

    /// One JSON object a document, each on a line
    #[arg(long)]
    json: bool,
}

impl Predict {
    /// Answers for every text or document.
    pub(super) fn run(&self, terminal: &Terminal) -> Result<(), Failure> {
        let is_standard_input = |path: &&PathBuf| texts::is_standard_input(path);
        if self.files.iter().filter(is_standard_input).count() > 1 {
            return Err(Failure::StandardInputTwice);
        }
        let model = self.model.as_deref().map(|model| load(model, &self.key));
        let model = model.transpose()?;
        if let Some(db) = &self.db {
            let store = open(db)?;
            let classifier = match model {
                Some(classifier) => classifier,
                None => self.learn(&store, terminal)?,
            };
            return self.predict_documents(&classifier, &store);
        }
        let classifier = model.ok_or(Error::NoModel)?;
        self.files.iter().try_for_each(|path| {
            let content = texts::read(path)?;
            let file = Some(path.to_string_lossy());
            self.show(
                &classifier,
                Source { file, document: None },
                &classifier.predict(&content)?,
            )
        })
    }

    fn learn(&self, store: &Archive, terminal: &Terminal) -> Result<DocumentClassifier, Failure> {
        ensure_something_to_learn(store)?;
        self.ensure_documents_are_there(store)?;
        let mut params = ClassifierParams::default();
        if let Some(LanguageName(language)) = self.language {
            params.training.language = language;
        }
        let mut classifier = DocumentClassifier::new(params);
        let training = progress::watch(terminal, |status| Ok(classifier.train(store, status)?));
        let training = training.map_err(|failure| failure.about(store))?;
        if training.report().fields.is_empty() {
            return Err(Failure::NoExamples(store.location()));
        }
        Ok(classifier)
    }

    /// Nothing is printed while the archive is open: whoever reads the answers slowly would hold up its writers.
    fn predict_documents(&self, classifier: &DocumentClassifier, store: &Archive) -> Result<(), Failure> {
        let mut answers = BTreeMap::new();
        store.for_each_selected(&self.selection(), &mut |document| {
            answers.insert(document.id, classifier.predict(&document.content)?);
            Ok(())
        })?;
        self.ensure_all_are_among(|id| answers.contains_key(&id), store)?;
        if answers.is_empty() {
            tracing::info!("no document has an inbox tag");
        }
        answers.iter().try_for_each(|(id, suggestions)| {
            self.show(
                classifier,
                Source {
                    file: None,
                    document: Some(id.0),
                },
                suggestions,
            )
        })
    }

    fn selection(&self) -> Selection {
        match self.ids.as_slice() {
            [] => Selection::Inbox,
            ids => Selection::Documents(ids.iter().copied().map(DocumentId).collect()),
        }
    }

    /// A slip in a number is said before a training that would be for nothing.
    fn ensure_documents_are_there(&self, store: &Archive) -> Result<(), Failure> {
        if self.ids.is_empty() {
            return Ok(());
        }
        let mut found = BTreeSet::new();
        store.for_each_selected(&self.selection(), &mut |document| {
            found.insert(document.id);
            Ok(())
        })?;
        self.ensure_all_are_among(|id| found.contains(&id), store)
    }

    fn ensure_all_are_among(
        &self,
        is_found: impl Fn(DocumentId) -> bool,
        store: &Archive,
    ) -> Result<(), Failure> {
        let missing = self.ids.iter().filter(|&&id| !is_found(DocumentId(id)));
        let missing: Vec<String> = missing.map(i64::to_string).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::UnknownDocuments {
            location: store.location(),
            ids: missing.join(", "),
        })
    }

    fn show(
        &self,
        classifier: &DocumentClassifier,
        source: Source<'_>,
        suggestions: &Suggestions,
    ) -> Result<(), Failure> {
        let catalog = &classifier.model().ok_or(Error::NoModel)?.catalog;
        let suggestions = suggestions.at_least(self.min_confidence);
        if self.json {
            return print_json(&Answer::new(source, &suggestions, catalog));
        }
        let mut text = match (source.file, source.document) {
            (_, Some(id)) => format!("document {id}\n"),
            (Some(file), _) if self.files.len() > 1 => format!("{}\n", harmless(&file)),
            _ => String::new(),
        };
        for field in Field::ALL {
            describe(field, suggestions.of(field), catalog, &mut text);
        }
        print(&text)
    }
}

/// What a text is, where it comes from: one of the two.
#[derive(Debug, Serialize)]
struct Source<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<i64>,
}

/// The answer for programs: where the text comes from, and a member for each field.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    source: Source<'a>,
    #[serde(flatten)]
    fields: BTreeMap<&'static str, FieldAnswer<'a>>,
}

#[derive(Debug, Serialize)]
struct FieldAnswer<'a> {
    /// What to assign: at most one, except for tags.
    labels: Vec<NamedLabel<'a>>,
    /// What came closest without being assigned.
    runners_up: Vec<NamedLabel<'a>>,
    /// Confidence that none of the labels belongs on the document.
    none: f32,
}

#[derive(Debug, Serialize)]
struct NamedLabel<'a> {
    id: i32,
    name: &'a str,
    confidence: f32,
}

impl<'a> Answer<'a> {
    fn new(source: Source<'a>, suggestions: &Suggestions, catalog: &'a LabelCatalog) -> Self {
        let fields = Field::ALL.map(|field| {
            let named = |candidates: &[Candidate]| {
                let named = candidates
                    .iter()
                    .map(|&Candidate { label, confidence }| NamedLabel {
                        id: label.0,
                        name: catalog.name(field, label).unwrap_or_default(),
                        confidence,
                    });
                named.collect()
            };
            let suggestion = suggestions.of(field);
            let (labels, runners_up) = (named(&suggestion.labels), named(&suggestion.runners_up));
            (
                field.name(),
                FieldAnswer {
                    labels,
                    runners_up,
                    none: suggestion.none,
                },
            )
        });
        Self {
            source,
            fields: fields.into(),
        }
    }
}

/// A line a label, the field's name before the first.
fn describe(field: Field, suggestion: &FieldSuggestion, catalog: &LabelCatalog, text: &mut String) {
    let mut line = |name: &str, confidence: f32, label: &str| {
        let confidence = percent(f64::from(confidence));
        writeln!(text, "  {name:<13}  {confidence:>7}  {}", harmless(label))
            .expect("writing to a String doesn't fail");
    };
    if suggestion.labels.is_empty() {
        line(&field_name(field), suggestion.none, "(none)");
    }
    for (at, candidate) in suggestion.labels.iter().enumerate() {
        let name = if at == 0 { field_name(field) } else { String::new() };
        line(
            &name,
            candidate.confidence,
            &catalog
                .unmistakable_name(field, candidate.label)
                .unwrap_or_default(),
        );
    }
}
