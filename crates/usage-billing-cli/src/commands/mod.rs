//! The verbs: one module per command.

pub(crate) mod meter;
pub(crate) mod usage;
