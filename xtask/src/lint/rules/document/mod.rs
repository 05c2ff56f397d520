//! Rules about the document as a whole.

pub(in crate::lint) mod info_title;
pub(in crate::lint) mod info_version;
pub(in crate::lint) mod openapi_version;
pub(in crate::lint) mod security;
pub(in crate::lint) mod server;
pub(in crate::lint) mod unsafe_character;
