//! Human-readable tables.

mod grid;
mod usage_table;

pub(crate) use grid::{Content, Display, Grid, GridColumn, LongText, wrapped};
pub(crate) use usage_table::usage_table;

/// Places after the point of quantities and prices in tables.
pub(crate) const PLACES: usize = 6;
/// Places after the point of money.
pub(crate) const MONEY_PLACES: usize = 2;

/// Truncates a decimal instead of rounding it, with a mark: the other formats have the exact number.
pub(crate) fn shortened(number: &str, max_places: usize) -> String {
    match number.split_once('.') {
        Some((whole, places)) if places.len() > max_places => format!("{whole}.{}…", &places[..max_places]),
        _ => number.to_owned(),
    }
}
