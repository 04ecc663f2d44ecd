//! `explain`: which terms spoke for a label, and which against it.

use std::fmt;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use postroom::document::{AutoLabel, Field, LabelCatalog, LabelId};
use postroom::error::Error;
use postroom::explanation::Explanation;

use super::options::{FieldName, TrainedModel};
use super::output::{print, print_json};
use super::{Failure, texts};

/// Say why a text is filed as it is
///
/// Prints, for each label that is suggested, the terms that speak for it and against it; with their weights they sum to
/// the label's score.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("which").multiple(false).args(["label", "label_id"]),
    after_help = "Examples:\n  \
        postroom explain --model model.postroom letter.txt\n  \
        postroom explain --model model.postroom letter.txt --field correspondent \\\n    \
          --label 'City Library'\n  \
        pdftotext letter.pdf - | postroom explain --model model.postroom --json -"
)]
pub(super) struct Explain {
    #[command(flatten)]
    model: TrainedModel,

    /// Text file; - is standard input
    #[arg(value_name = "TEXT")]
    file: PathBuf,

    /// The field of the label that --label or --label-id names
    #[arg(long, requires = "which")]
    field: Option<FieldName>,

    /// Explain this label, suggested or not
    #[arg(long, value_name = "NAME", requires = "field")]
    label: Option<String>,

    /// The same by number, where several labels have one name; inspect --labels lists them
    #[arg(long, value_name = "ID", requires = "field")]
    label_id: Option<i32>,

    /// One JSON object a label, each on a line
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains what is suggested, or the label that was asked about.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let classifier = self.model.load()?;
        let content = texts::read(&self.file)?;
        let name = self.label.as_deref().map(Which::Name);
        let explanations = match (self.field, name.or(self.label_id.map(Which::Id))) {
            (Some(field), Some(which)) => {
                let catalog = &classifier.model().ok_or(Error::NoModel)?.catalog;
                let label = which.among(catalog, field.into())?;
                vec![classifier.explain_label(&content, field.into(), label)?]
            }
            _ => classifier.explain(&content)?,
        };
        if explanations.is_empty() {
            tracing::info!("no label is suggested; --field and --label explain one that isn't");
        }
        explanations
            .iter()
            .try_for_each(|explanation| self.show(explanation))
    }

    fn show(&self, explanation: &Explanation) -> Result<(), Failure> {
        if self.json {
            return print_json(explanation);
        }
        print(&format!("{explanation}\n"))
    }
}

/// What a label is asked for by.
enum Which<'a> {
    Name(&'a str),
    Id(i32),
}

impl Which<'_> {
    /// The one label that is meant.
    fn among(&self, catalog: &LabelCatalog, field: Field) -> Result<LabelId, Failure> {
        let labels = catalog.of(field);
        let is_meant = |label: &&AutoLabel| match self {
            Self::Name(name) => label.name == *name,
            Self::Id(id) => label.id.0 == *id,
        };
        let meant: Vec<LabelId> = labels.iter().filter(is_meant).map(|label| label.id).collect();
        match meant[..] {
            [label] => Ok(label),
            [] => Err(Failure::UnknownLabel {
                field,
                label: self.to_string(),
                n_known: labels.len(),
            }),
            _ => Err(Failure::SeveralLabels {
                field,
                label: self.to_string(),
                ids: meant
                    .iter()
                    .map(LabelId::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        }
    }
}

impl fmt::Display for Which<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Id(id) => write!(f, "with number {id}"),
        }
    }
}
