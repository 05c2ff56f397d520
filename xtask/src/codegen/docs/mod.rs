//! Documentation of generated operations and fields.

pub(crate) mod constraints;
pub(crate) mod operations;
