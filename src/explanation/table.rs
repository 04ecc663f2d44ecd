//! An explanation for people: at most 80 columns, even where letters take two.

use std::fmt;

use super::{Explanation, TermEvidence, TermKind};
use crate::cells::{padded, shortened};

/// Terms that are shown on either side: the strongest.
const MOST_TERMS: usize = 15;
/// Columns of a label's name.
const NAME: usize = 64;
/// Columns of a term.
const TERM: usize = 28;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => writeln!(f, "{}: {}", self.field, shortened(name, NAME))?,
            None => writeln!(f, "{}: label {}", self.field, self.label)?,
        }
        let verdict = if self.is_suggested {
            "suggested"
        } else {
            "not suggested"
        };
        write!(f, "  {verdict}, confidence {}", percent(self.confidence))?;
        match self.threshold {
            None => writeln!(f)?,
            Some(threshold) if threshold > 1.0 => writeln!(f, ", never suggested")?,
            Some(threshold) => writeln!(f, ", needed {}", percent(threshold))?,
        }
        // The sum of no numbers is −0.
        let of_terms = 0.0 + self.terms.iter().map(|term| term.contribution).sum::<f32>();
        writeln!(
            f,
            "  score {:+.3} = bias {:+.3} and terms {of_terms:+.3}",
            self.score, self.bias
        )?;
        for (name, value) in &self.evidence {
            writeln!(f, "  {:<TERM$}  {value:>9.3}", name.replace('_', " "))?;
        }
        self.side(f, "for", |term| term.contribution > 0.0)?;
        self.side(f, "against", |term| term.contribution < 0.0)
    }
}

impl Explanation {
    /// The terms of one side, if it has any.
    fn side(
        &self,
        f: &mut fmt::Formatter<'_>,
        heading: &str,
        is_of_side: impl Fn(&TermEvidence) -> bool,
    ) -> fmt::Result {
        let terms: Vec<&TermEvidence> = self.terms.iter().filter(|term| is_of_side(term)).collect();
        let (shown, rest) = terms.split_at(terms.len().min(MOST_TERMS));
        if shown.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n  {heading:<TERM$}  {:>9}  {:>6}", "adds", "times")?;
        for term in shown {
            let (spelled, times) = (padded(&spelled(term), TERM), term.occurrences.len());
            writeln!(f, "  {spelled}  {:>+9.3}  {times:>6}", term.contribution)?;
        }
        if !rest.is_empty() {
            let sum: f32 = rest.iter().map(|term| term.contribution).sum();
            writeln!(
                f,
                "  {:<TERM$}  {sum:>+9.3}",
                format!("{} weaker ones", rest.len())
            )?;
        }
        Ok(())
    }
}

/// An n-gram with … where the word goes on.
fn spelled(term: &TermEvidence) -> String {
    if term.kind != TermKind::CharGram {
        return term.term.clone();
    }
    let goes_on = |ends: bool| if ends { "" } else { "…" };
    let (before, after) = (
        goes_on(term.term.starts_with(' ')),
        goes_on(term.term.ends_with(' ')),
    );
    format!("{before}{}{after}", term.term.trim_matches(' '))
}

fn percent(share: f32) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Field, LabelId};

    fn term(term: &str, kind: TermKind, contribution: f32) -> TermEvidence {
        TermEvidence {
            term: term.to_owned(),
            kind,
            contribution,
            occurrences: vec![0..4, 5..9],
        }
    }

    fn explanation(terms: Vec<TermEvidence>) -> Explanation {
        Explanation {
            field: Field::Correspondent,
            label: LabelId(3),
            name: Some("City Library".to_owned()),
            is_suggested: true,
            confidence: 0.875,
            threshold: Some(0.5),
            score: 0.75,
            bias: -0.25,
            terms,
            evidence: vec![("margin", 1.5)],
        }
    }

    #[test]
    fn table_reads_like_this() {
        let found = explanation(vec![
            term("loan", TermKind::Word, 1.25),
            term(" ove", TermKind::CharGram, 0.25),
            term("erdu", TermKind::CharGram, -0.5),
        ]);
        let expected = "\
correspondent: City Library
  suggested, confidence 87.5 %, needed 50.0 %
  score +0.750 = bias -0.250 and terms +1.000
  margin                            1.500

  for                                adds   times
  loan                             +1.250       2
  ove…                             +0.250       2

  against                            adds   times
  …erdu…                           -0.500       2
";
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn fifteen_terms_are_shown_and_the_rest_summed() {
        let terms = (0..20).map(|at| term(&format!("word{at:02}"), TermKind::Word, 0.5));
        let found = explanation(terms.collect()).to_string();
        assert!(found.contains("word14") && !found.contains("word15"), "{found}");
        assert!(
            found.ends_with("5 weaker ones                    +2.500\n"),
            "{found}"
        );
    }

    #[test]
    fn no_line_is_wider_than_80_columns() {
        // Each of these letters takes two columns.
        let wide = "請".repeat(100);
        let found = Explanation {
            name: Some(wide.clone()),
            is_suggested: false,
            threshold: Some(2.0),
            field: Field::DocumentType,
            score: -12_345.678,
            ..explanation(vec![term(&wide, TermKind::Word, -12_345.678)])
        };
        for line in found.to_string().lines() {
            let width: usize = line.chars().map(|c| if c == '請' { 2 } else { 1 }).sum();
            assert!(width <= 80, "{width}: {line}");
        }
    }

    #[test]
    fn line_break_in_a_name_breaks_no_line() {
        let found = Explanation {
            name: Some("City\nLibrary".to_owned()),
            ..explanation(Vec::new())
        };
        assert!(found.to_string().starts_with("correspondent: City Library\n"));
    }

    #[test]
    fn label_without_a_name_is_shown_by_its_key() {
        let found = Explanation {
            name: None,
            ..explanation(Vec::new())
        };
        assert!(found.to_string().starts_with("correspondent: label 3\n"));
    }
}
