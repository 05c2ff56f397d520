//! Specifications as vendors publish them: read, chosen from, and rewritten by the rules of `openapi/README.md`.

mod draft;
mod files;
mod losses;
mod mend;
mod read;
mod sample;
mod security;
mod select;
mod server;

pub(crate) use draft::{Draft, Drafted, draft};
pub(crate) use files::shown;
pub(crate) use losses::{Kind, Loss, Owner};
pub(crate) use read::{Published, read, read_all};
pub(crate) use security::{Credential, credentials_of};
pub(crate) use select::{Choice, operations, tags};
pub(crate) use server::{address, base_paths};

pub(crate) use crate::normalise::is_json;
