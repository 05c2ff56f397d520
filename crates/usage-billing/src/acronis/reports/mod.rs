//! Reports of the vendor: requests, creation, lookup, download and storage.

pub(super) mod create;
pub(super) mod download;
pub(super) mod find;
pub(super) mod request;
pub(super) mod save;
pub(super) mod save_target;
pub(super) mod saved_content;
pub(super) mod stored_file;
