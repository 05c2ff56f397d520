//! The command, as far as the files: what cargo states of them is for `cargo xtask add-vendor` itself.

use std::{fs, io};

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use openapi_document::Document;

use crate::{
    commands::add_vendor::*,
    lint::{self, Level},
};

fn specification(security: Value) -> Value {
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Acme \"Metering\"", "version": "1"},
        "servers": [{"url": "https://api.acme.example/v1"}],
        "security": [{"s": []}],
        "paths": {
            "/usage": {
                "get": {"operationId": "listUsage", "tags": ["Usage"], "parameters": [
                    {"name": "since", "in": "query", "required": true, "schema": {"type": "string", "format": "date-time"}},
                    {"name": "kind", "in": "query", "required": true, "schema": {"type": "string", "enum": ["a", "b"]}},
                ], "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Usage"}}}}}}},
                "post": {"operationId": "sendUsage", "tags": ["Usage"], "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Usage"}}}},
                    "responses": {"204": {"description": "d"}}},
            },
            "/file": {"get": {"operationId": "getFile", "tags": ["Files"], "responses": {"200": {"description": "d", "content": {"text/csv": {}}}}}},
        },
        "components": {
            "schemas": {"Usage": {"type": "object", "required": ["quantity"], "properties": {"quantity": {"type": "number"}, "unit": {"type": "string"}}}},
            "securitySchemes": {"s": security},
        },
    })
}

/// A repository with a facade, and a specification in it.
pub(super) fn repository(specification: &Value) -> std::io::Result<TempDir> {
    let root = tempfile::tempdir()?;
    fs::create_dir_all(root.path().join("crates/usage-billing/src"))?;
    fs::create_dir_all(root.path().join("openapi"))?;
    fs::write(
        root.path().join("Cargo.toml"),
        "[workspace]\n\n[workspace.dependencies]\nusage-billing-zeta = { path = \"z\" }\n",
    )?;
    fs::write(
        root.path().join("crates/usage-billing/Cargo.toml"),
        "[features]\ndefault = [\"zeta\"]\nzeta = [\"dep:usage-billing-zeta\"]\n\n[dependencies]\nusage-billing-zeta = { workspace = true, optional = true }\n",
    )?;
    fs::write(
        root.path().join("crates/usage-billing/src/lib.rs"),
        "#[cfg(feature = \"zeta\")]\npub mod zeta;\n\npub use x::Y;\n",
    )?;
    fs::write(root.path().join("spec.json"), specification.to_string())?;
    Ok(root)
}

/// All files of a plan, by path.
pub(super) fn planned(specification: &Value) -> std::io::Result<Vec<(String, String)>> {
    let root = repository(specification)?;
    let mut published = import::read(&root.path().join("spec.json")).expect("it is a specification");
    let choice = Choice { paths: vec!["/**".to_owned()], ..Choice::default() };
    let (draft, document, code) = drafted(&mut published, &choice, "acme", "2026-11-22").expect("it converts");
    let plan = Plan {
        name: "acme",
        published: &published,
        draft: &draft,
        document: &io::read_to_string(document.reader())?,
        sources: &code.files(),
        today: "2026-11-22",
    };
    let edits = workspace_edits::edits(root.path(), "acme", false).expect("the name is free");
    Ok([edits, templates::new(&plan).expect("the files")].concat())
}

pub(super) fn file<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    files.iter().find(|(path, _)| path == name).map_or("", |(_, text)| text)
}

#[test]
fn every_file_is_in_its_language() -> std::io::Result<()> {
    let files = planned(&specification(json!({"type": "http", "scheme": "bearer"})))?;
    for (name, text) in &files {
        if name.ends_with(".rs") {
            assert!(syn::parse_file(text).is_ok(), "{name}: {text}");
        } else if name.ends_with(".toml") {
            assert!(text.parse::<toml::Table>().is_ok(), "{name}: {text}");
        }
    }
    assert_eq!(files.len(), 14);
    assert!(file(&files, "crates/usage-billing/src/lib.rs").contains("#[cfg(feature = \"acme\")]\n"));
    assert!(file(&files, "crates/usage-billing/Cargo.toml").contains("acme = [\"dep:usage-billing-acme\"]\nzeta ="));
    let smoke = file(&files, "crates/usage-billing-acme/tests/smoke.rs");
    for test in ["list_usage", "send_usage", "get_file"] {
        assert!(smoke.contains(&format!("async fn {test}_goes_out_and_comes_back()")), "{smoke}");
    }
    Ok(())
}

#[test]
fn clients_ask_for_the_credentials_of_the_specification() -> std::io::Result<()> {
    let client = |scheme: Value| {
        let files = planned(&specification(scheme))?;
        Ok::<_, std::io::Error>(file(&files, "crates/usage-billing-acme/src/client.rs").to_owned())
    };
    let bearer = client(json!({"type": "http", "scheme": "bearer"}))?;
    assert!(bearer.contains("Auth::header(\"Bearer\", token)") && bearer.contains("ACME_TOKEN"), "{bearer}");
    assert!(bearer.contains("token: impl Into<ApiKey>"), "{bearer}");
    let basic = client(json!({"type": "http", "scheme": "basic"}))?;
    assert!(basic.contains("Auth::basic(user, password)") && basic.contains("ACME_PASSWORD"), "{basic}");
    let key = client(json!({"type": "apiKey", "in": "header", "name": "X-Key"}))?;
    assert!(key.contains("Auth::key(\"X-Key\", api_key)") && key.contains("ACME_API_KEY"), "{key}");
    let oauth = client(json!({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token"}}}))?;
    assert!(oauth.contains("Auth::client_credentials(\"https://api.acme.example/token\", credentials)"), "{oauth}");
    let mut scoped = specification(
        json!({"type": "oauth2", "description": "Needs an audience.", "flows": {"clientCredentials": {"tokenUrl": "https://login.acme.example/token", "scopes": {}}}}),
    );
    scoped["security"] = json!([{"s": ["usage.read"]}]);
    scoped["paths"]["/usage"]["post"]["security"] = json!([{"s": ["usage.write"]}]);
    let files = planned(&scoped)?;
    let client = file(&files, "crates/usage-billing-acme/src/client.rs");
    assert!(client.contains("credentials.token_parameter(\"scope\", \"usage.read usage.write\")"), "{client}");
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(
        readme.contains("`https://login.acme.example/token` for the scopes `usage.read`, `usage.write`"),
        "{readme}"
    );
    assert!(file(&files, "openapi/upstream/acme.md").contains("Needs an audience."));
    let key =
        json!({"type": "apiKey", "in": "header", "name": "authorization", "description": "Write ApiKey before it."});
    let files = planned(&specification(key))?;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.contains("the complete value of the header `authorization`, with the scheme"), "{readme}");
    let report = file(&files, "openapi/upstream/acme.md");
    assert!(report.contains("with its scheme") && report.contains("Write ApiKey before it."), "{report}");
    Ok(())
}

#[test]
fn unsupported_operation_is_left_out_alone() -> std::io::Result<()> {
    let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
    // Converts, and violates a rule: of a status without a reason phrase no mock can be made.
    specification["paths"]["/odd"] = json!({"get": {"operationId": "odd", "responses": {"299": {"description": "d"}}}});
    let files = planned(&specification)?;
    let report = file(&files, "openapi/upstream/acme.md");
    assert!(report.contains("GET /odd: 299 is not a registered status of success; known are "), "{report}");
    let client = file(&files, "crates/usage-billing-acme/src/generated.rs");
    assert!(client.contains("fn list_usage") && !client.contains("fn odd"), "{client}");
    Ok(())
}

#[test]
fn readme_calls_an_operation_that_is_not_deprecated() -> std::io::Result<()> {
    let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
    specification["paths"]["/a"] =
        json!({"get": {"operationId": "old", "deprecated": true, "responses": {"204": {"description": "d"}}}});
    let usage = specification["paths"]["/usage"]["get"].as_object_mut().expect("the operation");
    usage.remove("parameters");
    let files = planned(&specification)?;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.contains("client.list_usage()") || readme.contains("client.get_file()"), "{readme}");
    assert!(!readme.contains("client.old()"), "{readme}");
    Ok(())
}

#[test]
fn readme_calls_the_operation_that_needs_the_fewest_values() -> std::io::Result<()> {
    let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
    let list = |id: &str, parameters: Value| json!({"get": {"operationId": id, "parameters": parameters, "responses": {"204": {"description": "d"}}}});
    let parameter = |name: &str, location: &str| json!({"name": name, "in": location, "required": true, "schema": {"type": "string"}});
    specification["paths"] = json!({
        "/a/{id}": list("ofId", json!([parameter("id", "path")])),
        "/b": list("ofTwo", json!([parameter("x", "query"), parameter("y", "query")])),
        "/c": list("ofOne", json!([parameter("x", "query")])),
    });
    let files = planned(&specification)?;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.contains("client.of_one().x(\"text\")"), "{readme}");
    Ok(())
}

#[test]
fn readme_has_the_examples_of_parameters() -> std::io::Result<()> {
    let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
    let parameters = json!([
        {"name": "id", "in": "path", "required": true, "schema": {"type": "string", "example": "inv_7"}},
        {"name": "unit", "in": "query", "required": true, "example": "hours", "schema": {"type": "string"}},
        {"name": "year", "in": "query", "required": true, "examples": {"a": {"value": 2026}}, "schema": {"type": "integer"}},
        // A value that a URL encodes, and one of another type.
        {"name": "filter", "in": "query", "required": true, "example": "a b", "schema": {"type": "string"}},
        {"name": "size", "in": "query", "required": true, "example": "many", "schema": {"type": "integer"}},
    ]);
    specification["paths"] = json!({"/a/{id}": {"get": {"operationId": "getA", "parameters": parameters, "responses": {"204": {"description": "d"}}}}});
    let files = planned(&specification)?;
    let call = r#".id("inv_7").unit("hours").year(2026).filter("text").size(1)"#;
    let readme = file(&files, "crates/usage-billing-acme/README.md");
    assert!(readme.split_whitespace().collect::<String>().contains(call), "{readme}");
    Ok(())
}

#[test]
fn cargo_does_not_inherit_the_variables_of_xtasks_own_package() {
    let mut command = Command::new("cargo");
    let names = ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION_PRE", "CARGO_TARGET_DIR", "CARGO", "PATH"];
    without_package_variables(&mut command, names.into_iter().map(OsString::from));
    let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
    assert_eq!(removed, ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION_PRE"]);
}

/// Core's sources, which a new crate is compiled with.
fn core(file: &str) -> std::io::Result<syn::File> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/usage-billing-core/src").join(file);
    Ok(syn::parse_file(&fs::read_to_string(path)?).expect("it is Rust"))
}

/// The names that a tree of `use` brings in.
fn brought_in(tree: &syn::UseTree) -> Vec<String> {
    match tree {
        syn::UseTree::Path(path) => brought_in(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().flat_map(brought_in).collect(),
        syn::UseTree::Name(name) => vec![name.ident.to_string()],
        syn::UseTree::Rename(rename) => vec![rename.rename.to_string()],
        syn::UseTree::Glob(_) => vec![],
    }
}

/// All names that `use` brings in from one crate, or from anywhere.
fn imported(file: &syn::File, from: Option<&str>) -> Vec<String> {
    let uses = file.items.iter().filter_map(|item| match item {
        syn::Item::Use(item) => Some(&item.tree),
        _ => None,
    });
    uses.filter(|tree| match (from, tree) {
        (Some(from), syn::UseTree::Path(path)) => path.ident == from,
        (from, _) => from.is_none(),
    })
    .flat_map(brought_in)
    .collect()
}

/// The compiler reports it only when a vendor is added.
#[test]
fn new_crate_uses_existing_items_of_core() -> std::io::Result<()> {
    let public = imported(&core("lib.rs")?, None);
    let fields = core("operation.rs")?.items.into_iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == "Service" => {
            Some(item.fields.into_iter().filter_map(|field| field.ident).map(|name| name.to_string()).collect())
        }
        _ => None,
    });
    let fields: Vec<String> = fields.expect("core has a Service");
    let files = planned(&specification(json!({"type": "http", "scheme": "bearer"})))?;
    for name in ["lib.rs", "client.rs"] {
        let source =
            syn::parse_file(file(&files, &format!("crates/usage-billing-acme/src/{name}"))).expect("it is Rust");
        let wanted = imported(&source, Some("progenitor_client"));
        assert!(!wanted.is_empty(), "{name}");
        let gone = wanted.iter().filter(|name| !public.contains(name)).collect::<Vec<_>>();
        assert!(gone.is_empty(), "{name} wants of core: {gone:?}");
        let given = source.items.iter().filter_map(|item| match item {
            syn::Item::Const(item) => match &*item.expr {
                syn::Expr::Struct(service) => Some(service),
                _ => None,
            },
            _ => None,
        });
        for service in given {
            let given = service.fields.iter().map(|field| match &field.member {
                syn::Member::Named(name) => name.to_string(),
                syn::Member::Unnamed(index) => index.index.to_string(),
            });
            assert_eq!(given.collect::<Vec<_>>(), fields);
        }
    }
    Ok(())
}

#[test]
fn new_document_has_no_difference_from_its_source() -> std::io::Result<()> {
    let files = planned(&specification(json!({"type": "http", "scheme": "bearer"})))?;
    let root = repository(&specification(json!({"type": "http", "scheme": "bearer"})))?;
    for (name, text) in &files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder"))?;
        fs::write(path, text)?;
    }
    #[derive(clap::Parser)]
    struct Upstream {
        #[command(flatten)]
        arguments: crate::commands::upstream::Arguments,
    }
    let from = root.path().join("spec.json");
    let line = ["x", "acme", "--from"].into_iter().map(Into::into).chain([from.into_os_string()]);
    let arguments = <Upstream as clap::Parser>::parse_from(line).arguments;
    let mut out = Vec::new();
    let mut err = Vec::new();
    let mut output = Output::new(&mut out, &mut err);
    let done = crate::commands::upstream::run(root.path(), &arguments, &mut output);
    let code = output.exit_code(done);
    let out = String::from_utf8_lossy(&out);
    assert_eq!(code, ExitCode::SUCCESS, "{out}");
    assert!(out.contains("0 unexplained, 0 accepted, 0 operations added"), "{out}");
    Ok(())
}

/// Exit code and output of a run that writes nothing.
fn ran(name: &str, specification: &Value, change: impl Fn(&mut Arguments)) -> std::io::Result<(ExitCode, String)> {
    let root = repository(specification)?;
    let mut arguments = Arguments {
        name: Some(name.to_owned()),
        from: root.path().join("spec.json"),
        tags: vec![],
        operations: vec![],
        paths: vec![],
        dry_run: true,
        list: false,
        replace: false,
        keep: false,
    };
    change(&mut arguments);
    let mut out = Vec::new();
    let mut err = Vec::new();
    let mut output = Output::new(&mut out, &mut err);
    let done = run(root.path(), &arguments, &mut output);
    let code = output.exit_code(done);
    out.splice(0..0, err);
    Ok((code, String::from_utf8_lossy(&out).into_owned()))
}

#[test]
fn dry_run_prints_document_and_losses() -> std::io::Result<()> {
    let specification = specification(json!({"type": "http", "scheme": "bearer"}));
    let (code, out) = ran("acme", &specification, |arguments| arguments.tags = vec!["usage".to_owned()])?;
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(out.contains("operationId: listUsage") && out.contains("2 operations, 2 schemas; "), "{out}");
    assert!(!out.contains("getFile"), "{out}");
    Ok(())
}

#[test]
fn long_path_is_written_as_a_key() -> std::io::Result<()> {
    let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
    for path in [format!("/{}/{{id}}", "long".repeat(60)), "/a:b, #c".to_owned()] {
        specification["paths"][path] = specification["paths"]["/file"].clone();
    }
    let (code, out) = ran("acme", &specification, |arguments| arguments.paths = vec!["/**".to_owned()])?;
    assert_eq!(code, ExitCode::SUCCESS, "{out}");
    Ok(())
}

#[test]
fn list_shows_tags_and_operations() -> std::io::Result<()> {
    let specification = specification(json!({"type": "http", "scheme": "bearer"}));
    let (_, out) = ran("acme", &specification, |arguments| arguments.list = true)?;
    assert!(out.contains("         2  Usage\n") && out.contains("      2  listUsage  GET /usage\n"), "{out}");
    Ok(())
}

#[test]
fn impossible_request_is_an_error_of_one_line() -> std::io::Result<()> {
    let good = specification(json!({"type": "http", "scheme": "bearer"}));
    let query = specification(json!({"type": "apiKey", "in": "query", "name": "key"}));
    let all = |arguments: &mut Arguments| arguments.paths = vec!["/**".to_owned()];
    let none = |_: &mut Arguments| {};
    for ((code, out), expected) in [
        (ran("Acme", &good, all)?, "error: \"Acme\" makes no crate: "),
        (ran("acme", &good, none)?, "error: no operations selected; "),
        (
            ran("acme", &good, |arguments| arguments.tags = vec!["Gone".to_owned()])?,
            "error: no operation has the tag \"Gone\"",
        ),
        (
            ran("acme", &good, |arguments| {
                arguments.list = true;
                arguments.tags = vec!["Gone".to_owned()];
            })?,
            "error: no operation has the tag \"Gone\"",
        ),
        (ran("acme", &query, all)?, "error: no supported security scheme: s: a key in the query"),
        (ran("acme", &json!([]), all)?, "error: spec.json: neither `openapi` nor `swagger`"),
    ] {
        assert_eq!(code, ExitCode::from(2));
        assert!(out.starts_with(expected) && out.lines().count() == 1, "{out}");
    }
    Ok(())
}

#[test]
fn name_in_use_is_rejected() -> std::io::Result<()> {
    let root = repository(&json!({}))?;
    let rejected = |name: &str, replace| workspace_edits::edits(root.path(), name, replace).unwrap_err();
    fs::write(root.path().join("openapi/acme.yaml"), "")?;
    for (name, why) in [
        ("acme", "there is openapi/acme.yaml"),
        ("zeta", "crates/usage-billing/Cargo.toml has a feature of this name"),
        ("usage-billing-zeta", "the facade uses a crate of this name"),
        ("tests", "usage-billing-tests is the crate of the workspace's tests"),
    ] {
        assert_eq!(rejected(name, false), format!("the name {name:?} is in use: {why}"));
        assert_eq!(rejected(name, true), format!("--replace: no generated openapi/{name}.yaml of an earlier run"));
    }
    Ok(())
}

#[test]
fn output_that_is_closed_leaves_the_tree_unchanged() -> std::io::Result<()> {
    /// Takes as much as `head` does.
    struct Closed;

    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let root = repository(&specification(json!({"type": "http", "scheme": "bearer"})))?;
    let manifest = fs::read_to_string(root.path().join("Cargo.toml"))?;
    let arguments = Arguments {
        name: Some("acme".to_owned()),
        from: root.path().join("spec.json"),
        tags: vec![],
        operations: vec![],
        paths: vec!["/**".to_owned()],
        dry_run: false,
        list: false,
        replace: false,
        keep: false,
    };
    let (mut out, mut err) = (Closed, Vec::new());
    let mut output = Output::new(&mut out, &mut err);
    let done = run(root.path(), &arguments, &mut output);
    assert_eq!(output.exit_code(done), ExitCode::from(1));
    assert_eq!(String::from_utf8_lossy(&err), "");
    assert_eq!(fs::read_to_string(root.path().join("Cargo.toml"))?, manifest);
    assert!(!root.path().join("openapi/acme.yaml").exists());
    Ok(())
}

#[test]
fn existing_draft_is_replaced_only_on_request() -> std::io::Result<()> {
    let specification = specification(json!({"type": "http", "scheme": "bearer"}));
    let (root, files) = (repository(&specification)?, planned(&specification)?);
    transaction::all(root.path(), &files).expect("all can be written");
    let error = workspace_edits::edits(root.path(), "acme", false).unwrap_err();
    assert!(
        error.ends_with("there is openapi/acme.yaml; --replace overwrites the generated document of an earlier run"),
        "{error}"
    );
    // The workspace names it already, and once is enough.
    for (name, text) in workspace_edits::edits(root.path(), "acme", true).expect("it is a draft") {
        assert_eq!(file(&files, &name), text);
    }
    fs::write(root.path().join("openapi/acme.yaml"), "# Ours.\n")?;
    assert!(workspace_edits::edits(root.path(), "acme", true).is_err());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// For any text of the vendor at any location, the written document equals the draft and follows the rules.
    #[test]
    fn any_words_of_a_vendor_become_a_document(words in prop::collection::vec("(?s).{0,12}", 8)) {
        let mut specification = specification(json!({"type": "http", "scheme": "bearer"}));
        specification["info"]["title"] = json!(words[0]);
        let get = &mut specification["paths"]["/usage"]["get"];
        get["operationId"] = json!(words[1]);
        get["summary"] = json!(words[2]);
        get["description"] = json!(words[3]);
        get["tags"] = json!([words[4]]);
        get["parameters"][1]["schema"]["enum"] = json!([words[5], words[6], "a"]);
        let fields = &mut specification["components"]["schemas"]["Usage"]["properties"];
        fields[&words[7]] = json!({"type": "string", "description": words[0], "example": words[6]});
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("spec.json");
        fs::write(&file, specification.to_string())?;
        let mut published = import::read(&file).map_err(TestCaseError::fail)?;
        let choice = Choice { paths: vec!["/**".to_owned()], ..Choice::default() };
        let (_, document, _) = drafted(&mut published, &choice, "acme", "2026-11-22").map_err(TestCaseError::fail)?;
        let document = Document::parse("x", &io::read_to_string(document.reader())?).map_err(TestCaseError::fail)?;
        let broken = lint::lint(&document).into_iter().filter(|finding| finding.rule.level == Level::Error);
        let broken = broken.map(|finding| finding.to_string()).collect::<Vec<_>>();
        prop_assert!(broken.is_empty(), "{broken:?}");
    }
}
