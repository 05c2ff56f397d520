//! Reads usage record groups and reports to the marketplaces as usage rows. Names nothing of [`metering`](super::metering).

mod accepted_quantity;
mod aws_response;
pub(super) mod carried;
pub(super) mod groups;
pub(super) mod listed_days;
pub(super) mod lookups;
pub(super) mod marketplace;
mod pending_acceptance;
pub(super) mod quantities;
pub(super) mod report_quantities;
pub(super) mod report_rows;
mod reported_again;
pub(super) mod rows;
mod sum_key;
pub(super) mod sums;
