//! The rules: a folder for each group, a file for each rule.

pub(super) mod document;
pub(super) mod extensions;
pub(super) mod operations;
pub(super) mod parameters;
pub(super) mod references;
pub(super) mod requests;
pub(super) mod responses;
pub(super) mod schemas;
pub(super) mod structure;
pub(super) mod workspace;
