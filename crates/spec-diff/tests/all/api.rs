//! Changes of operations and of what stands around schemas.

use serde_json::{Value, json};
use spec_diff::{Direction, Level, Options, Owner, Role, diff};

use crate::support::{compare, document, lines, table, yaml};

/// A document with one operation `GET /a` of these members, beside others of the document.
fn operation(members: &str, document_members: &str) -> Value {
    let mut operation = yaml(members);
    let responses = operation.get("responses").cloned().unwrap_or(json!({"204": {"description": "done"}}));
    operation["responses"] = responses;
    let mut document = document(json!({"/a": {"get": operation}}), json!({}));
    if let (Some(document), Value::Object(members)) = (document.as_object_mut(), yaml(document_members)) {
        document.extend(members);
    }
    document
}

/// Lists the findings of each change of the operation's members.
fn changes(rows: &[(&str, &str)]) -> String {
    table(rows, |base, revision| lines(&compare(&operation(base, "{}"), &operation(revision, "{}"))))
}

fn paths(text: &str) -> Value {
    document(yaml(text), json!({}))
}

const DONE: &str = "responses: {204: {description: done}}";

#[test]
fn added_removed_and_moved_operations() {
    let rows = [
        ("{}", "{/a: {get: {DONE}}}"),
        ("{/a: {get: {DONE}}}", "{}"),
        ("{/a: {get: {DONE}, put: {DONE}}}", "{/a: {put: {DONE}}}"),
        ("{/a: {get: {deprecated: true, DONE}}}", "{}"),
        ("{/a: {get: {deprecated: true, x-sunset: '2026-12-01', DONE}}}", "{}"),
        ("{/a: {get: {deprecated: true, x-sunset: '2026-11-01', DONE}}}", "{}"),
        ("{/a: {get: {deprecated: true, x-sunset: soon, DONE}}}", "{}"),
        ("{/a: {get: {x-stability-level: alpha, DONE}}}", "{}"),
        ("{/a: {get: {operationId: x, DONE}}}", "{/b: {get: {operationId: x, DONE}}}"),
        ("{'/a/{id}': {get: {DONE}}}", "{'/a/{key}': {get: {DONE}}}"),
        ("{/a: {get: {operationId: x, DONE}}}", "{/a: {get: {operationId: y, DONE}}}"),
    ];
    let options = Options { today: Some("2026-11-22".into()), ..Options::default() };
    let read = |text: &str| paths(&text.replace("DONE", DONE));
    insta::assert_snapshot!(table(&rows, |base, revision| lines(
        &diff(&read(base), &read(revision), &options).unwrap()
    )));
}

#[test]
fn deprecation_and_stability_of_operations() {
    insta::assert_snapshot!(changes(&[
        ("{}", "{deprecated: true}"),
        ("{}", "{deprecated: true, x-sunset: '2027-01-31'}"),
        ("{deprecated: true}", "{}"),
        ("{deprecated: true}", "{deprecated: true, x-sunset: '2027-01-31'}"),
        ("{x-stability-level: beta}", "{x-stability-level: draft}"),
        ("{x-owner: a}", "{x-owner: b}"),
        ("{tags: [a], summary: x}", "{tags: [b], summary: y}"),
    ]));
}

#[test]
fn parameters() {
    insta::assert_snapshot!(changes(&[
        ("{}", "{parameters: [{name: p, in: query, required: true, schema: {type: string}}]}"),
        ("{}", "{parameters: [{name: p, in: query, schema: {type: string}}]}"),
        (
            "{parameters: [{name: p, in: query, schema: {type: string}}]}",
            "{parameters: [{name: p, in: header, schema: {type: string}}]}",
        ),
        (
            "{parameters: [{name: X-P, in: header, schema: {type: string}}]}",
            "{parameters: [{name: x-p, in: header, required: true, schema: {type: string}}]}",
        ),
        (
            "{parameters: [{name: p, in: query, schema: {type: integer}}]}",
            "{parameters: [{name: p, in: query, schema: {type: string}}]}",
        ),
        (
            "{parameters: [{name: p, in: query, schema: {type: string}}]}",
            "{parameters: [{name: p, in: query, schema: {type: array, items: {type: string}}}]}",
        ),
        (
            "{parameters: [{name: p, in: query, schema: {type: array, items: {type: string}}}]}",
            "{parameters: [{name: p, in: query, explode: false, schema: {type: array, items: {type: string}}}]}",
        ),
        (
            "{parameters: [{name: p, in: query, schema: {type: string}}]}",
            "{parameters: [{name: p, in: query, explode: false, style: form, required: false, schema: {type: string}}]}",
        ),
        (
            "{parameters: [{name: p, in: query, schema: {type: string}}]}",
            "{parameters: [{name: p, in: query, content: {application/json: {schema: {type: string}}}}]}",
        ),
    ]));
}

#[test]
fn parameters_of_a_path_are_those_of_its_operations_and_known_by_position() {
    let own = paths(
        "{'/a/{id}': {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {}}}}",
    );
    let shared = paths(
        "{'/a/{key}': {parameters: [{name: key, in: path, required: true, schema: {type: string}}], get: {responses: {}}}}",
    );
    assert_eq!(lines(&compare(&own, &shared)), ["none request-path-parameter-renamed key (path)"]);
}

#[test]
fn request_bodies_and_media_types() {
    insta::assert_snapshot!(changes(&[
        ("{}", "{requestBody: {required: true, content: {text/plain: {}}}}"),
        ("{}", "{requestBody: {content: {text/plain: {}}}}"),
        ("{requestBody: {content: {text/plain: {}}}}", "{}"),
        ("{requestBody: {content: {text/plain: {}}}}", "{requestBody: {required: true, content: {text/plain: {}}}}"),
        ("{requestBody: {content: {application/json: {}}}}", "{requestBody: {content: {application/xml: {}}}}"),
        (
            "{responses: {200: {content: {application/json: {}}}}}",
            "{responses: {200: {content: {application/json;charset=utf-8: {}}}}}",
        ),
        (
            "{responses: {200: {content: {application/json: {}}}}}",
            "{responses: {200: {content: {application/vnd.acme+json: {}}}}}",
        ),
        (
            "{responses: {200: {content: {application/json: {schema: {type: string}}}}}}",
            "{responses: {200: {content: {application/json: {}}}}}",
        ),
        (
            "{requestBody: {content: {multipart/form-data: {encoding: {a: {contentType: text/csv}}}}}}",
            "{requestBody: {content: {multipart/form-data: {}}}}",
        ),
    ]));
}

#[test]
fn responses_and_headers() {
    insta::assert_snapshot!(changes(&[
        ("{responses: {2XX: {description: ok, content: {text/csv: {}}}}}", "{responses: {200: {description: ok}}}"),
        ("{responses: {200: {description: ok}}}", "{responses: {2XX: {description: ok}}}"),
        ("{responses: {200: {description: ok}}}", "{responses: {202: {description: ok}}}"),
        ("{responses: {404: {description: no}, default: {description: no}}}", "{responses: {409: {description: no}}}"),
        ("{responses: {200: {content: {text/plain: {}}}}}", "{responses: {200: {description: empty}}}"),
        (
            "{responses: {200: {headers: {X-A: {required: true}, X-B: {}, X-C: {required: true}}}}}",
            "{responses: {200: {headers: {x-c: {}, X-D: {}}}}}",
        ),
        (
            "{responses: {200: {headers: {X-A: {schema: {type: string}}}}}}",
            "{responses: {200: {headers: {X-A: {schema: {type: string, nullable: true}}}}}}",
        ),
        ("{responses: {200: {}}}", "{responses: {200: {links: {next: {}}}}}"),
    ]));
}

#[test]
fn security_requirements() {
    insta::assert_snapshot!(changes(&[
        ("{}", "{security: [{key: []}]}"),
        ("{security: [{key: []}]}", "{security: []}"),
        ("{security: [{key: []}]}", "{security: [{oauth: []}]}"),
        ("{security: [{key: []}]}", "{security: [{oauth: []}, {key: []}]}"),
        ("{security: [{key: []}, {oauth: []}]}", "{security: [{key: []}]}"),
        ("{security: [{key: []}]}", "{security: [{key: [], oauth: []}]}"),
        ("{security: [{oauth: [a]}]}", "{security: [{oauth: [b, a]}]}"),
        ("{security: [{oauth: [a, b]}]}", "{security: [{oauth: [b]}]}"),
        ("{security: [{key: []}, {oauth: []}]}", "{security: [{oauth: []}, {key: []}]}"),
    ]));
    // Written out, the document's requirement is not a change.
    let global = operation("{}", "{security: [{key: []}]}");
    assert_eq!(lines(&compare(&global, &operation("{security: [{key: []}]}", "{security: [{key: []}]}"))), [""; 0]);
}

#[test]
fn security_schemes() {
    let scheme =
        |text: &str| operation("{security: [{s: []}]}", &format!("{{components: {{securitySchemes: {{s: {text}}}}}}}"));
    let rows = [
        ("{type: apiKey, in: header, name: A}", "{type: apiKey, in: query, name: A}"),
        ("{type: apiKey, in: header, name: A}", "{type: apiKey, in: header, name: B}"),
        ("{type: http, scheme: basic}", "{type: http, scheme: bearer}"),
        ("{type: http, scheme: basic}", "{type: apiKey, in: header, name: A}"),
        (
            "{type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://a', scopes: {}}}}",
            "{type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://b', scopes: {}}}}",
        ),
        ("{type: oauth2, flows: {implicit: {authorizationUrl: 'https://a', scopes: {}}}}", "{type: oauth2, flows: {}}"),
        ("{type: oauth2, flows: {implicit: {scopes: {a: x}}}}", "{type: oauth2, flows: {implicit: {scopes: {}}}}"),
    ];
    insta::assert_snapshot!(table(&rows, |base, revision| {
        let report = compare(&scheme(base), &scheme(revision));
        assert_eq!(report.changes[0].operations.len(), 1, "it reaches the operation that uses the scheme");
        lines(&report)
    }));
    assert_eq!(
        lines(&compare(&scheme("{type: http, scheme: Basic}"), &scheme("{type: http, scheme: basic}"))),
        [""; 0]
    );
}

/// What the vendor sends may not widen, and what callers accept as a response may not narrow.
#[test]
fn callbacks_and_webhooks_reverse_the_direction_of_data() {
    let call = |request: &str, response: &str| {
        let body = |schema: &str| format!("content: {{application/json: {{schema: {schema}}}}}");
        format!("{{post: {{requestBody: {{{}}}, responses: {{200: {{{}}}}}}}}}", body(request), body(response))
    };
    let (event, response) = ("{properties: {n: {type: integer}}}", "{properties: {ok: {type: boolean}}}");
    let rows = [
        (call(event, response), vec![]),
        (call("{description: It., properties: {n: {type: integer}}}", response), vec![]),
        (
            call("{properties: {n: {type: number}}}", response),
            vec!["breaking response-property-type-generalized done body: n"],
        ),
        (
            call(event, "{required: [ok], properties: {ok: {type: boolean}}}"),
            vec!["breaking request-property-became-required done 200: ok"],
        ),
        (
            call(event, response).replace("200", "204"),
            vec!["warning response-success-status-added done 204", "warning response-success-status-removed done 200"],
        ),
        ("{}".to_owned(), vec!["breaking callback-removed done"]),
    ];
    for (revision, expected) in rows {
        let callback = |call: &str| operation(&format!("{{callbacks: {{done: {{'{{$url}}': {call}}}}}}}"), "{}");
        let report = compare(&callback(&call(event, response)), &callback(&revision));
        assert_eq!(lines(&report), expected, "{revision}");
        // Who reads the finding opens the operation that asks for the call.
        let reached = report.changes.iter().flat_map(|change| &change.operations);
        assert!(reached.clone().all(|operation| operation.to_string() == "GET /a"), "{reached:?}");

        let webhook = |call: &str| operation("{}", &format!("{{webhooks: {{done: {call}}}}}"));
        let found = lines(&compare(&webhook(&call(event, response)), &webhook(&revision)));
        let expected: Vec<_> =
            expected.iter().map(|line| line.replace(" done ", " ").replace("callback-", "webhook-")).collect();
        assert_eq!(found, expected, "{revision}");
    }
}

#[test]
fn servers() {
    let servers = |text: &str| operation("{}", &format!("{{servers: {text}}}"));
    let rows = [
        ("[{url: 'https://a/v1'}]", "[{url: 'https://a/v2'}]"),
        ("[{url: 'https://a'}, {url: 'https://b'}]", "[{url: 'https://b'}, {url: 'https://a'}]"),
        ("[{url: 'https://a'}]", "[{url: 'https://a/'}, {url: 'https://b'}]"),
        ("[{url: 'https://a'}, {url: 'https://b'}]", "[{url: 'https://a'}]"),
        (
            "[{url: 'https://{r}', variables: {r: {default: a}}}]",
            "[{url: 'https://{r}', variables: {r: {default: b}}}]",
        ),
        (
            "[{url: 'https://{r}', variables: {r: {default: a, enum: [a, b]}}}]",
            "[{url: 'https://{r}', variables: {r: {default: a, enum: [b, a]}}}]",
        ),
        (
            "[{url: 'https://{r}', variables: {r: {default: a}}}, {url: 'https://{r}', variables: {r: {default: b}}}]",
            "[{url: 'https://{r}', variables: {r: {default: b}}}, {url: 'https://{r}', variables: {r: {default: a}}}]",
        ),
    ];
    insta::assert_snapshot!(table(&rows, |base, revision| lines(&compare(&servers(base), &servers(revision)))));
    let gone = compare(&servers("[{url: 'https://a'}]"), &operation("{}", "{}"));
    assert!(gone.changes[0].message.starts_with("the API: https://a → /: "), "{}", gone.changes[0].message);
}

#[test]
fn a_shared_component_is_one_finding_with_all_operations_and_roles() {
    let document = |age: &str| {
        let user = yaml("{content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}");
        let list =
            yaml("{content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/User'}}}}}");
        document(
            json!({"/users": {"post": {"requestBody": user, "responses": {"200": user}}, "get": {"responses": {"200": list}}}}),
            json!({"schemas": {"User": {"properties": {"age": yaml(age), "boss": {"$ref": "#/components/schemas/User"}}}}}),
        )
    };
    let report = compare(&document("{type: integer, format: int32}"), &document("{type: integer, format: int64}"));
    assert_eq!(lines(&report), ["breaking response-property-type-generalized age"]);
    let change = &report.changes[0];
    assert_eq!(change.owner, Owner::Component { section: "schemas".into(), name: "User".into() });
    assert_eq!(change.direction, Direction::Both);
    assert_eq!(change.operations.iter().map(ToString::to_string).collect::<Vec<_>>(), ["GET /users", "POST /users"]);
    assert_eq!(change.roles, [Role::Request, Role::Response]);
    assert_eq!(change.members[0].base.as_ref().unwrap().pointer, "/components/schemas/User/properties/age");
    assert_eq!(
        change.message,
        "User, in requests and responses: age (integer/int32 → integer/int64): more values fit: another type too, or a wider format"
    );
    assert_eq!(report.operations.iter().map(|operation| operation.level).max(), Some(Level::Breaking));
}

#[test]
fn a_new_name_for_the_same_component_is_recognised_and_harmless() {
    let document = |name: &str, kind: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}")});
        let response = json!({"content": {"application/json": {"schema": {"type": "array", "items": schema}}}});
        document(
            json!({"/a": {"get": {"responses": {"200": response}}}}),
            json!({"schemas": {name: {"properties": {"a": {"type": kind}}}}}),
        )
    };
    let report = compare(&document("Old", "string"), &document("New", "string"));
    assert_eq!(report.changes.iter().map(crate::support::line).collect::<Vec<_>>(), ["none api-schema-renamed"]);
    let report = compare(&document("Old", "string"), &document("New", "integer"));
    assert_eq!(lines(&report), ["breaking response-property-type-changed a"]);
}

#[test]
fn options_set_levels() {
    let schema = |text: &str| crate::support::in_response(&yaml(text), &json!({}));
    let level = |base: &str, revision: &str, options: Options| {
        diff(&schema(base), &schema(revision), &options).unwrap().changes[0].level
    };
    let (small, large) = ("{type: string, enum: [a]}", "{type: string, enum: [a, b]}");
    assert_eq!(level(small, large, Options::default()), Level::Warning);
    assert_eq!(level(small, large, Options { open_enums: false, ..Options::default() }), Level::Breaking);
    let by_rule = Options { levels: [("enum-value-added".into(), Level::Info)].into(), ..Options::default() };
    assert_eq!(level(small, large, by_rule.clone()), Level::Info);
    let mut by_id = by_rule;
    by_id.levels.insert("response-body-enum-value-added".into(), Level::None);
    assert_eq!(level(small, large, by_id), Level::None);
    let (short, long) = ("{type: string, maxLength: 1}", "{type: string, maxLength: 2}");
    assert_eq!(level(short, long, Options { validates_limits: true, ..Options::default() }), Level::Breaking);
    let header = |text: &str| operation(&format!("{{responses: {{200: {{headers: {text}}}}}}}"), "{}");
    let options = Options { exposes_headers: false, ..Options::default() };
    let report = diff(&header("{A: {required: true}}"), &header("{}"), &options).unwrap();
    assert_eq!(lines(&report), ["info required-response-header-removed A"]);
    let options = Options { ignored_extensions: vec!["x-doc*".into()], ..Options::default() };
    let report = diff(&operation("{x-docs: 1}", "{}"), &operation("{x-docs: 2, x-other: 1}", "{}"), &options).unwrap();
    assert_eq!(lines(&report), ["none extension-changed x-other"]);
}

#[test]
fn unresolved_reference_is_an_unknown_change() {
    let schema = |text: &str| crate::support::in_response(&yaml(text), &json!({}));
    let report = compare(&schema("{$ref: 'other.yaml#/A'}"), &schema("{$ref: 'other.yaml#/B'}"));
    assert_eq!(lines(&report), ["warning unknown-change $ref"]);
    let hook = |text: &str| operation("{}", &format!("{{webhooks: {text}}}"));
    assert_eq!(
        lines(&compare(&hook("{a: {post: {}}, b: {put: {}}}"), &hook("{a: {put: {}}, b: {put: {}}}"))),
        ["breaking webhook-removed a", "info webhook-added a"]
    );
    let rows = [
        ("{$ref: 'a.yaml'}", "{$ref: 'b.yaml'}"),
        ("{$ref: 'a.yaml'}", "{get: {DONE}}"),
        (
            "{get: {parameters: [{$ref: 'p.yaml'}], DONE}}",
            "{get: {parameters: [{name: p, in: query}, {$ref: 'p.yaml'}], DONE}}",
        ),
        ("{get: {parameters: [{$ref: 'p.yaml'}], DONE}}", "{get: {DONE}}"),
    ];
    let path = |text: &str| paths(&format!("{{/a: {}}}", text.replace("DONE", DONE)));
    insta::assert_snapshot!(table(&rows, |base, revision| lines(&compare(&path(base), &path(revision)))));
}

#[test]
fn schemas_that_nothing_refers_to_are_compared_with_a_warning_at_most() {
    let schema = |text: &str| {
        document(
            json!({"/a": {"get": {"responses": {"204": {"description": "done"}}}}}),
            yaml(&format!(
                "{{schemas: {{Paid: {{properties: {{order: {{$ref: '#/components/schemas/Order'}}}}}}, Order: {text}}}}}"
            )),
        )
    };
    let report = compare(&schema("{properties: {id: {type: string}}}"), &schema("{properties: {id: {type: integer}}}"));
    assert_eq!(lines(&report), ["warning response-property-type-changed id"]);
    assert!(report.changes[0].message.ends_with("(no operation refers to it)"), "{}", report.changes[0].message);
    // Callers do not send what belongs to no operation.
    let required = schema("{properties: {id: {type: string}}, required: [id]}");
    let report = compare(&schema("{properties: {}}"), &required);
    assert_eq!(lines(&report), ["info response-required-property-added id"]);
}
