//! The parts of a repository of vendor crates besides code: vendors, manifests, copies, leftovers.

pub(crate) mod manifest;
pub(crate) mod sandbox_copies;
pub(crate) mod stale_outputs;
pub(crate) mod vendors;
