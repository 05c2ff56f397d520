//! The smoke test of a new vendor: every operation against its mock helper, with the document's examples.

use serde_json::Value;

use super::{
    call_expression::{self, given, method},
    client::{self, formatted},
};
use crate::{
    codegen::{formats, successes::status_name},
    commands::add_vendor::{Plan, names::library},
    import::{ConvertedOperation, Credential, is_json},
};

/// Returns the source of `tests/smoke.rs`.
pub(super) fn source(plan: &Plan<'_>) -> Result<String, String> {
    let (library, name) = (library(plan.name), plan.name);
    // Without an example there is nothing to send or to return; the losses state why there is none.
    let shown = plan.draft.operations.iter().filter(|operation| has_examples(operation));
    let tests = shown.map(|operation| test(plan, operation)).collect::<Result<Vec<_>, _>>()?;
    let tests = tests.join("\n");
    let example = call_expression::example(plan);
    let (readme, first) = (&example.code, first_call(plan, example.operation)?);
    let oauth = plan.draft.credentials.iter().any(|credential| matches!(credential, Credential::OAuthClient { .. }));
    let base_url = if plan.draft.address.is_none() { "server.base_url(), " } else { "" };
    let builder = if oauth {
        // Tokens come from where the document states; a test brings one along.
        format!("Client::with_auth({base_url}{library}::Auth::header(\"Bearer\", \"hush\"))")
    } else {
        let secrets = client::arguments(plan).into_iter().filter(|argument| argument.name != "base_url");
        let secrets = secrets.map(|argument| if argument.name == "user" { "\"me\"" } else { "\"hush\".to_owned()" });
        format!("Client::builder({base_url}{})", secrets.collect::<Vec<_>>().join(", "))
    };
    let builder = format!("{builder}.base_url(server.base_url()).build().unwrap()");
    let imports = if tests.contains("types::") { "Client, types" } else { "Client" };
    let run = if first.is_empty() { "" } else { RUN };
    let typed = if tests.contains("example(") { EXAMPLE } else { "" };
    let raw = if tests.contains("document_example(") || !typed.is_empty() { DOCUMENT_EXAMPLE } else { "" };
    let same = if tests.contains("same(") { SAME } else { "" };
    let deprecated = plan.draft.operations.iter().any(|operation| operation.value().get("deprecated").is_some());
    let deprecated = if deprecated {
        "// What the vendor has deprecated is tested like the rest.\n#![allow(deprecated)]\n\n"
    } else {
        ""
    };
    let uses = if raw.is_empty() { "" } else { "use serde_json::Value;\n" };
    let document = if raw.is_empty() {
        String::new()
    } else {
        // Parsed once: a large document takes half a second.
        format!(
            "static DOCUMENT: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {{\n    \
             let options = serde_saphyr::options! {{ strict_booleans: true }};\n    \
             serde_saphyr::from_str_with_options(include_str!(\"../../../openapi/{name}.yaml\"), options).unwrap()\n}});\n\n"
        )
    };
    Ok(formatted(format!(
        "//! Every operation against its mock helper, with the examples of the curated document: what is sent is what was meant, and what is\n\
         //! returned is read the same.\n\n{deprecated}{uses}use {library}::{{{imports}, httpmock::MockServer, mock::MockServerExt}};\n\n\
         /// The example of README.md: the crate's documentation is not tested.\nmacro_rules! readme {{\n    ($($code:tt)*) => {{\n        \
         #[allow(dead_code)]\n        mod readme {{\n            $($code)*\n\n{run}        }}\n\n        \
         const EXAMPLE_OF_README: &str = stringify!($($code)*);\n    }};\n}}\n\nreadme! {{\n{readme}\n}}\n\n{README_TEST}{first}\
         {document}fn client(server: &MockServer) -> Client {{\n    {builder}\n}}\n\n{raw}{typed}{same}\n{tests}"
    )))
}

const DOCUMENT_EXAMPLE: &str = r#"/// The example of an operation's body or response, by its pointer in the operation.
fn document_example(operation: &str, pointer: &str) -> Value {
    let items = DOCUMENT["paths"].as_object().unwrap().values();
    let mut operations = items.flat_map(|item| item.as_object().unwrap().values());
    let found = operations.find(|found| found["operationId"] == operation).unwrap();
    let content = found.pointer(pointer).unwrap()["content"].as_object().unwrap().values().next().unwrap();
    content["example"].clone()
}

"#;

const EXAMPLE: &str = r#"fn example<T: serde::de::DeserializeOwned>(operation: &str, pointer: &str) -> T {
    serde_json::from_value(document_example(operation, pointer)).unwrap()
}

"#;

const SAME: &str = r#"fn same(response: &impl serde::Serialize, expected: &Value) {
    let text = serde_json::to_string(response).unwrap();
    assert_eq!(present(serde_json::from_str(&text).unwrap()), *expected);
}

/// Absent and null are the same: examples have no null.
fn present(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().filter(|(_, field)| !field.is_null()).map(|(name, field)| (name, present(field))).collect()
        }
        Value::Array(list) => list.into_iter().map(present).collect(),
        other => other,
    }
}

"#;

/// The function that the macro adds to the example, whose functions are private.
const RUN: &str = "            pub(crate) async fn run(client: &Client) -> Result<(), Error> {\n                first_call(client).await\n            }\n";

const README_TEST: &str = r#"#[test]
fn readme_has_the_tested_example() {
    let tokens = |text: &str| text.replace(|letter: char| letter.is_whitespace() || letter == ',', "");
    assert!(tokens(include_str!("../README.md")).contains(&tokens(EXAMPLE_OF_README)));
}

"#;

/// Returns the test that sends the call of the README.
fn first_call(plan: &Plan<'_>, operation: Option<&ConvertedOperation>) -> Result<String, String> {
    let Some(operation) = operation.filter(|operation| has_examples(operation)) else { return Ok(String::new()) };
    let (method, mocked) = (method(operation), mocked(operation)?);
    let when = given(plan, operation)?
        .iter()
        .map(|given| format!(".{}({})", given.setter, given.expected))
        .collect::<String>();
    let (used, when) = if when.is_empty() { ("_", String::new()) } else { ("when", format!("        when{when};\n")) };
    Ok(format!(
        "#[tokio::test]\nasync fn first_call_of_the_readme_succeeds() {{\n    let server = MockServer::start_async().await;\n{}    \
         let mock = MockServerExt::{method}(&server, |{used}, then| {{\n{when}        {}\n    }});\n    \
         readme::run(&client(&server)).await.unwrap();\n    mock.assert();\n}}\n\n",
        mocked.before, mocked.then
    ))
}

/// The code of a mock that responds with the example of an operation.
struct Mocked {
    /// Before the mock.
    before: String,
    then: String,
    /// After the call, whose response is `read`.
    check: String,
}

fn mocked(operation: &ConvertedOperation) -> Result<Mocked, String> {
    let (id, value) = (&operation.id, operation.value());
    let (status, read) = success(&value).ok_or_else(|| format!("{id} has no success"))?;
    let (location, then) = (format!("/responses/{status}"), status_name(status));
    let status_check = format!("    assert_eq!(read.status(), {status});\n");
    Ok(match read {
        Read::Json => {
            let holder = &value["responses"][status.to_string()];
            let (kind, borrow) = (kind(holder), borrowed(holder));
            Mocked {
                before: format!("    let response{kind} = example({id:?}, {location:?});\n"),
                then: format!("then.{then}({borrow}response);"),
                check: format!("    same(&read.into_inner(), &document_example({id:?}, {location:?}));\n"),
            }
        }
        Read::File => Mocked {
            before: String::new(),
            then: format!("then.{then}(\"application/octet-stream\", \"a,b\");"),
            check: status_check,
        },
        Read::Nothing => Mocked { before: String::new(), then: format!("then.{then}();"), check: status_check },
    })
}

/// The form in which a response is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    Json,
    File,
    Nothing,
}

/// Returns whether all that the test of an operation reads is there.
fn has_examples(operation: &ConvertedOperation) -> bool {
    let shown = |holder: &Value| {
        let media = holder["content"].as_object().and_then(|content| content.iter().next());
        media.is_none_or(|(name, media)| {
            let needed = is_json(name) || name.ends_with("urlencoded");
            !needed || media.get("example").is_some()
        })
    };
    let value = operation.value();
    let response = |(status, read): (u16, Read)| read != Read::Json || shown(&value["responses"][status.to_string()]);
    shown(&value["requestBody"]) && success(&value).is_none_or(response)
}

fn test(plan: &Plan<'_>, operation: &ConvertedOperation) -> Result<String, String> {
    let (id, method, value) = (&operation.id, method(operation), operation.value());
    // A keyword has an underscore at its end, and two are one in snake case.
    let called = method.trim_end_matches('_');
    let given = given(plan, operation)?;
    let mocked = mocked(operation)?;
    let mut when = given.iter().map(|given| format!(".{}({})", given.setter, given.expected)).collect::<String>();
    let mut call = given.iter().map(|given| format!(".{}({})", given.setter, given.value)).collect::<String>();
    let mut before = String::new();
    match body(&value) {
        Some(media) if is_json(media) || media.ends_with("urlencoded") => {
            let kind = kind(&value["requestBody"]);
            before.push_str(&format!("    let body{kind} = example({id:?}, \"/requestBody\");\n"));
            when.push_str(&format!(".body({}body)", borrowed(&value["requestBody"])));
            call.push_str(".body(body)");
        }
        Some(_) => call.push_str(".body(\"text\")"),
        None => {}
    }
    let when = if when.is_empty() { String::new() } else { format!("        when{when};\n") };
    let unused = if when.is_empty() { "_" } else { "when" };
    let Mocked { before: prepared, then: respond, check } = mocked;
    before.push_str(&prepared);
    Ok(format!(
        "#[tokio::test]\nasync fn {called}_goes_out_and_comes_back() {{\n    let server = MockServer::start_async().await;\n{before}    \
         let mock = MockServerExt::{method}(&server, |{unused}, then| {{\n{when}        {respond}\n    }});\n    \
         let read = client(&server).{method}(){call}.send().await.unwrap();\n    mock.assert();\n{check}}}\n"
    ))
}

/// Returns the type of an example, where the mock's helper does not state it: it takes strings by reference.
fn kind(holder: &Value) -> &'static str {
    let schema = json_schema(holder);
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let is_text = !formats::is_parsed(format);
    if schema["type"] == "string" && is_text { ": String" } else { "" }
}

/// Returns how the mock's helper takes an example: numbers and flags as they are, all else by reference.
fn borrowed(holder: &Value) -> &'static str {
    let kind = json_schema(holder)["type"].as_str().unwrap_or_default();
    if ["integer", "boolean"].contains(&kind) { "" } else { "&" }
}

/// Returns the schema of a JSON body.
fn json_schema(holder: &Value) -> &Value {
    let media = holder["content"].as_object().into_iter().flatten().find(|(name, _)| is_json(name));
    media.map_or(&Value::Null, |(_, media)| &media["schema"])
}

fn body(operation: &Value) -> Option<&str> {
    operation.pointer("/requestBody/content")?.as_object()?.keys().next().map(String::as_str)
}

fn success(operation: &Value) -> Option<(u16, Read)> {
    let responses = operation["responses"].as_object()?;
    let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2'))?;
    let read = match response.get("content").and_then(Value::as_object) {
        None => Read::Nothing,
        Some(_) if operation.get("x-download").is_some() => Read::File,
        Some(_) => Read::Json,
    };
    Some((status.parse().ok()?, read))
}
