//! The files of a new vendor.

mod call_expression;
mod client;
mod smoke_test;
mod upstream_record;

use super::{
    Plan, loss_report,
    names::{library, module, package},
    workspace_edits::Change,
};
use crate::text::{markdown::code_span, one_line};

/// Returns all new files.
pub(super) fn new(plan: &Plan<'_>) -> Result<Vec<Change>, String> {
    let (name, folder) = (plan.name, format!("crates/{}", package(plan.name)));
    let source =
        format!("{} ({}, sha256 {})", code_span(&plan.published.file), plan.published.edition, plan.published.sha256);
    Ok(vec![
        (format!("openapi/{name}.yaml"), plan.document.to_owned()),
        (format!("openapi/upstream/{name}.toml"), upstream_record::record(plan)),
        (
            format!("openapi/upstream/{name}.md"),
            loss_report::markdown(name, plan.draft, &source, &plan.published.skipped),
        ),
        (format!("{folder}/Cargo.toml"), manifest(plan)),
        (format!("{folder}/README.md"), readme(plan)),
        (format!("{folder}/src/lib.rs"), lib(plan)),
        (format!("{folder}/src/client.rs"), client::source(plan)),
        (format!("{folder}/src/generated.rs"), plan.sources.client.clone()),
        (format!("{folder}/src/generated_mock.rs"), plan.sources.mock.clone()),
        (format!("{folder}/tests/smoke.rs"), smoke_test::source(plan)?),
        (format!("crates/usage-billing/src/{}.rs", module(name)), facade(plan)),
    ])
}

/// Returns the vendor as documentation names it: the specification's title, in a line without what TOML or Markdown would take
/// otherwise.
pub(super) fn title(plan: &Plan<'_>) -> String {
    let title = plan.draft.head()["info"]["title"].as_str().unwrap_or_default();
    let kept = |letter: char| letter.is_alphanumeric() || " .,;:'()&/+-".contains(letter);
    let title = title.replace(|letter: char| !kept(letter), " ");
    // A name has no marks of Markdown headings.
    let title = one_line(title.trim_start_matches(|letter: char| !letter.is_alphanumeric()));
    // So does a number with a full stop.
    let title = title.replacen(". ", " ", usize::from(title.starts_with(|letter: char| letter.is_ascii_digit())));
    if title.is_empty() { plan.name.to_owned() } else { title }
}

fn uses(plan: &Plan<'_>, path: &str) -> bool {
    plan.sources.client.contains(path) || plan.sources.mock.contains(path)
}

fn manifest(plan: &Plan<'_>) -> String {
    let (package, title, today) = (package(plan.name), title(plan), plan.today);
    let optional = |path: &str, line: &str| if uses(plan, path) { format!("{line}\n") } else { String::new() };
    let chrono = optional("::chrono::", "chrono.workspace = true");
    let uuid = optional("::uuid::", "uuid.workspace = true");
    let bytes = optional("::bytes::", "bytes.workspace = true");
    format!(
        r#"[package]
name = "{package}"
description = "{title}: an OpenAPI-generated client with credentials, retries, rate limit and exact decimals"
# Build metadata: the date of the curated document (info.version) that this was generated from.
version = "0.1.0+{today}"
edition.workspace = true
rust-version.workspace = true
license.workspace = true
repository.workspace = true
readme = "README.md"
include = ["/src/**", "/README.md", "/CHANGELOG.md", "/LICENSE-*"]
keywords = ["billing", "usage", "metering", "client"]
categories = ["api-bindings"]

# Descriptions of a specification are documentation, and never run as a test.
[lib]
doctest = false

[features]
default = ["rustls"]
rustls = ["progenitor-client/rustls"]
aws-lc = ["progenitor-client/aws-lc"]
native-tls = ["progenitor-client/native-tls"]
system-proxy = ["progenitor-client/system-proxy"]
# Crates that are released together with this one write all fields of a response. Others read fields by name, so that a new field does not break them.
exhaustive-responses = []
# Typed helpers to stand in for the vendor in your own tests, one for each operation, and builders of responses.
mock = ["dep:httpmock", "dep:regex"]

[dependencies]
{bytes}{chrono}httpmock = {{ workspace = true, optional = true }}
progenitor-client.workspace = true
# For path patterns of the mock helpers.
regex = {{ version = "1.12", default-features = false, features = ["std"], optional = true }}
reqwest.workspace = true
serde.workspace = true
serde_json.workspace = true
{uuid}
[dev-dependencies]
# Reads the curated document as xtask does.
serde-saphyr = {{ version = "2.1", default-features = false, features = ["deserialize"] }}
tokio = {{ workspace = true, features = ["macros", "rt"] }}
# The smoke test stands in for the vendor with the crate's own mock helpers.
{package} = {{ path = ".", features = ["mock"] }}

[lints]
workspace = true
"#
    )
}

fn lib(plan: &Plan<'_>) -> String {
    let chrono = if uses(plan, "::chrono::") { "pub use chrono;\n" } else { "" };
    let uuid = if uses(plan, "::uuid::") { "pub use uuid;\n" } else { "" };
    let note = if chrono.is_empty() && uuid.is_empty() {
        ""
    } else {
        "/// Crates whose types are part of this crate's API.\n"
    };
    format!(
        r#"#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
#[rustfmt::skip]
mod generated;
#[cfg(feature = "mock")]
#[cfg_attr(docsrs, doc(cfg(feature = "mock")))]
#[rustfmt::skip]
#[path = "generated_mock.rs"]
pub mod mock;

pub use generated::*;
pub use progenitor_client::{{
    AccessToken, ApiKey, Auth, BuildError, CallOptions, ClientBuilder, Credentials, CustomRequest, Decimal,
    DecimalNumber, DecimalString, ErrorKind, IntoOptional, IntoRequired, LenientDateTime, MinTransferRate, RateLimit,
    RetryPolicy, SecretString, SecretText, TokenRequest, Transport, UnknownValue, Update, http_client, reqwest,
}};

{note}{chrono}#[cfg(feature = "mock")]
pub use httpmock;
{uuid}"#
    )
}

fn facade(plan: &Plan<'_>) -> String {
    let (title, library) = (title(plan), library(plan.name));
    format!(
        "//! {title}: the generated client. What its numbers mean is not wrapped yet.\n\npub use {library}::{{Client, builder, types}};\n#[cfg(feature = \"mock\")]\n#[cfg_attr(docsrs, doc(cfg(feature = \"mock\")))]\npub use {library}::{{httpmock, mock}};\n"
    )
}

fn readme(plan: &Plan<'_>) -> String {
    let (name, package, title) = (plan.name, package(plan.name), title(plan));
    let example = call_expression::example(plan).code;
    let credentials = client::credentials_in_words(plan);
    format!(
        r#"# {package}

{title} for Rust, generated from a
[curated OpenAPI document](https://github.com/usage-billing/usage-billing/blob/main/openapi/{name}.yaml), with retries and exact
decimals.

```rust,no_run
{example}
```

- **Credentials**: {credentials}
- **Defaults**: no rate limit, 4 attempts within 2 minutes, 10 s to connect, 60 s between two reads. What is not idempotent by HTTP is
  resent only after 429.

| feature | what for |
|---|---|
| `rustls` (default) | TLS by rustls on ring, with the platform's trusted roots |
| `aws-lc` | TLS by rustls on aws-lc, as reqwest's own default; takes precedence over `rustls` |
| `native-tls` | TLS by the operating system's library; takes precedence over `rustls` |
| `system-proxy` | the operating system's proxy settings, beside the `*_PROXY` variables |
| `mock` | typed helpers over [httpmock](https://docs.rs/httpmock) (re-exported), one for each operation, for your own tests |

Not affiliated with the vendor. MIT or Apache-2.0.
"#
    )
}
