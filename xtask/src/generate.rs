//! `cargo xtask generate`: documents in, crates' sources out.

use std::{fs, io::Write, path::Path, process::ExitCode, time::Instant};

use crate::{
    bounded::Budget,
    counted,
    docs::operation_docs,
    document::{Document, positions::Positions},
    emit::{self, State},
    enums::{self, OpenEnum},
    generator,
    harden::harden,
    lint::{self, Level},
    mock, operations, orphans,
    output::Output,
    release, served,
    vendors::{self, Vendor},
};

/// What to generate, and how.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The vendors to generate, by the name of their document. All, if none is given.
    vendors: Vec<String>,

    /// Write nothing: print what is stale as a diff, and exit with 1 if anything is.
    #[arg(long)]
    check: bool,
}

/// The sources of one crate.
pub(crate) struct Sources {
    pub(crate) client: String,
    pub(crate) mock: String,
}

/// The same before it is formatted, which takes longer than all else.
pub(crate) struct Code {
    pub(crate) client: syn::File,
    pub(crate) mock: syn::File,
    /// What the client's placeholders stand for.
    pub(crate) enums: Vec<OpenEnum>,
}

/// Makes a document's sources: a pure function of its text.
pub(crate) fn sources(document: &Document) -> Result<Sources, String> {
    let Code { client, mock, enums } = code(document)?;
    Ok(Sources { client: emit::text(document, &client, &enums), mock: emit::text(document, &mock, &[]) })
}

/// Makes a document's code.
pub(crate) fn code(document: &Document) -> Result<Code, String> {
    let failed = |error: String| format!("{}: {error}", document.name);
    let root = &document.root;
    let enums = enums::open_enums(root);
    let client = generator::client(root, &enums).map_err(failed)?;
    let client = harden(client, &operation_docs(root), &enums, operations::table(root), root).map_err(failed)?;
    let mock = mock::harden(generator::mock(root, &enums).map_err(failed)?, root);
    Ok(Code { client, mock, enums })
}

/// Runs the command in the repository at `root`. Problems are lines on the standard error; they do not keep other vendors from being done.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> std::io::Result<ExitCode> {
    let start = Instant::now();
    let vendors = match vendors::find(root).and_then(|known| vendors::select(known, &arguments.vendors)) {
        Ok(vendors) => vendors,
        Err(error) => return output.failed(false, &error),
    };
    let mut good = true;
    for vendor in &vendors {
        good &= one(root, vendor, arguments.check, output)?;
    }
    good &= orphans::report(root, output.err)?;
    writeln!(output.out, "{} in {:.1} s", counted(vendors.len(), "vendor"), start.elapsed().as_secs_f32())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One vendor; whether all is well.
fn one(root: &Path, vendor: &Vendor, check: bool, Output { out, err }: &mut Output<'_>) -> std::io::Result<bool> {
    let name = vendor.document();
    let text = match Budget::from_env().read_text(&root.join(&name)) {
        Ok(text) => text,
        Err(error) => {
            writeln!(err, "{name}: cannot be read: {error}")?;
            return Ok(false);
        }
    };
    let document = match Document::parse(&name, &text) {
        Ok(document) => document,
        Err(error) => {
            writeln!(err, "{error}")?;
            return Ok(false);
        }
    };
    let findings = lint::lint(&document);
    let positions = Positions::of(&text);
    for finding in &findings {
        writeln!(err, "{}", lint::render::line(&name, positions.at(&finding.pointer), finding))?;
    }
    if findings.iter().any(|finding| finding.level() == Level::Error) {
        return Ok(false);
    }
    let folder = vendor.folder();
    let manifest = format!("{folder}/Cargo.toml");
    let Ok(manifest_text) = fs::read_to_string(root.join(&manifest)) else {
        writeln!(
            err,
            "{manifest}: missing; make the crate: copy a neighbour's Cargo.toml and src/lib.rs and rename them"
        )?;
        return Ok(false);
    };
    let sources = match sources(&document) {
        Ok(sources) => sources,
        Err(error) => {
            writeln!(err, "{error}")?;
            return Ok(false);
        }
    };
    let mut good = true;
    if let Some(problem) = release::mismatch(&manifest_text, document.version()) {
        writeln!(err, "{manifest}: {problem}")?;
        good = false;
    }
    for (file, text) in [("generated.rs", sources.client), ("generated_mock.rs", sources.mock)] {
        good &= deliver(root, &format!("{folder}/src/{file}"), &text, check, out)?;
    }
    good &= served::refresh(root, vendor, &text, check, out)?;
    Ok(good)
}

/// Writes a file or, on check, shows what would be written; whether all is well.
fn deliver(root: &Path, name: &str, text: &str, check: bool, out: &mut dyn Write) -> std::io::Result<bool> {
    let path = root.join(name);
    let lines = counted(text.lines().count(), "line");
    match emit::compare(&path, name, text)? {
        State::Fresh => writeln!(out, "fresh   {name} ({lines})")?,
        State::Stale(diff) if check => {
            writeln!(out, "{diff}stale   {name}; run `cargo xtask generate`")?;
            return Ok(false);
        }
        State::Stale(_) => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text)?;
            writeln!(out, "updated {name} ({lines})")?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::testing::{MINI, mini};

    fn repository(document: &str) -> std::io::Result<TempDir> {
        let root = tempfile::tempdir()?;
        fs::create_dir_all(root.path().join("openapi"))?;
        fs::create_dir_all(root.path().join("crates/usage-billing-mini"))?;
        fs::write(root.path().join("openapi/mini.yaml"), document)?;
        let manifest = root.path().join("crates/usage-billing-mini/Cargo.toml");
        fs::write(manifest, "[package]\nversion = \"0.1.0+2026-11-21\"\n")?;
        Ok(root)
    }

    /// Exit code and output, without the time.
    fn ran(root: &TempDir, vendors: &[&str], check: bool) -> std::io::Result<(ExitCode, String)> {
        let vendors = vendors.iter().map(|&name| name.to_owned()).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(root.path(), &Arguments { vendors, check }, &mut Output { out: &mut out, err: &mut err })?;
        out.splice(0..0, err);
        let out = String::from_utf8_lossy(&out).into_owned();
        Ok((code, out.lines().filter(|line| !line.contains(" vendor in ")).collect::<Vec<_>>().join("\n")))
    }

    #[test]
    fn the_same_document_gives_the_same_code() {
        let first = sources(&mini()).expect("it generates");
        let second = sources(&mini()).expect("it generates");
        assert_eq!(first.client, second.client);
        assert_eq!(first.mock, second.mock);
    }

    #[test]
    fn the_code_has_a_header_and_what_the_document_asks_for() {
        let Sources { client, mock } = sources(&mini()).expect("it generates");
        let header = "// @generated by `cargo xtask generate` from openapi/mini.yaml (sha256 ";
        assert!(client.starts_with(header) && mock.starts_with(header), "{client}");
        for expected in [
            "    ::progenitor_client::open_enum! {\n        /// State of an order.\n        pub enum Status {",
            "pub total: ::std::option::Option<::progenitor_client::DecimalNumber>",
            "pub count: ::std::option::Option<::progenitor_client::DecimalString>",
            "pub made: ::std::option::Option<::progenitor_client::LenientDateTime>",
            "pub status: ::std::option::Option<crate::types::Status>",
            "deserialize_with = \"progenitor_client::null_is_default\"",
            "#[deprecated(note = \"use `list_orders`\")]",
            "Result<ResponseValue<ByteStream>, Error>",
            "Orders of a \\<small\\> shop, see <https://shop.example/docs>.",
            "pub static OPERATIONS: &[progenitor_client::Operation]",
        ] {
            assert!(client.contains(expected), "{expected} is not in {client}");
        }
        for unwanted in ["Error::InvalidRequest", "Error<()>", "api-version", "pub fn new(baseurl", "prelude", "/**"] {
            assert!(!client.contains(unwanted), "{unwanted} is in {client}");
        }
    }

    #[test]
    fn mocks_expect_what_the_client_sends() {
        let Sources { mock, .. } = sources(&mini()).expect("it generates");
        for expected in [
            "regex::Regex::new(\"^(?:/v2)?/orders/[^/]*$\")",
            "path_value(self.0, \"^(?:/v2)?/orders/\", &value, \"$\")",
            "query(self.0, \"since\", &value)",
            "query(self.0, \"status\", &value)",
            "pub fn created(self, value: &types::Order)",
            "pub fn error(self, status: u16, value: ::serde_json::Value)",
        ] {
            assert!(mock.contains(expected), "{expected} is not in {mock}");
        }
        assert!(mock.contains("content_type: &str") && mock.contains("value: impl AsRef<[u8]>"), "{mock}");
    }

    #[test]
    fn mocks_answer_with_numbers_and_flags_too() {
        let schema = "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/schema";
        let document = crate::testing::changed(schema, serde_json::json!({"type": "boolean"}));
        let Sources { mock, .. } = sources(&document).expect("it generates");
        assert!(mock.contains("value: bool") && mock.contains("json(&value)"), "{mock}");
    }

    #[test]
    fn generated_files_are_written_once() -> std::io::Result<()> {
        let root = repository(MINI)?;
        let (code, out) = ran(&root, &[], false)?;
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(out.starts_with("updated crates/usage-billing-mini/src/generated.rs ("), "{out}");
        let (_, out) = ran(&root, &[], false)?;
        assert!(out.starts_with("fresh   crates/usage-billing-mini/src/generated.rs ("), "{out}");
        Ok(())
    }

    #[test]
    fn check_shows_what_is_stale_and_writes_nothing() -> std::io::Result<()> {
        let root = repository(MINI)?;
        ran(&root, &[], false)?;
        let path = root.path().join("crates/usage-billing-mini/src/generated.rs");
        let edited = fs::read_to_string(&path)?.replace("pub struct Client", "pub struct Kunde");
        fs::write(&path, &edited)?;
        let (code, out) = ran(&root, &["mini"], true)?;
        assert_eq!(code, ExitCode::FAILURE);
        assert!(out.contains("\n-pub struct Kunde {\n+pub struct Client {\n"), "{out}");
        assert!(
            out.contains("stale   crates/usage-billing-mini/src/generated.rs; run `cargo xtask generate`"),
            "{out}"
        );
        assert_eq!(fs::read_to_string(&path)?, edited);
        fs::remove_file(&path)?;
        assert_eq!(ran(&root, &[], true)?.0, ExitCode::FAILURE);
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn a_document_that_breaks_a_rule_is_not_generated() -> std::io::Result<()> {
        let root = repository(&MINI.replace("format: decimal, description: Sum", "description: Sum"))?;
        let (code, out) = ran(&root, &[], false)?;
        assert_eq!(code, ExitCode::FAILURE);
        assert_eq!(
            out,
            "openapi/mini.yaml:118:9: error[number] at /components/schemas/Order/properties/total: a number without `format: \
             decimal` would become a float; write `format: decimal`, or `type: integer`"
        );
        Ok(())
    }

    #[test]
    fn a_missing_crate_says_what_to_do() -> std::io::Result<()> {
        let root = repository(MINI)?;
        fs::remove_dir_all(root.path().join("crates"))?;
        let (code, out) = ran(&root, &[], false)?;
        assert_eq!(code, ExitCode::FAILURE);
        assert!(out.starts_with("crates/usage-billing-mini/Cargo.toml: missing; make the crate: "), "{out}");
        assert_eq!(out.lines().count(), 1, "{out}");
        Ok(())
    }

    #[test]
    fn an_unknown_vendor_is_a_mistake_of_usage() -> std::io::Result<()> {
        let (code, out) = ran(&repository(MINI)?, &["maxi"], false)?;
        assert_eq!(code, ExitCode::from(2));
        assert_eq!(out, "error: no vendor \"maxi\": openapi/ has mini");
        Ok(())
    }
}
