//! The address of the API, and its credentials.

use serde_json::Value;

use crate::{
    import::{self, Conversion, Credential, Published},
    upstream::Difference,
};

/// Returns how the vendor's address and credentials of the whole API differ from ours. Those that the vendor does not state are not compared.
pub(super) fn differences(ours: &Value, theirs: &Published, draft: &Conversion) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add =
        |at: &str, kind: &str, text| found.push(Difference { at: at.to_owned(), kind: kind.to_owned(), text });
    if let (Some(own), Some(other)) = (import::address(ours), &draft.address)
        && own.trim_end_matches('/') != other.trim_end_matches('/')
    {
        add("/servers", "server", format!("{own} here, {other} at the vendor's"));
    }
    let stated = ["/securityDefinitions", "/components/securitySchemes"];
    if stated.iter().any(|section| theirs.root.pointer(section).is_some())
        && let Ok(own) = import::credentials_of(ours)
    {
        let (own, other) = (credential_names(&own), credential_names(&draft.credentials));
        if own != other {
            add("/security", "security", format!("{own} here, {other} at the vendor's"));
        }
    }
    if let Some((own_url, own_scopes)) = import::credentials_of(ours).ok().as_deref().and_then(token_request)
        && let Some((other_url, other_scopes)) = token_request(&draft.credentials)
    {
        if own_url != other_url {
            add("/security", "token-url", format!("{own_url} here, {other_url} at the vendor's"));
        }
        let lacking = |all: &[String], of: &[String]| {
            let lacking = all.iter().filter(|scope| !of.contains(scope)).map(|scope| format!("{scope:?}"));
            lacking.collect::<Vec<_>>().join(", ")
        };
        let (missing, extra) = (lacking(other_scopes, own_scopes), lacking(own_scopes, other_scopes));
        if !missing.is_empty() {
            add("/security", "scopes", format!("the vendor calls for {missing}"));
        }
        if !extra.is_empty() {
            add("/security", "scopes", format!("the vendor does not call for {extra}"));
        }
    }
    found
}

/// Returns where OAuth clients get their tokens, and for which scopes.
fn token_request(credentials: &[Credential]) -> Option<(&str, &[String])> {
    credentials.iter().find_map(|credential| match credential {
        Credential::OAuthClient { token_url, scopes } => Some((token_url.as_str(), scopes.as_slice())),
        _ => None,
    })
}

/// Returns the credentials as one string, sorted: names of headers in lower case.
fn credential_names(credentials: &[Credential]) -> String {
    let name = |credential: &Credential| match credential {
        Credential::Header(name) => Credential::Header(name.to_lowercase()).sent(),
        other => other.sent(),
    };
    let mut all = credentials.iter().map(name).collect::<Vec<_>>();
    all.sort();
    all.join(" and ")
}
