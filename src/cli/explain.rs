//! `explain`: which terms spoke for a label, and which against it.

use std::path::PathBuf;

use clap::Args;
use postroom::document::{Field, LabelCatalog};
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
#[command(after_help = "Examples:\n  \
    postroom explain --model model.postroom letter.txt\n  \
    postroom explain --model model.postroom letter.txt --field correspondent \\\n    \
      --label 'City Library'\n  \
    pdftotext letter.pdf - | postroom explain --model model.postroom --json -")]
pub(super) struct Explain {
    #[command(flatten)]
    model: TrainedModel,

    /// Text file; - is standard input
    #[arg(value_name = "TEXT")]
    file: PathBuf,

    /// The field of the label that --label names
    #[arg(long, requires = "label")]
    field: Option<FieldName>,

    /// Explain this label, suggested or not
    #[arg(long, value_name = "NAME", requires = "field")]
    label: Option<String>,

    /// One JSON object a label, each on a line
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains what is suggested, or the label that was asked about.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let classifier = self.model.load()?;
        let content = texts::read(&self.file)?;
        let explanations = match (self.field, &self.label) {
            (Some(field), Some(name)) => {
                let catalog = &classifier.model().ok_or(Error::NoModel)?.catalog;
                let label = find(catalog, field.into(), name)?;
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

/// The label of this name.
fn find(catalog: &LabelCatalog, field: Field, name: &str) -> Result<postroom::document::LabelId, Failure> {
    let labels = catalog.of(field);
    let found = labels.iter().find(|label| label.name == name);
    found.map(|label| label.id).ok_or_else(|| Failure::UnknownLabel {
        field,
        name: name.to_owned(),
        n_known: labels.len(),
    })
}
