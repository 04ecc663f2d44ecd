//! From which confidence on labels are assigned: what thresholds are chosen for, and those that are given.

use std::str::FromStr;

use clap::Args;
use postroom::document::{Field, LabelCatalog};
use postroom::model::TrainingParams;
use postroom::pipelines::Pipeline;
use postroom::pipelines::linear::{LabelThreshold, Threshold};
use postroom::store::DocumentStore;

use super::Failure;
use super::options::FieldName;

/// A confidence that no label has.
const NEVER: f32 = 2.0;

/// When a label is assigned, of the linear pipeline.
#[derive(Debug, Args)]
pub(super) struct Thresholds {
    /// How sure to be before a label is assigned: accuracy, f1 or precision:P [default: accuracy]
    ///
    /// Thresholds are chosen on documents that were held out: accuracy for the most documents filed wholly right, f1
    /// for the best balance between labels that are right and labels that are found, precision:0.95 for as many labels
    /// as possible of which 95 % are right. Linear pipeline only. Train each time with the same choice: with another
    /// one, everything is learned again.
    #[arg(long, value_name = "AIM", value_parser = aim)]
    threshold: Option<Threshold>,

    /// Assign this label from this confidence on, 0 to 1, or never; can be given several times
    ///
    /// FIELD is correspondent, `document_type`, `storage_path` or tags, NAME the label's name in the archive.
    #[arg(long, value_name = "FIELD:NAME=CONFIDENCE")]
    label_threshold: Vec<GivenThreshold>,
}

/// A threshold that the user gave to a label.
#[derive(Debug, Clone)]
struct GivenThreshold {
    field: Field,
    name: String,
    confidence: f32,
}

impl Thresholds {
    /// `params` with these thresholds, for an archive whose labels these are to be.
    pub(super) fn applied(
        &self,
        mut params: TrainingParams,
        store: &dyn DocumentStore,
    ) -> Result<TrainingParams, Failure> {
        if self.threshold.is_none() && self.label_threshold.is_empty() {
            return Ok(params);
        }
        let Pipeline::Linear(pipeline) = &mut params.pipeline else {
            return Err(Failure::NoThresholds);
        };
        pipeline.threshold = self.threshold.unwrap_or_default();
        if !self.label_threshold.is_empty() {
            let catalog = store.snapshot()?.label_catalog()?;
            for given in &self.label_threshold {
                pipeline.label_thresholds.extend(given.of(&catalog)?);
            }
        }
        Ok(params)
    }
}

impl GivenThreshold {
    /// For the labels of that name: several owners may each have one.
    fn of(&self, catalog: &LabelCatalog) -> Result<Vec<LabelThreshold>, Failure> {
        let labels = catalog.of(self.field);
        let named = labels.iter().filter(|label| label.name == self.name);
        let given: Vec<_> = named
            .map(|label| LabelThreshold {
                field: self.field,
                label: label.id,
                confidence: self.confidence,
            })
            .collect();
        if given.is_empty() {
            return Err(Failure::NotAutomatic {
                field: self.field,
                name: self.name.clone(),
                n_known: labels.len(),
            });
        }
        Ok(given)
    }
}

impl FromStr for GivenThreshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name may contain either sign.
        let parts = text
            .split_once(':')
            .and_then(|(field, rest)| Some((field, rest.rsplit_once('=')?)));
        let (field, (name, confidence)) =
            parts.ok_or("expected FIELD:NAME=CONFIDENCE, for example tags:Tax=0.9")?;
        let field: FieldName = clap::ValueEnum::from_str(field, false).map_err(|_| {
            format!("{field:?} is no field: correspondent, document_type, storage_path or tags")
        })?;
        Ok(Self {
            field: field.into(),
            name: name.to_owned(),
            confidence: given_confidence(confidence)?,
        })
    }
}

fn given_confidence(text: &str) -> Result<f32, String> {
    match text {
        "never" => Ok(NEVER),
        number => confidence(number).map_err(|problem| format!("{problem}, or never")),
    }
}

/// A number from 0 to 1.
pub(super) fn confidence(text: &str) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| format!("{text:?} is no confidence: a number from 0 to 1"))
}

fn aim(text: &str) -> Result<Threshold, String> {
    match text {
        "accuracy" => Ok(Threshold::BestAccuracy),
        "f1" => Ok(Threshold::BestF1),
        _ => text
            .strip_prefix("precision:")
            .and_then(|precision| precision.parse().ok())
            .filter(|precision| *precision > 0.0 && *precision < 1.0)
            .map(Threshold::Precision)
            .ok_or_else(|| "expected accuracy, f1, or precision: and a number between 0 and 1".to_owned()),
    }
}

/// What [`aim`] reads.
pub(super) fn aim_name(threshold: Threshold) -> String {
    match threshold {
        Threshold::BestAccuracy => "accuracy".to_owned(),
        Threshold::BestF1 => "f1".to_owned(),
        Threshold::Precision(precision) => format!("precision:{precision}"),
    }
}

#[cfg(test)]
mod tests {
    use postroom::document::{AutoLabel, LabelId};

    use super::*;

    #[test]
    fn every_aim_is_read_by_its_name() {
        for threshold in [
            Threshold::BestAccuracy,
            Threshold::BestF1,
            Threshold::Precision(0.95),
        ] {
            assert_eq!(aim(&aim_name(threshold)), Ok(threshold));
        }
    }

    #[test]
    fn precision_is_more_than_none_and_less_than_all() {
        for text in [
            "",
            "best",
            "precision",
            "precision:",
            "precision:0",
            "precision:1",
            "precision:NaN",
        ] {
            assert!(aim(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn labels_of_the_same_name_share_a_threshold() {
        let mut catalog = LabelCatalog::default();
        let named = |id, name: &str| AutoLabel {
            id: LabelId(id),
            name: name.to_owned(),
        };
        catalog.set(
            Field::Tags,
            vec![named(1, "tax"), named(2, "loan"), named(3, "tax")],
        );
        let given: GivenThreshold = "tags:tax=0.9".parse().unwrap();
        let labels: Vec<LabelId> = given
            .of(&catalog)
            .unwrap()
            .iter()
            .map(|given| given.label)
            .collect();
        assert_eq!(labels, [LabelId(1), LabelId(3)]);
    }

    #[test]
    fn name_of_a_label_may_contain_the_signs_around_it() {
        let given: GivenThreshold = "tags:a:b=c=0.5".parse().unwrap();
        assert_eq!(given.name, "a:b=c");
    }

    #[test]
    fn confidence_beyond_1_is_none() {
        for text in [
            "tags:Tax=1.5",
            "tags:Tax=-1",
            "tags:Tax=NaN",
            "tags:Tax=",
            "tags:Tax",
            "x:Tax=1",
        ] {
            assert!(text.parse::<GivenThreshold>().is_err(), "{text:?}");
        }
        assert!(
            "tags:Tax=never"
                .parse::<GivenThreshold>()
                .is_ok_and(|given| given.confidence > 1.0)
        );
    }
}
