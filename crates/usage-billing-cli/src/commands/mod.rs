//! The verbs: one module per command.

pub(crate) mod usage;
