//! `client.rs` of a new vendor: how a client is set up.

use crate::{
    codegen::identifiers::value_name,
    commands::add_vendor::{Plan, names},
    import::{Credential, is_authorization},
    text::markdown::code_span,
};

/// An argument of a builder, and its source.
pub(super) struct Argument {
    /// The parameter's name.
    pub(super) name: String,
    kind: Kind,
    /// The description of the argument.
    words: String,
    /// The environment variables that it is read from.
    variables: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Url,
    User,
    Token,
    Secret,
    Credentials,
}

/// Returns the builder's arguments, in their order.
pub(super) fn arguments(plan: &Plan<'_>) -> Vec<Argument> {
    let prefix = names::module(plan.name).to_uppercase();
    let one = |name: &str, kind, words: &str, variable: &str| Argument {
        name: name.to_owned(),
        kind,
        words: words.to_owned(),
        variables: vec![format!("{prefix}_{variable}")],
    };
    let mut arguments = Vec::new();
    if plan.draft.address.is_none() {
        arguments.push(one("base_url", Kind::Url, "the address of the API", "BASE_URL"));
    }
    let keys = plan.draft.credentials.iter().filter(|credential| matches!(credential, Credential::Header(_))).count();
    for credential in &plan.draft.credentials {
        match credential {
            Credential::Bearer => {
                arguments.push(one("token", Kind::Token, "a token, sent as `Authorization: Bearer …`", "TOKEN"))
            }
            Credential::Basic => {
                arguments.push(one("user", Kind::User, "a user's name", "USER"));
                arguments.push(one("password", Kind::Secret, "the user's password", "PASSWORD"));
            }
            Credential::Header(header) => {
                let name = if keys == 1 { "api_key".to_owned() } else { value_name(header.trim_start_matches("X-")) };
                let words = if is_authorization(header) {
                    format!(
                        "the complete value of the header `{header}`, with the scheme that the vendor documents, such as `Bearer …`"
                    )
                } else {
                    format!("a key, sent without a prefix in the header `{header}`")
                };
                arguments.push(one(&name, Kind::Secret, &words, &name.trim_end_matches('_').to_uppercase()));
            }
            Credential::OAuthClient { token_url, scopes } => arguments.push(Argument {
                name: "credentials".to_owned(),
                kind: Kind::Credentials,
                words: oauth_in_words(token_url, scopes),
                variables: ["CLIENT_ID", "CLIENT_SECRET"].map(|variable| format!("{prefix}_{variable}")).to_vec(),
            }),
        }
    }
    arguments
}

/// Returns the description of an OAuth client's id and secret, with the token URL and the scopes.
fn oauth_in_words(token_url: &str, scopes: &[String]) -> String {
    let scopes = match scopes {
        [] => String::new(),
        scopes => {
            format!(" for the scopes {}", scopes.iter().map(|scope| code_span(scope)).collect::<Vec<_>>().join(", "))
        }
    };
    format!("id and secret of an OAuth client, which gets tokens from {}{scopes}", code_span(token_url))
}

/// Returns the description of the credentials for the crate's README.
pub(super) fn credentials_in_words(plan: &Plan<'_>) -> String {
    let arguments = arguments(plan);
    let words = arguments.iter().map(|argument| argument.words.as_str()).collect::<Vec<_>>().join("; ");
    let variables = arguments.iter().flat_map(|argument| &argument.variables).map(|variable| format!("`{variable}`"));
    let variables = variables.collect::<Vec<_>>().join(", ");
    let prefix = names::module(plan.name).to_uppercase();
    let base = if plan.draft.address.is_some() { format!(" (and `{prefix}_BASE_URL`)") } else { String::new() };
    format!("{words}. `Client::builder_from_env()` reads {variables}{base}.")
}

/// Returns the source of `client.rs`.
pub(super) fn source(plan: &Plan<'_>) -> String {
    let arguments = arguments(plan);
    let has = |kind| arguments.iter().any(|argument| argument.kind == kind);
    let mut imports = Vec::new();
    imports.extend(has(Kind::Token).then_some("ApiKey"));
    imports.push("Auth");
    imports.extend(has(Kind::Credentials).then_some("Credentials"));
    imports.push("Result");
    imports.extend(has(Kind::Secret).then_some("SecretString"));
    imports.extend(["Service", "required_env"]);
    let parameters = arguments.iter().map(|argument| {
        let kind = match argument.kind {
            Kind::Url => "impl Into<String>",
            Kind::User => "&str",
            Kind::Token => "impl Into<ApiKey>",
            Kind::Secret => "impl Into<SecretString>",
            Kind::Credentials => "Credentials",
        };
        format!("{}: {kind}", argument.name)
    });
    let parameters = parameters.collect::<Vec<_>>().join(", ");
    let words = arguments.iter().map(|argument| argument.words.as_str()).collect::<Vec<_>>().join(", ");
    let variables = arguments.iter().flat_map(|argument| &argument.variables).cloned().collect::<Vec<_>>();
    let named = variables.iter().map(|variable| format!("`{variable}`")).collect::<Vec<_>>().join(", ");
    let quoted = variables.iter().map(|variable| format!("{variable:?}")).collect::<Vec<_>>().join(", ");
    let locals = arguments.iter().flat_map(|argument| match argument.kind {
        Kind::Credentials => vec!["client_id".to_owned(), "client_secret".to_owned()],
        _ => vec![argument.name.clone()],
    });
    let locals = locals.collect::<Vec<_>>().join(", ");
    let given = arguments.iter().map(|argument| match argument.kind {
        Kind::Credentials => "Credentials::new(client_id, client_secret)".to_owned(),
        Kind::User => format!("&{}", argument.name),
        Kind::Url | Kind::Token | Kind::Secret => argument.name.clone(),
    });
    let given = given.collect::<Vec<_>>().join(", ");
    let (constant, base) = match &plan.draft.address {
        Some(address) => (
            format!("\n/// The address of the API in the specification.\nconst BASE_URL: &str = {address:?};\n"),
            "BASE_URL",
        ),
        None => (String::new(), "base_url"),
    };
    let prefix = names::module(plan.name).to_uppercase();
    let (also, finish) = if plan.draft.address.is_some() {
        (
            format!(", and another address from `{prefix}_BASE_URL` if that is set"),
            format!(
                "let builder = Self::builder({given});\n        Ok(match std::env::var(\"{prefix}_BASE_URL\") {{\n            \
                 Ok(url) if !url.is_empty() => builder.base_url(url),\n            _ => builder,\n        }})"
            ),
        )
    } else {
        (String::new(), format!("Ok(Self::builder({given}))"))
    };
    let oauth = has(Kind::Credentials);
    let auth = auth(plan, &arguments);
    let asked = arguments.iter().filter(|argument| argument.kind != Kind::Url);
    let asked = asked.map(|argument| argument.name.trim_end_matches('_').replace('_', " ")).collect::<Vec<_>>();
    let hint = format!("check the {}, and that this address takes what you have", asked.join(" and "));
    let made = if oauth {
        let (parameter, base_url) =
            if base == "base_url" { ("base_url: impl Into<String>, ", "base_url, ") } else { ("", "") };
        format!(
            "Self::with_auth({base_url}{auth})\n    }}\n\n    /// A client that is authorised otherwise: by a token that another program renews, or from another \
             token endpoint.\n    pub fn with_auth({parameter}auth: Auth) -> ClientBuilder<Self> {{\n        \
             ClientBuilder::new(SERVICE, {base}, auth, Self::new_with_client)"
        )
    } else {
        format!("ClientBuilder::new(SERVICE, {base}, {auth}, Self::new_with_client)")
    };
    let source = format!(
        "//! Creates clients of the API.\n\nuse progenitor_client::{{{}}};\n\nuse crate::{{Client, ClientBuilder, OPERATIONS}};\n\n\
         // Add the header that names a request in the vendor's responses, if there is one; and that of a 429 with the seconds until the limit is\n\
         // reset, if the vendor sends no `Retry-After`.\n\
         const SERVICE: Service = Service {{ operations: OPERATIONS, request_id_headers: &[], limit_reset_headers: &[], credential_hint: {hint:?} }};\n{constant}\n\
         impl Client {{\n    /// A client, by {words}.\n    ///\n    /// No rate limit is set; [`rate_limit`](ClientBuilder::rate_limit) sets one.\n    \
         pub fn builder({parameters}) -> ClientBuilder<Self> {{\n        {made}\n    }}\n\n    \
         /// Returns the builder of a client from {named}{also}.\n    ///\n    /// # Errors\n    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming what is missing.\n    \
         pub fn builder_from_env() -> Result<ClientBuilder<Self>> {{\n        let [{locals}] = required_env([{quoted}])?;\n        {finish}\n    }}\n}}\n",
        imports.join(", "),
    );
    formatted(source)
}

/// Returns the expression that makes the `Auth`.
fn auth(plan: &Plan<'_>, arguments: &[Argument]) -> String {
    let mut names =
        arguments.iter().filter(|argument| argument.kind != Kind::Url).map(|argument| argument.name.as_str());
    let (mut first, mut keys) = (None, Vec::new());
    for credential in &plan.draft.credentials {
        let mut name = || names.next().unwrap_or_default();
        match credential {
            Credential::Bearer => first = Some(format!("Auth::header(\"Bearer\", {})", name())),
            Credential::Basic => first = Some(format!("Auth::basic({}, {})", name(), name())),
            Credential::OAuthClient { token_url, scopes } => {
                let scope = match scopes.as_slice() {
                    [] => String::new(),
                    scopes => format!(".token_parameter(\"scope\", {:?})", scopes.join(" ")),
                };
                first = Some(format!("Auth::client_credentials({token_url:?}, {}{scope})", name()));
            }
            Credential::Header(header) => keys.push((header, name().to_owned())),
        }
    }
    let mut auth = first.unwrap_or_default();
    for (header, name) in keys {
        let method = if auth.is_empty() { "Auth::key" } else { ".and_key" };
        auth.push_str(&format!("{method}({header:?}, {name})"));
    }
    auth
}

/// Returns the source as rustfmt has it here. Without rustfmt it stays as it is: it still compiles.
pub(super) fn formatted(source: String) -> String {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let run = || {
        let mut child = Command::new("rustfmt")
            .args(["--edition", "2024", "--config", "max_width=120,use_small_heuristics=Max"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        child.stdin.take()?.write_all(source.as_bytes()).ok()?;
        let output = child.wait_with_output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok().filter(|text| !text.is_empty())
    };
    run().unwrap_or(source)
}
