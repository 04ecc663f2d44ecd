//! Tables of text: aligned columns, one of which gives way where a line would get too long.

use serde::Serialize;

use super::text::WIDTH;

const GAP: &str = "  ";
const NARROWEST_NAME: usize = 24;

/// Rows and columns: numbers to the right, and one column of names, which gives way.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    name_column: usize,
}

impl Table {
    /// A table whose first column holds names, the others numbers.
    pub(crate) fn names_first(columns: &[&'static str]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            name_column: 0,
        }
    }

    /// A table whose last column holds names, the others numbers.
    pub(crate) fn names_last(columns: &[&'static str]) -> Self {
        Self {
            name_column: columns.len() - 1,
            ..Self::names_first(columns)
        }
    }

    /// Adds a row, one cell a column.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len(), "one cell a column");
        self.rows.push(cells);
    }

    /// The lines after an indent, heads of the columns first, none longer than the report is wide. Of more than
    /// `most_rows` rows the first are shown, and how many are not.
    pub(crate) fn lines(&self, indent: &str, most_rows: usize) -> Vec<String> {
        let heads: Vec<String> = self.columns.iter().map(|&head| head.to_owned()).collect();
        let widths = self.widths(&heads, WIDTH - indent.len());
        let rows = std::iter::once(&heads).chain(self.rows.iter().take(most_rows));
        let mut lines: Vec<String> = rows
            .map(|cells| format!("{indent}{}", self.line(cells, &widths)))
            .collect();
        let n_left_out = self.rows.len().saturating_sub(most_rows);
        if n_left_out > 0 {
            lines.push(format!(
                "{indent}… and {n_left_out} more in the scenario's own report"
            ));
        }
        lines
    }

    fn widths(&self, heads: &[String], available: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = heads.iter().map(|head| head.chars().count()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let numbers: usize = widths.iter().sum::<usize>() - widths[self.name_column];
        let left = available.saturating_sub(numbers + GAP.len() * (widths.len() - 1));
        widths[self.name_column] = widths[self.name_column].min(left.max(NARROWEST_NAME));
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let padded = cells
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (cell, &width))| {
                if column == self.name_column {
                    format!("{:<width$}", shortened(cell, width))
                } else {
                    format!("{cell:>width$}")
                }
            });
        padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }
}

/// A name of at most `width` characters. The end of a path says more than its beginning.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let start = width / 4;
    let head: String = name.chars().take(start).collect();
    let tail: String = name.chars().skip(length + start + 1 - width).collect();
    format!("{head}…{tail}")
}
