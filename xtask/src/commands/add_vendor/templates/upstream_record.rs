//! `openapi/upstream/<name>.toml` of a new vendor.

use std::collections::BTreeMap;

use openapi_document::Document;

use crate::{commands::add_vendor::Plan, upstream};

/// Returns the record of the document's source.
pub(super) fn record(plan: &Plan<'_>) -> String {
    let document = Document::parse(plan.name, plan.document);
    let known =
        document.map(|ours| upstream::uncurated(&ours.root, plan.published)).unwrap_or_else(|_| BTreeMap::new());
    upstream::head(plan.name, plan.published, plan.today, ("", ""), &known)
}
