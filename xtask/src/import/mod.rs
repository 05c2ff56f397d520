//! Specifications as vendors publish them: read, chosen from, and rewritten by the rules of `openapi/README.md`.

mod bundle;
mod convert;
mod examples;
mod losses;
mod pagination;
mod parse;
mod read;
mod repair_yaml;
mod security;
mod select;
mod servers;

pub(crate) use bundle::display_pointer;
pub(crate) use convert::{
    Conversion, ConvertedOperation, annotates, convert, is_any_media, is_form, is_ignored_header, separator,
    states_something,
};
pub(crate) use losses::{Kind, Loss, Owner};
pub(crate) use parse::Published;
pub(crate) use read::{read, read_all};
pub(crate) use security::{Credential, Requirement, credentials_of, is_authorization, requirements_of};
pub(crate) use select::{Choice, operations, tags};
pub(crate) use servers::{address, base_paths};

pub(crate) use crate::codegen::successes::is_json;
