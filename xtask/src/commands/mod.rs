//! The commands, one folder each: arguments, and what becomes of them. Nothing imports this module but `main`.

pub(crate) mod add_vendor;
pub(crate) mod audit;
pub(crate) mod diff;
pub(crate) mod generate;
pub(crate) mod lint;
pub(crate) mod upstream;
