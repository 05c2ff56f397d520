//! Cells that are fitted to the width of a terminal.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, Row, Table, Width, presets};
use usage_billing::printable;

use super::{MONEY_PLACES, shortened};

/// Width below which text is neither truncated nor wrapped.
const NARROW: u16 = 8;
/// The same for prose, in words of a few characters.
const NARROW_PROSE: u16 = 16;
/// Blanks beside each cell.
const PADDING: u16 = 2;

/// Columns and rows of a table.
pub(crate) struct Grid {
    pub(crate) columns: Vec<GridColumn>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) long_text: LongText,
}

/// The treatment of text that is wider than its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LongText {
    /// Each row has one line: rows are many.
    Truncated,
    /// Each row is complete: it is to be acted upon.
    Wrapped,
}

pub(crate) struct GridColumn {
    pub(crate) header: String,
    pub(crate) content: Content,
    pub(crate) display: Display,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Aligned to the right, and always on one line.
    Number,
    /// An id, an instant or a state: always on one line.
    Word,
    /// A name.
    Text,
    /// A sentence, or a list.
    Prose,
}

/// When a column is shown. A narrow terminal omits those that are the least important.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Display {
    /// If its rows differ.
    IfSpace,
    /// If its rows differ; without it, others would be misread.
    IfDiffers,
    Always,
}

impl Grid {
    /// Returns the lines of the table, and lines about what is not in it. Empty columns are omitted, and values that all rows have are stated
    /// once. If the width does not suffice, text and headers of numbers are made narrower, then columns are omitted, then decimal places.
    pub(crate) fn render(mut self, width: Option<u16>) -> String {
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
            text.push_str(&wrapped(&format!("all rows: {}", constants.join(", ")), width));
        }
        if !omitted.is_empty() {
            text.push_str(&wrapped(&format!("not shown for lack of width: {}", omitted.join(", ")), width));
        }
        text
    }

    /// Removes columns that do not fit, and returns the widths of those that are narrower than their cells, and the headers of those that are
    /// removed.
    fn fit(&mut self, shown: &mut Vec<usize>, width: Option<u16>) -> (Vec<Option<u16>>, Vec<String>) {
        let Some(width) = width else { return (vec![None; shown.len()], Vec::new()) };
        let mut omitted = Vec::new();
        let mut widths = self.widths(shown);
        while !fits(&widths, width) && self.omit_last(Display::IfSpace, &mut widths, &mut omitted) {}
        if !fits(&widths, width) {
            self.shorten_numbers();
            widths = self.widths(&widths.iter().map(|column| column.index).collect::<Vec<_>>());
        }
        while !fits(&widths, width) && self.omit_last(Display::IfDiffers, &mut widths, &mut omitted) {}
        omitted.sort_unstable();
        *shown = widths.iter().map(|column| column.index).collect();
        // The widest first.
        while total(&widths, |column| column.natural) > u32::from(width) {
            let wide = widths.iter_mut().filter(|column| column.natural > column.least);
            let Some(widest) = wide.max_by_key(|column| column.natural) else { break };
            widest.natural -= 1;
            widest.is_limited = true;
        }
        let limits = widths.iter().map(|column| column.is_limited.then_some(column.natural + PADDING)).collect();
        (limits, omitted.into_iter().map(|index| self.columns[index].header.clone()).collect())
    }

    /// Removes the last column of an importance; returns whether there was one.
    fn omit_last(&self, display: Display, widths: &mut Vec<ColumnWidth>, omitted: &mut Vec<usize>) -> bool {
        let last = widths.iter().rposition(|column| self.columns[column.index].display == display);
        last.inspect(|last| omitted.push(widths.remove(*last).index)).is_some()
    }

    /// Truncates all numbers to the places of money.
    fn shorten_numbers(&mut self) {
        let is_number: Vec<_> = self.columns.iter().map(|column| column.content == Content::Number).collect();
        for row in &mut self.rows {
            for (cell, _) in row.iter_mut().zip(&is_number).filter(|(_, is_number)| **is_number) {
                *cell = shortened(cell, MONEY_PLACES);
            }
        }
    }

    fn widths(&self, shown: &[usize]) -> Vec<ColumnWidth> {
        // Without rows there are no widths.
        let cells = self.table(shown).column_max_content_widths().into_iter().chain(std::iter::repeat(0));
        let width = |(index, cells): (&usize, u16)| {
            let GridColumn { header, content, .. } = &self.columns[*index];
            let letters = |text: &str| text.chars().count() as u16;
            let natural = cells.max(letters(header));
            // A header may have several lines.
            let word = header.split(' ').map(letters).max().unwrap_or_default();
            let least = match content {
                Content::Number | Content::Word => cells,
                Content::Text => NARROW.min(natural),
                Content::Prose => NARROW_PROSE.min(natural),
            };
            let least = least.max(word);
            ColumnWidth { index: *index, natural, least, is_limited: false }
        };
        shown.iter().zip(cells).map(width).collect()
    }

    /// Returns the table without its header.
    fn table(&self, shown: &[usize]) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_truncation_indicator("…");
        if self.long_text == LongText::Truncated {
            // At the width, and not at the word before it.
            table.set_delimiter('\0');
        }
        for row in &self.rows {
            // Customers name themselves: a line break or a terminal's escape sequence would forge rows.
            let mut row = Row::from(shown.iter().map(|index| printable(&row[*index]).to_string()).collect::<Vec<_>>());
            if self.long_text == LongText::Truncated {
                row.max_height(1);
            }
            table.add_row(row);
        }
        for (column, index) in table.column_iter_mut().zip(shown) {
            if self.columns[*index].content == Content::Number {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    fn lines(&self, shown: &[usize], widths: &[Option<u16>]) -> String {
        let mut table = self.table(shown);
        table.set_header(shown.iter().map(|index| Cell::new(&self.columns[*index].header).set_delimiter(' ')));
        for (column, width) in table.column_iter_mut().zip(widths) {
            if let Some(width) = width {
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(*width)));
            }
        }
        without_padding(&table)
    }
}

/// Returns text in lines of at most a width.
pub(crate) fn wrapped(text: &str, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).add_row([text]);
    if let (Some(width), Some(column)) = (width, table.column_mut(0)) {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width.saturating_add(PADDING))));
    }
    without_padding(&table)
}

/// Returns the lines of a table. Without borders it still pads each line.
fn without_padding(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(&line).trim_end())).collect()
}

/// How wide a column of the table is without its padding.
#[derive(Clone, Copy, Debug)]
struct ColumnWidth {
    index: usize,
    natural: u16,
    /// The width to which text is truncated and headers of numbers are wrapped.
    least: u16,
    is_limited: bool,
}

fn total(widths: &[ColumnWidth], width: impl Fn(&ColumnWidth) -> u16) -> u32 {
    let padding = u32::from(PADDING) * widths.len().saturating_sub(1) as u32;
    widths.iter().map(|column| u32::from(width(column))).sum::<u32>() + padding
}

fn fits(widths: &[ColumnWidth], width: u16) -> bool {
    total(widths, |column| column.least) <= u32::from(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(columns: &[(&str, bool, Display)], rows: &[&[&str]]) -> Grid {
        let column = |(header, is_number, display): &(&str, bool, Display)| GridColumn {
            header: (*header).to_owned(),
            content: if *is_number { Content::Number } else { Content::Text },
            display: *display,
        };
        Grid {
            long_text: LongText::Truncated,
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
    fn table_with_any_columns_fits_the_terminal() {
        let columns = [
            ("CHANGE", false, Display::Always),
            ("QUANTITY BEFORE", true, Display::Always),
            ("QUANTITY AFTER", true, Display::Always),
            ("UNIT", false, Display::IfDiffers),
            ("PERCENT", true, Display::IfSpace),
        ];
        let rows: [&[&str]; 2] =
            [&["new", "1.123456…", "12345678901.123456…", "GiB", "1"], &["gone", "2", "3", "seat", "2"]];
        let text = grid(&columns, &rows).render(Some(55));
        let header: Vec<Vec<_>> = text.lines().take(2).map(|line| line.split_whitespace().collect()).collect();
        let expected = ["CHANGE", "QUANTITY", "QUANTITY", "AFTER", "UNIT", "PERCENT"];
        assert_eq!(header, [&expected[..], &["BEFORE"]], "{text}");
        let text = grid(&columns, &rows).render(Some(41));
        assert!(text.contains("1.12…  12345678901.12…  GiB") && text.ends_with("width: PERCENT\n"), "{text}");
        let text = grid(&columns, &rows).render(Some(34));
        assert!(text.contains("1.12…  12345678901.12…\n") && text.ends_with("width: UNIT,\nPERCENT\n"), "{text}");
    }

    #[test]
    fn narrow_terminal_truncates_text_then_omits_last_columns() {
        let name = "A customer with a long name, 株式会社";
        let grid =
            || grid(&COLUMNS, &[&[name, "123456", "2026-10", "usage", "7"], &["B", "2", "2026-09", "trial", "8"]]);
        for (width, expected) in [
            (46, ""),
            (40, "not shown for lack of width: COST"),
            (25, "not shown for lack of width: PERIOD, REASON, COST"),
        ] {
            let text = grid().render(Some(width));
            let (table, notes) = text.split_at(text.find("not shown").unwrap_or(text.len()));
            assert_eq!(notes.lines().collect::<Vec<_>>().join(" "), expected, "{text}");
            assert!(table.contains("123456") && table.contains('…'), "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}: {text}");
        }
        assert!(grid().render(Some(200)).contains(name));
    }

    #[test]
    fn wrapped_rows_and_lines_are_complete_and_fit() {
        let columns = [("ID", Content::Word), ("REASON", Content::Text)];
        let columns = columns.map(|(header, content)| GridColumn {
            header: header.to_owned(),
            content,
            display: Display::Always,
        });
        let rows = vec![
            vec!["2f4c1b7e-0a55".to_owned(), "unknown customer".to_owned()],
            vec!["2".to_owned(), "price".to_owned()],
        ];
        let grid = Grid { columns: columns.into(), rows, long_text: LongText::Wrapped };
        let expected = "ID             REASON\n2f4c1b7e-0a55  unknown\n               customer\n2              price\n";
        assert_eq!(grid.render(Some(24)), expected);
        assert_eq!(wrapped("all rows: PERIOD 2026-10", Some(16)), "all rows: PERIOD\n2026-10\n");
        assert_eq!(wrapped("all rows: PERIOD 2026-10", None), "all rows: PERIOD 2026-10\n");
    }
}
