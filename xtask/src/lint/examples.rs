//! An example for each rule: a change to the small document that breaks this rule alone, and where that is found.

use clap::ValueEnum as _;
use serde_json::{Value, json};

use super::{Rule, lint};
use crate::test_support::changed;

const GET: &str = "/paths/~1orders~1{orderId}/get";
const NOTE: &str = "/components/schemas/Order/properties/note";

/// Rule, place and value of the change, and place of the finding.
fn examples() -> Vec<(Rule, String, Value, String)> {
    let same = |rule, at: &str, value| (rule, at.to_owned(), value, at.to_owned());
    let list = |what: &str| format!("/paths/~1orders/get{what}");
    let post = |what: &str| format!("/paths/~1orders/post{what}");
    let get = |what: &str| format!("{GET}{what}");
    let since = |what: &str| list(&format!("/parameters/2{what}"));
    let note = |what: &str| format!("{NOTE}{what}");
    let text = |more: Value| {
        let mut schema = json!({"type": "string", "description": "d"});
        schema
            .as_object_mut()
            .into_iter()
            .for_each(|schema| schema.extend(more.as_object().cloned().unwrap_or_default()));
        schema
    };
    let parameter =
        |name: &str, place: &str| json!({"name": name, "in": place, "description": "d", "schema": {"type": "string"}});
    let order = json!({"schema": {"$ref": "#/components/schemas/Order"}, "example": {"id": "a"}});
    let states = json!({"poll": "getOrder", "id": "id", "status": "status", "pending": ["OPEN"]});
    let trace = json!({"operationId": "traceOrders", "summary": "s", "tags": ["orders"],
        "x-source": [{"ref": "page", "seen": "2026-11-21"}], "responses": {
        "204": {"description": "d"}, "429": {"$ref": "#/components/responses/Busy"}}});
    let status = |values: Value, doc: &str| json!({"type": "string", "description": doc, "enum": values});
    vec![
        same(Rule::OpenapiVersion, "/openapi", json!("3.1.0")),
        (Rule::InfoTitle, "/info/title".to_owned(), Value::Null, "/info".to_owned()),
        same(Rule::InfoVersion, "/info/version", json!("v2")),
        (Rule::Server, "/servers/0/url".to_owned(), json!("/v2"), "/servers/0".to_owned()),
        (Rule::Security, "/security".to_owned(), json!([{"key": []}]), "/security/0".to_owned()),
        same(Rule::UnknownKey, &get("/sumary"), json!("One order")),
        same(Rule::Kind, &get("/tags"), json!("orders")),
        same(Rule::Reference, &list("/responses/429"), json!({"$ref": "#/components/schemas/Order"})),
        same(
            Rule::ReferenceSibling,
            "/components/schemas/Order/properties/status",
            json!({"$ref": "#/components/schemas/Status", "nullable": true}),
        ),
        same(
            Rule::ReferenceText,
            &list("/responses/429"),
            json!({"$ref": "#/components/responses/Busy", "description": "d"}),
        ),
        same(Rule::TextCharacter, &note("/description"), json!("A \u{202e}note.")),
        same(Rule::Unused, "/components/schemas/Alone", text(json!({}))),
        (Rule::OperationId, get("/operationId"), json!("exec"), get("")),
        (Rule::Source, get("/x-source/0/seen"), json!("lately"), get("")),
        (Rule::Summary, get("/summary"), Value::Null, get("")),
        (Rule::Errors, get("/responses/404"), Value::Null, get("/responses")),
        (Rule::Success, get("/responses/204"), json!({"description": "Nothing."}), get("/responses")),
        (
            Rule::MediaType,
            get("/responses/200/content"),
            json!({"application/vnd.shop+json": order}),
            get("/responses/200"),
        ),
        same(Rule::Status, &post("/responses/299"), json!({"$ref": "#/components/responses/Made"})),
        (Rule::Example, get("/responses/200/content/application~1json/example"), Value::Null, get("/responses/200")),
        (Rule::Body, post("/requestBody/content/text~1plain"), json!({}), post("/requestBody")),
        (Rule::OptionalBody, post("/requestBody/required"), json!(false), post("/requestBody")),
        same(Rule::Method, "/paths/~1orders/trace", trace),
        same(Rule::Mark, &get("/x-previw"), json!(true)),
        same(Rule::Idempotency, &post("/x-idempotent-with"), json!("key")),
        same(Rule::Pagination, &list("/x-pagination/items"), json!("rows")),
        same(Rule::LongRunning, &post("/x-long-running"), states),
        (Rule::Unmarked, list("/x-pagination"), Value::Null, list("")),
        same(Rule::ParameterName, &since(""), parameter("Limit", "query")),
        (Rule::ParameterSchema, since("/schema"), Value::Null, since("")),
        (Rule::ParameterPlace, since("/in"), json!("cookie"), since("")),
        (Rule::ParameterStyle, since("/style"), json!("deepObject"), since("")),
        (Rule::ParameterType, since("/schema"), json!({"type": "object", "additionalProperties": true}), since("")),
        (Rule::ParameterRequired, get("/parameters/0/required"), json!(false), get("/parameters/0")),
        (
            Rule::PathParameter,
            since(""),
            json!({"name": "id", "in": "path", "required": true, "description": "d", "schema": {"type": "string"}}),
            list(""),
        ),
        (Rule::Type, note("/type"), json!("strng"), note("/type")),
        same(Rule::Keyword, &note("/items"), json!({"type": "string"})),
        same(Rule::Format, &note("/format"), json!("decmal")),
        (Rule::Number, note("/type"), json!("number"), note("")),
        (Rule::Any, note("/type"), Value::Null, note("")),
        (Rule::OneOf, note(""), json!({"description": "d", "oneOf": [{"type": "string"}]}), note("")),
        same(Rule::AllOf, &note(""), json!({"description": "d", "allOf": [{"type": "string"}]})),
        same(
            Rule::InlineObject,
            &note(""),
            json!({"type": "object", "description": "d", "properties": {"a": text(json!({}))}}),
        ),
        (
            Rule::ClosedObject,
            "/components/schemas/Line/additionalProperties".to_owned(),
            json!(false),
            "/components/schemas/Line".to_owned(),
        ),
        (
            Rule::OpenObject,
            "/components/schemas/Line/additionalProperties".to_owned(),
            json!({"type": "string"}),
            "/components/schemas/Line".to_owned(),
        ),
        (Rule::FreeObject, note("/type"), json!("object"), note("")),
        (
            Rule::Required,
            "/components/schemas/Order/required/0".to_owned(),
            json!("number"),
            "/components/schemas/Order".to_owned(),
        ),
        (Rule::InlineEnum, note("/enum"), json!(["a"]), note("")),
        same(Rule::Enum, "/components/schemas/Status", status(json!(["unknown"]), "- `unknown`: d")),
        (Rule::EnumType, note(""), json!({"type": "integer", "description": "d", "enum": [1]}), note("")),
        same(Rule::EnumValues, "/components/schemas/Status", status(json!(["OPEN"]), "State.")),
        (Rule::Default, note("/default"), json!("a"), note("")),
        same(Rule::AnswerLimit, "/components/schemas/OrderPage/properties/next/maxLength", json!(9)),
        same(Rule::Secret, "/components/schemas/Order/properties/apiKey", text(json!({}))),
        (Rule::Description, note("/description"), Value::Null, note("")),
        same(Rule::Name, "/components/schemas/Order/properties/note_", text(json!({}))),
    ]
}

#[test]
fn each_example_breaks_its_rule_alone_and_is_found_at_its_place() {
    for (rule, place, value, found) in examples() {
        let findings = lint(&changed(&place, value.clone()));
        let findings = findings.iter().map(|finding| (finding.rule, finding.pointer.as_str())).collect::<Vec<_>>();
        assert_eq!(findings, [(rule, found.as_str())], "{place} is {value}");
    }
}

#[test]
fn every_rule_has_an_example() {
    // What the facade calls is asked of its sources, not of the document: its example stands with it.
    let shown = examples().into_iter().map(|(rule, ..)| rule).chain([Rule::Facade]).collect::<Vec<_>>();
    let missing = Rule::value_variants().iter().filter(|rule| !shown.contains(rule)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:?}");
}
