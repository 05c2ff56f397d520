//! A curated document beside the vendor's published specification: which operations correspond, and the record of the last comparison.

mod operation_matching;
mod record;

pub(crate) use operation_matching::{method_and_path, pairs, same_address, uncurated};
pub(crate) use record::{Difference, Record, head, renewed};
