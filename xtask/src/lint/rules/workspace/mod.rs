//! Rules about the document and the crates made of it.

pub(in crate::lint) mod facade;
