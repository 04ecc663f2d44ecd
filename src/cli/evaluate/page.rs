//! An evaluation as a page: one file that loads nothing, with every text in it escaped.

use std::fmt::{self, Display, Formatter};

use postroom::evaluation::{Confusion, Evaluation, FieldEvaluation, LabelEvaluation, Suspect};

use crate::cli::output::{field_name, percent};

use Column::{Id, Number, Text};

/// Rows of a table that is ordered by importance.
const MOST_ROWS: usize = 100;

/// How every page begins.
pub(super) const BEGINNING: &str = "<!doctype html>\n";

const HEAD: &str = r#"<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>How well an archive is filed</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
h2::first-letter { text-transform: uppercase; }
details { margin-top: .75rem; }
dt { font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .75rem 0 .25rem; }
th, td { padding: .25rem .75rem .25rem 0; text-align: right; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
td { font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child, .text { text-align: left; min-width: 7.5rem; overflow-wrap: anywhere; white-space: normal; }
td.id, th.id { text-align: left; min-width: 0; }
@media (max-width: 40rem) { body { margin: 1rem auto; } h1 { font-size: 1.5rem; line-height: 1.2; } table { font-size: .9rem; } th, td { padding-right: .5rem; } .text { min-width: 5rem; } }
</style>
</head>
<body>
"#;

const LEGEND: &str = "<details><summary>What the figures mean</summary>
<dl>
<dt>Accuracy<dd>Documents whose answer is wholly right: the label, or rightly none; of tags, all of them.
<dt>Macro F1<dd>The balance of precision and recall, as the mean over the labels, however rare they are.
<dt>Micro F1<dd>The same balance over all assignments together.
<dt>Coverage<dd>Of the documents with a label, those that were assigned one.
<dt>Precision<dd>Of the labels that were assigned, those that are right.
<dt>Calibration error<dd>How far confidences are from the share of answers that are right, on average.
</dl></details>
";

/// The page of an evaluation.
pub(super) struct Page<'a>(pub(super) &'a Evaluation);

impl Display for Page<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let evaluation = self.0;
        f.write_str(BEGINNING)?;
        f.write_str(HEAD)?;
        f.write_str("<h1>How well the archive is filed</h1>\n")?;
        writeln!(
            f,
            "<p>{} documents, each filed by a model trained on the other {} of {} parts ({}).</p>",
            evaluation.n_documents,
            evaluation.n_folds - 1,
            evaluation.n_folds,
            Escaped(evaluation.pipeline)
        )?;
        fields(&evaluation.fields, f)?;
        f.write_str(LEGEND)?;
        evaluation.fields.iter().try_for_each(|field| details(field, f))?;
        f.write_str("</body>\n</html>\n")
    }
}

fn fields(fields: &[FieldEvaluation], f: &mut Formatter<'_>) -> fmt::Result {
    let head = [
        Text("Field"),
        Number("Accuracy"),
        Number("Macro F1"),
        Number("Micro F1"),
        Number("Coverage"),
        Number("Precision"),
        Number("Calibration error"),
    ];
    table(f, "Fields", &head, fields, |field, f| {
        write!(
            f,
            "<td>{}<td>{}<td>{:.3}<td>{:.3}<td>{}<td>{}<td>{:.3}",
            field_name(field.field),
            percent(field.accuracy),
            field.macro_f1,
            field.micro_f1,
            percent(field.coverage),
            percent(field.precision),
            field.calibration_error
        )
    })
}

fn details(field: &FieldEvaluation, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "<h2>{}</h2>", field_name(field.field))?;
    let mut by_support: Vec<&LabelEvaluation> = field.labels.iter().collect();
    by_support.sort_by_key(|label| std::cmp::Reverse(label.support));
    // What to do something about comes first.
    suspects(&field.suspects, f)?;
    confusions(&field.confusions, f)?;
    labels(&by_support, f)
}

fn labels(labels: &[&LabelEvaluation], f: &mut Formatter<'_>) -> fmt::Result {
    let head = [
        Text("Label"),
        Number("Documents"),
        Number("Precision"),
        Number("Recall"),
        Number("F1"),
    ];
    table(f, "Labels, the most frequent first", &head, labels, |label, f| {
        write!(
            f,
            "<td>{}<td>{}<td>{}<td>{}<td>{:.3}",
            Escaped(&label.name),
            label.support,
            percent(label.precision()),
            percent(label.recall()),
            label.f1()
        )
    })
}

fn confusions(confusions: &[Confusion], f: &mut Formatter<'_>) -> fmt::Result {
    table(
        f,
        "What was taken for what",
        &[Text("Has"), Text("Was assigned"), Number("Documents")],
        confusions,
        |confusion, f| {
            let (actual, assigned) = (
                named(confusion.actual.as_ref()),
                named(confusion.assigned.as_ref()),
            );
            write!(
                f,
                "<td>{actual}<td class=\"text\">{assigned}<td>{}",
                confusion.n_documents
            )
        },
    )
}

fn suspects(suspects: &[Suspect], f: &mut Formatter<'_>) -> fmt::Result {
    let head = [
        Id("Document"),
        Text("Has"),
        Text("Looks like"),
        Number("Confidence"),
    ];
    table(f, "Documents to look at", &head, suspects, |suspect, f| {
        let (actual, expected) = (named(suspect.actual.as_ref()), named(suspect.expected.as_ref()));
        let confidence = percent(f64::from(suspect.confidence));
        let document = suspect.document.0;
        write!(
            f,
            "<td class=\"id\">{document}<td class=\"text\">{actual}<td class=\"text\">{expected}<td>{confidence}"
        )
    })
}

/// A column's head.
enum Column {
    Text(&'static str),
    /// Names something, and is as narrow as it can be: a telephone has room for 40 letters.
    Id(&'static str),
    Number(&'static str),
}

/// A table, unless it would be empty.
fn table<T>(
    f: &mut Formatter<'_>,
    caption: &str,
    head: &[Column],
    rows: &[T],
    row: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    write!(f, "<div class=\"wide\"><table><caption>{caption}")?;
    if rows.len() > MOST_ROWS {
        write!(f, ": {MOST_ROWS} of {}", rows.len())?;
    }
    f.write_str("</caption>\n<tr>")?;
    for column in head {
        match column {
            Column::Text(name) => write!(f, "<th scope=\"col\" class=\"text\">{name}")?,
            Column::Id(name) => write!(f, "<th scope=\"col\" class=\"id\">{name}")?,
            Column::Number(name) => write!(f, "<th scope=\"col\">{name}")?,
        }
    }
    for item in rows.iter().take(MOST_ROWS) {
        f.write_str("\n<tr>")?;
        row(item, f)?;
    }
    f.write_str("\n</table></div>\n")
}

fn named(name: Option<&String>) -> Escaped<'_> {
    Escaped(name.map_or("(no label)", String::as_str))
}

/// A text that means nothing to a browser.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => write!(f, "{c}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use postroom::document::{Field, LabelId};

    use super::*;

    fn evaluation(name: &str, n_labels: usize) -> Evaluation {
        let label = LabelEvaluation {
            label: LabelId(1),
            name: name.to_owned(),
            support: 2,
            n_assigned: 2,
            n_right: 1,
        };
        let field = FieldEvaluation {
            field: Field::Tags,
            n_labelled: 2,
            accuracy: 0.5,
            macro_f1: 0.5,
            micro_f1: 0.5,
            coverage: 1.0,
            precision: 0.5,
            calibration_error: 0.1,
            labels: vec![label; n_labels],
            confusions: vec![Confusion {
                actual: Some(name.to_owned()),
                assigned: None,
                n_documents: 1,
            }],
            suspects: Vec::new(),
        };
        Evaluation {
            pipeline: "mlp",
            n_documents: 2,
            n_folds: 2,
            fields: vec![field],
        }
    }

    #[test]
    fn names_are_escaped() {
        let page = Page(&evaluation("<img src=x onerror=\"alert('1')\">&", 1)).to_string();
        assert!(!page.contains("<img"), "{page}");
        assert_eq!(
            page.matches("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;")
                .count(),
            2
        );
    }

    #[test]
    fn page_loads_nothing() {
        let page = Page(&evaluation("tax", 1)).to_string();
        let loading = ["<script", "http://", "https://", "src=", "url(", "@import"];
        assert!(loading.iter().all(|way| !page.contains(way)), "{page}");
    }

    #[test]
    fn long_table_says_how_much_it_leaves_out() {
        assert!(Page(&evaluation("tax", 101)).to_string().contains("100 of 101"));
    }
}
