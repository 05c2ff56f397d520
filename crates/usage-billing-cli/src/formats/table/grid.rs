//! Cells that are fitted to the width of a terminal.

use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width, presets};
use usage_billing::printable;

/// Width to which text is truncated at most.
const NARROW: u16 = 8;
/// Blanks beside each cell.
const PADDING: u16 = 2;

/// Columns and rows of a table.
pub(crate) struct Grid {
    pub(crate) columns: Vec<GridColumn>,
    pub(crate) rows: Vec<Vec<String>>,
}

pub(crate) struct GridColumn {
    pub(crate) header: String,
    /// Numbers are aligned to the right and never truncated.
    pub(crate) is_number: bool,
    pub(crate) display: Display,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    Always,
    /// If its rows differ, however narrow the terminal is: without it, others would be misread.
    IfDiffers,
    /// If its rows differ and the terminal is wide enough.
    IfSpace,
}

impl Grid {
    /// Returns the lines of the table, and lines about what is not in it. Empty columns are omitted, and values that all rows have are stated
    /// once. If the width does not suffice, text is truncated, and then the last columns are omitted.
    pub(crate) fn render(&self, width: Option<u16>) -> String {
        let value_of_all = |index: usize| {
            let first = self.rows.first().map(|row| row[index].as_str())?;
            self.rows.iter().all(|row| row[index] == first).then_some(first)
        };
        let is_empty = |index: usize| !self.rows.is_empty() && value_of_all(index) == Some("");
        let is_constant = |index: usize| self.rows.len() > 1 && value_of_all(index).is_some();
        let (mut shown, mut constants) = (Vec::new(), Vec::new());
        for (index, column) in self.columns.iter().enumerate() {
            if column.display == Display::Always || !is_constant(index) && !is_empty(index) {
                shown.push(index);
            } else if let Some(value) = value_of_all(index).filter(|value| !value.is_empty()) {
                constants.push(format!("{} {}", column.header, printable(value)));
            }
        }
        let (widths, omitted) = self.fit(&mut shown, width);
        let mut text = self.lines(&shown, &widths);
        if !constants.is_empty() {
            text.push_str(&format!("all rows: {}\n", constants.join(", ")));
        }
        if !omitted.is_empty() {
            text.push_str(&format!("not shown for lack of width: {}\n", omitted.join(", ")));
        }
        text
    }

    /// Removes columns that do not fit, and returns the widths of those that are truncated and the headers of those that are removed.
    fn fit(&self, shown: &mut Vec<usize>, width: Option<u16>) -> (Vec<Option<u16>>, Vec<String>) {
        let mut omitted = Vec::new();
        let natural = self.table(shown).column_max_content_widths();
        let mut widths: Vec<(usize, u16)> = shown.iter().copied().zip(natural).collect();
        let Some(width) = width else { return (vec![None; shown.len()], omitted) };
        let is_number = |index: usize| self.columns[index].is_number;
        let least = |(index, natural): &(usize, u16)| if is_number(*index) { *natural } else { NARROW.min(*natural) };
        let total = |widths: &[(usize, u16)], of: &dyn Fn(&(usize, u16)) -> u16| -> u32 {
            widths.iter().map(|column| u32::from(of(column)) + u32::from(PADDING)).sum::<u32>()
        };
        while total(&widths, &least) > u32::from(width) {
            let Some(last) = widths.iter().rposition(|(index, _)| self.columns[*index].display == Display::IfSpace)
            else {
                break;
            };
            let (index, _) = widths.remove(last);
            omitted.insert(0, self.columns[index].header.clone());
        }
        *shown = widths.iter().map(|(index, _)| *index).collect();
        let mut limits = vec![None; widths.len()];
        // The widest text first.
        while total(&widths, &|(_, width)| *width) > u32::from(width) {
            let text =
                widths.iter_mut().enumerate().filter(|(_, (index, width))| !is_number(*index) && *width > NARROW);
            let Some((place, (_, widest))) = text.max_by_key(|(_, (_, width))| *width) else { break };
            *widest -= 1;
            limits[place] = Some(*widest + PADDING);
        }
        (limits, omitted)
    }

    fn table(&self, shown: &[usize]) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_truncation_indicator("…");
        let header = Row::from(shown.iter().map(|index| self.columns[*index].header.clone()).collect::<Vec<_>>());
        table.set_header(header);
        for row in &self.rows {
            // Customers name themselves: a line break or a terminal's escape sequence would forge rows.
            let mut row = Row::from(shown.iter().map(|index| printable(&row[*index]).to_string()).collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        for (column, index) in table.column_iter_mut().zip(shown) {
            if self.columns[*index].is_number {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    fn lines(&self, shown: &[usize], widths: &[Option<u16>]) -> String {
        let mut table = self.table(shown);
        for (column, width) in table.column_iter_mut().zip(widths) {
            if let Some(width) = width {
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(*width)));
            }
        }
        // Without borders the table still pads each line.
        table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(columns: &[(&str, bool, Display)], rows: &[&[&str]]) -> Grid {
        let column = |(header, is_number, display): &(&str, bool, Display)| GridColumn {
            header: (*header).to_owned(),
            is_number: *is_number,
            display: *display,
        };
        Grid {
            columns: columns.iter().map(column).collect(),
            rows: rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect(),
        }
    }

    const COLUMNS: [(&str, bool, Display); 5] = [
        ("CUSTOMER", false, Display::Always),
        ("QUANTITY", true, Display::Always),
        ("PERIOD", false, Display::IfSpace),
        ("REASON", false, Display::IfSpace),
        ("COST", true, Display::IfSpace),
    ];

    #[test]
    fn columns_that_do_not_differ_are_stated_once() {
        let grid = grid(&COLUMNS, &[&["A", "1", "2026-10", "usage", ""], &["A", "20", "2026-10", "trial", ""]]);
        let expected = "CUSTOMER  QUANTITY  REASON\nA                1  usage\nA               20  trial\nall rows: PERIOD 2026-10\n";
        assert_eq!(grid.render(None), expected);
    }

    #[test]
    fn narrow_terminal_truncates_text_and_then_omits_the_last_columns() {
        let name = "A customer with a long name, 株式会社";
        let grid = grid(&COLUMNS, &[&[name, "123456", "2026-10", "usage", "7"], &["B", "2", "2026-09", "trial", "8"]]);
        for (width, expected) in [
            (46, ""),
            (40, "not shown for lack of width: COST"),
            (25, "not shown for lack of width: PERIOD, REASON, COST"),
        ] {
            let text = grid.render(Some(width));
            let (table, notes) = text.split_at(text.find("not shown").unwrap_or(text.len()));
            assert_eq!(notes.trim_end(), expected, "{text}");
            assert!(table.contains("123456") && table.contains('…'), "{text}");
            assert!(table.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}: {text}");
        }
        assert!(grid.render(Some(200)).contains(name));
    }
}
