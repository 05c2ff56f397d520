//! The credentials that operations call for.

use std::collections::BTreeSet;

use openapi_document::{Operation, pointer::child, resolve};
use serde_json::{Map, Value, json};

use super::{
    bundle::dangling,
    losses::{Kind, Losses},
    parse::Edition,
};

/// One thing that a caller shows to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// `Authorization: Bearer …`: a token or key that the caller renews.
    Bearer,
    /// User name and password.
    Basic,
    /// A key in a header of this name, as it stands.
    Header(String),
    /// Id and secret of an OAuth client, and where it gets its tokens.
    OAuthClient { token_url: String, scopes: Vec<String> },
}

/// Returns the credentials of a document's chosen operations, with the document's `securitySchemes` for them. The error states why
/// no client can be made.
pub(super) fn credentials(
    root: &Value,
    edition: Edition,
    requirements: &Value,
    losses: &mut Losses,
) -> Result<(Vec<Credential>, Value, Value), String> {
    let (section, schemes) = schemes(root, edition);
    let alternatives = requirements.as_array().into_iter().flatten().filter_map(Value::as_object);
    let alternatives = alternatives.filter(|all| !all.is_empty()).collect::<Vec<_>>();
    if alternatives.is_empty() {
        // A scheme may be defined without being required, and is then the one that callers use.
        let defined =
            schemes.iter().filter_map(|(name, scheme)| Some((name, credential(root, resolve(root, scheme)).ok()?)));
        let first = defined.min_by_key(|(_, credential)| *credential != Credential::Bearer);
        let (name, credential) = first.unwrap_or((&FALLBACK, Credential::Bearer));
        let text = "no operation states its credentials: assumed to be these; look them up";
        losses.add(Kind::Security, section, format!("{text} ({})", described(&credential)));
        return Ok(finish(vec![(name.clone(), credential)]));
    }
    let mut reasons = Vec::new();
    let found = alternatives.iter().map(|all| (all, together(root, &schemes, all)));
    let mut found = found.collect::<Vec<_>>();
    // One of undefined schemes is the last that is taken.
    found.extend(alternatives.iter().map(|all| (all, assumed(root, &schemes, all))));
    for (all, found) in found {
        match found.map(|found| one_authorization(found, &schemes, section, losses)) {
            Ok(mut credentials) => {
                for name in credentials.iter().map(|(name, _)| name).filter(|name| !schemes.contains_key(*name)) {
                    let text = format!("{}: assumed to be a bearer token; look it up", undefined(name));
                    losses.add(Kind::Security, section, text);
                }
                for (name, credential) in &mut credentials {
                    match credential {
                        Credential::OAuthClient { scopes, .. } => {
                            let others = schemes.get(name).map(|scheme| other_flows(resolve(root, scheme)));
                            if let Some(others) = others.filter(|others| !others.is_empty()) {
                                let text = format!("the client uses OAuth by client credentials, not by {others}");
                                losses.add(Kind::Security, &child(section, name), text);
                            }
                            let all = all.get(name).and_then(Value::as_array).into_iter().flatten();
                            scopes.extend(all.filter_map(Value::as_str).map(str::to_owned));
                            let more = "(Credentials::token_parameter adds parameters)";
                            note_description(root, &schemes, section, name, ("its tokens", more), losses);
                        }
                        Credential::Header(header) if is_authorization(header) => {
                            let text = "callers pass the complete value of `Authorization`, with its scheme";
                            losses.add(Kind::Security, &child(section, name), text);
                            note_description(root, &schemes, section, name, ("its key", ""), losses);
                        }
                        _ => {}
                    }
                }
                for (name, credential) in &credentials {
                    if let (Credential::Bearer, Some(flow)) = (credential, schemes.get(name).and_then(other_flow)) {
                        let text = format!("OAuth by {flow}: the client takes a token that the caller gets and renews");
                        losses.add(Kind::Security, &child(section, name), text);
                    }
                }
                if alternatives.len() > 1 {
                    let names = |all: Vec<&str>| all.join(" and ");
                    let selected = names(credentials.iter().map(|(name, _)| name.as_str()).collect());
                    let others = alternatives.iter().filter(|other| *other != all);
                    let others = others.map(|all| names(all.keys().map(String::as_str).collect())).collect::<Vec<_>>();
                    let text = format!(
                        "of {} security requirements, {selected} was selected; the vendor also takes {}",
                        alternatives.len(),
                        others.join(" or ")
                    );
                    losses.add(Kind::Security, section, text);
                }
                return Ok(finish(credentials));
            }
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    reasons.truncate(alternatives.len());
    Err(no_scheme(&reasons))
}

/// Notes a scheme's description, which may name a parameter of the token request, such as an audience, or the scheme of a key.
fn note_description(
    root: &Value,
    schemes: &Map<String, Value>,
    section: &str,
    name: &str,
    (what, more): (&str, &str),
    losses: &mut Losses,
) {
    let scheme = schemes.get(name).map(|scheme| resolve(root, scheme));
    let text = scheme.and_then(|scheme| scheme.get("description")?.as_str()).unwrap_or_default().trim();
    if !text.is_empty() {
        let text = format!("the vendor's description of {what}: {text} {more}");
        losses.add(Kind::Security, &child(section, name), text.trim_end());
    }
}

/// Returns the credentials that one of our documents calls for.
pub(crate) fn credentials_of(ours: &Value) -> Result<Vec<Credential>, String> {
    let requirements = ours.get("security").unwrap_or(&Value::Null);
    let (_, schemes) = schemes(ours, Edition::OpenApi30);
    let required = requirements.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
    if let Some(name) = required.into_iter().find(|name| !schemes.contains_key(*name)) {
        return Err(undefined(name));
    }
    credentials(ours, Edition::OpenApi30, requirements, &mut Losses::default()).map(|(credentials, ..)| credentials)
}

/// The scheme of a specification without one.
static FALLBACK: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "bearer".to_owned());

type Named = Vec<(String, Credential)>;

fn together(root: &Value, schemes: &Map<String, Value>, all: &Map<String, Value>) -> Result<Named, String> {
    let each = all.keys().map(|name| {
        let scheme = schemes.get(name).ok_or_else(|| undefined(name))?;
        Ok((name.clone(), credential(root, resolve(root, scheme)).map_err(|reason| format!("{name}: {reason}"))?))
    });
    each.collect()
}

/// Returns the same with a bearer token for each scheme that is not defined.
fn assumed(root: &Value, schemes: &Map<String, Value>, all: &Map<String, Value>) -> Result<Named, String> {
    let (defined, others): (Map<_, _>, Map<_, _>) =
        all.clone().into_iter().partition(|(name, _)| schemes.contains_key(name));
    let mut found = together(root, schemes, &defined)?;
    found.extend(others.into_iter().map(|(name, _)| (name, Credential::Bearer)));
    Ok(found)
}

fn undefined(name: &str) -> String {
    format!("the security scheme {name:?} is not defined")
}

fn no_scheme(reasons: &[String]) -> String {
    format!("no supported security scheme: {}", reasons.join("; "))
}

/// Keeps one scheme that sends `Authorization`: vendors that require two at once mean one of them. Schemes that a program can use
/// alone come first, a token from a person's browser last.
fn one_authorization(mut found: Named, schemes: &Map<String, Value>, section: &str, losses: &mut Losses) -> Named {
    let rank = |(name, credential): &(String, Credential)| match credential {
        Credential::OAuthClient { .. } => Some(0),
        Credential::Bearer if schemes.get(name).and_then(other_flow).is_none() => Some(1),
        Credential::Basic => Some(2),
        Credential::Header(header) if is_authorization(header) => Some(3),
        Credential::Header(_) => None,
        Credential::Bearer => Some(4),
    };
    let best = found.iter().filter_map(|one| Some((rank(one)?, one.0.clone()))).min();
    let Some((_, best)) = best else { return found };
    found.retain(|one| {
        let kept = rank(one).is_none() || one.0 == best;
        if !kept {
            losses.add(Kind::Security, &child(section, &one.0), not_sent(&one.0, &best));
        }
        kept
    });
    found
}

/// Returns the security requirements of an operation: its own, else the document's.
pub(super) fn requirements<'a>(root: &'a Value, operation: &Operation<'a>) -> Option<&'a Value> {
    operation.value.get("security").or_else(|| root.get("security"))
}

/// The credentials that are sent together, each as its description.
pub(crate) type Requirement = BTreeSet<String>;

/// Returns the alternatives of which an operation calls for one, without scopes; none if nothing is stated.
pub(crate) fn requirements_of(root: &Value, operation: &Operation<'_>) -> Option<BTreeSet<Requirement>> {
    let alternatives = requirements(root, operation)?.as_array()?.iter().filter_map(Value::as_object);
    let sections = ["/securityDefinitions", "/components/securitySchemes"];
    let scheme = |name: &str| sections.iter().find_map(|section| root.pointer(section)?.get(name));
    let one = |name: &String| {
        let scheme = scheme(name).map(|scheme| resolve(root, scheme))?;
        Some(match credential(root, scheme) {
            Ok(Credential::Header(name)) => Credential::Header(name.to_lowercase()).sent(),
            Ok(credential) => credential.sent(),
            Err(reason) => reason,
        })
    };
    Some(alternatives.map(|all| all.keys().map(|name| one(name).unwrap_or_else(|| name.clone())).collect()).collect())
}

/// Returns the pointers of the operations that call for something else than the credentials that were taken (`security`, of a draft), with the
/// reason.
pub(super) fn others(
    root: &Value,
    edition: Edition,
    chosen: &[Operation<'_>],
    security: &Value,
    losses: &mut Losses,
) -> Vec<(String, String)> {
    let (section, schemes) = schemes(root, edition);
    let taken = security.pointer("/0").and_then(Value::as_object).into_iter().flatten();
    let taken = taken.map(|(name, _)| name).collect::<Vec<_>>();
    let authorizes =
        |name: &String| schemes.get(name).is_some_and(|scheme| writes_authorization(root, resolve(root, scheme)));
    let mut found = Vec::new();
    for operation in chosen {
        let own = requirements(root, operation).and_then(Value::as_array).into_iter().flatten();
        let own = own.filter_map(Value::as_object).collect::<Vec<_>>();
        // What asks for less is given too much, and works.
        let is_taken = |all: &&Map<String, Value>| {
            all.keys().all(|name| taken.contains(&name)) && assumed(root, &schemes, all).is_ok()
        };
        if own.is_empty() || own.iter().any(is_taken) {
            continue;
        }
        // Of two that write `Authorization`, the client has one.
        let sent = |all: &Map<String, Value>| all.keys().find(|name| taken.contains(name) && authorizes(name)).cloned();
        let beside = own.iter().find_map(|all| {
            let sent = sent(all)?;
            all.keys().all(|name| taken.contains(&name) || authorizes(name)).then_some((all, sent))
        });
        if let Some((all, sent)) = beside {
            for name in all.keys().filter(|name| !taken.contains(name)) {
                losses.add(Kind::Security, &child(section, name), not_sent(name, &sent));
            }
            continue;
        }
        let reasons = own.iter().map(|all| together(root, &schemes, all).err()).collect::<Option<Vec<_>>>();
        let names = own.iter().map(|all| all.keys().map(String::as_str).collect::<Vec<_>>().join(" and "));
        let names = names.collect::<Vec<_>>().join(" or ");
        let text = match reasons {
            Some(reasons) => no_scheme(&reasons),
            None => format!("it calls for {names}, which the client does not have; make it a vendor of its own"),
        };
        found.push((operation.pointer.clone(), text));
    }
    found
}

/// Returns the requirements of the operations that call for some of the credentials that were taken only, by pointer: they are sent more
/// than they call for, which works.
pub(super) fn smaller(root: &Value, chosen: &[Operation<'_>], security: &Value) -> Vec<(String, Value)> {
    let taken = security.pointer("/0").and_then(Value::as_object).cloned().unwrap_or_default();
    let smaller = |operation: &Operation<'_>| {
        let own = requirements(root, operation)?.as_array()?;
        let own = own.iter().filter_map(Value::as_object).filter(|all| all.keys().all(|name| taken.contains_key(name)));
        let most = own.max_by_key(|all| all.len()).filter(|all| (1..taken.len()).contains(&all.len()))?;
        let kept = taken.iter().filter(|(name, _)| most.contains_key(*name));
        let kept = kept.map(|(name, scopes)| (name.clone(), scopes.clone())).collect::<Map<_, _>>();
        Some((operation.pointer.clone(), json!([kept])))
    };
    chosen.iter().filter_map(smaller).collect()
}

/// Returns whether a client can send one of the alternatives of a requirement: with the schemes that are defined, or with a bearer token
/// in place of others.
pub(super) fn is_supported(root: &Value, edition: Edition, requirement: &Value, is_assumed: bool) -> bool {
    let (_, schemes) = schemes(root, edition);
    let found = if is_assumed { assumed } else { together };
    let alternatives = requirement.as_array().into_iter().flatten().filter_map(Value::as_object);
    alternatives.filter(|all| !all.is_empty()).any(|all| found(root, &schemes, all).is_ok())
}

/// Returns the security schemes of a document, and where they are.
fn schemes(root: &Value, edition: Edition) -> (&'static str, Map<String, Value>) {
    let section = if edition == Edition::Swagger2 { "/securityDefinitions" } else { "/components/securitySchemes" };
    (section, root.pointer(section).and_then(Value::as_object).cloned().unwrap_or_default())
}

fn writes_authorization(root: &Value, scheme: &Value) -> bool {
    match credential(root, scheme) {
        Ok(Credential::Header(header)) => is_authorization(&header),
        credential => credential.is_ok(),
    }
}

fn not_sent(name: &str, sent: &str) -> String {
    format!("{name} is required beside {sent}, but both write `Authorization`: {sent} was selected")
}

fn credential(root: &Value, scheme: &Value) -> Result<Credential, String> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    if let Some(reference) = dangling(scheme) {
        return Err(format!("unresolved reference {reference:?}"));
    }
    match text("type").to_ascii_lowercase().as_str() {
        "basic" => Ok(Credential::Basic),
        "http" => match text("scheme").to_ascii_lowercase().as_str() {
            "bearer" => Ok(Credential::Bearer),
            "basic" => Ok(Credential::Basic),
            other => Err(format!("HTTP authentication {other:?} is not supported; bearer and basic are")),
        },
        "apikey" => match (text("in"), text("name")) {
            ("header", name) if http_name(name) => Ok(Credential::Header(name.to_owned())),
            ("header", name) => Err(format!("invalid header name {name:?}")),
            (location @ ("query" | "cookie"), name) => Err(format!(
                "a key in the {location} ({name:?}): core sends keys in headers only, as addresses are logged"
            )),
            (location, _) => Err(format!("a key in {location:?} is not supported: expected \"header\"")),
        },
        "oauth2" => Ok(match token_url(root, scheme) {
            Some(token_url) => Credential::OAuthClient { token_url, scopes: Vec::new() },
            None => Credential::Bearer,
        }),
        "openidconnect" => Ok(Credential::Bearer),
        "" => Err("a security scheme without a type".to_owned()),
        _ => Err(format!("security of the type {:?} is not supported", text("type"))),
    }
}

/// Returns whether a header is the one whose value begins with a scheme.
pub(crate) fn is_authorization(header: &str) -> bool {
    header.eq_ignore_ascii_case("authorization")
}

fn http_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

/// Returns the token URL of the client credentials flow, in the syntax of either edition.
fn token_url(root: &Value, scheme: &Value) -> Option<String> {
    let swagger = scheme.get("tokenUrl").filter(|_| scheme.get("flow").and_then(Value::as_str) == Some("application"));
    let url = swagger.or_else(|| scheme.pointer("/flows/clientCredentials/tokenUrl"))?.as_str()?;
    let mut url = url.to_owned();
    if url.starts_with('/') && !url.starts_with("//") {
        let edition = if root.get("swagger").is_some() { Edition::Swagger2 } else { Edition::OpenApi30 };
        let server = super::servers::of_document(root, edition)?;
        let host = server.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        url = format!("{host}{url}");
    }
    let usable = super::servers::usable(&url).filter(|usable| usable.starts_with("https:"))?;
    // A slash at the end of it counts.
    let slashes = &url[url.trim_end_matches('/').len()..];
    Some(usable + slashes)
}

/// Returns the OAuth flows beside the one for programs.
fn other_flows(scheme: &Value) -> String {
    let flows = scheme.get("flows").and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let others = flows.filter(|flow| flow.as_str() != "clientCredentials" && !flow.starts_with("x-"));
    others.map(String::as_str).collect::<Vec<_>>().join(" or ")
}

/// Returns the name of an OAuth flow that is not for programs alone.
fn other_flow(scheme: &Value) -> Option<String> {
    let flows = scheme.get("flows").and_then(Value::as_object).and_then(|flows| flows.keys().next().cloned());
    let flow = flows.or_else(|| scheme.get("flow")?.as_str().map(str::to_owned));
    let openid = scheme.get("openIdConnectUrl").map(|_| "OpenID Connect".to_owned());
    flow.or(openid)
}

impl Credential {
    /// Returns the description of what a request sends, without how a token is obtained.
    pub(crate) fn sent(&self) -> String {
        match self {
            Self::Bearer | Self::OAuthClient { .. } => "a bearer token".to_owned(),
            Self::Basic => "user name and password".to_owned(),
            Self::Header(name) => format!("a key in the header {name}"),
        }
    }
}

/// Returns a credential in words.
fn described(credential: &Credential) -> String {
    match credential {
        Credential::OAuthClient { token_url, .. } => format!("OAuth client credentials at {token_url}"),
        other => other.sent(),
    }
}

/// Returns the credentials, the document's `security`, and its `securitySchemes`.
fn finish(named: Named) -> (Vec<Credential>, Value, Value) {
    let scheme = |credential: &Credential| match credential {
        Credential::Bearer => json!({"type": "http", "scheme": "bearer"}),
        Credential::Basic => json!({"type": "http", "scheme": "basic"}),
        Credential::Header(name) => json!({"type": "apiKey", "in": "header", "name": name}),
        Credential::OAuthClient { token_url, scopes } => {
            let scopes = scopes.iter().map(|scope| (scope.clone(), json!(""))).collect::<Map<_, _>>();
            json!({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": token_url, "scopes": scopes}}})
        }
    };
    let required = |credential: &Credential| match credential {
        Credential::OAuthClient { scopes, .. } => json!(scopes),
        _ => json!([]),
    };
    let requirement = named.iter().map(|(name, credential)| (name.clone(), required(credential)));
    let requirement = requirement.collect::<Map<_, _>>();
    let schemes = named.iter().map(|(name, credential)| (name.clone(), scheme(credential))).collect::<Map<_, _>>();
    (named.into_iter().map(|(_, credential)| credential).collect(), json!([requirement]), Value::Object(schemes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edition: Edition, root: Value) -> Result<Vec<Credential>, String> {
        let requirements = root.get("security").cloned().unwrap_or_default();
        credentials(&root, edition, &requirements, &mut Losses::default()).map(|(credentials, ..)| credentials)
    }

    fn one(scheme: Value) -> Result<Vec<Credential>, String> {
        let root = json!({
            "servers": [{"url": "https://api.x.example/v1"}],
            "security": [{"s": []}],
            "components": {"securitySchemes": {"s": scheme}},
        });
        of(Edition::OpenApi30, root)
    }

    #[test]
    fn security_schemes_become_credentials_of_core() {
        assert_eq!(one(json!({"type": "http", "scheme": "Bearer"})), Ok(vec![Credential::Bearer]));
        assert_eq!(one(json!({"type": "http", "scheme": "basic"})), Ok(vec![Credential::Basic]));
        let header = one(json!({"type": "apiKey", "in": "header", "name": "X-Key"}));
        assert_eq!(header, Ok(vec![Credential::Header("X-Key".to_owned())]));
        let client = one(json!({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token"}}}));
        assert_eq!(
            client,
            Ok(vec![Credential::OAuthClient { token_url: "https://api.x.example/token".to_owned(), scopes: vec![] }])
        );
        assert_eq!(one(json!({"type": "oauth2", "flows": {"implicit": {}}})), Ok(vec![Credential::Bearer]));
    }

    #[test]
    fn flows_beside_client_credentials_are_reported() {
        let flows = json!({"clientCredentials": {"tokenUrl": "https://x.example/token"}, "authorizationCode": {}, "x-more": {}});
        let root = json!({
            "security": [{"s": []}],
            "components": {"securitySchemes": {"s": {"type": "oauth2", "flows": flows}}},
        });
        let mut losses = Losses::default();
        credentials(&root, Edition::OpenApi30, &root["security"], &mut losses).expect("credentials");
        let reported = losses.since(0).into_iter().map(|loss| loss.text).collect::<Vec<_>>();
        assert_eq!(reported, ["the client uses OAuth by client credentials, not by authorizationCode"]);
    }

    #[test]
    fn token_url_is_where_a_secret_may_be_sent() {
        let asked = |url: &str| match one(json!({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url}}}))
        {
            Ok(credentials) => match credentials.as_slice() {
                [Credential::OAuthClient { token_url, .. }] => Some(token_url.clone()),
                _ => None,
            },
            Err(_) => None,
        };
        for (url, expected) in [
            ("https://login.x.example/token", Some("https://login.x.example/token")),
            ("https://login.x.example/token/", Some("https://login.x.example/token/")),
            ("//login.x.example/token", Some("https://login.x.example/token")),
            ("/oauth/token", Some("https://api.x.example/oauth/token")),
            ("oauth/token", None),
            ("http://login.x.example/token", None),
            ("https://localhost/token", None),
            ("https://{tenant}.x.example/token", None),
            ("https://login.x.example/token?p=1", None),
        ] {
            assert_eq!(asked(url).as_deref(), expected, "{url}");
        }
        let root = json!({
            "swagger": "2.0", "host": "api.x.example", "security": [{"s": []}],
            "securityDefinitions": {"s": {"type": "oauth2", "flow": "application", "tokenUrl": "/token"}},
        });
        let token_url = "https://api.x.example/token".to_owned();
        assert_eq!(of(Edition::Swagger2, root), Ok(vec![Credential::OAuthClient { token_url, scopes: vec![] }]));
    }

    #[test]
    fn scheme_that_core_lacks_is_a_reason() {
        let error = one(json!({"type": "apiKey", "in": "query", "name": "key"})).unwrap_err();
        assert_eq!(
            error,
            "no supported security scheme: s: a key in the query (\"key\"): core sends keys in headers only, as addresses are logged"
        );
        for (scheme, expected) in [
            (
                json!({"type": "http", "scheme": "digest"}),
                "HTTP authentication \"digest\" is not supported; bearer and basic are",
            ),
            (json!({"type": "mutualTLS"}), "security of the type \"mutualTLS\" is not supported"),
            (
                json!({"type": "apiKey", "in": "body", "name": "key"}),
                "a key in \"body\" is not supported: expected \"header\"",
            ),
            (json!({}), "a security scheme without a type"),
            (json!({"$ref": "#/x-files/gone.yaml/S"}), "unresolved reference \"gone.yaml#/S\""),
        ] {
            assert_eq!(one(scheme), Err(format!("no supported security scheme: s: {expected}")));
        }
        let ours = json!({"security": [{"gone": []}], "components": {}});
        assert_eq!(credentials_of(&ours), Err("the security scheme \"gone\" is not defined".to_owned()));
    }

    #[test]
    fn of_several_ways_the_first_that_goes_is_taken() {
        let root = json!({
            "security": [{"query": []}, {"a": [], "b": []}],
            "securityDefinitions": {
                "query": {"type": "apiKey", "in": "query", "name": "k"},
                "a": {"type": "apiKey", "in": "header", "name": "A"},
                "b": {"type": "basic"},
            },
        });
        assert_eq!(of(Edition::Swagger2, root), Ok(vec![Credential::Header("A".to_owned()), Credential::Basic]));
    }

    #[test]
    fn of_two_authorization_headers_the_one_for_programs_is_used() {
        let taken = |one: Value, other: Value| {
            let schemes = json!({"a": one, "b": other, "k": {"type": "apiKey", "in": "header", "name": "X-Key"}});
            let root = json!({"security": [{"a": [], "b": [], "k": []}], "components": {"securitySchemes": schemes}});
            let mut losses = Losses::default();
            let found = credentials(&root, Edition::OpenApi30, &root["security"], &mut losses).map(|(found, ..)| found);
            (found, losses.sorted(|_| true).into_iter().filter(|loss| loss.text.contains("required beside")).count())
        };
        let key = Credential::Header("X-Key".to_owned());
        let browser = json!({"type": "oauth2", "flows": {"implicit": {}}});
        let basic = json!({"type": "http", "scheme": "basic"});
        assert_eq!(taken(browser.clone(), basic.clone()), (Ok(vec![Credential::Basic, key.clone()]), 1));
        assert_eq!(taken(browser.clone(), browser), (Ok(vec![Credential::Bearer, key.clone()]), 1));
        assert_eq!(taken(json!({"type": "http", "scheme": "bearer"}), basic), (Ok(vec![Credential::Bearer, key]), 1));
    }

    #[test]
    fn without_any_word_a_bearer_token_is_assumed() {
        assert_eq!(of(Edition::OpenApi31, json!({})), Ok(vec![Credential::Bearer]));
    }
}
