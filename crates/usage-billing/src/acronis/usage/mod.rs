//! Usage rows of reports and of current usage.

pub(super) mod aggregator;
pub(super) mod billed_quantity;
pub(super) mod current;
pub(super) mod fetch;
pub(super) mod options;
pub(super) mod parts;
pub(super) mod report_context;
pub(super) mod saved_file;
pub(super) mod sums;
