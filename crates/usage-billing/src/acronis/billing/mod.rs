//! Rules that decide whether a row of a report is charged.

pub(super) mod hosting;
pub(super) mod item_names;
pub(super) mod rule;
