//! The verbs: one module per command.

pub(crate) mod api;
pub(crate) mod auth;
pub(crate) mod clients;
pub(crate) mod doctor;
pub(crate) mod manual;
pub(crate) mod meter;
mod output;
pub(crate) mod report;
mod request_line;
pub(crate) mod schema;
pub(crate) mod usage;
pub(crate) mod vendors;
