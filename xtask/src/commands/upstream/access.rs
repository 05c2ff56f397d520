//! Where requests go, and what lets them in.

use serde_json::Value;

use super::Difference;
use crate::import::{self, Conversion, Credential, Published};

/// What the vendor says of the API as a whole, beside what we say. What it does not say is no difference.
pub(super) fn differences(ours: &Value, theirs: &Published, draft: &Conversion) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |at: &str, kind, text| found.push(Difference { at: at.to_owned(), kind, text });
    if let (Some(own), Some(other)) = (import::address(ours), &draft.address)
        && own.trim_end_matches('/') != other.trim_end_matches('/')
    {
        add("/servers", "server", format!("{own} here, {other} at the vendor's"));
    }
    let stated = ["/securityDefinitions", "/components/securitySchemes"];
    if stated.iter().any(|section| theirs.root.pointer(section).is_some())
        && let Ok(own) = import::credentials_of(ours)
    {
        let (own, other) = (shown(&own), shown(&draft.credentials));
        if own != other {
            add("/security", "security", format!("{own} here, {other} at the vendor's"));
        }
    }
    found
}

/// Headers are the same whatever letters they are written with.
fn shown(credentials: &[Credential]) -> String {
    let one = |credential: &Credential| match credential {
        Credential::Header(name) => Credential::Header(name.to_lowercase()).sent(),
        other => other.sent(),
    };
    let mut all = credentials.iter().map(one).collect::<Vec<_>>();
    all.sort();
    all.join(" and ")
}
